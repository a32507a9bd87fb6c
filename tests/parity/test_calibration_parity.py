"""GPTQ and AWQ against the published Keras on equal weights and data: what is stored, and files.

Keras 3.15 itself never calibrates in `model.quantize`: it watches `call`, but layers of a
quantized policy run `quantized_call`. So its parts are compared, and the whole with that mended.
"""

import keras
import numpy as np
import pytest
from keras.src.quantizers import awq as keras_awq
from keras.src.quantizers import gptq as keras_gptq
from keras.src.quantizers import gptq_core
from keras.src.quantizers.quantizers import compute_quantization_parameters
from layer_pairs import both, close, equal, plain, variables

import kerasish
from kerasish.quantizers import calibration

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Invalid quantization mode:UserWarning"),
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`:UserWarning"),
]

RNG = np.random.default_rng(0)
# Later inputs are larger: ordered by activity, they come the other way round.
X = (RNG.normal(size=(40, 3, 6)) * 1.5 ** np.arange(6)).astype("float32")
LAYERS = {
    "dense": lambda k: k.layers.Dense(5, name="x"),
    "no bias": lambda k: k.layers.Dense(5, use_bias=False, activation="tanh", name="x"),
    "einsum": lambda k: k.layers.EinsumDense("abc,cde->abde", (3, 2, 2), bias_axes="de", name="x"),
    "einsum, matrix": lambda k: k.layers.EinsumDense("abc,cd->abd", (None, 5), name="x"),
    "einsum, two sums": lambda k: k.layers.EinsumDense("abc,bcd->ad", (7,), name="x"),
}
SETTINGS = {
    "gptq": ("gptq", {"group_size": -1}),
    "gptq, groups": ("gptq", {"group_size": 4}),
    "gptq, ordered": ("gptq", {"group_size": 4, "activation_order": True, "weight_bits": 3}),
    "gptq, symmetric": ("gptq", {"group_size": 4, "symmetric": True, "weight_bits": 8}),
    "gptq, one range": ("gptq", {"group_size": -1, "per_channel": False, "weight_bits": 2}),
    "gptq, damped": ("gptq", {"group_size": 128, "hessian_damping": 0.3, "symmetric": True}),
    "awq": ("awq", {"group_size": -1, "num_grid_points": 5}),
    "awq, groups": ("awq", {"group_size": 4, "num_grid_points": 5}),
}
QUICK = ("dense", "awq")
CASES = [
    pytest.param(a, b, marks=[] if (a, b) == QUICK else pytest.mark.slow)
    for a in LAYERS
    for b in SETTINGS
    if a == "dense" or b in ("gptq, groups", "awq, groups")
]


def kernel_of(shape, inputs):
    """Both signs in each group of inputs, and the largest positive.

    Without both signs, Keras cuts the zero point (see below). The largest weight lies at half a
    step of a symmetric range, where the last bit decides, if it is negative.
    """
    signs = np.resize([1.0, -1.0], inputs)[:, None]
    sizes = RNG.uniform(size=(inputs, int(np.prod(shape)) // inputs)) + (signs > 0)
    return (signs * sizes).reshape(shape).astype("float32")


def config_of(k, mode, **settings):
    kind = {"gptq": k.quantizers.GPTQConfig, "awq": k.quantizers.AWQConfig}[mode]
    return kind(settings.pop("dataset", None), settings.pop("tokenizer", None), **settings)


def same_state(ours, theirs):
    equal(variables(ours), variables(theirs))
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        a, b = np.asarray(a), np.asarray(b.value)
        if a.dtype == "uint8":
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name, settings", CASES)
def test_layers(name, settings):
    theirs, ours = (LAYERS[name](k) for k in both())
    for layer in (theirs, ours):
        layer(X)
    kernel, *bias = theirs.get_weights()
    values = [kernel_of(kernel.shape, 18 if "two" in name else 6)]
    values += [RNG.normal(size=b.shape) for b in bias]
    mode, more = SETTINGS[settings]
    for k, layer in ((keras, theirs), (kerasish, ours)):
        layer.set_weights(values)
        layer.quantize(config=config_of(k, mode, **more))
    same_state(ours, theirs)
    close(ours(X), theirs(X))
    if mode == "gptq":
        judge = keras_gptq.GPTQ(theirs, theirs.quantization_config)
        judge.update_hessian_with_batch(X.reshape(-1, judge.rows))
        judge.quantize_and_correct_layer()
    else:
        judge = keras_awq.AWQ(theirs, theirs.quantization_config)
        judge.update_activation_magnitudes(X.reshape(-1, judge.rows))
        judge.quantize_layer()
    ours.start_calibration()
    ours(X)
    ours.finish_calibration(ours.quantization_config)
    same_state(ours, theirs)
    equal(plain(ours.get_config()), plain(theirs.get_config()))
    close(ours(X), theirs(X), 1e-4)
    close(ours.kernel, keras.ops.convert_to_numpy(theirs.kernel))
    stores = {layer: {} for layer in (ours, theirs)}
    for layer, store in stores.items():
        layer.save_own_variables(store)
    # Keras leaves the zeros out when it writes, and can't read what it wrote.
    assert len(stores[ours]) == len(stores[theirs]) + 1
    for layer, message in ((theirs, "expected"), (ours, "no zero points")):
        with pytest.raises(ValueError, match=message):
            made_again(layer, theirs).load_own_variables(stores[theirs])
    for layer in (theirs, ours):
        again = made_again(layer, theirs)
        again.load_own_variables(stores[ours])
        close(again(X), ours(X), 1e-4)


def made_again(layer, of):
    again = type(layer).from_config(of.get_config())
    again.build(X.shape)
    return again


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 4])
def test_errors_pass_from_block_to_block(size, monkeypatch):
    """Keras takes 128 columns at once; groups over two blocks are too many scales for it."""
    monkeypatch.setattr(calibration, "_BLOCK", 4)
    weights, x = kernel_of((10, 3), 10).T, RNG.normal(size=(30, 10)) * RNG.uniform(1, 3, 10)
    settings = {"group_size": size, "weight_bits": 3}
    gram = calibration.Gram(10)
    gram.add(x)
    ours = calibration.gptq(weights, gram.value(), config_of(kerasish, "gptq", **settings))
    hessian = 2 * x.T @ x / 30
    damped = hessian + 0.01 * hessian.diagonal().mean() * np.eye(10)
    find = keras_gptq.GPTQQuantizer(config_of(keras, "gptq", **settings)).find_params
    theirs = keras_gptq.gptq_quantize_matrix(
        weights, np.linalg.inv(damped).astype("float32"), blocksize=4, group_size=size,
        compute_scale_zero=find,
    )  # fmt: skip
    for a, b in zip(ours[:4], theirs, strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=2e-5)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("bits", [4, 8])
def test_weights_of_one_sign_keep_their_range_here(bits, symmetric):
    """Keras cuts zero points to a byte, and with them most of the range."""
    weights = np.array([[0.5, 0.6, 0.9], [-0.3, 0.2, 0.7]], "float32")
    scale, zero, _ = compute_quantization_parameters(
        weights, bits=bits, symmetric=symmetric, per_channel=True
    )
    config = config_of(
        kerasish, "gptq", group_size=-1, weight_bits=bits, symmetric=symmetric, hessian_damping=1
    )
    found = calibration.gptq(weights, np.zeros((3, 3)), config)
    np.testing.assert_allclose(found.scale[1], np.asarray(scale)[1], rtol=1e-6)
    assert found.zero[1] == np.asarray(zero)[1]
    step = found.scale[0]
    assert np.abs(step * (found.q - found.zero)[0] - weights[0]).max() <= 0.501 * step
    scale, zero = np.asarray(scale)[0], np.asarray(zero, "float32")[0]
    theirs = scale * (np.clip(np.round(weights[0] / scale + zero), 0, 2**bits - 1) - zero)
    assert np.abs(theirs - weights[0]).max() > 0.3


class Letters:
    def tokenize(self, text):
        return np.array([ord(c) % 7 for c in text])


def network(k):
    embedding = k.layers.Embedding(7, 4)
    blocks = [
        k.Sequential([k.layers.Dense(6, activation="relu")]),
        k.Sequential([k.layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")]),
    ]
    ids = k.layers.Input((4,), dtype="int32")
    model = k.Model(ids, k.layers.Dense(2, name="head")(blocks[1](blocks[0](embedding(ids)))))
    return model, {"pre_block_layers": [embedding], "sequential_blocks": blocks}


def quantized_networks(mode):
    made = [(k, *network(k)) for k in both()]
    values = [kernel_of(w.shape, len(w)) for w in made[0][1].get_weights()]
    for k, model, structure in made:
        model.set_weights(values)
        config = config_of(
            k, mode, dataset=["abcdefghij", "zyxwvu"], tokenizer=Letters(), num_samples=3,
            sequence_length=4, group_size=2, quantization_layer_structure=structure,
        )  # fmt: skip
        model.quantize(mode, config=config, filters=lambda layer: layer.name != "head")
    return made[0][1], made[1][1]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["gptq", "awq"])
def test_models_and_files(mode, tmp_path, monkeypatch):
    for kind in (keras.layers.Dense, keras.layers.EinsumDense):
        plain_call = kind.quantized_call

        def watched(self, *args, _plain=plain_call, **kwargs):
            hooked = self.call.__name__ == "hook"
            return (self.call if hooked else lambda *a, **k: _plain(self, *a, **k))(*args, **kwargs)

        monkeypatch.setattr(kind, "quantized_call", watched)
    # Keras takes the first token from Python's hash of a string, which differs in each process.
    monkeypatch.setattr(gptq_core, "hash", lambda value: 0, raising=False)
    theirs, ours = quantized_networks(mode)
    same_state(ours, theirs)
    ids = RNG.integers(0, 7, (5, 4))
    close(ours.predict(ids, verbose=0), theirs.predict(ids, verbose=0), 1e-4)
    ours.save(tmp_path / "a.keras")
    for k in both():
        loaded = k.models.load_model(tmp_path / "a.keras")
        close(loaded.predict(ids, verbose=0), ours.predict(ids, verbose=0), 1e-4)
    # Settings that name layers, in the config of such a layer, have no end.
    with pytest.raises(RecursionError):
        theirs.save(tmp_path / "b.keras")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["gptq", "awq"])
def test_keras_itself_sees_no_data(mode, monkeypatch):
    """What Keras 3.15 stores is ours without samples: rounded to the nearest."""
    start = kerasish.layers.Dense.start_calibration

    def blind(self):
        start(self)
        self._statistic.add = lambda inputs: None

    for kind in (kerasish.layers.Dense, kerasish.layers.EinsumDense):
        monkeypatch.setattr(kind, "start_calibration", blind)
    theirs, ours = quantized_networks(mode)
    same_state(ours, theirs)


REFUSED = {
    "no data": {"quantization_layer_structure": {"sequential_blocks": []}},
    "no structure": {"dataset": ["a"], "tokenizer": Letters()},
    "no blocks": {"dataset": ["a"], "tokenizer": Letters(),
                  "quantization_layer_structure": {"sequential_blocks": []}},
    "a string": {"dataset": "text", "tokenizer": Letters()},
    "no samples": {"dataset": [], "tokenizer": Letters()},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("mode", ["gptq", "awq"])
def test_refusals(name, mode):
    kinds = []
    for k in both():
        model, structure = network(k)
        settings = dict(REFUSED[name])
        if name in ("a string", "no samples"):
            settings["quantization_layer_structure"] = structure
        with pytest.raises((ValueError, TypeError)) as caught:
            model.quantize(mode, config=config_of(k, mode, **settings))
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]
