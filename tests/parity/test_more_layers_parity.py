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


FIRST = {"data_format": "channels_first"}
LAYERS = [
    ("SeparableConv1D", (6, 3), {"depth_multiplier": 2, "activation": "relu"}, (2, 8, 4)),
    ("SeparableConv1D", (6, 3, 2, "same"), {"use_bias": False}, (2, 8, 4)),
    ("SeparableConv2D", (6, (3, 2)), {"dilation_rate": (2, 2)}, (2, 8, 9, 3)),
    ("SeparableConv2D", (4, 2, (2, 2)), {"depthwise_regularizer": "l2", **FIRST}, (2, 3, 6, 6)),
    ("Conv2D", (4, 2, 1, "same", None, 1, 1, "relu", True, "he_normal", "ones"), {}, (2, 6, 6, 3)),
    ("Conv1DTranspose", (4, 3, 2, "same", 1), {}, (2, 6, 3)),
    ("Conv2DTranspose", (4, 3, 2), {"activation": "tanh"}, (1, 4, 4, 3)),
    ("Conv3DTranspose", (2, 2, 2), {}, (1, 3, 3, 3, 2)),
    ("DepthwiseConv2D", (2,), {"depth_multiplier": 2, "bias_regularizer": "l2"}, (1, 4, 4, 3)),
    ("ConvLSTM1D", (3, 2), {"return_sequences": True, "return_state": True}, (2, 4, 6, 2)),
    ("ConvLSTM2D", (3, (2, 3)), {"strides": (2, 1), "padding": "same"}, (2, 3, 5, 5, 2)),
    ("ConvLSTM2D", (3, 2), {"dilation_rate": 2, "use_bias": False}, (2, 3, 5, 5, 2)),
    ("ConvLSTM2D", (3, 2), {"go_backwards": True, "return_sequences": True}, (2, 3, 4, 4, 2)),
    ("ConvLSTM3D", (2, 2), {"unit_forget_bias": False, **FIRST}, (1, 3, 2, 3, 3, 3)),
    ("ZeroPadding3D", (), {}, (1, 3, 3, 3, 2)),
    ("ZeroPadding3D", (((1, 2), (0, 1), (2, 0)),), FIRST, (1, 2, 3, 3, 3)),
    ("ZeroPadding3D", ((1, 2, 3),), {}, (1, 3, 3, 3, 2)),
    ("Cropping3D", (), {}, (1, 3, 3, 3, 2)),
    ("Cropping3D", (((1, 0), (0, 1), (1, 1)),), FIRST, (1, 2, 3, 3, 3)),
    ("UpSampling2D", ((2, 3),), {"interpolation": "bilinear"}, (1, 3, 4, 2)),
    ("UpSampling2D", (2,), {"interpolation": "bicubic", **FIRST}, (1, 2, 3, 4)),
    ("UpSampling3D", (), {}, (1, 2, 3, 2, 2)),
    ("UpSampling3D", ((1, 2, 3),), FIRST, (1, 2, 3, 2, 2)),
    ("AdaptiveAveragePooling1D", (3,), {}, (2, 7, 2)),
    ("AdaptiveAveragePooling2D", (3,), {}, (2, 7, 9, 2)),
    ("AdaptiveMaxPooling2D", ((3, 5),), FIRST, (2, 2, 8, 7)),
    ("AdaptiveMaxPooling3D", ((3, 2, 1),), {}, (1, 7, 8, 3, 2)),
    ("GroupNormalization", (2,), {}, (2, 3, 4)),
    ("GroupNormalization", (-1,), {"axis": 1, "scale": False}, (2, 4, 3, 3)),
    ("GroupNormalization", (3,), {"axis": 2, "epsilon": 0.1, "center": False}, (2, 3, 6, 3)),
    ("AveragePooling2D", ((2, 1), 1, "same", None, "pool"), {}, (1, 4, 4, 2)),
    ("MaxPooling3D", (), {}, (1, 4, 4, 4, 2)),
]  # fmt: skip


@pytest.mark.parametrize("name, args, options, shape", LAYERS, ids=lambda v: str(v)[:40])
def test_layer(name, args, options, shape):
    def make(k):
        return getattr(k.layers, name)(*args, **options)

    compare(make, draw(*shape))


def test_policies():
    for make in (
        lambda k: k.layers.GroupNormalization(2, dtype="mixed_float16"),
        lambda k: k.layers.SeparableConv1D(2, 2, dtype="mixed_bfloat16"),
        lambda k: k.layers.ReversibleEmbedding(4, 4, dtype="mixed_bfloat16"),
    ):
        theirs, ours = (make(k) for k in both())
        x = np.ones((2, 3, 4), "float32")
        if "embedding" in ours.name:
            x = np.array([[1, 2]])
        assert str(ours(x).dtype) == str(theirs(x).dtype)
        assert [v.dtype for v in ours.variables] == [v.dtype for v in theirs.variables]


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
