"""Quantized layers and low-rank updates against the published Keras: variables, values, files."""

import keras
import numpy as np
import pytest
from layer_pairs import both, close, equal, plain, same_error, variables

import kerasish

pytestmark = [
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2; what can't be quantized is named by both.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`:UserWarning"),
    pytest.mark.filterwarnings("ignore:Invalid quantization mode:UserWarning"),
]

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(6, 10)).astype("float32")
SERIES = RNG.normal(size=(4, 6, 10)).astype("float32")
IDS = RNG.integers(0, 7, (3, 4))

LAYERS = {
    "dense": (lambda k: k.layers.Dense(7, activation="tanh", name="x"), ROWS, {}),
    "einsum": (
        lambda k: k.layers.EinsumDense("abc,cde->abde", (6, 2, 3), bias_axes="de", name="x"),
        SERIES, {}),
    "einsum, transposed": (
        lambda k: k.layers.EinsumDense("abc,dce->adbe", (2, 6, 3), name="x"), SERIES, {}),
    "einsum, two sums": (
        lambda k: k.layers.EinsumDense("aBC,BCd->ad", (5,), bias_axes="d", name="x"), SERIES, {}),
    "embedding": (lambda k: k.layers.Embedding(7, 9, name="x"), IDS, {}),
    "reversible": (lambda k: k.layers.ReversibleEmbedding(7, 10, name="x"), SERIES,
                   {"reverse": True}),
    "reversible, untied": (
        lambda k: k.layers.ReversibleEmbedding(7, 10, tie_weights=False, name="x"), SERIES,
        {"reverse": True}),
    "conv": (lambda k: k.layers.Conv1D(5, 3, name="x"), SERIES, {}),
}  # fmt: skip


def no_inputs(k):
    return k.quantizers.Int8QuantizationConfig(activation_quantizer=None)


def blocks(size):
    return lambda k: k.quantizers.Int4QuantizationConfig(block_size=size)


MODES = {
    "int8": ("int8", None), "int8, weights only": ("int8", no_inputs), "int4": ("int4", None),
    "int4, one block": ("int4", blocks(None)), "int4, blocks of 4": ("int4", blocks(4)),
    "float8": ("float8", None),
}  # fmt: skip


