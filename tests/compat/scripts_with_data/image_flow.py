"""Digits, shifted and turned at random by `ImageDataGenerator.flow`, as written for Keras 2.2."""
# generation: 2
# needs: mnist.npz
# shows: test accuracy >= 0.75 (untrained 0.1)

import keras
import numpy as np
from keras.datasets import mnist
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator

np.random.seed(0)
batch_size = 64
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[:2500, :, :, None].astype("float32")
x_test = x_test[:500, :, :, None].astype("float32")
y_train = keras.utils.to_categorical(y_train[:2500], 10)
y_test = keras.utils.to_categorical(y_test[:500], 10)

datagen = ImageDataGenerator(
    featurewise_center=True,
    featurewise_std_normalization=True,
    rotation_range=10,
    width_shift_range=0.08,
    height_shift_range=0.08,
    zoom_range=0.1,
    fill_mode="constant",
)
datagen.fit(x_train)
test_datagen = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
test_datagen.fit(x_train)

model = Sequential()
model.add(Conv2D(8, (3, 3), padding="same", activation="relu", input_shape=x_train.shape[1:]))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Conv2D(16, (3, 3), activation="relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dropout(0.2))
model.add(Dense(10, activation="softmax"))
model.compile(
    loss="categorical_crossentropy",
    optimizer=keras.optimizers.Adam(lr=0.003, decay=1e-6),
    metrics=["accuracy"],
)
model.fit_generator(
    datagen.flow(x_train, y_train, batch_size=batch_size),
    steps_per_epoch=len(x_train) // batch_size,
    epochs=3,
    verbose=2,
    validation_data=test_datagen.flow(x_test, y_test, batch_size=100),
    validation_steps=5,
)
# By hand, as books show it: the loop must be ended, the generator never does.
batches = 0
for x_batch, y_batch in datagen.flow(x_train, y_train, batch_size=batch_size):
    model.train_on_batch(x_batch, y_batch)
    batches += 1
    if batches >= 20:
        break
flow = test_datagen.flow(x_test, y_test, batch_size=100, shuffle=False)
scores = model.evaluate_generator(flow, steps=5)
predicted = model.predict_generator(flow, steps=5).argmax(axis=-1)
flow.reset()
assert abs((predicted == y_test.argmax(-1)).mean() - scores[1]) < 1e-6
print("test accuracy", scores[1])
