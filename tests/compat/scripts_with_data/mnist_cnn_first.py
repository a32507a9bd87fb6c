"""Digits by a convnet in Theano's dimension ordering, as written for Keras 1."""
# generation: 1
# needs: mnist.npz
# shows: test accuracy >= 0.7 (untrained 0.1)

import numpy as np
from keras import backend as K
from keras.datasets import mnist
from keras.layers import Activation, Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.utils import np_utils

K.set_image_dim_ordering("th")
assert K.image_dim_ordering() == "th"
np.random.seed(1337)
img_rows, img_cols = 28, 28
nb_filters = 8
kernel_size = (3, 3)

(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train[:4000].reshape(4000, 1, img_rows, img_cols).astype("float32") / 255
X_test = X_test[:1000].reshape(1000, 1, img_rows, img_cols).astype("float32") / 255
Y_train = np_utils.to_categorical(y_train[:4000], 10)
Y_test = np_utils.to_categorical(y_test[:1000], 10)

model = Sequential()
model.add(
    Convolution2D(
        nb_filters,
        kernel_size[0],
        kernel_size[1],
        border_mode="valid",
        input_shape=(1, img_rows, img_cols),
    )
)
model.add(Activation("relu"))
model.add(Convolution2D(nb_filters, 3, 3, border_mode="same", subsample=(2, 2), init="he_normal"))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(64))
model.add(Activation("relu"))
model.add(Dense(10))
model.add(Activation("softmax"))
assert model.layers[0].output_shape == (None, nb_filters, 26, 26)

model.compile(loss="categorical_crossentropy", optimizer="adadelta", metrics=["accuracy"])
model.optimizer.lr.assign(1.0)
model.fit(X_train, Y_train, batch_size=64, nb_epoch=3, verbose=2, validation_data=(X_test, Y_test))
score = model.evaluate(X_test, Y_test, verbose=0)
print("Test score:", score[0])
print("test accuracy", score[1])
