"""Keras 2: models and weights in HDF5 files and JSON; weights by the layers' names."""

import os
import tempfile

import numpy as np
from keras.layers import BatchNormalization, Dense, Input
from keras.models import Model, Sequential, load_model, model_from_json

np.random.seed(17)
folder = tempfile.mkdtemp()
x = np.random.randn(300, 4)
y = (x.sum(axis=1) > 0).astype("float32")
model = Sequential()
model.add(Dense(16, input_shape=(4,), activation="relu", name="first"))
model.add(BatchNormalization())
model.add(Dense(1, activation="sigmoid", name="last"))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(x, y, nb_epoch=60, verbose=0)
expected = model.predict(x)

path = os.path.join(folder, "model.h5")
model.save(path)
again = load_model(path)
assert np.allclose(again.predict(x), expected, atol=1e-6)
again.fit(x, y, epochs=1, verbose=0)

weights = os.path.join(folder, "weights.h5")
model.save_weights(weights)
model.save_weights(os.path.join(folder, "weights-best.hdf5"), overwrite=True)
rebuilt = model_from_json(model.to_json())
rebuilt.load_weights(weights)
assert np.allclose(rebuilt.predict(x), expected, atol=1e-6)

given = Input(shape=(4,))
other = Model(given, Dense(3)(Dense(16, activation="relu", name="first")(given)))
other.load_weights(weights, by_name=True)
assert np.array_equal(other.get_layer("first").get_weights()[0], model.layers[0].get_weights()[0])
copied = Sequential.from_config(model.get_config())
copied.set_weights(model.get_weights())
assert np.allclose(copied.predict(x), expected, atol=1e-6)
compiled = load_model(path)
print("figure", compiled.evaluate(x, y, verbose=0)[1])
