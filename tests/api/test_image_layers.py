"""Image layers: what belongs to an image follows it, seeds, compiled steps, configs."""

import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish import layers

RNG = np.random.default_rng(1)
IMAGES = RNG.integers(0, 256, (4, 12, 10, 3)).astype("uint8")
EVERY = {
    "AugMix": dict(), "AutoContrast": dict(), "CenterCrop": dict(height=6, width=5),
    "ContrastLimitedAdaptiveHistogramEqualization": dict(tile_grid_size=(2, 2)),
    "CutMix": dict(), "Equalization": dict(), "MaxNumBoundingBoxes": dict(max_number=3),
    "MixUp": dict(), "RandAugment": dict(), "RandomBrightness": dict(factor=0.3),
    "RandomColorDegeneration": dict(factor=0.5),
    "RandomColorJitter": dict(
        brightness_factor=0.1, contrast_factor=0.2, saturation_factor=0.3, hue_factor=0.1
    ),
    "RandomContrast": dict(factor=0.4), "RandomCrop": dict(height=6, width=5),
    "RandomElasticTransform": dict(scale=(0.8, 1.0), factor=(1.0, 1.0)),
    "RandomErasing": dict(factor=(1.0, 1.0)),
    "RandomFlip": dict(), "RandomGaussianBlur": dict(), "RandomGrayscale": dict(),
    "RandomHue": dict(factor=0.4), "RandomInvert": dict(),
    "RandomPerspective": dict(factor=(1.0, 1.0)), "RandomPosterization": dict(factor=3),
    "RandomRotation": dict(factor=0.2), "RandomSaturation": dict(factor=0.4),
    "RandomSharpness": dict(factor=0.4), "RandomShear": dict(x_factor=0.2, y_factor=0.1),
    "RandomTranslation": dict(height_factor=0.2, width_factor=0.2),
    "RandomZoom": dict(height_factor=0.3), "Resizing": dict(height=6, width=5),
    "Solarization": dict(addition_factor=0.2, threshold_factor=0.5),
}  # fmt: skip
# Nothing is random in these, or they work outside of training too.
ALWAYS = {
    "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization", "Resizing",
}  # fmt: skip
OWN_DTYPE = {
    "ContrastLimitedAdaptiveHistogramEqualization", "MaxNumBoundingBoxes", "RandomGrayscale",
    "Resizing",
}  # fmt: skip
SLOW = {"AugMix", "RandAugment"}  # every augmentation is compiled
DRAWN = [n for n in EVERY if n not in ALWAYS | {"Equalization", "MaxNumBoundingBoxes"}]


def make(name, **more):
    return getattr(layers, name)(**EVERY[name], **more)


def test_every_layer_is_here():
    assert set(EVERY) == set(layers.preprocessing.image.__all__)


@pytest.mark.parametrize("name", EVERY)
def test_shapes_dtypes_and_configs(name):
    layer = make(name)
    y = layer(IMAGES, training=True)
    assert core.dtypes.name_of(y.dtype) == ("uint8" if name in OWN_DTYPE else "float32")
    assert y.shape == layer.compute_output_shape(IMAGES.shape)
    assert layer(IMAGES[0], training=True).shape == y.shape[1:]
    assert np.isfinite(np.asarray(y, "float64")).all()
    if name not in ALWAYS:  # outside of training
        np.testing.assert_array_equal(np.asarray(layer(IMAGES, training=False)), IMAGES)
    config = layer.get_config()
    copy = type(layer).from_config(config)
    assert copy.get_config() == config
    if name in DRAWN:
        assert [v.path.split("/")[-1] for v in layer.non_trainable_variables] == (
            ["seed_generator_state"] * len(layer.non_trainable_variables)
        )
        assert not layer.trainable_variables
        images = IMAGES.astype("float32")
        first, second = (make(name, seed=11)(images, training=True) for _ in range(2))
        np.testing.assert_array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize("name", [n for n in EVERY if n != "CutMix"])  # which needs a partner
def test_one_image_without_a_dictionary_equals_one_with_it(name):
    more = {"bounding_box_format": "xyxy"}
    if name in DRAWN:
        more["seed"] = 4
    alone = make(name, **more)(IMAGES[:1], training=True)
    data = {"images": IMAGES[:1], "segmentation_masks": IMAGES[:1, :, :, :1], "other": 3}
    found = make(name, **more)(data, training=True)
    np.testing.assert_allclose(np.asarray(found["images"]), np.asarray(alone), atol=1e-3)
    assert found["segmentation_masks"].shape[:3] in {(1, 12, 10), alone.shape[:3]}
    assert found["other"] == 3 and data["images"].dtype == np.uint8


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in DRAWN),
        "Equalization", "CenterCrop", "Resizing",
    ],
)  # fmt: skip
def test_compiled_steps_draw_what_eager_ones_draw(name):
    more = {"seed": 9} if name in DRAWN else {}
    if name == "AugMix":
        more |= {"num_chains": 2, "chain_depth": 1, "all_ops": False}
    images = IMAGES.astype("float32")

    def model():
        inputs = kerasish.Input(IMAGES.shape[1:])
        outputs = make(name, **more)(inputs, training=True)
        return kerasish.Model(inputs, outputs)

    compiled, eager = model(), model()
    compiled.compile(loss="mse")
    eager.compile(loss="mse", run_eagerly=True)
    for _ in range(2):  # the generators move on alike
        found = compiled.predict(images, verbose=0)
        np.testing.assert_allclose(found, eager.predict(images, verbose=0), atol=2e-2)


