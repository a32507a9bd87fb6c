"""Layers of one's own in both ways that Keras 1 documented, and a regularizer and a metric."""
# generation: 1
# needs: mnist.npz
# shows: test accuracy >= 0.8 (untrained 0.1)

import numpy as np
from keras import backend as K
from keras import initializations
from keras.callbacks import EarlyStopping, ModelCheckpoint
from keras.datasets import mnist
from keras.engine.topology import Layer
from keras.layers import Dense, Input
from keras.models import Model
from keras.regularizers import l1l2
from keras.utils.np_utils import to_categorical

np.random.seed(5)


class Early(Layer):
    """As the documentation of Keras 1.0 shows it."""

    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super(Early, self).__init__(**kwargs)

    def build(self, input_shape):
        input_dim = input_shape[1]
        initial_weight_value = np.random.random((input_dim, self.output_dim)) * 0.1 - 0.05
        self.W = K.variable(initial_weight_value)
        self.trainable_weights = [self.W]

    def call(self, x, mask=None):
        return K.relu(K.dot(x, self.W))

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)


class Later(Layer):
    """As that of Keras 1.2 does."""

    def __init__(self, output_dim, init="glorot_uniform", **kwargs):
        self.output_dim = output_dim
        self.init = initializations.get(init)
        super(Later, self).__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight(
            shape=(input_shape[1], self.output_dim),
            initializer=self.init,
            trainable=True,
            name="{}_W".format(self.name),
            regularizer=l1l2(l1=1e-6, l2=1e-5),
        )
        self.b = self.add_weight((self.output_dim,), initializer="zero", name="b")
        super(Later, self).build(input_shape)

    def call(self, x, mask=None):
        return K.tanh(K.dot(x, self.W) + self.b)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)


def sure(y_true, y_pred):
    return K.mean(K.max(y_pred, axis=-1))


(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train[:5000].reshape(-1, 784).astype("float32") / 255
X_test = X_test[:1000].reshape(-1, 784).astype("float32") / 255
Y_train, Y_test = to_categorical(y_train[:5000]), to_categorical(y_test[:1000])

inputs = Input(shape=(784,))
x = Early(64)(inputs)
x = Later(48, init="he_normal")(x)
model = Model(input=inputs, output=Dense(10, activation="softmax")(x))
assert [tuple(K.int_shape(w)) for w in model.layers[1].trainable_weights] == [(784, 64)]
assert len(model.trainable_weights) == 5
before = K.get_value(model.layers[1].W)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy", sure])
history = model.fit(
    X_train,
    Y_train,
    batch_size=50,
    nb_epoch=4,
    verbose=2,
    validation_data=(X_test, Y_test),
    callbacks=[
        EarlyStopping(monitor="val_acc", patience=3, mode="max"),
        ModelCheckpoint(
            "best.hdf5", monitor="val_acc", save_best_only=True, save_weights_only=True
        ),
    ],
)
assert np.abs(K.get_value(model.layers[1].W) - before).max() > 0.01
assert history.history["val_sure"][-1] > 0.5
model.load_weights("best.hdf5")
print("test accuracy", model.evaluate(X_test, Y_test, verbose=0)[1])
