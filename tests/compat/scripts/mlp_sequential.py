"""Keras 2.0: a Sequential MLP, accuracy by its old name, the scores by `metrics_names`."""

import numpy as np
from keras.layers.core import Activation, Dense, Dropout
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils import np_utils

np.random.seed(0)
x = np.random.rand(600, 2)
labels = (np.sum((x - 0.5) ** 2, axis=1) < 0.08).astype(int)
y = np_utils.to_categorical(labels, 2)

model = Sequential()
model.add(Dense(32, input_dim=2, kernel_initializer="uniform"))
model.add(Activation("relu"))
model.add(Dropout(0.1))
model.add(Dense(32, activation="relu"))
model.add(Dense(2))
model.add(Activation("softmax"))
sgd = SGD(lr=0.2, decay=1e-4, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])

history = model.fit(x, y, epochs=40, batch_size=32, validation_split=0.2, verbose=0)
assert len(history.history["val_acc"]) == 40
assert history.history["acc"][-1] > history.history["acc"][0]

scores = model.evaluate(x, y, verbose=0)
named = dict(zip(model.metrics_names, scores))
assert set(named) == {"loss", "acc"}, named
classes = model.predict_classes(x, batch_size=32)
assert classes.shape == (600,)
assert model.predict_proba(x).shape == (600, 2)
print("figure", np.mean(classes == labels))