def test_augmentation_is_off_in_prediction_and_on_in_training():
    inputs = kerasish.Input((12, 10, 3))
    x = layers.RandomFlip()(inputs)
    x = layers.RandomRotation(0.2)(x)
    x = layers.Rescaling(1 / 255)(x)
    outputs = layers.Dense(2)(layers.Flatten()(x))
    model = kerasish.Model(inputs, outputs)
    model.compile("sgd", "mse")
    history = model.fit(IMAGES, np.zeros((4, 2), "float32"), epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
    first, second = (model.predict(IMAGES, verbose=0) for _ in range(2))
    np.testing.assert_array_equal(first, second)


# -- what belongs to an image

BOXES = np.array([[[12.0, 20.0, 30.0, 44.0]], [[8.0, 10.0, 28.0, 30.0]]], "float32")


def filled(boxes, height, width):
    """Images that are 1 inside of one box each, and 0 outside."""
    images = np.zeros((len(boxes), height, width, 1), "float32")
    for image, ((left, top, right, bottom),) in zip(images, boxes.astype(int), strict=True):
        image[top:bottom, left:right] = 1
    return images


def around(image):
    rows, columns = np.nonzero(np.asarray(image)[..., 0] > 0.5)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


MOVING = {
    "RandomFlip": dict(), "RandomTranslation": dict(height_factor=0.1, width_factor=0.1),
    "RandomZoom": dict(height_factor=(-0.2, 0.4)), "RandomRotation": dict(factor=0.06),
    "RandomShear": dict(x_factor=0.15, y_factor=0.1),
    "RandomPerspective": dict(factor=(1.0, 1.0), scale=0.2),
    "RandomCrop": dict(height=56, width=38), "CenterCrop": dict(height=54, width=40),
    "Resizing": dict(height=100, width=31),
}  # fmt: skip


@pytest.mark.parametrize("form", ["xyxy", "rel_yxyx", "center_xywh"])
@pytest.mark.parametrize("name", MOVING)
def test_boxes_follow_pixels(name, form):
    height, width = 60, 44
    more = {"bounding_box_format": form}
    if name not in ("CenterCrop", "Resizing"):
        more["seed"] = 3
    if name in ("RandomTranslation", "RandomZoom", "RandomRotation", "RandomShear"):
        more["fill_mode"] = "constant"
    layer = getattr(layers, name)(**MOVING[name], **more)
    boxes = kerasish.utils.bounding_boxes.convert_format(BOXES, "xyxy", form, height, width)
    data = {
        "images": filled(BOXES, height, width),
        "bounding_boxes": {"boxes": boxes, "labels": np.array([[1], [2]])},
    }
    found = layer(data, training=True)
    size = found["images"].shape[1:3]
    moved = kerasish.utils.bounding_boxes.convert_format(
        found["bounding_boxes"]["boxes"], form, "xyxy", *size
    )
    for image, ((*box,),) in zip(found["images"], np.asarray(moved), strict=True):
        # Slanted corners cover less than half of their last pixels.
        assert np.abs(np.subtract(around(image), box)).max() < 2.6, (around(image), box)
    np.testing.assert_array_equal(np.asarray(found["bounding_boxes"]["labels"]), [[1], [2]])


@pytest.mark.parametrize("name", ["RandomElasticTransform", "RandomCrop", "CutMix", *MOVING])
def test_masks_follow_pixels(name):
    arguments = {**EVERY.get(name, {}), **MOVING.get(name, {})}
    layer = getattr(layers, name)(**arguments)
    images = filled(BOXES, 60, 44)
    data = {"images": np.repeat(images, 3, -1), "segmentation_masks": images}
    found = layer(data, training=True)
    masks = np.asarray(found["segmentation_masks"])
    assert set(np.unique(masks)) <= {0.0, 1.0} and masks.shape[-1] == 1
    assert np.mean((np.asarray(found["images"])[..., :1] > 0.5) != (masks > 0.5)) < 0.05


def test_boxes_and_masks_follow_the_pixels_of_augmentations_picked_at_random():
    layer = layers.RandAugment((0, 1), 2, 0.1, seed=5, bounding_box_format="xyxy")
    images = filled(BOXES, 60, 44)
    drawn = layer.get_random_transformation(images)
    drawn["layer_idxes"] = core.constant(np.array([2, 1], "int32"))  # rotation, translation
    found = np.asarray(layer.transform_images(images, drawn))
    masks = np.asarray(layer.transform_segmentation_masks(core.constant(images), drawn))
    assert np.mean((found > 0.5) != (masks > 0.5)) < 0.05 and (found != images).any()
    boxes = {"boxes": core.constant(BOXES), "labels": core.constant(np.array([[1], [2]]))}
    moved = np.asarray(layer.transform_bounding_boxes(boxes, drawn)["boxes"])
    for image, (box,) in zip(found, moved, strict=True):
        assert np.abs(np.subtract(around(image), box)).max() < 3.6


def test_labels_are_mixed_as_images_are():
    labels = np.arange(8, dtype="float32")[:, None]
    images = np.broadcast_to(labels[:, None, None], (8, 8, 8, 1))
    for layer in (layers.MixUp(alpha=1.0, seed=2), layers.CutMix(factor=(1.0, 1.0), seed=2)):
        found = layer({"images": images, "labels": labels}, training=True)
        means = np.asarray(found["images"]).mean((1, 2))
        np.testing.assert_allclose(np.asarray(found["labels"]), means, atol=1.0)
        assert np.abs(means - labels).max() > 0.01
    boxes = {"boxes": np.zeros((8, 2, 4)), "labels": np.arange(16).reshape(8, 2)}
    layer = layers.MixUp(seed=2, bounding_box_format="xyxy")
    found = layer({"images": images, "bounding_boxes": boxes}, training=True)["bounding_boxes"]
    assert found["boxes"].shape == (8, 4, 4) and found["labels"].shape == (8, 4)


def test_ragged_boxes_are_filled_up():
    data = {
        "images": IMAGES[:2],
        "bounding_boxes": {
            "boxes": [[[1, 2, 3, 4]], [[0, 0, 5, 5], [2, 2, 4, 6]]], "labels": [[7], [8, 9]],
        },
    }  # fmt: skip
    layer = layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
    found = layer(data)["bounding_boxes"]
    np.testing.assert_array_equal(np.asarray(found["labels"]), [[7, -1], [8, 9]])
    np.testing.assert_array_equal(np.asarray(found["boxes"])[0], [[1, 2, 3, 4], [0, 0, 0, 0]])


def test_elastic_transform_moves_by_smooth_noise():
    from scipy import ndimage

    layer = layers.RandomElasticTransform(factor=(1.0, 1.0), scale=(1.0, 1.0), seed=1)
    images = RNG.uniform(0, 255, (2, 40, 30, 1)).astype("float32")
    drawn = layer.get_random_transformation(images)
    noise, sigma, alpha = np.asarray(drawn["noise"]), 0.05 * 30, 0.1 * 40
    smooth = ndimage.gaussian_filter(
        noise * sigma, sigma, axes=(-2, -1), mode="constant", radius=int(6 * sigma) // 2
    )
    right, down = alpha * smooth
    rows, columns = np.indices((40, 30))
    found = np.asarray(layer.transform_images(core.constant(images), drawn))
    for b in range(2):
        places = [rows + down[b], columns + right[b]]
        expected = ndimage.map_coordinates(images[b, ..., 0], places, order=1, mode="reflect")
        np.testing.assert_allclose(found[b, ..., 0], expected, atol=0.05)


@pytest.mark.parametrize(
    "name, arguments, error",
    [
        ("RandomBrightness", dict(factor=2), ValueError),
        ("RandomBrightness", dict(factor="a"), ValueError),
        ("RandomBrightness", dict(factor=0.1, value_range=(1, 2, 3)), ValueError),
        ("RandomTranslation", dict(height_factor=1.5, width_factor=0), ValueError),
        ("RandomZoom", dict(height_factor=-1.0), ValueError),
        ("RandomShear", dict(x_factor=-0.1), ValueError),
        ("RandomRotation", dict(factor=0.1, fill_mode="mirror"), NotImplementedError),
        ("RandomPerspective", dict(scale=2.0), ValueError),
        ("RandomGrayscale", dict(factor=2), ValueError),
        ("RandomGaussianBlur", dict(kernel_size=4), ValueError),
        ("Solarization", dict(addition_factor=2), ValueError),
        ("RandomFlip", dict(mode="diagonal"), ValueError),
    ],
)
def test_wrong_arguments(name, arguments, error):
    with pytest.raises(error):
        getattr(layers, name)(**arguments)


def test_wrong_data():
    with pytest.raises(ValueError, match="rank 3"):
        layers.RandomFlip()(np.zeros((3, 3)))
    boxes = {"boxes": BOXES, "labels": np.zeros((2, 1))}
    data = {"images": filled(BOXES, 60, 44), "bounding_boxes": boxes}
    with pytest.raises(ValueError, match="bounding_box_format"):
        layers.RandomFlip()(data)
    layer = layers.RandomFlip(bounding_box_format="xyxy")
    for wrong in ({"boxes": BOXES}, {"boxes": BOXES[0, 0], "labels": [1]}):
        with pytest.raises(ValueError):
            layer({**data, "bounding_boxes": wrong})
