"""TensorFlow 2: pictures from files, decoded and augmented in tf.data."""

import os
import pathlib
import tempfile

import numpy as np
import tensorflow as tf

tf.random.set_seed(3)
rng = np.random.default_rng(3)
data_dir = pathlib.Path(tempfile.mkdtemp())
for name in ("bars", "columns"):
    for i in range(60):
        picture = rng.integers(0, 60, (20, 24, 3)).astype("uint8")
        at = int(rng.integers(2, 16))
        if name == "bars":
            picture[at : at + 3] += 150
        else:
            picture[:, at : at + 3] += 150
        tf.io.write_file(str(data_dir / name / f"{i}.png"), tf.io.encode_png(picture))

class_names = np.array(sorted([item.name for item in data_dir.glob("*")]))
list_ds = tf.data.Dataset.list_files(str(data_dir / "*/*"), shuffle=False)
list_ds = list_ds.shuffle(120, seed=1, reshuffle_each_iteration=False)
val_size = 24
train_ds, val_ds = list_ds.skip(val_size), list_ds.take(val_size)
print(tf.data.experimental.cardinality(train_ds).numpy())
IMG = 16


def get_label(file_path):
    parts = tf.strings.split(file_path, os.path.sep)
    one_hot = parts[-2] == class_names
    return tf.argmax(tf.cast(one_hot, tf.int32))


def decode_img(img):
    img = tf.io.decode_png(img, channels=3)
    img = tf.image.convert_image_dtype(img, tf.float32)
    return tf.image.resize(img, [IMG, IMG])


def process_path(file_path):
    label = get_label(file_path)
    return decode_img(tf.io.read_file(file_path)), label


def augment(image, label):
    image = tf.image.resize_with_crop_or_pad(image, IMG + 4, IMG + 4)
    image = tf.image.random_crop(image, size=[IMG, IMG, 3])
    image = tf.image.random_flip_left_right(image)
    image = tf.image.random_brightness(image, max_delta=0.1)
    image = tf.image.random_contrast(image, lower=0.9, upper=1.1)
    return tf.clip_by_value(image, 0.0, 1.0), label


AUTOTUNE = tf.data.AUTOTUNE
train_ds = train_ds.map(process_path, num_parallel_calls=AUTOTUNE).cache()
train_ds = train_ds.map(augment, num_parallel_calls=AUTOTUNE).batch(16).prefetch(AUTOTUNE)
val_ds = val_ds.map(process_path).batch(16)
for image, label in train_ds.take(1):
    print("Image shape:", image.numpy().shape, label.dtype.name)
print(train_ds.element_spec[0].shape)

inputs = tf.keras.Input((IMG, IMG, 3))
x = tf.keras.layers.Lambda(
    lambda images: tf.image.rgb_to_grayscale(images), output_shape=(IMG, IMG, 1)
)(inputs)
x = tf.keras.layers.Conv2D(8, 5, activation="relu")(x)
x = tf.keras.layers.GlobalMaxPooling2D()(x)
outputs = tf.keras.layers.Dense(2)(x)
model = tf.keras.Model(inputs, outputs)
model.compile(
    optimizer=tf.keras.optimizers.Adam(0.01),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_ds, validation_data=val_ds, epochs=15, verbose=0)
print("figure", model.evaluate(val_ds, verbose=0)[1])
