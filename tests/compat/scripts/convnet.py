"""Keras 2: a small convnet on images of bars, fed by `fit_generator`."""

import numpy as np
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
from keras.layers import Dense, Dropout, Flatten
from keras.layers.advanced_activations import LeakyReLU
from keras.layers.convolutional import Conv2D, MaxPooling2D
from keras.layers.normalization import BatchNormalization
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(2)


def images(count):
    x = np.random.rand(count, 12, 12, 1) * 0.5
    y = np.random.randint(0, 2, count)
    for i in range(count):
        place = np.random.randint(0, 12)
        if y[i]:
            x[i, place] += 0.5
        else:
            x[i, :, place] += 0.5
    return x, y


def batches(size):
    while True:
        yield images(size)


model = Sequential()
model.add(Conv2D(8, (3, 3), padding="same", input_shape=(12, 12, 1)))
model.add(LeakyReLU(alpha=0.1))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Conv2D(16, 3))
model.add(BatchNormalization(axis=-1))
model.add(LeakyReLU(0.1))
model.add(Flatten())
model.add(Dropout(0.25))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=RMSprop(lr=0.003), metrics=["acc"])
model.summary(print_fn=lambda line: None)
held = images(200)
model.fit_generator(
    batches(32),
    steps_per_epoch=30,
    epochs=8,
    validation_data=held,
    callbacks=[
        EarlyStopping(monitor="val_acc", patience=8),
        ReduceLROnPlateau(monitor="val_loss", epsilon=1e-3),
    ],
    workers=1,
    max_queue_size=2,
    verbose=0,
)
loss, accuracy = model.evaluate_generator(batches(50), steps=4)
assert model.predict_generator(batches(10), steps=2).shape == (20, 1)
print("figure", accuracy)
