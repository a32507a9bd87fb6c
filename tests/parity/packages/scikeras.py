"""Classifiers and regressors within scikit-learn's searches and pipelines."""

import pickle
import sys

sys.path.pop(0)  # this folder, in which this file has the package's name

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

x, y = make_classification(300, 10, n_informative=6, class_sep=2.0, random_state=0)
x = x.astype("float32")


def classifier(width, meta):
    return keras.Sequential([
        keras.Input((meta["n_features_in_"],)),
        keras.layers.Dense(width, activation="relu"),
        keras.layers.Dense(meta["n_classes_"], activation="softmax"),
    ])  # fmt: skip


model = KerasClassifier(
    classifier, loss="sparse_categorical_crossentropy", width=16, optimizer="adam",
    optimizer__learning_rate=0.03, epochs=6, verbose=0, random_state=1,
)  # fmt: skip
search = GridSearchCV(model, {"width": [8, 16], "optimizer": ["adam", "sgd"]}, cv=2)
search.fit(x, y)
scores = cross_val_score(make_pipeline(StandardScaler(), model), x, y, cv=2)
model.fit(x, y)
copy = pickle.loads(pickle.dumps(model))
assert (copy.predict_proba(x) == model.predict_proba(x)).all()
before = model.current_epoch
model.partial_fit(x, y)
assert model.current_epoch == before + 1


def regressor():
    layers = [keras.Input((4,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)]
    built = keras.Sequential(layers)
    built.compile(keras.optimizers.Adam(0.03), "mse")
    return built


a, b = make_regression(200, 4, random_state=0)
fitted = KerasRegressor(regressor, epochs=80, verbose=0, random_state=1).fit(a, b / b.std())
print("figure", min(search.best_score_, scores.min(), fitted.score(a, b / b.std())))
assert np.isfinite(fitted.predict(a)).all()
