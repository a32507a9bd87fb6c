"""Pictures in a folder for each class, by `flow_from_directory`, as in the book of 2017."""
# generation: 2
# needs: mnist.npz
# shows: test accuracy >= 0.7 (untrained 0.33)

import os
import tempfile

import numpy as np
from keras import layers, models, optimizers
from keras.datasets import mnist
from keras.preprocessing import image
from keras.preprocessing.image import ImageDataGenerator

np.random.seed(1)
base_dir = tempfile.mkdtemp()
(digits, labels), _ = mnist.load_data()
for name, digit in (("one", 1), ("seven", 7), ("three", 3)):
    rows = np.where(labels == digit)[0]
    for part, chosen in (("train", rows[:200]), ("test", rows[200:260])):
        folder = os.path.join(base_dir, part, name)
        os.makedirs(folder)
        for i in chosen:
            image.array_to_img(digits[i][:, :, None]).save(os.path.join(folder, f"{name}.{i}.png"))

train_datagen = ImageDataGenerator(
    rescale=1.0 / 255,
    rotation_range=10,
    width_shift_range=0.1,
    shear_range=5.0,
    validation_split=0.2,
)
flow = dict(target_size=(20, 20), batch_size=20, class_mode="categorical", color_mode="grayscale")
train = os.path.join(base_dir, "train")
train_generator = train_datagen.flow_from_directory(train, subset="training", **flow)
validation_generator = train_datagen.flow_from_directory(train, subset="validation", **flow)
assert train_generator.class_indices == {"one": 0, "seven": 1, "three": 2}

model = models.Sequential()
model.add(layers.Conv2D(8, (3, 3), activation="relu", input_shape=(20, 20, 1)))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Conv2D(16, (3, 3), activation="relu"))
model.add(layers.Flatten())
model.add(layers.Dense(3, activation="softmax"))
model.compile(
    loss="categorical_crossentropy", optimizer=optimizers.RMSprop(lr=2e-3), metrics=["acc"]
)
history = model.fit_generator(
    train_generator,
    steps_per_epoch=24,
    epochs=4,
    validation_data=validation_generator,
    validation_steps=6,
    verbose=2,
)
assert len(history.history["acc"]) == len(history.history["val_acc"]) == 4
test_generator = ImageDataGenerator(rescale=1.0 / 255).flow_from_directory(
    os.path.join(base_dir, "test"), shuffle=False, **flow
)
test_loss, test_acc = model.evaluate_generator(test_generator, steps=9)
answers = model.predict_generator(test_generator, steps=len(test_generator)).argmax(axis=1)
assert abs((answers == test_generator.classes).mean() - test_acc) < 1e-6
print("test accuracy", test_acc)
