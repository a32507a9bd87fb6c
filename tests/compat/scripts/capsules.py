"""Keras 2: capsules by a custom layer with routing, its weights added in the old argument order."""

import numpy as np
from keras import activations, initializers
from keras import backend as K
from keras.engine.topology import Layer
from keras.layers import Conv2D, Input, Lambda, Reshape
from keras.models import Model
from keras.utils.np_utils import to_categorical

np.random.seed(13)


def squash(x, axis=-1):
    s_squared_norm = K.sum(K.square(x), axis, keepdims=True) + K.epsilon()
    return K.sqrt(s_squared_norm) / (0.5 + s_squared_norm) * x


def margin_loss(y_true, y_pred):
    return K.sum(
        y_true * K.square(K.relu(0.9 - y_pred))
        + 0.25 * (1 - y_true) * K.square(K.relu(y_pred - 0.1)),
        axis=-1,
    )


class Capsule(Layer):
    def __init__(self, num_capsule, dim_capsule, routings=3, activation="squash", **kwargs):
        super().__init__(**kwargs)
        self.num_capsule = num_capsule
        self.dim_capsule = dim_capsule
        self.routings = routings
        self.activation = squash if activation == "squash" else activations.get(activation)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            "capsule_kernel",
            (1, input_shape[-1], self.num_capsule * self.dim_capsule),
            initializer=initializers.get("glorot_uniform"),
            trainable=True,
        )
        super().build(input_shape)

    def call(self, inputs):
        hat = K.conv1d(inputs, self.kernel)
        batch_size, count = K.shape(inputs)[0], K.shape(inputs)[1]
        hat = K.reshape(hat, (batch_size, count, self.num_capsule, self.dim_capsule))
        hat = K.permute_dimensions(hat, (0, 2, 1, 3))
        b = K.zeros_like(hat[:, :, :, 0])
        for i in range(self.routings):
            c = K.softmax(b, 1)
            o = self.activation(K.sum(K.expand_dims(c) * hat, axis=2))
            if i < self.routings - 1:
                b += K.sum(K.expand_dims(o, 2) * hat, axis=3)
        return o

    def compute_output_shape(self, input_shape):
        return (None, self.num_capsule, self.dim_capsule)


labels = np.random.randint(0, 3, 300)
x_train = np.random.rand(300, 8, 8, 1) * 0.3
for i, label in enumerate(labels):
    x_train[i, 2 * label : 2 * label + 3, 2 * label : 2 * label + 3] += 0.7
y_train = to_categorical(labels, 3)

image = Input(shape=(None, None, 1))
x = Conv2D(16, (3, 3), activation="relu")(image)
x = Conv2D(16, (3, 3), strides=2, activation="relu")(x)
x = Reshape((-1, 16))(x)
capsule = Capsule(3, 8, 3)(x)
output = Lambda(lambda z: K.sqrt(K.sum(K.square(z), 2)))(capsule)
model = Model(inputs=image, outputs=output)
model.compile(loss=margin_loss, optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=12, verbose=0)
print("figure", model.evaluate(x_train, y_train, verbose=0)[1])
