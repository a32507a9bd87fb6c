"""A grid over a network's size and rate, and cross-validation, by the scikit-learn wrappers."""
# generation: 2
# shows: cross-validated accuracy >= 0.8 (untrained 0.33)

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import Adam
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

np.random.seed(7)
X, y = load_iris(return_X_y=True)


def create_model(neurons=4, learn_rate=0.01, init="glorot_uniform"):
    model = Sequential()
    model.add(Dense(neurons, input_dim=4, kernel_initializer=init, activation="relu"))
    model.add(Dense(3, kernel_initializer=init, activation="softmax"))
    model.compile(
        loss="categorical_crossentropy", optimizer=Adam(lr=learn_rate), metrics=["accuracy"]
    )
    return model


folds = StratifiedKFold(n_splits=3, shuffle=True, random_state=7)
pipe = Pipeline(
    [
        ("scale", StandardScaler()),
        ("net", KerasClassifier(build_fn=create_model, epochs=30, batch_size=8, verbose=0)),
    ]
)
grid = dict(net__neurons=[2, 12], net__learn_rate=[0.0005, 0.02])
grid_result = GridSearchCV(estimator=pipe, param_grid=grid, cv=folds).fit(X, y)
print("Best: %f using %s" % (grid_result.best_score_, grid_result.best_params_))
for mean, params in zip(
    grid_result.cv_results_["mean_test_score"], grid_result.cv_results_["params"]
):
    print("%f with: %r" % (mean, params))
assert grid_result.best_params_["net__learn_rate"] == 0.02


def baseline():
    model = Sequential()
    model.add(Dense(8, input_dim=3, kernel_initializer="normal", activation="relu"))
    model.add(Dense(1, kernel_initializer="normal"))
    model.compile(loss="mean_squared_error", optimizer="adam")
    return model


regressor = KerasRegressor(build_fn=baseline, nb_epoch=60, batch_size=8, verbose=0)
results = cross_val_score(regressor, X[:, :3], X[:, 3], cv=folds.split(X, y))
print("Results: %.2f (%.2f) MSE" % (results.mean(), results.std()))
assert results.mean() > -0.3
best = grid_result.best_estimator_
print("cross-validated accuracy", cross_val_score(best, X, y, cv=folds).mean())
