"""Reviews by embeddings that are learned, as in the book of 2017."""
# generation: 2
# needs: imdb.npz
# shows: test accuracy >= 0.7 (untrained 0.5)

import numpy as np
from keras import preprocessing
from keras.datasets import imdb
from keras.layers import Dense, Embedding, Flatten
from keras.models import Sequential

np.random.seed(0)
max_features, maxlen = 10000, 20
(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=max_features)
x_train = preprocessing.sequence.pad_sequences(x_train, maxlen=60)
x_test = preprocessing.sequence.pad_sequences(x_test, maxlen=60)

model = Sequential()
model.add(Embedding(10000, 8, input_length=60))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
model.summary()
assert model.output_shape == (None, 1), "built from input_length"
history = model.fit(x_train, y_train, epochs=4, batch_size=32, validation_split=0.2, verbose=2)
assert sorted(history.history) == ["acc", "loss", "val_acc", "val_loss"]
print("test accuracy", model.evaluate(x_test, y_test, verbose=0)[1])
