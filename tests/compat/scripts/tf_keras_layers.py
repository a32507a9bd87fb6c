"""tf.keras 2.x: what its guides show, imported by way of TensorFlow."""

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers.experimental import preprocessing
from tensorflow.keras.models import Sequential

tf.random.set_seed(20)
np.random.seed(20)
print(tf.__version__)
x = np.random.randn(400, 6).astype("float32") * 3 + 1
y = (x[:, 0] > x[:, 1]).astype("int32")

scale = preprocessing.Normalization()
scale.adapt(x)
model = Sequential(
    [
        tf.keras.layers.InputLayer(input_shape=(6,)),
        scale,
        tf.keras.layers.Dense(32, activation=tf.nn.relu),
        tf.keras.layers.ThresholdedReLU(theta=0.0),
        tf.keras.layers.experimental.SyncBatchNormalization(),
        tf.keras.layers.Dense(2),
    ]
)
model.compile(
    optimizer=tf.keras.optimizers.legacy.Adam(lr=0.01, decay=1e-4),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction=tf.keras.losses.Reduction.AUTO
    ),
    metrics=[tf.keras.metrics.SparseCategoricalAccuracy("accuracy")],
)
model.fit(x, y, epochs=10, verbose=0, workers=2, use_multiprocessing=False)


@tf.function
def loss_of(inputs):
    return tf.reduce_mean(tf.square(model(inputs, training=False)))


with tf.GradientTape() as tape:
    value = loss_of(tf.constant(x[:8]))
gradients = tape.gradient(value, model.trainable_variables)
assert len(gradients) == len(model.trainable_variables)
probabilities = tf.nn.softmax(model(x)).numpy()
assert np.allclose(tf.reduce_sum(probabilities, axis=-1), 1, atol=1e-5)
metric = tf.keras.metrics.Mean()
metric.update_state(3.0)
metric.reset_states()
assert float(metric.result()) == 0.0
print("figure", model.evaluate(x, y, verbose=0)[1])
