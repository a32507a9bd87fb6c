"""Weights in few bits and low-rank updates: how close results stay, what is trained and kept."""

import ml_dtypes
import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish import initializers, layers, quantizers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 12)).astype("float32")


def dense():
    layer = layers.Dense(6, kernel_initializer=initializers.GlorotUniform(seed=1))
    layer.build((None, 12))
    return layer


@pytest.mark.parametrize(
    "mode, error",
    [("int8", 0.03), ("int4", 0.3), ("float8", 0.2)],
)
def test_results_stay_close(mode, error):
    layer = dense()
    expected = layer(X).numpy()
    layer.quantize(mode)
    found = layer(X).numpy()
    assert 0 < np.abs(found - expected).max() < error
    assert layer.quantization_mode == mode and layer.dtype_policy.name.startswith(mode)
    with pytest.raises(ValueError, match="already quantized"):
        layer.quantize(mode)


def test_gradients_pass_quantized_inputs():
    layer = dense()
    layer.quantize("int8")
    x = core.constant(X)
    with core.GradientTape() as tape:
        tape.watch(x)
        y = core.ops.sum(layer(x))
    weight = layer.kernel.numpy() / layer.kernel_scale.numpy()
    expected = np.broadcast_to(weight.sum(axis=1), X.shape)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-5)
    assert [v.name for v in layer.trainable_variables] == ["bias"]


@pytest.mark.parametrize("shape, axis", [((3, 2), 0), ((2, 3), 1), ((4, 5, 3), -2), ((1, 1), 0)])
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_packing_and_unpacking(shape, axis, dtype):
    low = 0 if dtype == "uint8" else -8
    values = RNG.integers(low, low + 16, shape).astype(dtype)
    packed, packed_shape, length = quantizers.pack_int4(values, axis, dtype)
    assert length == shape[axis] and packed.shape == packed_shape
    assert packed_shape[axis] == (shape[axis] + 1) // 2
    found = quantizers.unpack_int4(packed, length, axis, dtype)
    np.testing.assert_array_equal(found.numpy(), values)


def test_groups_are_dequantized_to_a_step():
    x = RNG.normal(size=(10, 3)).astype("float32")
    x[::4], x[1::4] = 1.5, -0.5  # a group of one sign would be cut off at the range's end
    q, scale, zero = quantizers.abs_max_quantize_grouped_with_zero_point(x, 4, to_numpy=True)
    assert q.shape == (10, 3) and scale.shape == zero.shape == (3, 3)
    group = np.arange(10) // 4
    again = (q.numpy() - zero.numpy()[group].astype("float32")) * scale.numpy()[group]
    assert (np.abs(again - x) <= 1.01 * scale.numpy()[group]).all()


def test_fake_quantization_passes_gradients_inside_of_the_range():
    x = core.constant(np.array([-2.0, -0.5, 0.3, 2.0], "float32"))
    low, high = (core.Variable(np.float32(v)) for v in (-1.0, 1.0))
    with core.GradientTape() as tape:
        tape.watch(x)
        y = quantizers.fake_quant_with_min_max_vars(x, low, high)
        total = core.ops.sum(y)
    np.testing.assert_allclose(y.numpy(), [-1, -0.5, 0.3, 1], atol=0.01)
    inner, at_low, at_high = tape.gradient(total, [x, low, high])
    assert inner.numpy().tolist() == [0, 1, 1, 0]
    assert float(at_low) == float(at_high) == 1.0


