"""Keras 2: gradient ascent on an image by K.gradients and K.function, as deep dream does it."""

import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Dense, GlobalAveragePooling2D, Input, MaxPooling2D
from keras.models import Model

K.set_learning_phase(0)
np.random.seed(10)
image_input = Input(shape=(None, None, 3))
x = Conv2D(8, 3, activation="relu", padding="same", name="mixed1")(image_input)
x = MaxPooling2D()(x)
x = Conv2D(12, 3, activation="relu", padding="same", name="mixed2")(x)
model = Model(image_input, Dense(4)(GlobalAveragePooling2D()(x)))
dream = model.input
settings = {"mixed1": 0.5, "mixed2": 1.5}
layer_dict = dict([(layer.name, layer) for layer in model.layers])

loss = K.variable(0.0)
for layer_name in settings:
    coefficient = settings[layer_name]
    activation = layer_dict[layer_name].output
    scaling = K.prod(K.cast(K.shape(activation), "float32")[1:]) if False else 1.0
    loss = loss + coefficient * K.sum(K.square(activation[:, 2:-2, 2:-2, :])) / scaling

grads = K.gradients(loss, dream)[0]
grads /= K.maximum(K.mean(K.abs(grads)), 1e-7)
fetch_loss_and_grads = K.function([dream], [loss, grads])


def gradient_ascent(x, iterations, step, max_loss=None):
    for _ in range(iterations):
        loss_value, grad_values = fetch_loss_and_grads([x])
        if max_loss is not None and loss_value > max_loss:
            break
        x += step * grad_values
    return x


image = np.random.uniform(-0.1, 0.1, (1, 24, 24, 3)).astype("float32")
first = fetch_loss_and_grads([image])[0]
image = gradient_ascent(image, iterations=20, step=0.02)
last = fetch_loss_and_grads([image])[0]
print("figure", last / first)
