"""Cases of layers without windows or steps: activations, shapes, dense, merging, normalization."""

from __future__ import annotations

import functools
from typing import Any

import keras

import kerasish

from .entries import FIRST, IMAGE, ROWS, SERIES, VOLUME, built, ids, layer, numbers

PAIR = [numbers(2, 3, 4), numbers(3, 2, 4).reshape(2, 3, 4)]
BROADCAST = [numbers(2, 3, 4), numbers(2, 1, 4), numbers(2, 4)]
REGULAR = {
    "kernel_regularizer": "l2", "bias_regularizer": "l1", "kernel_constraint": "max_norm",
    "bias_constraint": "non_neg", "kernel_initializer": "he_normal", "bias_initializer": "ones",
    "activity_regularizer": "l2",
}  # fmt: skip

# -- activations

layer("Activation", "relu")
layer("Activation", "log_softmax")
layer("Activation", "hard_sigmoid", on=ROWS)
layer("ActivityRegularization", l1=0.1, l2=0.2)
layer("ActivityRegularization")
layer("ELU")
layer("ELU", alpha=0.5, on=IMAGE)
layer("LeakyReLU")
layer("LeakyReLU", negative_slope=0.1)
layer("PReLU")
layer("PReLU", shared_axes=[1], alpha_initializer="ones", alpha_regularizer="l2")
layer("PReLU", shared_axes=[1, 2], alpha_constraint="non_neg", on=IMAGE)
layer("ReLU")
layer("ReLU", max_value=0.7, negative_slope=0.2, threshold=0.1)
layer("Softmax")
layer("Softmax", axis=[1, 2])
layer("Softmax", axis=1, on=IMAGE)

# -- shapes

layer("Identity")
layer("Identity", on=[ROWS, SERIES])
layer("Flatten")
layer("Flatten", on=IMAGE, **FIRST)
layer("Flatten", on=numbers(3))
layer("Reshape", (3, -1))
layer("Reshape", (15, 2))
layer("Reshape", (-1,), on=IMAGE)
layer("Permute", (2, 1))
layer("Permute", (3, 1, 2), on=IMAGE)
layer("RepeatVector", 3, on=ROWS)
layer("RepeatVector", 1, on=ROWS)
layer("Masking")
layer("Masking", mask_value=2.0)
layer("Rescaling", 0.5)
layer("Rescaling", 0.5, offset=1.0, on=IMAGE)
layer("Rescaling", scale=[1.0, 2.0, 3.0, 4.0], offset=[0.0, 1.0, 0.0, 1.0], on=IMAGE)


@kerasish.saving.register_keras_serializable("tables", "double")
@keras.saving.register_keras_serializable("tables", "double")
def double(x: Any) -> Any:
    return 2 * x


built("Lambda", "gelu", lambda k, **m: k.layers.Lambda(k.activations.gelu, **m))
built("Lambda", "double", lambda k, **m: k.layers.Lambda(double, output_shape=(5, 6), **m))

# -- dropout and noise

RANDOM = {"random": True}
HALF = "Keras writes the type of the variables only, and reads another policy back"
SPATIAL = {
    **RANDOM,
    "differs": {f"policies: mixed {half}": HALF for half in ("float16", "bfloat16")},
}
for name in ("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"):
    layer(name, 0.3, seed=3, how=RANDOM)
    layer(name, 0.0)
for name in ("AlphaDropout", "Dropout"):
    layer(name, 0.4, noise_shape=(None, 1, 6), seed=1, how=RANDOM)
layer("GaussianDropout", 0.2, on=IMAGE, how=RANDOM)
layer("GaussianNoise", 0.5, on=ROWS, how=RANDOM)
layer("SpatialDropout1D", 0.3, seed=3, how=SPATIAL)
layer("SpatialDropout1D", 0.6, name="dropped", how=SPATIAL)
layer("SpatialDropout2D", 0.2, on=IMAGE, how=SPATIAL)
layer("SpatialDropout2D", 0.4, on=IMAGE, how=SPATIAL, **FIRST)
layer("SpatialDropout3D", 0.2, on=VOLUME, how=SPATIAL)
layer("SpatialDropout3D", 0.4, on=VOLUME, how=SPATIAL, **FIRST)

# -- dense and embeddings

layer("Dense", 3)
layer("Dense", 3, use_bias=False, activation="tanh", on=ROWS)
layer("Dense", 3, **REGULAR)
layer("Dense", 3, activation="relu", on=IMAGE)
layer("Dense", 3, lora_rank=2)
LOST = "Keras forgets `lora_alpha` when the layer is built"
layer(
    "Dense", 3, lora_rank=2, lora_alpha=3,
    how={"differs": {
        "descriptions: config": LOST, "descriptions: serialized": LOST, "policies": LOST,
        "values": LOST, "half": LOST, "masks": LOST,
    }},
)  # fmt: skip
for equation, shape, bias, x in (
    ("abc,cd->abd", (None, 4), "d", SERIES),
    ("abc,cd->abd", (5, 4), "bd", SERIES),
    ("abc,cd->abd", (5, 4), "b", SERIES),
    ("abc,cde->abde", (None, 2, 5), "e", SERIES),
    ("abcd,cde->abe", (None, 6), "e", numbers(2, 3, 4, 5)),
    ("abcd,bde->abce", (3, 4, 6), "ce", numbers(2, 3, 4, 5)),
    ("abc,cd->adb", (6, 5), "d", SERIES),
    ("abc,cd->ad", 6, "d", SERIES),
    ("ab,cbd->acd", (5, 6), "cd", ROWS),
    ("...ab,bc->...ac", (3, 6), "c", numbers(2, 5, 3, 4)),
    ("ab...,bc->ac...", 6, "c", numbers(2, 3, 4, 5)),
):
    layer("EinsumDense", equation, shape, "tanh", bias, on=x)
