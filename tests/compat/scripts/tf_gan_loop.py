"""TensorFlow 2: a GAN for points on a ring, trained in a loop with tf.function."""

import time

import tensorflow as tf
from tensorflow.keras import layers

tf.random.set_seed(11)
BATCH_SIZE, noise_dim, num_examples = 64, 4, 512
angles = tf.random.uniform([num_examples], 0.0, 6.2832)
points = tf.stack([tf.cos(angles), tf.sin(angles)], axis=1)
points = points + tf.random.normal(tf.shape(points), stddev=0.02)
dataset = tf.data.Dataset.from_tensor_slices(points).shuffle(num_examples)
dataset = dataset.batch(BATCH_SIZE, drop_remainder=True)


def make_generator_model():
    return tf.keras.Sequential(
        [
            layers.Dense(32, input_shape=(noise_dim,)),
            layers.BatchNormalization(),
            layers.Lambda(lambda x: tf.nn.leaky_relu(x, alpha=0.1)),
            layers.Dense(32, activation=tf.nn.relu),
            layers.Dense(2),
        ]
    )


def make_discriminator_model():
    return tf.keras.Sequential(
        [
            layers.Dense(32, input_shape=(2,)),
            layers.LeakyReLU(),
            layers.Dense(32, activation=tf.nn.relu),
            layers.Dense(1),
        ]
    )


generator, discriminator = make_generator_model(), make_discriminator_model()
generator_optimizer = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)
discriminator_optimizer = tf.keras.optimizers.Adam(2e-3, beta_1=0.5)


def discriminator_loss(real_output, fake_output):
    real = tf.nn.sigmoid_cross_entropy_with_logits(
        labels=tf.ones_like(real_output), logits=real_output
    )
    fake = tf.nn.sigmoid_cross_entropy_with_logits(
        labels=tf.zeros_like(fake_output), logits=fake_output
    )
    return tf.reduce_mean(real) + tf.reduce_mean(fake)


def generator_loss(fake_output):
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.ones_like(fake_output), logits=fake_output
        )
    )


@tf.function
def train_step(images):
    noise = tf.random.normal([BATCH_SIZE, noise_dim])
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated = generator(noise, training=True)
        real_output = discriminator(images, training=True)
        fake_output = discriminator(generated, training=True)
        gen_loss = generator_loss(fake_output)
        disc_loss = discriminator_loss(real_output, fake_output)
    gradients_of_generator = gen_tape.gradient(gen_loss, generator.trainable_variables)
    gradients_of_discriminator = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    gradients_of_discriminator, norm = tf.clip_by_global_norm(gradients_of_discriminator, 5.0)
    generator_optimizer.apply_gradients(zip(gradients_of_generator, generator.trainable_variables))
    discriminator_optimizer.apply_gradients(
        zip(gradients_of_discriminator, discriminator.trainable_variables)
    )
    return gen_loss, disc_loss, norm


start = time.time()
for epoch in range(120):
    for image_batch in dataset:
        gen_loss, disc_loss, norm = train_step(image_batch)
    if epoch % 40 == 0:
        tf.print("epoch", epoch, "losses", gen_loss, disc_loss)
tf.debugging.assert_all_finite(gen_loss, "the loss")
made = generator(tf.random.normal([400, noise_dim]), training=False)
radius = tf.norm(made, axis=1)
print("figure", float(tf.reduce_mean(tf.abs(radius - 1.0))))
