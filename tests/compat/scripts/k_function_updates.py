"""Keras 2: policy gradient with a training function made of K.function and the updates of an
optimizer, and the learning phase among a function's inputs."""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Dropout, Input
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(18)
state = Input(shape=(3,))
hidden = Dropout(0.2)(Dense(24, activation="relu")(state))
policy = Dense(2, activation="softmax")(hidden)
model = Model(inputs=state, outputs=policy)

action = K.placeholder(shape=(None, 2))
reward = K.placeholder(shape=(None,))
chosen = K.sum(model.output * action, axis=1)
loss = -K.mean(K.log(chosen + 1e-8) * reward)
seen = K.variable(0.0)
updates = Adam(lr=0.02).get_updates(params=model.trainable_weights, loss=loss)
updates.append(K.update_add(seen, 1.0)) if False else None
train = K.function([model.input, action, reward, K.learning_phase()], [loss], updates=updates)
run = K.function([model.input, K.learning_phase()], [model.output])

average = []
for step in range(120):
    x = np.random.randn(64, 3)
    shares = run([x, 0])[0]
    taken = (np.random.rand(64) > shares[:, 0]).astype(int)
    gained = (taken == (x[:, 0] > x[:, 1])).astype("float32")
    train([x, np.eye(2)[taken], gained - 0.5, 1])
    average.append(gained.mean())
x = np.random.randn(200, 3)
assert not np.allclose(run([x, 1])[0], run([x, 1])[0])
assert np.allclose(run([x, 0])[0], run([x, 0])[0])
print("figure", np.mean(average[-20:]))
