"""Separable and recurrent convolutions, adaptive pooling, normalizations and the like."""

import numpy as np
import pytest
from layer_pairs import both, close, compare, files_both_ways, same_error, scramble

# JAX compiles every op anew: minutes, so that only `scripts/check --all` runs this file.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parity,
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),
]


def draw(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape).astype("float32")


def test_conv_lstm_states_and_masks():
    theirs, ours = compare(lambda k: k.layers.ConvLSTM2D(3, 2), draw(2, 4, 4, 4, 2), grads=False)
    start = [draw(2, 3, 3, 3), draw(2, 3, 3, 3) + 1]
    mask = np.array([[True, False, True, True], [True, True, False, False]])
    x = draw(2, 4, 4, 4, 2)
    close(ours(x, initial_state=start), theirs(x, initial_state=start))
    short = np.asarray(ours(x[1:, :2]))  # Keras on JAX fails with a mask
    np.testing.assert_allclose(np.asarray(ours(x, mask=mask))[1:], short, rtol=1e-5, atol=1e-6)
    shape = (None, 5, 8, 8, 2)
    for options in [{}, {"return_sequences": True}, {"return_state": True}]:
        shapes = [k.layers.ConvLSTM2D(3, 2, **options).compute_output_shape(shape) for k in both()]
        assert shapes[0] == shapes[1]
    stateful = [k.layers.ConvLSTM1D(3, 2, stateful=True) for k in both()]
    y = draw(2, 3, 5, 2)
    for layer in stateful:
        layer(y)
    scramble(*stateful)
    for layer in stateful:
        layer.reset_state()
        layer(y)
    close(stateful[1](y), stateful[0](y))


def test_spectral_normalization():
    makers = [
        (lambda k: k.layers.SpectralNormalization(k.layers.Dense(3)), draw(2, 4)),
        (lambda k: k.layers.SpectralNormalization(k.layers.Conv2D(3, 2), 3), draw(2, 5, 5, 4)),
    ]
    for make, x in makers:
        theirs, ours = compare(make, x)
        for _ in range(2):
            close(ours(x, training=True), theirs(x, training=True))
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    same_error(lambda k: k.layers.SpectralNormalization(k.layers.Dense(3), power_iterations=0))
    same_error(lambda k: k.layers.SpectralNormalization(k.layers.ReLU()).build((2, 3)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tie_weights": False, "mask_zero": True, "reverse_dtype": "float32",
         "logit_soft_cap": 2.0},
    ],
    ids=["tied", "untied"],
)  # fmt: skip
def test_reversible_embedding(options):
    ids = np.array([[1, 2, 3, 0], [4, 0, 1, 1]])
    theirs, ours = compare(lambda k: k.layers.ReversibleEmbedding(5, 3, **options), ids)
    x = draw(2, 4, 3)
    close(ours(x, reverse=True), theirs(x, reverse=True))
    assert ours.compute_output_shape((2, 4, 3), True) == (2, 4, 5)
    assert (ours(ids).mask is None) == (not options)
    assert ours(ours(ids), reverse=True).mask is None
    for k in both():
        layer = k.layers.ReversibleEmbedding(5, 3, **options)
        tokens = k.Input((4,), dtype="int32")
        assert layer(layer(tokens), reverse=True).shape == (None, 4, 5)


def test_refusals():
    x = draw(1, 3, 3, 3, 2)
    for run in [
        lambda k: k.layers.SeparableConv1D(0, 3),
        lambda k: k.layers.SeparableConv1D(2, 3, depth_multiplier=0),
        lambda k: k.layers.SeparableConv2D(2, 3, padding="causal"),
        lambda k: k.layers.SeparableConv1D(2, 3, padding="causal"),
        lambda k: k.layers.ConvLSTM2D(3, 2, strides=2, dilation_rate=2),
        lambda k: k.layers.ConvLSTM2D(3, 2, padding="causal"),
        lambda k: k.layers.Cropping3D((1, 2)),
        lambda k: k.layers.Cropping3D(2)(x),
        lambda k: k.layers.UpSampling2D(2, interpolation="other")(draw(1, 3, 4, 2)),
        lambda k: k.layers.UpSampling3D(0),
        lambda k: k.layers.UpSampling3D((1, 2)),
        lambda k: k.layers.AdaptiveAveragePooling2D((3,)),
        lambda k: k.layers.AdaptiveAveragePooling2D("a"),
        lambda k: k.layers.GroupNormalization(3).build((2, 3, 4)),
        lambda k: k.layers.GroupNormalization(8).build((2, 3, 4)),
        lambda k: k.layers.GroupNormalization(2).build((2, 3, None)),
    ]:
        same_error(run)


def model_of_images(k):
    layers = k.layers
    x = k.Input((3, 6, 6, 2))
    y = layers.ConvLSTM2D(4, 2, return_sequences=False, dropout=0.1)(x)
    y = layers.SeparableConv2D(4, 2)(y)
    y = layers.GroupNormalization(2)(y)
    y = layers.SpectralNormalization(layers.Conv2D(3, 1))(y)
    y = layers.AdaptiveAveragePooling2D(2)(y)
    return k.Model(x, layers.Flatten()(y))


def test_files(tmp_path):
    files_both_ways(model_of_images, draw(2, 3, 6, 6, 2), tmp_path)


def test_files_of_embeddings(tmp_path):
    def make(k):
        ids = k.Input((4,), dtype="int32")
        layer = k.layers.ReversibleEmbedding(7, 3, tie_weights=False)
        return k.Model(ids, k.layers.Dense(2)(layer(ids)))

    files_both_ways(make, np.array([[1, 2, 3, 0], [4, 0, 6, 1]]), tmp_path)
