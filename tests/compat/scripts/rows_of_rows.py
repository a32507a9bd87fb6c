"""Keras 2: a recurrent network over the rows of an image, each read by another one; own cells."""

import keras
import numpy as np
from keras import backend as K
from keras.layers import LSTM, RNN, Dense, Input, TimeDistributed
from keras.models import Model, load_model

np.random.seed(59)


class PlainCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        self.units = units
        self.state_size = units
        super(PlainCell, self).__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.built = True

    def call(self, inputs, states):
        output = K.tanh(K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent_kernel))
        return output, [output]

    def get_config(self):
        return dict(super(PlainCell, self).get_config(), units=self.units)


x = np.random.rand(600, 8, 8, 1) * 0.3
y = np.random.randint(0, 2, 600)
for image, kind in zip(x, y):
    at = np.random.randint(0, 6)
    image[at : at + 3, 2:6] += 0.5 * kind
given = Input(shape=(8, 8, 1))
rows = TimeDistributed(LSTM(12))(given)
columns = RNN([PlainCell(12), PlainCell(12)])(rows)
model = Model(given, Dense(2, activation="softmax")(columns))
optimizer = keras.optimizers.RMSprop(lr=0.01)
model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
model.fit(x, y, batch_size=32, epochs=15, verbose=0)
model.save("rows.h5")
again = load_model("rows.h5", custom_objects={"PlainCell": PlainCell})
np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-5)
print("figure", again.evaluate(x, y, verbose=0)[1])
