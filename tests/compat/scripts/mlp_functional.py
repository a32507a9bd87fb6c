"""Keras 2: a functional model of two inputs and two outputs, with losses by the outputs' names."""

import keras
import numpy as np
from keras.layers import Dense, Input
from keras.layers.merge import add, concatenate
from keras.models import Model

np.random.seed(1)
a = np.random.randn(512, 3)
b = np.random.randn(512, 2)
total = a.sum(axis=1, keepdims=True) - b.sum(axis=1, keepdims=True)
sign = (total > 0).astype("float32")

left = Input(shape=(3,), name="left")
right = Input(shape=(2,), name="right")
shared = Dense(16, activation="tanh", name="shared")
merged = concatenate([Dense(16, activation="relu")(left), Dense(16, activation="relu")(right)])
summed = add([merged, Dense(32)(merged)])
hidden = shared(summed)
value = Dense(1, name="value")(hidden)
positive = Dense(1, activation="sigmoid", name="positive")(hidden)
model = Model(inputs=[left, right], outputs=[value, positive])
model.compile(
    optimizer=keras.optimizers.Adam(lr=0.01),
    loss={"value": "mse", "positive": "binary_crossentropy"},
    loss_weights={"value": 1.0, "positive": 0.5},
    metrics={"positive": "accuracy"},
)
model.fit(
    {"left": a, "right": b}, {"value": total, "positive": sign}, epochs=30, batch_size=32, verbose=0
)
assert shared.get_input_at(0).shape == (None, 32)
assert shared.output_shape == (None, 16)
assert model.get_layer("value").input_shape == (None, 16)
print("figure", np.mean((model.predict([a, b])[1] > 0.5) == sign))