def test_low_rank_updates_are_trained_alone():
    model = kerasish.Sequential([layers.Input((12,)), layers.Dense(6), layers.Dense(1)])
    y = X[:, :1] * 2
    kernels = [layer.kernel.numpy() for layer in model.layers]
    expected = model.predict(X, verbose=0)
    for layer in model.layers:
        layer.enable_lora(2, lora_alpha=4)
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)  # b begins at zero
    model.compile(kerasish.optimizers.Adam(0.02), "mse")
    losses = model.fit(X, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    for layer, kernel in zip(model.layers, kernels, strict=True):
        np.testing.assert_array_equal(layer._kernel.numpy(), kernel)
        update = layer.lora_kernel_a.numpy() @ layer.lora_kernel_b.numpy() * 2
        np.testing.assert_allclose(layer.kernel.numpy(), kernel + update, rtol=1e-5, atol=1e-6)


def test_files_hold_merged_weights(tmp_path):
    model = kerasish.Sequential([layers.Input((12,)), layers.Dense(6), layers.Dense(2)])
    model.layers[0].enable_lora(2)
    model.set_weights([RNG.normal(size=w.shape) for w in model.get_weights()])
    expected = model.predict(X, verbose=0)
    model.save_weights(tmp_path / "a.weights.h5")
    plain = kerasish.Sequential([layers.Input((12,)), layers.Dense(6), layers.Dense(2)])
    plain.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_allclose(plain.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_a_model_is_quantized_by_filters():
    model = kerasish.Sequential([
        layers.Input((12,)), layers.Dense(6, name="first"), layers.Dense(2, name="last"),
    ])  # fmt: skip
    model.predict(X, verbose=0)
    model.quantize("int8", filters="^last")
    assert [layer.quantization_mode for layer in model.layers] == [None, "int8"]
    assert model.predict(X, verbose=0).shape == (16, 2)
    with pytest.raises(ValueError, match="filters"):
        model.quantize("int8", filters=3)


@pytest.mark.parametrize(
    "mode, config, message",
    [
        (None, None, "either `mode` or `config`"),
        ("int3", None, "Invalid quantization mode"),
        ("gptq", None, "GPTQConfig"),
        ("int8", quantizers.Int4QuantizationConfig(), "Contradictory"),
        ("int8", 3, "must be an instance"),
    ],
)
def test_wrong_settings_are_refused(mode, config, message):
    with pytest.raises(ValueError, match=message):
        dense().quantize(mode, config=config)


def test_what_has_no_quantized_form_says_so():
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    with pytest.raises(NotImplementedError, match="BatchNormalization"):
        layer.quantize("int8")


def test_lora_is_refused_where_it_can_not_be():
    with pytest.raises(ValueError, match="isn't yet built"):
        layers.Dense(2).enable_lora(1)
    bound = layers.Dense(2, kernel_constraint="non_neg")
    bound.build((None, 3))
    with pytest.raises(ValueError, match="constraints"):
        bound.enable_lora(1)
    layer = dense()
    layer.enable_lora(1)
    with pytest.raises(ValueError, match="already enabled"):
        layer.enable_lora(1)


def test_quantizers_are_found_and_serialized():
    quantizer = quantizers.get("abs_max_quantizer", axis=0)
    again = quantizers.deserialize(quantizers.serialize(quantizer))
    assert again.get_config() == quantizer.get_config() and again.axis == (0,)
    config = quantizers.Int4QuantizationConfig(block_size=64)
    twin = quantizers.deserialize(quantizers.serialize(config))
    assert twin.block_size == 64 and twin.mode == "int4"
    with pytest.raises(ValueError, match="Could not interpret"):
        quantizers.get("nothing")


@pytest.mark.parametrize("act", ["enable_lora", "quantize"])
def test_later_variables_of_an_inner_layer_stand_beside_the_first(act):
    inner = kerasish.Sequential([layers.Dense(2, name="d")], name="inner")
    model = kerasish.Sequential([layers.Input((3,)), inner], name="outer")
    getattr(inner.layers[0], act)(2 if act == "enable_lora" else "int8")
    folders = {v.path.rpartition("/")[0] for v in model.variables}
    assert folders == {"outer/inner/d"} and len(model.variables) > 2


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2"])
def test_numbers_of_8_bit_floats(name):
    """Rounded as a cast there and back would, without arrays of the type."""
    kind = getattr(ml_dtypes, name)
    numbers = np.arange(256, dtype="uint8").view(kind).astype("float32")
    numbers = np.unique(numbers[np.isfinite(numbers)])
    middles = (numbers[1:] + numbers[:-1]) / 2
    near = [np.nextafter(v, np.float32(s)) for v in (numbers, middles) for s in (-np.inf, np.inf)]
    drawn = RNG.normal(size=2000) * np.exp2(RNG.uniform(-20, 8, 2000))
    x = np.concatenate([numbers, middles, *near, drawn, [np.nan, 0.0, -0.0, 1e-30]])
    x = np.clip(x, numbers[0], numbers[-1]).astype("float32")
    wanted = x.astype(kind).astype("float32")

    def rounded(x):
        return quantizers.quantize_and_dequantize(x, 1.0, name, "float32")

    for run in (rounded, core.function(rounded)):
        found = np.asarray(run(x))
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))
