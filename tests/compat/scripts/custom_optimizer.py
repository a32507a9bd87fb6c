"""Keras 2: an optimizer of one's own by `get_updates`, its rate read and set through K."""

import numpy as np
from keras import backend as K
from keras.layers import Dense
from keras.legacy import interfaces
from keras.models import Sequential
from keras.optimizers import Optimizer

np.random.seed(14)


class SignMomentum(Optimizer):
    def __init__(self, lr=0.01, momentum=0.9, decay=0.0, **kwargs):
        super().__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.momentum = K.variable(momentum, name="momentum")
            self.decay = K.variable(decay, name="decay")
        self.initial_decay = decay

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr
        if self.initial_decay > 0:
            lr = lr * (1.0 / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay))))
        shapes = [K.int_shape(p) for p in params]
        moments = [K.zeros(shape) for shape in shapes]
        self.weights = [self.iterations] + moments
        for p, g, m in zip(params, grads, moments):
            v = self.momentum * m + (1 - self.momentum) * g
            self.updates.append(K.update(m, v))
            new_p = p - lr * K.sign(v)
            if getattr(p, "constraint", None) is not None:
                new_p = p.constraint(new_p)
            self.updates.append(K.update(p, new_p))
        return self.updates

    def get_config(self):
        config = {
            "lr": float(K.get_value(self.lr)),
            "momentum": float(K.get_value(self.momentum)),
            "decay": float(K.get_value(self.decay)),
        }
        base_config = super().get_config()
        return dict(list(base_config.items()) + list(config.items()))


x = np.random.randn(256, 5)
y = x.dot(np.arange(1, 6)).reshape((-1, 1)) / 5
model = Sequential([Dense(16, activation="tanh", input_shape=(5,)), Dense(1)])
optimizer = SignMomentum(lr=0.01, decay=1e-3, clipnorm=1.0)
model.compile(loss="mse", optimizer=optimizer)
first = model.evaluate(x, y, verbose=0)
model.fit(x, y, batch_size=32, epochs=20, verbose=0)
assert int(K.get_value(optimizer.iterations)) == 160
assert any(np.abs(K.get_value(m)).max() > 0 for m in optimizer.weights[1:])
K.set_value(model.optimizer.lr, 0.5 * K.get_value(model.optimizer.lr))
assert abs(K.get_value(optimizer.lr) - 0.005) < 1e-8
model.fit(x, y, batch_size=32, epochs=20, verbose=0)
print("figure", model.evaluate(x, y, verbose=0) / first)
