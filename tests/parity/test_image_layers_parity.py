"""Image layers beside Keras: the transformation that Keras draws is given to both."""

import numpy as np
import pytest
from layer_pairs import both, close, equal, plain

import kerasish
import kerasish_core as core

pytestmark = [
    pytest.mark.parity,
    # Keras asks JAX for int64, which it has not.
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning"),
]

RNG = np.random.default_rng(7)
IMAGES = RNG.uniform(0, 255, (3, 9, 7, 3)).astype("float32")
SQUARE = RNG.uniform(0, 255, (3, 8, 8, 3)).astype("float32")
MASKS = RNG.integers(0, 4, (3, 9, 7, 1)).astype("float32")
SQUARE_MASKS = RNG.integers(0, 4, (3, 8, 8, 1)).astype("float32")
LABELS = np.eye(4, dtype="float32")[[0, 2, 3]]
BOXES = np.array(
    [[[1, 2, 4, 6], [0, 0, 7, 9]], [[2, 1, 3, 8], [4, 4, 6, 7]], [[0, 3, 5, 5], [1, 1, 2, 2]]],
    "float32",
)
BOX_LABELS = np.array([[1, 2], [3, 0], [2, 2]], "int32")

# Layer, its arguments, and the parts to compare besides images and labels: masks ("m"), boxes
# ("b"); "s": on square images. Where boxes are left out here, Keras's do not follow its own
# pixels: docs/decisions/image-augmentation.md.
GEOMETRY = {
    "Resizing": ("Resizing", dict(height=5, width=10), "mb"),
    "Resizing, nearest": ("Resizing", dict(height=5, width=4, interpolation="nearest"), "m"),
    "Resizing, cropped": (
        "Resizing", dict(height=4, width=4, crop_to_aspect_ratio=True), "mb",
    ),
    "Resizing, padded": (
        "Resizing", dict(height=12, width=12, pad_to_aspect_ratio=True, fill_value=3), "mb",
    ),
    "CenterCrop": ("CenterCrop", dict(height=4, width=4), "mb"),
    "CenterCrop, larger": ("CenterCrop", dict(height=12, width=6), "mb"),
    "RandomCrop": ("RandomCrop", dict(height=4, width=5), "m"),
    "RandomCrop, larger": ("RandomCrop", dict(height=4, width=12), ""),
    "RandomFlip": ("RandomFlip", dict(), "mb"),
    "RandomFlip, across": ("RandomFlip", dict(mode="horizontal"), "mb"),
    "RandomFlip, down": ("RandomFlip", dict(mode="vertical"), "mb"),
    "RandomRotation": ("RandomRotation", dict(factor=0.3), "mb"),
    "RandomRotation, constant": (
        "RandomRotation", dict(factor=(0.1, 0.2), fill_mode="constant", fill_value=9.0), "mb",
    ),
    "RandomTranslation": ("RandomTranslation", dict(height_factor=0.3, width_factor=0.2), "mb"),
    "RandomTranslation, wrapped": (
        "RandomTranslation",
        dict(height_factor=(0.1, 0.4), width_factor=0.5, fill_mode="wrap"), "mb",
    ),
    "RandomZoom": ("RandomZoom", dict(height_factor=0.4), "mb"),
    "RandomZoom, nearest": (
        "RandomZoom",
        dict(height_factor=(-0.4, -0.1), width_factor=0.3, interpolation="nearest"), "mb",
    ),
    "RandomShear": ("RandomShear", dict(x_factor=0.3, y_factor=0.2), "m"),
    "RandomShear, square": ("RandomShear", dict(x_factor=(0.1, 0.3)), "mbs"),
    "RandomPerspective": ("RandomPerspective", dict(scale=0.5), "mb"),
}  # fmt: skip
COLORS = {
    "AutoContrast": ("AutoContrast", dict()),
    "Equalization": ("Equalization", dict()),
    "Equalization, bins": ("Equalization", dict(bins=40, value_range=(-3, 260))),
    "CLAHE": ("ContrastLimitedAdaptiveHistogramEqualization", dict(tile_grid_size=(2, 3))),
    "CLAHE, no limit": (
        "ContrastLimitedAdaptiveHistogramEqualization", dict(clip_limit=0, tile_grid_size=(2, 2)),
    ),
    "RandomBrightness": ("RandomBrightness", dict(factor=0.4)),
    "RandomContrast": ("RandomContrast", dict(factor=(0.2, 0.9))),
    "RandomColorDegeneration": ("RandomColorDegeneration", dict(factor=0.7)),
    "RandomColorJitter": (
        "RandomColorJitter", dict(brightness_factor=(0.1, 0.1), saturation_factor=(0.4, 0.4)),
    ),
    "RandomGrayscale": ("RandomGrayscale", dict(factor=0.6)),
    "RandomHue": ("RandomHue", dict(factor=0.8)),
    "RandomInvert": ("RandomInvert", dict(factor=0.9)),
    "RandomPosterization": ("RandomPosterization", dict(factor=5)),
    "RandomPosterization, fixed": ("RandomPosterization", dict(factor=(3, 3))),
    "RandomSaturation": ("RandomSaturation", dict(factor=(0.1, 0.45))),
    "RandomSharpness": ("RandomSharpness", dict(factor=0.9)),
    # Keras's backends disagree which number is that of the rows, so that both are equal here.
    "RandomGaussianBlur": ("RandomGaussianBlur", dict(kernel_size=5, sigma=(0.7, 0.7))),
    "RandomErasing": ("RandomErasing", dict(scale=(0.2, 0.6), fill_value=7.0)),
    "RandomErasing, noise": ("RandomErasing", dict(scale=(0.2, 0.6))),
    "Solarization": ("Solarization", dict(addition_factor=0.3, threshold_factor=(0.2, 0.8))),
    "CutMix": ("CutMix", dict()),
    "MixUp": ("MixUp", dict()),
    "RandAugment": ("RandAugment", dict(num_ops=3)),
    "AugMix": ("AugMix", dict(chain_depth=2)),
}  # fmt: skip
CASES = {**GEOMETRY, **{name: (*case, "") for name, case in COLORS.items()}}
FAST = ("RandomBrightness",)
# Keras's layer has no way for these (a crash), or takes them along the wrong axes.
NO_LABELS = ("CLAHE", "CLAHE, no limit", "RandomGrayscale")
LAST_ONLY = ("AutoContrast", "RandAugment", "AugMix", "RandomColorJitter")


