"""Keras 2: a GAN conditioned on classes, whose discriminator also names the class."""

import numpy as np
from keras.layers import Dense, Dropout, Embedding, Flatten, Input, multiply
from keras.layers.advanced_activations import LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(9)
CENTRES = np.array([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])


def real(count):
    labels = np.random.randint(0, 3, count)
    return CENTRES[labels] + np.random.randn(count, 2) * 0.1, labels


def build_generator():
    latent = Input(shape=(4,))
    image_class = Input(shape=(1,), dtype="int32")
    cls = Flatten()(Embedding(3, 4, embeddings_initializer="glorot_normal")(image_class))
    h = multiply([latent, cls])
    body = Sequential()
    body.add(Dense(32, input_dim=4, activation="relu"))
    body.add(Dense(2))
    return Model([latent, image_class], body(h))


def build_discriminator():
    image = Input(shape=(2,))
    body = Sequential(
        [Dense(32, input_shape=(2,)), LeakyReLU(), Dropout(0.1), Dense(32), LeakyReLU()]
    )
    features = body(image)
    fake = Dense(1, activation="sigmoid", name="generation")(features)
    aux = Dense(3, activation="softmax", name="auxiliary")(features)
    return Model(image, [fake, aux])


discriminator = build_discriminator()
discriminator.compile(
    optimizer=Adam(lr=0.003, beta_1=0.5),
    loss=["binary_crossentropy", "sparse_categorical_crossentropy"],
)
generator = build_generator()
latent, image_class = Input(shape=(4,)), Input(shape=(1,), dtype="int32")
discriminator.trainable = False
fake, aux = discriminator(generator([latent, image_class]))
combined = Model([latent, image_class], [fake, aux])
combined.compile(
    optimizer=Adam(lr=0.003, beta_1=0.5),
    loss=["binary_crossentropy", "sparse_categorical_crossentropy"],
)
losses = []
for _ in range(400):
    points, labels = real(32)
    noise = np.random.uniform(-1, 1, (32, 4))
    wanted = np.random.randint(0, 3, 32)
    made = generator.predict([noise, wanted.reshape((-1, 1))], verbose=0)
    x = np.concatenate((points, made))
    y = np.array([0.9] * 32 + [0] * 32)
    losses.append(discriminator.train_on_batch(x, [y, np.concatenate((labels, wanted))]))
    noise = np.random.uniform(-1, 1, (64, 4))
    wanted = np.random.randint(0, 3, 64)
    combined.train_on_batch([noise, wanted.reshape((-1, 1))], [np.ones(64), wanted])
assert len(losses[0]) == 3 and discriminator.metrics_names[0] == "loss"
points, labels = real(300)
named = discriminator.predict(points)[1].argmax(axis=1)
print("figure", np.mean(named == labels))
