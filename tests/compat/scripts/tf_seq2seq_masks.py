"""TensorFlow 2: digits written backwards: padded_batch, masks, attention, a loop of its own."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(2)
START, VOCAB = 10, 11
rng = np.random.default_rng(2)


def sequences():
    for _ in range(600):
        digits = rng.integers(1, 10, rng.integers(2, 6))
        yield digits, np.concatenate([[START], digits[::-1]])


data = tf.data.Dataset.from_generator(
    sequences,
    output_signature=(tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.int32)),
).cache()
batches = (
    data.shuffle(600)
    .padded_batch(50, padded_shapes=([None], [None]))
    .map(lambda source, target: ((source, target[:, :-1]), target[:, 1:]))
)
lengths = data.map(lambda s, t: tf.shape(s)[0]).reduce(0, lambda a, n: tf.maximum(a, n))
assert int(lengths) == 5


def positional_encoding(length, depth):
    positions = tf.cast(tf.range(length)[:, tf.newaxis], tf.float32)
    depths = tf.cast(tf.range(depth // 2)[tf.newaxis, :], tf.float32) / (depth // 2)
    angles = positions * tf.pow(10000.0, -depths)
    return tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)


class Translator(tf.keras.Model):
    def __init__(self, units=48):
        super().__init__()
        self.units = units
        self.embed_source = layers.Embedding(VOCAB, units)
        self.embed_target = layers.Embedding(VOCAB, units)
        self.query, self.key, self.value = (layers.Dense(units) for _ in range(3))
        self.hidden = layers.Dense(units, activation="relu")
        self.out = layers.Dense(VOCAB)
        self.positions = positional_encoding(16, units)

    def attend(self, x, memory, mask):
        q, k, v = self.query(x), self.key(memory), self.value(memory)
        scores = tf.matmul(q, k, transpose_b=True) / tf.math.sqrt(tf.cast(self.units, tf.float32))
        scores += (1.0 - tf.cast(mask, tf.float32)) * -1e9
        return tf.einsum("bts,bsd->btd", tf.nn.softmax(scores, axis=-1), v)

    def call(self, inputs):
        source, target = inputs
        mask = tf.math.not_equal(source, 0)[:, tf.newaxis, :]
        number = tf.reduce_sum(tf.cast(mask, tf.int32), axis=-1)
        memory = self.embed_source(source) + self.positions[tf.newaxis, : tf.shape(source)[1], :]
        x = self.embed_target(target) + self.positions[tf.newaxis, : tf.shape(target)[1], :]
        x = tf.concat([x, tf.tile(tf.one_hot(number, 6), [1, tf.shape(target)[1], 1])], axis=-1)
        return self.out(self.hidden(tf.concat([x, self.attend(x, memory, mask)], axis=-1)))


def masked_loss(label, pred):
    mask = label != 0
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=pred)
    mask = tf.cast(mask, dtype=loss.dtype)
    return tf.reduce_sum(loss * mask) / tf.reduce_sum(mask)


def masked_accuracy(label, pred):
    match = tf.cast(label, tf.int64) == tf.argmax(pred, axis=2)
    mask = label != 0
    match = match & mask
    return tf.reduce_sum(tf.cast(match, tf.float32)) / tf.reduce_sum(tf.cast(mask, tf.float32))


model = Translator()
optimizer = tf.keras.optimizers.Adam(3e-3)


@tf.function(reduce_retracing=True)
def train_step(inputs, label):
    with tf.GradientTape() as tape:
        pred = model(inputs, training=True)
        loss = masked_loss(label, pred)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss, masked_accuracy(label, pred)


for epoch in range(25):
    accuracies = []
    for inputs, label in batches:
        loss, accuracy = train_step(inputs, label)
        accuracies.append(accuracy)


def translate(source):
    output = [START]
    for _ in range(len(source)):
        logits = model((tf.constant([source]), tf.constant([output])))
        output.append(int(tf.argmax(logits[0, -1]).numpy()))
    return output[1:]


right = [translate([3, 1, 4, 2]) == [2, 4, 1, 3], translate([5, 9]) == [9, 5]]
print("figure", float(tf.reduce_mean(tf.stack(accuracies))) if any(right) else 0.0)