def pair(name):
    make, x, call = LAYERS[name]
    theirs, ours = (make(k) for k in both())
    for layer in (theirs, ours):
        layer(x, **call)
    values = [RNG.normal(size=w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(values)
    ours.set_weights(values)
    return theirs, ours, lambda layer: layer(x, **call)


def same_state(theirs, ours):
    equal(variables(ours), variables(theirs))
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(
            np.asarray(a, "float64"), np.asarray(b.value, "float64"), rtol=1e-6, err_msg=a.path
        )
    equal(plain(ours.get_config()), plain(theirs.get_config()))


SLICE = {("dense", "int8")}
CASES = [
    pytest.param(n, m, marks=[] if (n, m) in SLICE else pytest.mark.slow)
    for n in LAYERS
    for m in MODES
    if n != "conv" and (m != "float8" or n == "dense" or n.startswith("einsum"))
]


@pytest.mark.parametrize("name, mode", CASES)
def test_quantized_layers(name, mode):
    theirs, ours, run = pair(name)
    mode, config = MODES[mode]
    for k, layer in ((keras, theirs), (kerasish, ours)):
        layer.quantize(mode, config=config(k) if config else None)
    same_state(theirs, ours)
    close(run(ours), run(theirs), 1e-5)
    stores = {}
    for layer in (theirs, ours):
        stores[layer] = {}
        layer.save_own_variables(stores[layer])
    assert stores[ours].keys() == stores[theirs].keys()
    for key, value in stores[ours].items():
        np.testing.assert_allclose(value, np.asarray(stores[theirs][key]), rtol=1e-6)


def adapt(theirs, ours):
    for layer in (theirs, ours):
        layer.enable_lora(2, lora_alpha=3)
    # All else stays: `pair` drew it, and scales, zero points and indices of groups belong to the
    # weights that they were made from.
    values = [
        RNG.normal(size=w.shape).astype("float32") if "lora" in w.name else w.numpy()
        for w in ours.weights
    ]
    assert any("lora" in w.name for w in ours.weights)
    theirs.set_weights(values)
    ours.set_weights(values)


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_low_rank_updates(name):
    theirs, ours, run = pair(name)
    adapt(theirs, ours)
    same_state(theirs, ours)
    close(run(ours), run(theirs), 1e-5)
    close(ours.kernel if hasattr(ours, "kernel") else ours.embeddings,
          theirs.kernel if hasattr(theirs, "kernel") else theirs.embeddings)  # fmt: skip
    merged, expected = {}, {}
    ours.save_own_variables(merged)
    theirs.save_own_variables(expected)
    for key in expected:
        np.testing.assert_allclose(merged[key], np.asarray(expected[key]), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["int8", "int4", "int4, blocks of 4"])
@pytest.mark.parametrize("name", ["dense", "einsum", "embedding"])
def test_low_rank_updates_of_quantized_layers(name, mode):
    theirs, ours, run = pair(name)
    mode, config = MODES[mode]
    for k, layer in ((keras, theirs), (kerasish, ours)):
        layer.quantize(mode, config=config(k) if config else None)
    adapt(theirs, ours)
    close(run(ours), run(theirs), 1e-5)
    merged, expected = {}, {}
    ours.save_own_variables(merged)
    theirs.save_own_variables(expected)
    for key in expected:
        a, b = merged[key].astype("float64"), np.asarray(expected[key]).astype("float64")
        if merged[key].dtype == "int8" and mode == "int8":
            assert np.abs(a - b).max() <= 1, key  # a tie may be rounded either way
        else:
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6, err_msg=key)


def network(k):
    layers = k.layers
    ids = layers.Input((4,), dtype="int32")
    h = layers.Embedding(7, 8)(ids)
    h = layers.EinsumDense("abc,cd->abd", (4, 6), bias_axes="d", activation="relu")(h)
    return k.Model(ids, layers.Dense(3)(layers.Flatten()(h)))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["int8", "int4", "float8", "lora"])
def test_models_train_and_travel(mode, tmp_path):
    ids, labels = RNG.integers(0, 7, (32, 4)), RNG.integers(0, 3, 32)
    models = [network(k) for k in both()]
    values = [RNG.normal(size=w.shape).astype("float32") for w in models[0].get_weights()]
    for model in models:
        model.set_weights(values)
        if mode == "lora":
            for layer in model.layers:
                if hasattr(layer, "enable_lora"):
                    layer.enable_lora(2)
            rng = np.random.default_rng(3)
            model.set_weights([0.3 * rng.normal(size=w.shape) for w in model.get_weights()])
        else:
            model.quantize(mode)
    theirs, ours = models
    close(ours.predict(ids, verbose=0), theirs.predict(ids, verbose=0), 1e-4)
    if mode in ("float8", "lora"):
        for k, model in ((keras, theirs), (kerasish, ours)):
            loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(k.optimizers.Adam(0.01), loss)
        for _ in range(4):
            expected = theirs.train_on_batch(ids, labels)
            assert ours.train_on_batch(ids, labels) == pytest.approx(expected, rel=1e-5)
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    for model, other in ((theirs, kerasish), (ours, keras)):
        path = tmp_path / f"for_{other.__name__}.keras"
        model.save(path)
        loaded = other.models.load_model(path)
        close(loaded.predict(ids, verbose=0), model.predict(ids, verbose=0), 1e-4)


# -- functions

