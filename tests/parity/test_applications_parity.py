"""Architectures against the published Keras: structure, files, values, errors, preprocessing."""

import inspect
import json
import warnings

import application_cases as cases
import numpy as np
import pytest
from layer_pairs import both, close, same_error, scramble

import kerasish
from kerasish import naming

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

GOLDEN = json.loads(cases.GOLDEN.read_text())
# A small one of each way of building, for every run.
QUICK = [
    ("MobileNetV2", {"weights": None, "alpha": 0.1, "input_shape": (40, 51, 1), "classes": 7}),
    ("MobileNetV3Small", {"input_shape": (224, 224, 3), "minimalistic": True}),
    ("MobileNet", {"alpha": 0.25, "input_shape": (128, 128, 3)}),
    ("ConvNeXtTiny", {"weights": None, "include_top": False, "input_shape": (40, 40, 1)}),
    ("EfficientNetB0", {"weights": None, "input_shape": (33, 47, 3), "classes": 10}),
]
# What shares a builder is compared in values by its smallest form.
VALUES = [
    ("ConvNeXtTiny", 32, {}), ("DenseNet121", 32, {}), ("EfficientNetB0", 32, {}),
    ("EfficientNetV2B0", 32, {}), ("EfficientNetV2S", 32, {}), ("InceptionResNetV2", 75, {}),
    ("InceptionV3", 75, {}), ("MobileNet", 32, {"alpha": 0.25, "depth_multiplier": 2}),
    ("MobileNetV2", 32, {"alpha": 0.35}), ("MobileNetV3Small", 32, {}),
    ("MobileNetV3Large", 32, {"minimalistic": True}), ("NASNetMobile", 32, {}),
    ("ResNet50", 32, {}), ("ResNet50V2", 32, {}), ("VGG16", 32, {}), ("Xception", 71, {}),
]  # fmt: skip


@pytest.fixture
def no_drawing(monkeypatch):
    """Keras's initializers give zeros, which is quicker."""
    cases.without_drawing(monkeypatch.setattr)


def described(name, kwargs):
    naming.reset_uids()
    files = []
    model = cases.build(kerasish, name, kwargs, files)
    return {**cases.describe(model), "files": files}


def test_every_name_has_a_case():
    import keras

    for package in (keras, kerasish):
        names = [n for n in dir(package.applications) if n[0].isupper()]
        assert sorted(names) == sorted(cases.NAMES)
    assert {cases.label(*case) for case in cases.CASES} == set(GOLDEN)
    assert {name for name, _, _ in VALUES} >= {"ResNet50", "NASNetMobile", "ConvNeXtTiny"}


def test_every_module_has_the_names_of_keras():
    import keras

    for module, theirs in inspect.getmembers(keras.applications, inspect.ismodule):
        ours = getattr(kerasish.applications, module)
        for name, thing in inspect.getmembers(theirs, inspect.isfunction):
            own = getattr(ours, name)
            found, expected = (inspect.signature(f).parameters for f in (own, thing))
            assert [(p.name, p.default) for p in found.values()] == [
                (p.name, p.default) for p in expected.values()
            ]
            assert own.__name__ == name


@pytest.mark.parametrize("case", QUICK, ids=lambda c: cases.label(*c))
def test_small_ones_are_built_as_keras_builds_them(case):
    assert described(*case) == GOLDEN[cases.label(*case)]


@pytest.mark.slow
@pytest.mark.parametrize("case", cases.CASES, ids=lambda c: cases.label(*c))
def test_built_as_keras_builds_it(case):
    assert described(*case) == GOLDEN[cases.label(*case)]


@pytest.mark.slow
@pytest.mark.parametrize("top", [True, False])
@pytest.mark.parametrize("name, size, kwargs", VALUES, ids=lambda v: str(v))
def test_values(name, size, kwargs, top):
    kwargs = {
        **kwargs, "weights": None, "input_shape": (size, size, 3), "include_top": top,
        "classes": 7, "pooling": "avg",
    }  # fmt: skip
    if top:
        kwargs["classifier_activation"] = None  # logits: softmax is steep where they are large
    theirs, ours = (cases.build(k, name, kwargs) for k in both())
    rng = np.random.default_rng(0)
    # Such that values neither vanish nor grow from layer to layer.
    values = [
        rng.normal(0, (2.0 / max(1, np.prod(w.shape[:-1]))) ** 0.5, w.shape)
        if len(w.shape) > 1
        else rng.uniform(0.5, 1.0, w.shape)
        for w in theirs.weights
    ]
    for model in (theirs, ours):
        model.set_weights(values)
    x = rng.uniform(0, 255 if "Net" in name else 1, (2, size, size, 3)).astype("float32")
    expected, found = (np.asarray(m(x, training=False)) for m in (theirs, ours))
    assert np.isfinite(expected).all() and np.ptp(expected) > 0
    scale = np.abs(expected).max()
    close(found / scale, expected / scale, 2e-4, name)


