"""TensorFlow 2: weights and models under names without an ending, and tf.train.Checkpoint."""

import os

import numpy as np
import tensorflow as tf
from tensorflow import keras

rng = np.random.default_rng(4)
train_images = rng.normal(size=(600, 12)).astype("float32")
train_labels = (train_images[:, :4].sum(axis=1) > 0).astype("int32")


def create_model():
    model = tf.keras.Sequential(
        [
            keras.layers.Dense(32, activation="relu", input_shape=(12,)),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(2),
        ]
    )
    model.compile(
        optimizer="adam",
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[tf.keras.metrics.SparseCategoricalAccuracy()],
    )
    return model


checkpoint_path = "training/cp-{epoch:04d}.ckpt"
checkpoint_dir = os.path.dirname(checkpoint_path)
cp_callback = tf.keras.callbacks.ModelCheckpoint(
    filepath=checkpoint_path, verbose=0, save_weights_only=True, save_freq=5 * 19
)
model = create_model()
model.save_weights(checkpoint_path.format(epoch=0))
model.fit(train_images, train_labels, epochs=20, callbacks=[cp_callback], verbose=0)
assert sorted({name[:7] for name in os.listdir(checkpoint_dir)}) == [
    "checkpo", "cp-0000", "cp-0005", "cp-0010", "cp-0015", "cp-0020",
]  # fmt: skip
latest = tf.train.latest_checkpoint(checkpoint_dir)
assert latest == os.path.join(checkpoint_dir, "cp-0020.ckpt")

fresh = create_model()
fresh.load_weights(latest).expect_partial()
loss, acc = fresh.evaluate(train_images, train_labels, verbose=0)

fresh.save_weights("./checkpoints/my_checkpoint")
again = create_model()
again.load_weights("./checkpoints/my_checkpoint")
assert np.array_equal(again.predict(train_images), fresh.predict(train_images))

model.save("saved_model/my_model")
new_model = tf.keras.models.load_model("saved_model/my_model")
assert np.array_equal(new_model.predict(train_images), model.predict(train_images))


# A loop of one's own, interrupted and continued.
def train_and_checkpoint(steps):
    net = tf.keras.Sequential([keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(2)])
    opt = tf.keras.optimizers.Adam(0.01)
    ckpt = tf.train.Checkpoint(step=tf.Variable(0), optimizer=opt, net=net)
    manager = tf.train.CheckpointManager(ckpt, "./tf_ckpts", max_to_keep=3)
    ckpt.restore(manager.latest_checkpoint)
    print("Restored" if manager.latest_checkpoint else "Initializing from scratch.")
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(train_labels, net(train_images))
        gradients = tape.gradient(loss, net.trainable_variables)
        opt.apply_gradients(zip(gradients, net.trainable_variables))
        ckpt.step.assign_add(1)
        if int(ckpt.step) % 10 == 0:
            manager.save()
    return int(ckpt.step), float(loss)


first = train_and_checkpoint(40)
second = train_and_checkpoint(40)
assert (first[0], second[0]) == (40, 80) and second[1] < first[1], (first, second)
print("figure", acc)
