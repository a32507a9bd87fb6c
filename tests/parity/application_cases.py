"""Cases of `applications` and what real Keras builds for them.

Keras takes minutes to build them all, so what it builds is kept in
`tests/golden/applications.json`, as counts and hashes. To write that file anew:

    KERAS_BACKEND=jax python tests/parity/application_cases.py
"""

import contextlib
import hashlib
import json
import pathlib
import unittest.mock
import warnings

import numpy as np

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "applications.json"

NAMES = [
    *(f"ConvNeXt{v}" for v in ("Tiny", "Small", "Base", "Large", "XLarge")),
    *(f"DenseNet{v}" for v in (121, 169, 201)),
    *(f"EfficientNetB{v}" for v in range(8)),
    *(f"EfficientNetV2{v}" for v in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *("InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Large"),
    *("MobileNetV3Small", "NASNetLarge", "NASNetMobile"),
    *(f"ResNet{depth}{version}" for version in ("", "V2") for depth in (50, 101, 152)),
    *("VGG16", "VGG19", "Xception"),
]
# Besides the published models with and without classifier: other arguments.
OTHERS = [
    *(("MobileNet", {"alpha": a, "input_shape": (s, s, 3)}) for a, s in ((0.25, 128), (0.5, 160))),
    ("MobileNet", {"alpha": 0.75, "input_shape": (192, 192, 3), "include_top": False}),
    ("MobileNet", {"weights": None, "depth_multiplier": 2, "alpha": 0.3, "dropout": 0.5}),
    *(
        ("MobileNetV2", {"alpha": a, "input_shape": (s, s, 3)})
        for a, s in ((0.35, 96), (0.5, 128), (0.75, 160), (1.3, 224), (1.4, 224))
    ),
    ("MobileNetV2", {"weights": None, "alpha": 0.1, "input_shape": (40, 51, 1), "classes": 7}),
    *(
        (f"MobileNetV3{v}", {"input_shape": (224, 224, 3), **kwargs})
        for v in ("Small", "Large")
        for kwargs in (
            {"alpha": 0.75},
            {"minimalistic": True},
            {"minimalistic": True, "include_top": False},
            {"weights": None, "alpha": 1.5, "include_preprocessing": False, "dropout_rate": 0},
            {"weights": None, "include_top": False, "pooling": "max", "name": None},
        )
    ),
    ("EfficientNetB0", {"weights": None, "classes": 10, "classifier_activation": None}),
    ("EfficientNetB1", {"weights": None, "include_top": False, "pooling": "max"}),
    ("EfficientNetB0", {"weights": None, "input_shape": (33, 47, 3), "classes": 10}),
    ("EfficientNetV2B0", {"weights": None, "input_shape": (33, 47, 1), "include_top": False}),
    ("EfficientNetV2B0", {"weights": None, "include_preprocessing": False}),
    ("ConvNeXtTiny", {"weights": None, "include_preprocessing": False, "name": "mine"}),
    ("ConvNeXtTiny", {"weights": None, "include_top": False, "input_shape": (40, 40, 1)}),
    ("ResNet50", {"weights": None, "include_top": False, "pooling": "max", "name": "mine"}),
    ("ResNet50V2", {"weights": None, "input_shape": (32, 32, 4), "classes": 3}),
    ("NASNetMobile", {"weights": None, "include_top": False, "input_shape": (33, 50, 3)}),
    ("VGG16", {"weights": None, "include_top": False}),
    ("Xception", {"weights": None, "include_top": False, "pooling": "max"}),
    ("InceptionV3", {"weights": None, "include_top": False, "input_shape": (75, 90, 3)}),
]
# Families that take images (channels, height, width) too.
CHANNELS_FIRST = [
    (name, {"weights": None, "classes": 5, "channels_first": True})
    for name in (
        *("EfficientNetB0", "EfficientNetV2B0", "InceptionResNetV2", "InceptionV3", "MobileNet"),
        *("MobileNetV2", "MobileNetV3Small", "ResNet50", "ResNet50V2", "VGG16", "Xception"),
    )
]
CASES = [
    *((name, {}) for name in NAMES),
    *((name, {"include_top": False, "pooling": "avg"}) for name in NAMES),
    *OTHERS,
    *CHANNELS_FIRST,
]


def label(name, kwargs):
    """A case as text."""
    return f"{name}({', '.join(f'{k}={v!r}' for k, v in kwargs.items())})"


def digest(thing):
    text = json.dumps(thing, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build(keras, name, kwargs, files=None):
    """A model of a case; published weights are asked for, but not loaded.

    Args:
        keras: The package.
        name, kwargs: The case.
        files: Where what is asked for is appended: name in the cache, URL, folder, hash.
    """
    kwargs = dict(kwargs)
    first = kwargs.pop("channels_first", False)

    def get_file(fname=None, origin=None, cache_subdir=None, file_hash=None):
        if files is not None:
            files.append([fname, origin, cache_subdir, file_hash])
        return "nowhere"

    own = keras.__name__ == "kerasish"
    place = "kerasish.applications.frame.get_file" if own else "keras.src.utils.file_utils.get_file"
    with contextlib.ExitStack() as stack:
        stack.enter_context(unittest.mock.patch(place, get_file))
        stack.enter_context(unittest.mock.patch.object(keras.Model, "load_weights"))
        if not own:
            stack.enter_context(
                unittest.mock.patch.object(keras.src.models.Functional, "load_weights")
            )
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if first:
            keras.config.set_image_data_format("channels_first")
            stack.callback(keras.config.set_image_data_format, "channels_last")
        return getattr(keras.applications, name)(**kwargs)


def count(variables):
    total = 0
    for v in variables:
        size = 1
        for n in v.shape:
            size *= int(n)
        total += size
    return total


def describe(model):
    """What can be seen of a model, in numbers and hashes."""
    layers = [(layer.name, type(layer).__name__) for layer in model.layers]
    weights = [(v.path, tuple(int(n) for n in v.shape)) for v in model.weights]
    return {
        "name": model.name,
        "layers": len(layers),
        "trainable": count(model.trainable_weights),
        "non_trainable": count(model.non_trainable_weights),
        "output": str(tuple(model.output.shape)),
        "layers_hash": digest(layers),
        "weights_hash": digest(weights),
        "config_hash": digest(model.get_config()),
    }


def _zeros(shape, *args, dtype=None, **kwargs):
    return np.zeros(shape, dtype or "float32")


def without_drawing(setattr):
    """Let Keras's initializers give zeros: drawing weights takes most of the time."""
    from keras.src.initializers import random_initializers

    for name in ("uniform", "normal", "truncated_normal"):
        setattr(random_initializers.random, name, _zeros)


def main():
    """Write what Keras builds."""
    import keras

    without_drawing(setattr)
    found = {}
    for name, kwargs in CASES:
        keras.utils.clear_session(free_memory=False)
        files = []
        found[label(name, kwargs)] = {**describe(build(keras, name, kwargs, files)), "files": files}
        print(label(name, kwargs), flush=True)
    GOLDEN.parent.mkdir(exist_ok=True)
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
