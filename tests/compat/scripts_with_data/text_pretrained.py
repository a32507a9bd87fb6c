"""Reviews by word vectors from a file, frozen, as the blog post on pretrained embeddings has it."""
# generation: 2
# needs: aclImdb_small.tar.gz
# shows: test accuracy >= 0.65 (untrained 0.5)

import os
import tarfile
import tempfile

import numpy as np
from keras.initializers import Constant
from keras.layers import Conv1D, Dense, Embedding, GlobalAveragePooling1D, Input
from keras.models import Model
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
from keras.utils import to_categorical
from keras.utils.data_utils import get_file

BASE_DIR = tempfile.mkdtemp()
MAX_SEQUENCE_LENGTH = 200
MAX_NUM_WORDS = 1200
EMBEDDING_DIM = 40
np.random.seed(1)

archive = get_file("aclImdb_small.tar.gz", "http://localhost/aclImdb_small.tar.gz")
texts, labels, test = [], [], []
with tarfile.open(archive) as files:
    for member in files:
        parts = member.name.split("/")
        if member.isfile() and parts[-2] in ("pos", "neg"):
            texts.append(files.extractfile(member).read().decode("utf8"))
            labels.append(parts[-2] == "pos")
            test.append("test" in parts)

tokenizer = Tokenizer(num_words=MAX_NUM_WORDS)
tokenizer.fit_on_texts(texts)
sequences = tokenizer.texts_to_sequences(texts)
word_index = tokenizer.word_index

# Vectors in the form of GloVe's file: here from which reviews words share.
counts = np.log1p(tokenizer.sequences_to_matrix(sequences, mode="count"))
counts -= counts.mean(axis=0)
values, vectors = np.linalg.eigh(counts.T @ counts)
vectors = vectors[:, -EMBEDDING_DIM:]
vectors *= 0.4 / vectors.std(axis=1, keepdims=True).clip(1e-6)
with open(os.path.join(BASE_DIR, "glove.txt"), "w") as f:
    for word, i in word_index.items():
        if i < MAX_NUM_WORDS:
            f.write(word + " " + " ".join(f"{v:.4f}" for v in vectors[i]) + "\n")

embeddings_index = {}
with open(os.path.join(BASE_DIR, "glove.txt")) as f:
    for line in f:
        word, coefs = line.split(maxsplit=1)
        embeddings_index[word] = np.fromstring(coefs, "f", sep=" ")
print("Found %s word vectors." % len(embeddings_index))

data = pad_sequences(sequences, maxlen=MAX_SEQUENCE_LENGTH)
labels, test = to_categorical(np.asarray(labels)), np.asarray(test)
num_words = min(MAX_NUM_WORDS, len(word_index) + 1)
embedding_matrix = np.zeros((num_words, EMBEDDING_DIM))
for word, i in word_index.items():
    if i < MAX_NUM_WORDS and embeddings_index.get(word) is not None:
        embedding_matrix[i] = embeddings_index[word]

# Both ways in which scripts pass the matrix.
by_weights = Embedding(
    num_words,
    EMBEDDING_DIM,
    weights=[embedding_matrix],
    input_length=MAX_SEQUENCE_LENGTH,
    trainable=False,
)
by_initializer = Embedding(
    num_words,
    EMBEDDING_DIM,
    embeddings_initializer=Constant(embedding_matrix),
    input_length=MAX_SEQUENCE_LENGTH,
    trainable=False,
)
sequence_input = Input(shape=(MAX_SEQUENCE_LENGTH,), dtype="int32")
embedded_sequences = by_weights(sequence_input)
by_initializer(sequence_input)
np.testing.assert_allclose(by_initializer.get_weights()[0], by_weights.get_weights()[0])
x = Conv1D(32, 3, activation="relu")(embedded_sequences)
x = GlobalAveragePooling1D()(x)
x = Dense(24, activation="relu")(x)
preds = Dense(2, activation="softmax")(x)
model = Model(sequence_input, preds)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["acc"])
model.fit(
    data[~test],
    labels[~test],
    batch_size=32,
    epochs=8,
    verbose=2,
    validation_data=(data[test], labels[test]),
)
np.testing.assert_allclose(by_weights.get_weights()[0], embedding_matrix, rtol=1e-6)
print("test accuracy", model.evaluate(data[test], labels[test], verbose=0)[1])
