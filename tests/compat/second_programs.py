"""What programs for Keras 2 begin with."""

import numpy as np

from kerasish import layers, models

X, Y = np.ones((8, 2), "float32"), np.zeros((8, 3), "float32")


def dense_model(units=3, loss="mse", **options):
    model = models.Sequential([layers.Dense(4, input_shape=(2,)), layers.Dense(units)])
    model.compile("sgd", loss, **options)
    return model
