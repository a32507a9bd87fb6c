"""Keras 2: an autoencoder whose decoder gets the places of the maxima, by K.gradients in a Lambda."""

import keras
import numpy as np
from keras import backend as K
from keras import layers
from keras.layers import Conv2D, Input, MaxPooling2D, UpSampling2D
from keras.models import Model

np.random.seed(53)


def residual(x, filters):
    first = Conv2D(filters, 3, padding="same")(x)
    y = layers.ELU()(layers.BatchNormalization(axis=3)(first))
    return layers.add([first, Conv2D(filters, 1, padding="same")(y)])


def where_maximal(pair):
    before, after = pair
    return K.gradients(K.sum(after), before)


image = Input(shape=(8, 8, 1))
filters, places = [6, 8], []
y = image
for count in filters:
    before = residual(y, count)
    y = MaxPooling2D(pool_size=(2, 2))(before)
    places.append(layers.Lambda(where_maximal, output_shape=lambda shapes: shapes[0])([before, y]))
for index in (1, 0):
    y = layers.multiply([UpSampling2D(size=(2, 2))(y), places[index]])
    y = residual(y, ([1] + filters)[index])
model = Model(image, layers.Activation("sigmoid")(Conv2D(1, 1)(y)))
model.compile(keras.optimizers.Adam(lr=0.01), "mse")
x = (np.random.rand(256, 8, 8, 1) < 0.1).astype("float32")
fetch = K.function([image], [before, places[1]])
inner, ones = fetch([x])
assert ones.shape == inner.shape and ones.sum() == ones.size / 4, "one place in each window"
model.fit(x, x, batch_size=32, epochs=20, verbose=0)
print("figure", model.evaluate(x, x, verbose=0) / np.var(x))
