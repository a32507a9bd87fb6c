"""Keras 2: attention over time by Dot, Lambda, Permute and RepeatVector."""

import numpy as np
from keras import backend as K
from keras.layers import (
    LSTM,
    Activation,
    Dense,
    Flatten,
    Input,
    Lambda,
    Multiply,
    Permute,
    RepeatVector,
    dot,
    multiply,
)
from keras.models import Model

np.random.seed(35)
# The answer is the value at the time that is marked.
x = np.random.randn(600, 7, 2)
marks = np.random.randint(0, 7, 600)
x[:, :, 1] = 0
x[np.arange(600), marks, 1] = 3
y = (x[np.arange(600), marks, 0] > 0).astype("float32")

inputs = Input(shape=(7, 2))
hidden = LSTM(16, return_sequences=True)(inputs)
scores = Flatten()(Dense(1, activation="tanh")(inputs))
weights = Activation("softmax", name="attention")(Lambda(lambda t: 5.0 * t)(scores))
spread = Permute((2, 1))(RepeatVector(16)(weights))
weighted = multiply([hidden, spread])
summed = Lambda(lambda t: K.sum(t, axis=1), output_shape=lambda s: (s[0], s[2]))(weighted)
same = dot([weights, hidden], axes=[1, 1])
model = Model(inputs=inputs, outputs=Dense(1, activation="sigmoid")(Multiply()([summed, same])))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
K.set_value(model.optimizer.lr, 0.01)
model.fit(x, y, epochs=15, batch_size=32, verbose=0)
attention = Model(model.input, model.get_layer("attention").output).predict(x)
assert attention.shape == (600, 7) and np.allclose(attention.sum(axis=1), 1, atol=1e-4)
get_sums = K.function([model.layers[0].input, K.learning_phase()], [summed])
assert get_sums([x[:4], 0])[0].shape == (4, 16)
print("figure", model.evaluate(x, y, verbose=0)[1])
