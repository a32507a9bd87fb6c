"""tf.keras 2.4: a train_step of one's own, a metric, a layer, a loop with tf.function, and tf.data."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

tf.random.set_seed(61)
np.random.seed(61)


class Linear(layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="random_normal", name="w"
        )
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b


class Right(keras.metrics.Metric):
    def __init__(self, name="right", **kwargs):
        super().__init__(name=name, **kwargs)
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        same = tf.equal(tf.cast(y_true, "int64"), tf.argmax(y_pred, axis=1))
        self.count.assign_add(tf.reduce_sum(tf.cast(same, "float32")))

    def result(self):
        return self.count

    def reset_state(self):
        self.count.assign(0.0)


class OwnStep(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


x = np.random.rand(400, 6).astype("float32")
y = (x.sum(1) > 3).astype("int64")
given = keras.Input((6,))
hidden = tf.nn.relu(Linear(16)(given))
model = OwnStep(given, layers.Dense(2, activation="softmax", kernel_regularizer="l2")(hidden))
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy", Right()],
)
batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(400).batch(32)
history = model.fit(batches.prefetch(tf.data.AUTOTUNE), epochs=12, verbose=0).history
assert history["right"][-1] == round(400 * history["accuracy"][-1])

schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
optimizer = keras.optimizers.SGD(learning_rate=schedule)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
accuracy = keras.metrics.SparseCategoricalAccuracy()
other = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(2)])


@tf.function
def train_step(x_batch, y_batch):
    with tf.GradientTape() as tape:
        logits = other(x_batch, training=True)
        loss = loss_fn(y_batch, logits)
    gradients = tape.gradient(loss, other.trainable_weights)
    optimizer.apply_gradients(zip(gradients, other.trainable_weights))
    accuracy.update_state(y_batch, logits)
    return loss


for epoch in range(15):
    accuracy.reset_states()
    for step, (x_batch, y_batch) in enumerate(batches):
        loss = train_step(x_batch, y_batch)
print("figure", min(float(accuracy.result()), history["accuracy"][-1]))