@pytest.mark.slow
def test_weights_files_both_ways(tmp_path):
    kwargs = {"weights": None, "input_shape": (32, 32, 3), "classes": 3, "alpha": 0.35}
    for source, target in (both(), both()[::-1]):
        model = cases.build(source, "MobileNetV2", kwargs)
        scramble(model, seed=1)
        for name in ("m.weights.h5", "m.h5"):
            path = str(tmp_path / f"{source.__name__}_{name}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the old format
                model.save_weights(path) if name[2] == "w" else model.save(path)
            naming.reset_uids()
            twin = target.applications.MobileNetV2(**{**kwargs, "weights": path})
            for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)


def test_own_layers_survive_a_config():
    from kerasish.applications import convnext, inception_resnet_v2

    for layer in (
        convnext.LayerScale(0.5, 3),
        convnext.StochasticDepth(0.25),
        inception_resnet_v2.CustomScaleLayer(0.1),
    ):
        config = kerasish.utils.serialize_keras_object(layer)
        assert config["module"].startswith("keras.src.applications.")
        twin = kerasish.utils.deserialize_keras_object(config)
        assert type(twin) is type(layer) and twin.get_config() == layer.get_config()


def test_stochastic_depth_drops_samples():
    kerasish.utils.set_random_seed(0)
    layer = kerasish.applications.convnext.StochasticDepth(0.25)
    x = np.ones((400, 2, 3), "float32")
    assert np.array_equal(np.asarray(layer(x)), x)
    y = np.asarray(layer(x, training=True))
    assert set(np.round(np.unique(y), 5)) == {0.0, np.float32(1.33333)}
    assert (y == y[:, :1, :1]).all() and 0.65 < (y[:, 0, 0] > 0).mean() < 0.85


X = np.random.default_rng(3).uniform(0, 255, (2, 4, 5, 3)).astype("float32")
IMAGES = [X, X[0], X.astype("uint8"), X.astype("float64"), X.astype("float16")]


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first", None])
@pytest.mark.parametrize("x", IMAGES, ids=lambda x: f"{x.dtype}{x.ndim}")
def test_preprocess_input(mode, data_format, x):
    if data_format == "channels_first":
        x = np.moveaxis(x, -1, -3)
    keras, _ = both()
    theirs, ours = (k.applications.imagenet_utils for k in (keras, kerasish))
    a, b = x.copy(), x.copy()
    expected = theirs.preprocess_input(a, data_format, mode)
    found = ours.preprocess_input(b, data_format, mode)
    assert found.dtype == expected.dtype
    tolerance = {"float16": 2e-3, "float64": 1e-12}.get(str(x.dtype), 1e-5)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)  # written over, or not
    if x.dtype.kind == "u" and mode == "caffe":
        return  # Keras lets whole numbers wrap around
    expected = theirs.preprocess_input(keras.ops.convert_to_tensor(x), data_format, mode)
    found = ours.preprocess_input(kerasish.ops.convert_to_tensor(x), data_format, mode)
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=2e-3, atol=2e-3)


def test_preprocess_input_of_whole_numbers_in_a_tensor():
    x = kerasish.ops.convert_to_tensor(X.astype("uint8"))
    found = kerasish.applications.imagenet_utils.preprocess_input(x)
    expected = kerasish.applications.imagenet_utils.preprocess_input(X.astype("uint8"))
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)


@pytest.mark.parametrize("family", ["vgg16", "resnet_v2", "densenet", "efficientnet"])
def test_preprocess_input_in_a_model(family):
    configs = []
    for k in both():
        image = k.Input((4, 5, 3))
        y = getattr(k.applications, family).preprocess_input(image)
        model = k.Model(image, y)
        config = model.get_config()
        configs.append([(c["class_name"], c["name"]) for c in config["layers"]])
        configs.append(np.asarray(model(X)))
    assert configs[0] == configs[2]
    np.testing.assert_allclose(configs[1], configs[3], rtol=1e-5, atol=1e-5)


