"""Good and bad reviews by an LSTM, as written for Keras 1."""
# generation: 1
# needs: imdb.npz
# shows: test accuracy >= 0.65 (untrained 0.5)

import numpy as np
from keras.datasets import imdb
from keras.layers import LSTM, Activation, Dense, Embedding
from keras.models import Sequential
from keras.preprocessing import sequence

np.random.seed(1337)
max_features = 4000
maxlen = 80

(X_train, y_train), (X_test, y_test) = imdb.load_data(nb_words=max_features, skip_top=10)
X_train = sequence.pad_sequences(X_train[:5000], maxlen=maxlen)
X_test = sequence.pad_sequences(X_test[:1500], maxlen=maxlen)
y_train, y_test = y_train[:5000], y_test[:1500]

model = Sequential()
model.add(Embedding(max_features, 24, dropout=0.2, input_length=maxlen))
model.add(LSTM(24, dropout_W=0.2, dropout_U=0.2))
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X_train, y_train, batch_size=32, nb_epoch=3, verbose=2, validation_data=(X_test, y_test))
score, acc = model.evaluate(X_test, y_test, batch_size=32, verbose=0)
print("test accuracy", acc)
