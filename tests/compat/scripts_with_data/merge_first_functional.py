"""Two images, whether they show the same digit: a shared network and `merge`, as in Keras 1."""
# generation: 1
# needs: mnist.npz
# shows: test accuracy >= 0.8 (untrained 0.5)

import random

import numpy as np
from keras.datasets import mnist
from keras.layers import Dense, Dropout, Input, merge
from keras.models import Model, Sequential

np.random.seed(1)
random.seed(1)
(X, y), _ = mnist.load_data()
keep = np.isin(y, (0, 1, 3, 7))
X, y = X[keep][:3000].reshape(-1, 784).astype("float32") / 255, y[keep][:3000]


def pairs(low, high, nb):
    left, right, same = [], [], []
    by_digit = {d: low + np.where(y[low:high] == d)[0] for d in (0, 1, 3, 7)}
    for i in range(nb):
        a = random.randrange(low, high)
        digit = y[a] if i % 2 else random.choice([d for d in by_digit if d != y[a]])
        b = random.choice(by_digit[digit])
        left.append(a), right.append(b), same.append(i % 2)
    return [X[left], X[right]], np.array(same)


base = Sequential(
    [Dense(64, input_shape=(784,), activation="relu"), Dropout(0.1), Dense(32, activation="relu")]
)
a, b = Input(shape=(784,)), Input(shape=(784,), name="second")
code_a, code_b = base(a), base(b)
product = merge([code_a, code_b], mode="mul")
distance = merge([code_a, code_b], mode=lambda x: abs(x[0] - x[1]), output_shape=(32,))
merged = merge([product, distance], mode="concat", concat_axis=1)
hidden = Dense(32, activation="relu", W_regularizer="l2")(merged)
cosine = merge([code_a, code_b], mode="cos", dot_axes=1)
out = Dense(1, activation="sigmoid")(merge([hidden, cosine], mode="concat"))
model = Model(input=[a, b], output=out)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
x, same = pairs(0, 2500, 5000)
model.fit(x, same, nb_epoch=8, batch_size=64, verbose=2)
loss, accuracy = model.evaluate(*pairs(2500, 3000, 1000), verbose=0)
print("test accuracy", accuracy)
