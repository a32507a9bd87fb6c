"""Keras 2: an image between two others by content, style and variation losses and L-BFGS."""

import numpy as np
from keras import backend as K
from keras.layers import AveragePooling2D, Conv2D, Input
from keras.models import Model
from scipy.optimize import fmin_l_bfgs_b

np.random.seed(11)
ROWS, COLS = 16, 16
base_image = K.variable(np.random.rand(1, ROWS, COLS, 3))
style_image = K.variable(np.sin(np.arange(ROWS * COLS * 3)).reshape((1, ROWS, COLS, 3)))
if K.image_data_format() == "channels_first":
    combination_image = K.placeholder((1, 3, ROWS, COLS))
else:
    combination_image = K.placeholder((1, ROWS, COLS, 3))
input_tensor = K.concatenate([base_image, style_image, combination_image], axis=0)

given = Input(tensor=input_tensor)
x = Conv2D(8, 3, activation="relu", padding="same", name="block1")(given)
x = AveragePooling2D()(x)
x = Conv2D(12, 3, activation="relu", padding="same", name="block2")(x)
model = Model(given, x)
outputs_dict = dict([(layer.name, layer.output) for layer in model.layers])


def gram_matrix(x):
    assert K.ndim(x) == 3
    features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
    return K.dot(features, K.transpose(features))


def style_loss(style, combination):
    return K.sum(K.square(gram_matrix(style) - gram_matrix(combination))) / (4.0 * (9 * 256) ** 2)


def total_variation_loss(x):
    a = K.square(x[:, : ROWS - 1, : COLS - 1, :] - x[:, 1:, : COLS - 1, :])
    b = K.square(x[:, : ROWS - 1, : COLS - 1, :] - x[:, : ROWS - 1, 1:, :])
    return K.sum(K.pow(a + b, 1.25))


loss = K.variable(0.0)
layer_features = outputs_dict["block2"]
loss = loss + 0.5 * K.sum(K.square(layer_features[2] - layer_features[0]))
for name in ("block1", "block2"):
    layer_features = outputs_dict[name]
    loss = loss + 50.0 * style_loss(layer_features[1], layer_features[2])
loss = loss + 0.01 * total_variation_loss(combination_image)
grads = K.gradients(loss, combination_image)
f_outputs = K.function([combination_image], [loss] + list(grads))


class Evaluator:
    def loss(self, x):
        outs = f_outputs([x.reshape((1, ROWS, COLS, 3))])
        self.grads = outs[1].flatten().astype("float64")
        return float(outs[0])

    def gradients(self, x):
        return np.copy(self.grads)


evaluator = Evaluator()
x = np.random.uniform(0, 1, (1, ROWS, COLS, 3))
first = evaluator.loss(x)
x, last, info = fmin_l_bfgs_b(evaluator.loss, x.flatten(), fprime=evaluator.gradients, maxfun=30)
print("figure", last / first)
