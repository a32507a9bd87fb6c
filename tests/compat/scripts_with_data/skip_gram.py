"""Word vectors by `skipgrams` and a shared embedding."""
# generation: 2
# shows: neighbours of the same kind >= 0.8 (untrained 0.2)

import random

import numpy as np
from keras.layers import Activation, Dot, Embedding, Input, Reshape
from keras.models import Model
from keras.preprocessing.sequence import make_sampling_table, skipgrams
from keras.preprocessing.text import Tokenizer

random.seed(0)
np.random.seed(0)
kinds = {
    "animals": "cat dog horse cow sheep mouse",
    "metals": "iron gold silver zinc tin lead",
    "tools": "saw hammer drill file pliers plane",
    "trees": "oak beech elm ash birch maple",
    "colours": "red green blue pink brown grey",
}
texts = []
for _ in range(600):
    words = random.choice(list(kinds.values())).split()
    texts.append("the " + " ".join(random.choice(words) for _ in range(6)) + " the")

tokenizer = Tokenizer()
tokenizer.fit_on_texts(texts)
V = len(tokenizer.word_index) + 1
sampling_table = make_sampling_table(V, sampling_factor=1e-2)

w_inputs = Input(shape=(1,), dtype="int32")
c_inputs = Input(shape=(1,), dtype="int32")
words = Embedding(V, 12, name="words")
context = Embedding(V, 12)
o = Dot(axes=2)([words(w_inputs), context(c_inputs)])
o = Reshape((1,), input_shape=(1, 1))(o)
o = Activation("sigmoid")(o)
model = Model(inputs=[w_inputs, c_inputs], outputs=o)
model.compile(loss="binary_crossentropy", optimizer="adam")
for epoch in range(4):
    couples, labels = [], []
    for doc in tokenizer.texts_to_sequences(texts):
        pairs, y = skipgrams(
            doc, V, window_size=4, negative_samples=1.0, sampling_table=sampling_table
        )
        couples += pairs
        labels += y
    x = [np.array(v, dtype="int32") for v in zip(*couples)]
    loss = model.fit(x, np.array(labels), batch_size=128, verbose=0).history["loss"][-1]
    print(epoch, loss)

vectors = model.get_layer("words").get_weights()[0]
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
right = []
for members in kinds.values():
    for word in members.split():
        near = np.argsort(-(vectors @ vectors[tokenizer.word_index[word]]))
        names = [tokenizer.index_word[i] for i in near if i and i != tokenizer.word_index[word]]
        right.append(names[0] in members.split())
print("neighbours of the same kind", np.mean(right))