layer("EinsumDense", "...x,xy->...y", (4,), activation="relu")
layer("EinsumDense", "abc,cde->abde", (None, 2, 5), bias_axes="de", **REGULAR)
layer("EinsumDense", "ab,bc->ac", 3, on=ROWS, lora_rank=1)
TOKENS = ids(2, 5, limit=7)
layer("Embedding", 7, 3, on=TOKENS)
layer("Embedding", 7, 3, mask_zero=True, embeddings_regularizer="l2", on=TOKENS)
layer("Embedding", 7, 3, embeddings_constraint="unit_norm", on=ids(4, limit=7))
layer("Embedding", 7, 3, lora_rank=2, on=TOKENS)
WIDE = "Keras says the policy's type, and computes in that of the weights as we do"
REVERSED = {"differs": {"policies": WIDE}}
for tied in (True, False):
    layer("ReversibleEmbedding", 7, 3, tie_weights=tied, on=TOKENS)
    layer(
        "ReversibleEmbedding", 7, 3, tie_weights=tied, logit_soft_cap=2.0, on=numbers(2, 5, 3),
        call={"reverse": True}, how=REVERSED,
    )  # fmt: skip

# -- merging

for name in ("Add", "Average", "Maximum", "Minimum", "Multiply"):
    layer(name, on=PAIR)
    layer(name, on=BROADCAST)
    layer(name, on=[ROWS, ROWS[::-1].copy(), 2 * ROWS])
layer("Subtract", on=PAIR)
layer("Subtract", on=BROADCAST[:2])
layer("Concatenate", on=PAIR)
layer("Concatenate", axis=1, on=[numbers(2, 3, 4), numbers(2, 5, 4), numbers(2, 1, 4)])
layer("Concatenate", axis=-2, on=[numbers(2, 3, 4), numbers(2, 5, 4)])
layer("Dot", axes=2, on=[numbers(2, 3, 4), numbers(2, 5, 4)])
layer("Dot", axes=(1, 2), normalize=True, on=[numbers(2, 3, 4), numbers(2, 5, 3)])
layer("Dot", axes=1, on=[ROWS, ROWS[::-1].copy()])
layer("Dot", axes=-1, normalize=True, on=[ROWS, ROWS[::-1].copy()])

# -- normalization

for axis, inputs in ((-1, SERIES), (1, SERIES), (1, IMAGE)):
    layer("BatchNormalization", axis=axis, on=inputs)
layer("BatchNormalization", center=False, momentum=0.5, epsilon=0.1)
layer(
    "BatchNormalization", scale=False, moving_mean_initializer="ones", beta_regularizer="l2",
    gamma_constraint="non_neg", on=ROWS,
)  # fmt: skip
layer("BatchNormalization", renorm=True, renorm_momentum=0.9)
layer(
    "BatchNormalization", renorm=True, renorm_clipping={"rmax": 1.5, "rmin": 0.7, "dmax": 0.5},
    on=IMAGE,
)  # fmt: skip
LAST = "Keras multiplies by its scale along the last axis, which fails"
for name in ("LayerNormalization", "RMSNormalization"):
    layer(name)
    layer(name, axis=[1, 2], epsilon=0.1)
    how = {"differs": {"values": LAST, "masks": LAST}} if name[0] == "R" else None
    layer(name, axis=1, on=IMAGE, how=how)
layer("LayerNormalization", center=False, gamma_regularizer="l2")
layer("LayerNormalization", scale=False, beta_constraint="non_neg")
layer("UnitNormalization")
layer("UnitNormalization", axis=1)
layer("UnitNormalization", axis=[1, 2], on=IMAGE)
layer("GroupNormalization", 3)
layer("GroupNormalization", -1, center=False)
layer("GroupNormalization", 2, on=IMAGE, scale=False)
layer("GroupNormalization", 2, axis=1, on=IMAGE, gamma_regularizer="l2")
layer(
    "GroupNormalization", 3, axis=2, epsilon=0.1, beta_constraint="non_neg", on=numbers(2, 3, 6, 3)
)


def spectral(k: Any, inner: Any, steps: int = 1, **more: Any) -> Any:
    return k.layers.SpectralNormalization(inner(k), steps, **more)


CAST = "Keras makes what an embedding gives whole numbers, as the indices are"
ASSIGNED = "on JAX the kernel assigned in training is a function of the one before it"
SPECTRAL = {"differs": {"values: gradients in training": ASSIGNED}}
built(
    "SpectralNormalization", "dense",
    functools.partial(spectral, inner=lambda k: k.layers.Dense(3)), how=SPECTRAL,
)  # fmt: skip
built(
    "SpectralNormalization", "conv",
    functools.partial(spectral, inner=lambda k: k.layers.Conv2D(3, 2), steps=3), on=IMAGE,
    how=SPECTRAL,
)  # fmt: skip
built(
    "SpectralNormalization", "embedding",
    functools.partial(spectral, inner=lambda k: k.layers.Embedding(7, 3)), on=TOKENS,
    how={"differs": {"values": CAST, "half": CAST}},
)  # fmt: skip

# -- wrappers


@functools.cache
def twice(k: Any) -> Any:
    @k.saving.register_keras_serializable("tables")
    class Twice(k.layers.Wrapper):
        def call(self, inputs: Any) -> Any:
            return 2 * self.layer(inputs)

    return Twice


built("Wrapper", "dense", lambda k, **m: twice(k)(k.layers.Dense(3), **m))
built("Wrapper", "softmax", lambda k, **m: twice(k)(k.layers.Softmax(axis=1), **m))
