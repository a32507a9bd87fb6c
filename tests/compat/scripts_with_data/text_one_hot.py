"""Reviews as the words that occur in them, from an archive that is unpacked beside itself."""
# generation: 2
# needs: aclImdb_small.tar.gz
# shows: test accuracy >= 0.7 (untrained 0.5)

import os

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.preprocessing.text import Tokenizer, one_hot, tokenizer_from_json
from keras.utils import get_file

ORIGIN = "http://localhost/aclImdb_small.tar.gz"  # in the cache already
path = get_file("aclImdb_small", ORIGIN, untar=True)
assert path.endswith("aclImdb_small")
imdb_dir = os.path.join(os.path.dirname(path), "aclImdb")


def read(part):
    texts, labels = [], []
    for label_type in ("neg", "pos"):
        dir_name = os.path.join(imdb_dir, part, label_type)
        for fname in sorted(os.listdir(dir_name)):
            with open(os.path.join(dir_name, fname), encoding="utf8") as f:
                texts.append(f.read())
            labels.append(0 if label_type == "neg" else 1)
    return texts, np.asarray(labels)


texts, labels = read("train")
tokenizer = Tokenizer(num_words=3000)
tokenizer.fit_on_texts(texts)
print("Found %s unique tokens." % len(tokenizer.word_index))
again = tokenizer_from_json(tokenizer.to_json())
x_train = tokenizer.texts_to_matrix(texts, mode="binary")
np.testing.assert_array_equal(again.texts_to_matrix(texts[:3]), x_train[:3])
assert max(one_hot(texts[0], 50)) < 50

model = Sequential()
model.add(Dense(16, activation="relu", input_shape=(3000,)))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
history = model.fit(x_train, labels, epochs=5, batch_size=32, verbose=2)
assert history.history["acc"][-1] > 0.9
texts, labels = read("test")
print("test accuracy", model.evaluate(tokenizer.texts_to_matrix(texts), labels, verbose=0)[1])
