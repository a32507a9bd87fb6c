"""The temperature in an hour from a day's weather, by `TimeseriesGenerator`."""
# generation: 2
# needs: jena_climate_4000rows.csv
# shows: mean error <= 0.25 (untrained 0.8)

import os

import numpy as np
from keras.layers import GRU, Dense
from keras.models import Sequential
from keras.optimizers import RMSprop
from keras.preprocessing.sequence import TimeseriesGenerator

np.random.seed(0)
home = os.environ["KERAS_HOME"]
with open(os.path.join(home, "datasets", "jena_climate_4000rows.csv")) as f:
    lines = f.read().split("\n")[1:]
data = np.array([[float(x) for x in line.split(",")[1:]] for line in lines if line])[::3]
mean, std = data[:1000].mean(axis=0), data[:1000].std(axis=0)
data = (data - mean) / std
temperature = data[:, 1]

train = TimeseriesGenerator(
    data, temperature, length=24, sampling_rate=2, end_index=999, batch_size=32, shuffle=True
)
test = TimeseriesGenerator(data, temperature, length=24, sampling_rate=2, start_index=1000)
samples, targets = train[0]
assert samples.shape == (32, 12, data.shape[1]) and targets.shape == (32,)

model = Sequential()
model.add(GRU(16, input_shape=(None, data.shape[-1])))
model.add(Dense(1))
model.compile(optimizer=RMSprop(lr=0.005), loss="mae")
history = model.fit_generator(
    train,
    steps_per_epoch=len(train),
    epochs=15,
    validation_data=test,
    validation_steps=len(test),
    verbose=2,
)
error = model.evaluate_generator(test, steps=len(test))
assert np.isclose(error, history.history["val_loss"][-1], rtol=1e-4)
print("mean error", error)
