"""Keras 2: a residual network with channels first, by functions that build blocks."""

import keras
import numpy as np
from keras import backend as K
from keras import layers
from keras.engine.topology import get_source_inputs
from keras.layers import Activation, BatchNormalization, Conv2D, Dense, Input
from keras.layers.pooling import GlobalAveragePooling2D, MaxPooling2D
from keras.models import Model
from keras.regularizers import l2

np.random.seed(34)
K.set_image_data_format("channels_first")
bn_axis = 1 if K.image_data_format() == "channels_first" else 3


def identity_block(input_tensor, filters, stage, block):
    name = "res" + str(stage) + block
    x = Conv2D(
        filters,
        (3, 3),
        padding="same",
        kernel_initializer="he_normal",
        kernel_regularizer=l2(1e-4),
        name=name + "_a",
    )(input_tensor)
    x = BatchNormalization(axis=bn_axis, name="bn" + name)(x)
    x = Activation("relu")(x)
    x = Conv2D(filters, (3, 3), padding="same", name=name + "_b")(x)
    x = layers.add([x, input_tensor])
    return Activation("relu")(x)


labels = np.random.randint(0, 3, 240)
x = np.random.randn(240, 3, 8, 8) * 0.5
for i, label in enumerate(labels):
    x[i, label, 2:6, 2:6] += 1

img_input = Input(shape=(3, 8, 8))
h = Conv2D(8, (3, 3), padding="same")(img_input)
h = identity_block(h, 8, 2, "a")
h = MaxPooling2D((2, 2))(h)
h = identity_block(h, 8, 2, "b")
h = GlobalAveragePooling2D()(h)
model = Model(get_source_inputs(h), Dense(3, activation="softmax", name="fc")(h), name="small")
model.compile(
    loss="categorical_crossentropy", metrics=["accuracy"], optimizer=keras.optimizers.Adam(lr=0.01)
)
model.fit(x, keras.utils.to_categorical(labels, num_classes=3), epochs=6, batch_size=24, verbose=0)
assert model.get_layer("res2a_a").output_shape == (None, 8, 8, 8)
assert model.layers[-2].output_shape == (None, 8)
print("figure", model.evaluate(x, keras.utils.to_categorical(labels, 3), verbose=0)[1])
