"""GPTQ and AWQ: rounding by what flows in, files, and what is refused."""

import numpy as np
import pytest

import kerasish
from kerasish import layers, quantizers
from kerasish.models.calibrating import token_windows
from kerasish.quantizers.calibration import Gram, Peaks, awq, gptq

pytestmark = [  # layers without such a form are named
    pytest.mark.filterwarnings("ignore:Invalid quantization mode:UserWarning"),
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`:UserWarning"),
]
RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 11, (5, 6))


class Letters:
    def tokenize(self, text):
        return np.array([ord(c) % 11 for c in text])


def network():
    embedding = layers.Embedding(11, 8)
    first = kerasish.Sequential([layers.Dense(12, activation="relu"), layers.Dense(8)])
    second = kerasish.Sequential([
        layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"),
        layers.EinsumDense("abde,dec->abc", (None, 8)),
    ])  # fmt: skip
    ids = layers.Input((6,), dtype="int32")
    model = kerasish.Model(ids, layers.Dense(3, name="head")(second(first(embedding(ids)))))
    rng = np.random.default_rng(1)
    model.set_weights([0.5 * rng.normal(size=w.shape) for w in model.get_weights()])
    return model, {"pre_block_layers": [embedding], "sequential_blocks": [first, second]}


def settings(mode, structure, data=("abcdefgh", "xyzuvw"), **more):
    kind = {"gptq": quantizers.GPTQConfig, "awq": quantizers.AWQConfig}[mode]
    more = {"group_size": 4, **more}
    return kind(
        data, Letters(), num_samples=4, sequence_length=6, quantization_layer_structure=structure,
        **more,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["gptq", "awq"])
def test_models_are_rounded_and_saved(mode, tmp_path):
    model, structure = network()
    expected = model.predict(IDS, verbose=0)
    model.quantize(mode, config=settings(mode, structure), filters=lambda x: x.name != "head")
    found = model.predict(IDS, verbose=0)
    assert 0 < np.abs(found - expected).max() < 0.2 * np.abs(expected).max()
    for block in structure["sequential_blocks"]:
        for layer in block.layers:
            assert getattr(layer, f"is_{mode}_calibrated")
            assert [v.name for v in layer.variables].count("kernel") == 1
    assert model.get_layer("head").quantization_mode is None
    model.save(tmp_path / "a.keras")
    again = kerasish.models.load_model(tmp_path / "a.keras")
    np.testing.assert_allclose(again.predict(IDS, verbose=0), found, rtol=1e-6, atol=1e-6)


def test_a_layer_in_no_block_keeps_its_kernel_and_says_so_when_saved(tmp_path):
    model, structure = network()
    model.quantize(config=settings("gptq", structure))
    head = model.get_layer("head")
    assert head.awaits_calibration and head.kernel.shape == (8, 3)
    with pytest.raises(ValueError, match="'head' is of mode 'gptq' but no calibration"):
        model.save(tmp_path / "a.keras")


@pytest.mark.parametrize("mode", ["gptq", "awq"])
def test_outputs_on_the_data_are_nearer_than_by_plain_rounding(mode):
    spread = np.exp(RNG.normal(size=32) * 1.5)
    x = RNG.normal(size=(256, 4)) @ RNG.normal(size=(4, 32)) + 0.1 * RNG.normal(size=(256, 32))
    x, w = (x * spread).astype("float32"), RNG.normal(size=(16, 32)).astype("float32")
    config = settings(mode, None, group_size=-1)
    seen, run = (Gram(32), gptq) if mode == "gptq" else (Peaks(32), awq)
    errors = []
    for known in (False, True):
        if known:
            seen.add(x)
        found = run(w, seen.value(), config)
        groups = found.groups.astype("int32")
        back = found.scale[:, groups] * (found.q - found.zero[:, groups])
        back = back if found.input_scales is None else back / found.input_scales
        errors.append(np.square(x @ (back - w).T).mean())
    assert errors[1] < 0.8 * errors[0]


def test_a_group_may_reach_over_blocks_of_columns():
    w = RNG.normal(size=(3, 300)).astype("float32")
    seen = Gram(300)
    seen.add(RNG.normal(size=(400, 300)))
    for size, groups in ((-1, 1), (200, 2)):
        found = gptq(w, seen.value(), settings("gptq", None, group_size=size))
        assert found.scale.shape == (3, groups)
        assert np.abs(found.groups.astype("int32") - np.arange(300) // (size % 301)).max() == 0


def test_windows_of_tokens():
    rows = np.arange(20).reshape(4, 5)
    config = settings("gptq", None, rows)  # 24 tokens are wanted: the 20 are repeated
    found = token_windows(config)
    assert found.shape == (4, 1, 6) and found.dtype == "int32"
    np.testing.assert_array_equal(found[:, 0], (np.arange(4)[:, None] * 8 + np.arange(6)) % 20)
    for data, error in (("text", TypeError), (3, TypeError), ([], ValueError)):
        with pytest.raises(error, match=r"dataset.*(iterable|empty)"):
            token_windows(settings("gptq", None, data))


def test_wrong_settings_change_nothing():
    model, structure = network()
    empty = {"sequential_blocks": []}
    for config, message in (
        (settings("gptq", None), "valid quantization structure"),
        (settings("awq", empty), "No sequential blocks"),
        (quantizers.GPTQConfig(None, None, quantization_layer_structure=structure), "a tokenizer"),
    ):
        with pytest.raises(ValueError, match=message):
            model.quantize(config=config)
    assert {layer.quantization_mode for layer in model._flatten_layers()} == {None}
    layer = layers.EinsumDense("abc,dce->adbe", (2, 6, 3))
    layer.build((None, 6, 10))
    with pytest.raises(NotImplementedError, match="sums the last axes"):
        layer.quantize(config=settings("gptq", structure))
    assert layer.quantization_mode is None


def test_a_low_rank_update_goes_into_the_rounded_kernel():
    layer = layers.Dense(5)
    layer.build((None, 4))
    layer.enable_lora(2)
    layer.lora_kernel_b.assign(np.ones((2, 5)))
    x = RNG.normal(size=(9, 4)).astype("float32")
    expected = layer(x).numpy()
    config = settings("gptq", None, weight_bits=8)
    layer.quantize(config=config)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)
    layer.start_calibration()
    layer(x)
    layer.finish_calibration(config)
    np.testing.assert_allclose(layer(x), expected, atol=0.05)
    assert not layer.trainable_variables or [v.name for v in layer.trainable_variables] == ["bias"]
    with pytest.raises(NotImplementedError, match="GPTQ"):
        layer.enable_lora(2)