def as_numpy(transformation):
    """Keras's transformation for ours: arrays, whose dtypes stay."""
    import jax

    return jax.tree.map(lambda v: np.asarray(v) if hasattr(v, "dtype") else v, transformation)


def turned(x):
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def draw(layer, images):
    try:
        return layer.get_random_transformation(images, training=True)
    except TypeError:  # RandomGrayscale names it otherwise
        return layer.get_random_transformation(images)


UNSEEDED = (
    "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization", "Equalization",
    "Resizing",
)  # fmt: skip
# What Keras's configs leave out, so that a copy made from one differs; ours have it.
FORGOTTEN = {"RandomGrayscale": ("seed",), "MaxNumBoundingBoxes": ("fill_value",)}


def compare_configs(ours, theirs, name):
    config = plain(ours.get_config())
    for key in FORGOTTEN.get(name, ()):
        del config[key]
    equal(config, plain(theirs.get_config()))
    copy = type(ours).from_config(theirs.get_config())
    again = plain(copy.get_config())
    equal({k: v for k, v in again.items() if k in config}, config)


def selected(formats):
    for name in CASES:
        for data_format in formats:
            if data_format == "channels_last" or name not in LAST_ONLY:
                fast = name in FAST and data_format == "channels_last"
                yield pytest.param(name, data_format, marks=[] if fast else pytest.mark.slow)


def close_pixels(found, expected, kind):
    if kind == "Equalization":  # a half may be rounded to either side: one step of 255
        found, expected = np.asarray(found), np.asarray(expected)
        assert np.mean(np.abs(found - expected) > 1e-2) < 0.03
        close(found, expected, 1.1, "images")
    else:
        close(found, expected, 2e-3, "images")


