"""tf.keras 2.x: a subclassed model with losses and metrics added in its call, by old names."""

import numpy as np
import tensorflow.keras as keras
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Dense, Layer

np.random.seed(36)


class ActivityRegularization(Layer):
    def __init__(self, rate=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, inputs):
        self.add_loss(self.rate * K.sum(K.square(inputs)), inputs=True)
        self.add_metric(K.std(inputs), name="std_of_activation", aggregation="mean")
        return inputs


class Classifier(keras.Model):
    def __init__(self, units, classes, dynamic=False):
        super(Classifier, self).__init__(name="classifier")
        self.block_1 = Dense(units, activation="relu")
        self.block_2 = ActivityRegularization(1e-4)
        self.classifier = Dense(classes)

    def call(self, inputs, training=None):
        return self.classifier(self.block_2(self.block_1(inputs)))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2)


x = np.random.randn(400, 4).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype("int64")
model = Classifier(32, 2)
model.compile(
    optimizer=keras.optimizers.Adam(lr=0.02),
    metrics=["accuracy"],
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    experimental_run_tf_function=False,
)
history = model.fit(x, y, epochs=25, batch_size=32, verbose=0, max_queue_size=2)
assert history.history["std_of_activation"][-1] > 0
for metric in model.metrics:
    metric.reset_states()
print("figure", history.history["accuracy"][-1])
