"""Keras 2: rates that callbacks set, `optimizer.lr`, and stopping early."""

import numpy as np
from keras import backend as K
from keras.callbacks import Callback, EarlyStopping, LearningRateScheduler
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import SGD

np.random.seed(32)
x = np.random.randn(256, 3)
y = x.dot([1.0, -2.0, 0.5])


def step_decay(epoch):
    return 0.1 * 0.5 ** (epoch // 5)


class Rates(Callback):
    def on_train_begin(self, logs={}):
        self.seen = []

    def on_epoch_begin(self, epoch, logs={}):
        self.seen.append(float(K.get_value(self.model.optimizer.lr)))

    def on_epoch_end(self, epoch, logs={}):
        lr, decay = self.model.optimizer.lr, self.model.optimizer.decay
        iterations = self.model.optimizer.iterations
        falling = lr / (1.0 + decay * K.cast(iterations, K.dtype(decay)))
        assert 0 < K.eval(falling) <= float(K.get_value(lr))


model = Sequential([Dense(1, input_shape=(3,))])
model.compile(loss="mean_squared_error", optimizer=SGD(lr=0.1, decay=1e-3), metrics=["mae"])
rates = Rates()
history = model.fit(
    x,
    y,
    epochs=12,
    batch_size=32,
    validation_split=0.2,
    verbose=0,
    callbacks=[LearningRateScheduler(step_decay), rates],
)
assert np.allclose(rates.seen, [step_decay(e) for e in range(12)])
assert len(history.history["val_mean_absolute_error"]) == 12
K.set_value(model.optimizer.lr, 0.01)
more = model.fit(
    x,
    y,
    epochs=200,
    verbose=0,
    validation_split=0.2,
    callbacks=[EarlyStopping(monitor="val_loss", patience=2, mode="auto")],
)
assert model.stop_training or len(more.epoch) == 200
print("figure", history.history["val_mean_absolute_error"][-1])
