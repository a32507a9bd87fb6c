"""A search over widths and rates, for each way of searching."""

import sys
import tempfile

sys.path.pop(0)  # this folder, in which this file has the package's name

import keras
import keras_tuner
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x = rng.normal(size=(240, 6)).astype("float32")
y = (x[:, :3].sum(1) > x[:, 3:].sum(1)).astype("int32")


class Classifier(keras_tuner.HyperModel):
    def build(self, hp):
        model = keras.Sequential()
        for i in range(hp.Int("layers", 1, 2)):
            model.add(layers.Dense(hp.Int(f"units_{i}", 8, 24, step=8), activation="relu"))
        if hp.Boolean("dropout"):
            model.add(layers.Dropout(0.1))
        model.add(layers.Dense(2, activation="softmax"))
        rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
        model.compile(
            keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        return model

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch", [16, 32]), **kwargs)


best = []
with tempfile.TemporaryDirectory() as folder:
    for kind, options in (
        (keras_tuner.RandomSearch, {"max_trials": 3, "executions_per_trial": 2}),
        (keras_tuner.BayesianOptimization, {"max_trials": 4}),
        (keras_tuner.Hyperband, {"max_epochs": 4, "factor": 2}),
        (keras_tuner.GridSearch, {"max_trials": 3}),
    ):
        name = kind.__name__
        places = {"directory": folder, "project_name": name}
        tuner = kind(Classifier(), objective="val_accuracy", seed=3, **places, **options)
        stop = keras.callbacks.EarlyStopping(patience=3)
        tuner.search(x[:180], y[:180], epochs=6, validation_data=(x[180:], y[180:]),
                     callbacks=[stop], verbose=0)  # fmt: skip
        model = tuner.get_best_models(1)[0]
        score = tuner.oracle.get_best_trials(1)[0].score
        found = model.evaluate(x[180:], y[180:], verbose=0)[1]
        if "executions_per_trial" not in options:
            assert abs(found - score) < 1e-6, (name, found, score)
        best.append(found)
        again = kind(Classifier(), objective="val_accuracy", **places, **options)
        again.reload()
        assert len(again.oracle.trials) == len(tuner.oracle.trials)
print("figure", min(best))
