"""Keras 2.2: recurrent layers for cuDNN, wrapped and in a row."""

import numpy as np
from keras.layers import Bidirectional, CuDNNGRU, CuDNNLSTM, Dense, Input
from keras.models import Model

np.random.seed(16)
x = np.random.randn(400, 8, 2)
y = (x[:, :, 0].sum(axis=1) > 0).astype("int")
given = Input(shape=(8, 2))
h = Bidirectional(CuDNNLSTM(12, return_sequences=True))(given)
h = CuDNNGRU(12, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal")(h)
model = Model(given, Dense(2, activation="softmax")(h))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["acc"])
model.optimizer.lr = 0.01
model.fit(x, y, epochs=8, batch_size=32, verbose=0)
print("figure", model.evaluate(x, y, verbose=0)[1])
