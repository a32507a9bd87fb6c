"""Digits by dense layers, as written for Keras 1."""
# generation: 1
# needs: mnist.npz
# shows: test accuracy >= 0.8 (untrained 0.1)

import numpy as np
from keras.datasets import mnist
from keras.layers.core import Activation, Dense, Dropout
from keras.models import Sequential
from keras.optimizers import RMSprop
from keras.regularizers import l2
from keras.utils import np_utils

np.random.seed(1337)
batch_size = 128
nb_classes = 10
nb_epoch = 4

(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train.reshape(60000, 784)[:8000].astype("float32") / 255
X_test = X_test.reshape(10000, 784)[:2000].astype("float32") / 255
Y_train = np_utils.to_categorical(y_train[:8000], nb_classes)
Y_test = np_utils.to_categorical(y_test[:2000], nb_classes)

model = Sequential()
model.add(Dense(output_dim=128, input_dim=784, init="he_normal", W_regularizer=l2(1e-5)))
model.add(Activation("relu"))
model.add(Dropout(0.2))
model.add(Dense(128, init="uniform"))
model.add(Activation("relu"))
model.add(Dropout(p=0.2))
model.add(Dense(nb_classes, bias=True))
model.add(Activation("softmax"))
model.summary()

model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.002), metrics=["accuracy"])
history = model.fit(
    X_train,
    Y_train,
    batch_size=batch_size,
    nb_epoch=nb_epoch,
    verbose=2,
    validation_data=(X_test, Y_test),
)
assert len(history.history["val_acc"]) == nb_epoch
score = model.evaluate(X_test, Y_test, verbose=0)
classes = model.predict_classes(X_test, verbose=0)
assert abs((classes == y_test[:2000]).mean() - score[1]) < 1e-6
print("test accuracy", score[1])