@pytest.mark.parametrize("name, data_format", list(selected(["channels_last", "channels_first"])))
def test_same_pixels(name, data_format):
    kind, arguments, parts = CASES[name]
    images, masks = (SQUARE, SQUARE_MASKS) if "s" in parts else (IMAGES, MASKS)
    if data_format == "channels_first":
        images, masks = turned(images), turned(masks)
    keras, kerasish = both()
    keras.utils.set_random_seed(3)
    given = {**arguments, "data_format": data_format, "bounding_box_format": "xyxy"}
    if kind not in UNSEEDED:
        given["seed"] = 5
    theirs, ours = (getattr(k.layers, kind)(**given) for k in (keras, kerasish))
    compare_configs(ours, theirs, kind)
    drawn = draw(theirs, images)
    own = as_numpy(drawn)
    tensor = keras.ops.convert_to_tensor
    expected = theirs.transform_images(tensor(images), drawn, training=True)
    close_pixels(ours.transform_images(core.constant(images), own), expected, kind)
    if name not in NO_LABELS:
        expected = theirs.transform_labels(tensor(LABELS), drawn, training=True)
        close(ours.transform_labels(core.constant(LABELS), own), expected, 1e-5, "labels")
    if "m" in parts:
        expected = theirs.transform_segmentation_masks(tensor(masks), drawn)
        found = ours.transform_segmentation_masks(core.constant(masks), own)
        # Half-way places may round to either neighbour; resized masks are fractions of labels.
        apart = np.abs(np.asarray(found, "float64") - np.asarray(expected, "float64"))
        assert np.mean(apart > 1e-5) < 0.02
    if "b" in parts:
        boxes = {"boxes": tensor(BOXES), "labels": tensor(BOX_LABELS)}
        expected = theirs.transform_bounding_boxes(boxes, drawn)
        boxes = {"boxes": core.constant(BOXES), "labels": core.constant(BOX_LABELS)}
        found = ours.transform_bounding_boxes(boxes, own)
        close(found["boxes"], expected["boxes"], 1e-4, "boxes")
        equal(np.asarray(found["labels"]).tolist(), np.asarray(expected["labels"]).tolist())
    shape = (None, *images.shape[1:])
    equal(ours.compute_output_shape(shape), tuple(theirs.compute_output_shape(shape)))


@pytest.mark.parametrize("name", LAST_ONLY)
def test_channels_first_where_keras_has_no_answer(name):
    """As with channels last, by the same transformation."""
    kind, arguments, _ = CASES[name]
    seed = {} if kind in UNSEEDED else {"seed": 5}
    found = []
    for data_format, images in (("channels_last", IMAGES), ("channels_first", turned(IMAGES))):
        layer = getattr(kerasish.layers, kind)(**arguments, **seed, data_format=data_format)
        drawn = layer.get_random_transformation(images, training=True)
        found.append(layer.transform_images(core.constant(images), drawn, training=True))
    close(found[1], turned(np.asarray(found[0])), 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["yxyx", "center_xywh", "rel_xyxy", "rel_yxyx", "rel_xywh"])
@pytest.mark.parametrize(
    "kind, arguments",
    [
        ("Resizing", dict(height=5, width=10)),
        ("CenterCrop", dict(height=4, width=4)),
        ("RandomFlip", dict()),
        ("RandomTranslation", dict(height_factor=0.3, width_factor=0.2)),
        ("RandomZoom", dict(height_factor=0.4)),
    ],
)
def test_boxes_of_other_formats(kind, arguments, form):
    keras, kerasish = both()
    theirs, ours = (
        getattr(k.layers, kind)(**arguments, bounding_box_format=form) for k in (keras, kerasish)
    )
    boxes = np.asarray(
        keras.utils.bounding_boxes.convert_format(BOXES, "xyxy", form, height=9, width=7)
    )
    drawn = draw(theirs, IMAGES)
    tensor = keras.ops.convert_to_tensor
    given = {"boxes": tensor(boxes), "labels": tensor(BOX_LABELS)}
    expected = theirs.transform_bounding_boxes(given, drawn)
    given = {"boxes": core.constant(boxes), "labels": core.constant(BOX_LABELS)}
    close(ours.transform_bounding_boxes(given, as_numpy(drawn))["boxes"], expected["boxes"], 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_fixed_number_of_boxes(number):
    keras, kerasish = both()
    theirs, ours = (
        k.layers.MaxNumBoundingBoxes(number, bounding_box_format="xyxy") for k in (keras, kerasish)
    )
    compare_configs(ours, theirs, "MaxNumBoundingBoxes")

    def data():
        boxes = {"boxes": BOXES.copy(), "labels": BOX_LABELS.copy()}
        return {"images": IMAGES, "bounding_boxes": boxes}

    close(ours(data()), theirs(data()))
