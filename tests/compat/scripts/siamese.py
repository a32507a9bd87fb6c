"""Keras 2: a siamese network by a shared base, a Lambda distance and a contrastive loss."""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Dropout, Input, Lambda
from keras.models import Model
from keras.optimizers import RMSprop

np.random.seed(5)


def euclidean_distance(vects):
    x, y = vects
    sum_square = K.sum(K.square(x - y), axis=1, keepdims=True)
    return K.sqrt(K.maximum(sum_square, K.epsilon()))


def distance_shape(shapes):
    first, _ = shapes
    return (first[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(
        y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0))
    )


def accuracy(y_true, y_pred):
    return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))


def base_network(input_shape):
    given = Input(shape=input_shape)
    x = Dense(32, activation="relu")(given)
    x = Dropout(0.1)(x)
    return Model(given, Dense(16)(x))


centres = np.random.randn(4, 8) * 2
label = np.random.randint(0, 4, (600, 2))
label[:300, 1] = label[:300, 0]
left = centres[label[:, 0]] + np.random.randn(600, 8) * 0.4
right = centres[label[:, 1]] + np.random.randn(600, 8) * 0.4
same = (label[:, 0] == label[:, 1]).astype("float32")

base = base_network((8,))
a, b = Input(shape=(8,)), Input(shape=(8,))
distance = Lambda(euclidean_distance, output_shape=distance_shape)([base(a), base(b)])
model = Model([a, b], distance)
model.compile(loss=contrastive_loss, optimizer=RMSprop(), metrics=[accuracy])
history = model.fit(
    [left, right],
    same,
    batch_size=64,
    epochs=40,
    verbose=0,
    validation_data=([left[::5], right[::5]], same[::5]),
)
assert len(history.history["val_accuracy"]) == 40
predicted = model.predict([left, right]).ravel() < 0.5
print("figure", np.mean(predicted == same))