X = RNG.normal(size=(10, 6)).astype("float32")
FLAT = np.concatenate([X, np.full((10, 1), 0.5, "float32")], axis=1)
INTEGERS = RNG.integers(-8, 8, (5, 3)).astype("int8")
FUNCTIONS = {
    "abs_max": lambda q: q.abs_max_quantize(X, axis=0),
    "abs_max, axes": lambda q: q.abs_max_quantize(X, (0, 1), value_range=(-8, 7)),
    "groups": lambda q: q.abs_max_quantize_grouped_with_zero_point(FLAT, 4),
    "groups, on the host": lambda q: q.abs_max_quantize_grouped_with_zero_point(
        FLAT, 4, to_numpy=True),
    "one group": lambda q: q.abs_max_quantize_grouped_with_zero_point(FLAT, 16),
    "one group, on the host": lambda q: q.abs_max_quantize_grouped_with_zero_point(
        FLAT, 16, to_numpy=True),
    "pack": lambda q: q.pack_int4(INTEGERS, 0)[0],
    "pack, last": lambda q: q.pack_int4(INTEGERS, -1)[0],
    "unpack": lambda q: q.unpack_int4(q.pack_int4(INTEGERS, 1)[0], 3, 1),
    "history": lambda q: q.compute_float8_amax_history(X, np.arange(5, dtype="float32")),
    "history of one": lambda q: q.compute_float8_amax_history(X, np.ones(1, "float32")),
    "history of two": lambda q: q.compute_float8_amax_history(X, np.arange(2, dtype="float32")),
    "scale": lambda q: q.compute_float8_scale(np.float32(3), np.float32(0.5), np.float32(448)),
    "scale of nothing": lambda q: q.compute_float8_scale(
        np.float32(0), np.float32(0.5), np.float32(448), margin=2),
    "float8": lambda q: q.quantize_and_dequantize(
        300 * X, np.float32(0.7), "float8_e4m3fn", "float32"),
    "fake": lambda q: q.fake_quant_with_min_max_vars(X, np.float32(-1), np.float32(1.5)),
    "fake, narrow": lambda q: q.fake_quant_with_min_max_vars(
        X, np.float32(-1), np.float32(1.5), num_bits=4, narrow_range=True),
    "fake, channels": lambda q: q.fake_quant_with_min_max_vars(
        X, np.linspace(-1, -0.5, 6).astype("float32"), np.linspace(0.5, 1, 6).astype("float32"),
        axis=1),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    run = FUNCTIONS[name]
    close(run(kerasish.quantizers), run(keras.quantizers), 1e-6)


CONFIGS = [
    lambda q: q.AbsMaxQuantizer(axis=0, value_range=(-8, 7)),
    lambda q: q.Int8QuantizationConfig(),
    lambda q: q.Int8QuantizationConfig(q.AbsMaxQuantizer(axis=0), None),
    lambda q: q.Int4QuantizationConfig(block_size=32),
    lambda q: q.Float8QuantizationConfig(),
    lambda q: q.GPTQConfig(None, None, weight_bits=8, group_size=-1),
    lambda q: q.AWQConfig(None, None, num_samples=3),
]


@pytest.mark.parametrize("make", CONFIGS)
def test_configs(make):
    ours, theirs = make(kerasish.quantizers), make(keras.quantizers)
    equal(plain(kerasish.quantizers.serialize(ours)), plain(keras.quantizers.serialize(theirs)))
    again = kerasish.quantizers.deserialize(keras.quantizers.serialize(theirs))
    equal(plain(again.get_config()), plain(theirs.get_config()))
    if hasattr(theirs, "dtype_policy_string"):
        assert ours.dtype_policy_string() == theirs.dtype_policy_string()


REFUSED = [
    lambda q: q.AbsMaxQuantizer(value_range=(-200, 3)),
    lambda q: q.Int4QuantizationConfig(block_size=0),
    lambda q: q.Int4QuantizationConfig(q.AbsMaxQuantizer(value_range=(-8, 7))),
    lambda q: q.Int4QuantizationConfig(q.AbsMaxQuantizer(), block_size=None),
    lambda q: q.Int8QuantizationConfig(q.AbsMaxQuantizer(output_dtype="int4")),
    lambda q: q.GPTQConfig(None, None, weight_bits=5),
    lambda q: q.GPTQConfig(None, None, hessian_damping=2),
    lambda q: q.AWQConfig(None, None, weight_bits=8),
    lambda q: q.AWQConfig(None, None, group_size=0),
    lambda q: q.pack_int4(INTEGERS, dtype="int4"),
    lambda q: q.pack_int4(INTEGERS, dtype="uint8"),
    lambda q: q.get("nothing"),
    lambda q: q.QuantizationConfig().mode,
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refusals(number):
    same_error(lambda k: REFUSED[number](k.quantizers))
