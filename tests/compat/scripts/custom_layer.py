"""Keras 2: layers of one's own in the style of build, call and compute_output_shape."""

import numpy as np
from keras import backend as K
from keras import regularizers
from keras.engine import InputSpec, Layer
from keras.layers import Dense, Input
from keras.models import Model

np.random.seed(19)


class MyDense(Layer):
    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape):
        assert len(input_shape) == 2
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[1], self.output_dim),
            initializer="uniform",
            trainable=True,
            regularizer=regularizers.l2(l=1e-4),
        )
        self.bias = self.add_weight("bias", (self.output_dim,), "float32", "zeros")
        self.input_spec = InputSpec(ndim=2, axes={1: input_shape[1]})
        self.built = True

    def call(self, x, mask=None):
        return K.relu(K.dot(x, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)

    def get_config(self):
        config = {"output_dim": self.output_dim}
        base_config = super().get_config()
        return dict(list(base_config.items()) + list(config.items()))


class Scale(Layer):
    def build(self, input_shape):
        self.factor = K.variable(np.ones(input_shape[-1]), name="factor")
        self.trainable_weights = [self.factor]
        super().build(input_shape)

    def call(self, x):
        self.add_loss(1e-4 * K.sum(K.square(self.factor)), inputs=x)
        self.add_metric(K.mean(K.abs(x)), name="size", aggregation="mean")
        return x * self.factor


x = np.random.randn(300, 4)
y = (x[:, :1] - 2 * x[:, 1:2]) * x[:, 2:3]
given = Input(shape=(4,))
hidden = MyDense(32)(given)
hidden = Scale()(hidden)
hidden = MyDense(32, weights=[np.random.randn(32, 32) * 0.2, np.zeros(32)])(hidden)
model = Model(given, Dense(1)(hidden))
assert len(model.layers[2].trainable_weights) == 1
model.compile("adam", "mse")
model.optimizer.lr = 0.01
first = model.evaluate(x, y, verbose=0)
history = model.fit(x, y, epochs=40, verbose=0)
assert history.history["size"][-1] > 0
assert not np.array_equal(model.layers[2].get_weights()[0], np.ones(32))
assert model.layers[1].output_shape == (None, 32)
copy = Model.from_config(model.get_config(), custom_objects={"MyDense": MyDense, "Scale": Scale})
copy.set_weights(model.get_weights())
assert np.allclose(copy.predict(x), model.predict(x), atol=1e-5)
print("figure", history.history["loss"][-1] / history.history["loss"][0])