def test_decode_predictions(tmp_path, monkeypatch):
    import keras

    path = tmp_path / "imagenet_class_index.json"
    path.write_text(json.dumps({str(i): [f"n{i:08}", f"class {i}"] for i in range(1000)}))
    asked = []

    def get_file(fname, origin, cache_subdir, file_hash):
        asked.append((fname, origin, cache_subdir, file_hash))
        return str(path)

    monkeypatch.setattr("kerasish.applications.imagenet_utils.get_file", get_file)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    kerasish.applications.imagenet_utils._class_names.cache_clear()
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(1000), 3).astype("float32")
    for top in (1, 5, 1000):
        found = kerasish.applications.resnet.decode_predictions(probabilities, top)
        assert found == keras.applications.resnet.decode_predictions(probabilities, top)
    assert len(asked) == 2 and asked[0] == asked[1]
    tensor = kerasish.ops.convert_to_tensor(probabilities)
    assert kerasish.applications.vgg16.decode_predictions(tensor)[0][0][:2] == found[0][0][:2]
    kerasish.applications.imagenet_utils._class_names.cache_clear()
    same_error(lambda k: k.applications.vgg16.decode_predictions(np.zeros((1, 10))))


ERRORS = {
    "no such weights": ("VGG16", {"weights": "nowhere.h5"}),
    "classes": ("ResNet50", {"classes": 10}),
    "activation": ("VGG16", {"weights": __file__, "classifier_activation": "relu"}),
    "too small": ("Xception", {"weights": None, "include_top": False, "input_shape": (70, 80, 3)}),
    "two sizes": ("VGG19", {"weights": None, "include_top": False, "input_shape": (70, 80)}),
    "unknown size": ("InceptionV3", {"weights": None, "input_shape": (None, None, 3)}),
    "not the published size": ("EfficientNetB1", {"input_shape": (224, 224, 3)}),
    "channels": ("ResNet50V2", {"include_top": False, "input_shape": (64, 64, 1)}),
    "tensor": ("VGG16", {"weights": None, "input_tensor": np.zeros((1, 32, 32, 3))}),
    "alpha": ("MobileNet", {"alpha": 0.3}),
    "multiplier": ("MobileNet", {"depth_multiplier": 2}),
    "alpha 2": ("MobileNetV2", {"alpha": 0.3}),
    "alpha 3": ("MobileNetV3Small", {"alpha": 0.5, "input_shape": (224, 224, 3)}),
    "small 3": ("MobileNetV3Large", {"weights": None, "input_shape": (20, 20, 3)}),
    "tensor 3": ("MobileNetV3Large", {"weights": None, "input_tensor": np.zeros((1, 32, 32, 3)),
                                      "input_shape": (32, 32, 3)}),
    "unknown size of NASNet": ("NASNetLarge", {"input_shape": (None, None, 3)}),
    "convnext": ("ConvNeXtTiny", {"classes": 10}),
    "mode": ("imagenet_utils", {"mode": "jax"}),
    "data format": ("imagenet_utils", {"data_format": "rows_first"}),
}  # fmt: skip


@pytest.mark.parametrize("name, kwargs", ERRORS.values(), ids=ERRORS)
def test_errors(name, kwargs, no_drawing):
    def run(k):
        if name == "imagenet_utils":
            k.applications.imagenet_utils.preprocess_input(X, **kwargs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(k.applications, name)(**kwargs)

    same_error(run)


@pytest.mark.parametrize("name", ["DenseNet121", "NASNetMobile", "ConvNeXtTiny"])
def test_channels_first_is_refused(name):
    for k in both():
        k.config.set_image_data_format("channels_first")
    try:
        same_error(lambda k: getattr(k.applications, name)(weights=None))
    finally:
        for k in both():
            k.config.set_image_data_format("channels_last")


def test_on_a_tensor_in_the_middle(no_drawing):
    found = []
    for k in both():
        image = k.Input((40, 40, 1))
        x = k.layers.Conv2D(3, 1, name="to_rgb")(image)
        model = k.applications.VGG16(weights=None, input_tensor=x, include_top=False)
        found.append([layer.name for layer in model.layers] + [str(model.output_shape)])
    assert found[0] == found[1]
    same_error(
        lambda k: k.applications.MobileNetV2(
            weights=None, input_tensor=k.Input((40, 40, 3)), input_shape=(50, 50, 3)
        )
    )
