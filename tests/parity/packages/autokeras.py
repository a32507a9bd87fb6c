"""A classifier of rows that builds itself."""

import os
import sys
import tempfile

sys.path.pop(0)  # this folder, in which this file has the package's name

import autokeras
import keras
import numpy as np

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x = rng.normal(size=(300, 5))
y = (x[:, :2].sum(1) > 0).astype(int)
with tempfile.TemporaryDirectory() as folder:
    found = autokeras.StructuredDataClassifier(max_trials=2, directory=folder, seed=2)
    found.fit(x[:240], y[:240], epochs=20, verbose=0)
    accuracy = found.evaluate(x[240:], y[240:], verbose=0)[1]
    model = found.export_model()
    path = os.path.join(folder, "model.keras")
    model.save(path)
    again = keras.models.load_model(path, custom_objects=autokeras.CUSTOM_OBJECTS)
    rows = x[240:].astype("float32")
    assert (again.predict(rows, verbose=0) == model.predict(rows, verbose=0)).all()
print("figure", accuracy)
