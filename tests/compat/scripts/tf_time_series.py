"""TensorFlow 2: a series in windows of tf.data, a recurrent model of residuals."""

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(5)
time = np.arange(400, dtype="float32")
series = (
    np.sin(time / 5.0) + 0.3 * np.sin(time / 2.0) + 0.01 * np.random.randn(400).astype("float32")
)
split_time, window_size, batch_size = 300, 24, 32


def windowed_dataset(series, window_size, batch_size, shuffle_buffer):
    series = tf.expand_dims(series, axis=-1)
    ds = tf.data.Dataset.from_tensor_slices(series)
    ds = ds.window(window_size + 1, shift=1, drop_remainder=True)
    ds = ds.flat_map(lambda w: w.batch(window_size + 1))
    ds = ds.map(lambda w: (w[:-1], w[-1]))
    return ds.shuffle(shuffle_buffer).batch(batch_size).prefetch(1)


class Residual(tf.keras.Model):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def call(self, inputs, *args, **kwargs):
        delta = self.model(inputs, *args, **kwargs)
        return inputs[:, -1, :] + delta


class Feedback(tf.keras.layers.Layer):
    """Means of parts of the window beside its values, by hand."""

    def call(self, x):
        shape = tf.shape(x)
        parts = tf.reshape(x, (shape[0], 4, shape[1] // 4))
        mean, variance = tf.nn.moments(parts, axes=[2])
        first, last = tf.split(tf.squeeze(x, axis=-1), [20, 4], axis=1)
        return tf.concat(
            [mean, tf.sqrt(variance + 1e-6), last, tf.gather(first, [0, 10], axis=1)], axis=-1
        )


model = Residual(
    tf.keras.Sequential(
        [
            Feedback(),
            tf.keras.layers.Dense(32, activation="tanh"),
            tf.keras.layers.Dense(1, kernel_initializer=tf.initializers.zeros()),
        ]
    )
)
lr_schedule = tf.keras.callbacks.LearningRateScheduler(lambda epoch: 1e-2 * 0.97**epoch)
model.compile(loss=tf.losses.Huber(), optimizer=tf.optimizers.Adam(), metrics=["mae"])
train_set = windowed_dataset(series[:split_time], window_size, batch_size, 300)
model.fit(train_set, epochs=25, callbacks=[lr_schedule], verbose=0)

ds = tf.data.Dataset.from_tensor_slices(series[split_time - window_size : -1, None])
ds = ds.window(window_size, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(window_size))
forecast = model.predict(ds.batch(32), verbose=0)[:, 0]
error = tf.reduce_mean(tf.abs(series[split_time:] - forecast)).numpy()
naive = tf.reduce_mean(tf.abs(series[split_time:] - series[split_time - 1 : -1])).numpy()
print("figure", error / naive)
