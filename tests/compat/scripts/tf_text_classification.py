"""TensorFlow 2: films judged by their reviews. Standardization with tf.strings, TextVectorization, tf.data."""

import re
import string

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses

tf.random.set_seed(7)
rng = np.random.default_rng(7)
GOOD, BAD = ["great", "lovely", "superb", "charming"], ["dull", "awful", "boring", "poor"]
FILLER = ["the", "film", "was", "acting", "a", "plot", "really", "and"]


def review(positive):
    words = list(rng.choice(FILLER, 6)) + list(rng.choice(GOOD if positive else BAD, 2))
    rng.shuffle(words)
    return "<br />".join([" ".join(words[:4]).title(), " ".join(words[4:])]) + "!"


labels = rng.integers(0, 2, 400)
texts = [review(label) for label in labels]
raw = tf.data.Dataset.from_tensor_slices((texts, labels.astype("float32")))
raw_train_ds, raw_test_ds = raw.take(300).batch(32), raw.skip(300).batch(32)

for text_batch, label_batch in raw_train_ds.take(1):
    print("Review", text_batch.numpy()[0].decode("utf-8")[:20])
    print("Label", int(label_batch.numpy()[0]))


@tf.keras.utils.register_keras_serializable()
def custom_standardization(input_data):
    lowercase = tf.strings.lower(input_data)
    stripped_html = tf.strings.regex_replace(lowercase, "<br />", " ")
    return tf.strings.regex_replace(stripped_html, "[%s]" % re.escape(string.punctuation), "")


vectorize_layer = layers.TextVectorization(
    standardize=custom_standardization,
    max_tokens=100,
    output_mode="int",
    output_sequence_length=10,
)
vectorize_layer.adapt(raw_train_ds.map(lambda x, y: x))


def vectorize_text(text, label):
    text = tf.expand_dims(text, -1)
    return vectorize_layer(text), label


AUTOTUNE = tf.data.AUTOTUNE
train_ds = raw_train_ds.map(vectorize_text).cache().prefetch(buffer_size=AUTOTUNE)
test_ds = raw_test_ds.map(vectorize_text).cache().prefetch(buffer_size=AUTOTUNE)
model = tf.keras.Sequential(
    [
        layers.Embedding(100, 16),
        layers.Dropout(0.2),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(
    loss=losses.BinaryCrossentropy(),
    optimizer=tf.keras.optimizers.Adam(0.02),
    metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.5)],
)
model.fit(train_ds, validation_data=test_ds, epochs=10, verbose=0)
export_model = tf.keras.Sequential([vectorize_layer, model])
new = tf.constant(["A superb film, LOVELY acting<br />", "the plot was dull and awful."])
scores = export_model.predict(new, verbose=0)
assert scores[0, 0] > 0.5 > scores[1, 0], scores
loss, accuracy = model.evaluate(test_ds, verbose=0)
print("figure", accuracy)
