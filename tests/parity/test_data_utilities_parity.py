"""Functions of `utils` that prepare data, against the published Keras: values and errors."""

import numpy as np
import pytest
from layer_pairs import both
from PIL import Image

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
LISTS = [[1, 2, 3, 4], [5], [], [6, 7]]
LABELS = np.array([[0, 2], [1, 4]])
PIXELS = RNG.uniform(0, 255, (5, 7, 3)).astype("float32")


def outcome(call, *args, **kwargs):
    """What a call gives, or the type of what it raises."""
    try:
        found = call(*args, **kwargs)
    except Exception as error:
        return type(error)
    return np.asarray(found)


def same(name, *args, module=lambda k: k.utils, **kwargs):
    theirs, ours = (outcome(getattr(module(k), name), *args, **kwargs) for k in both())
    if isinstance(theirs, type):
        assert ours is theirs
        return
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    if theirs.dtype.kind == "f":
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)
    else:
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("maxlen", [None, 2, 6])
@pytest.mark.parametrize("padding", ["pre", "post", "middle"])
@pytest.mark.parametrize("truncating", ["pre", "post", "middle"])
def test_pad_sequences(maxlen, padding, truncating):
    same("pad_sequences", LISTS, maxlen, padding=padding, truncating=truncating, value=-1.5)
    same("pad_sequences", LISTS, maxlen, "float32", padding, truncating, value=-1.5)
    steps = [np.ones((n, 2)) * n for n in (3, 1, 4)]
    same("pad_sequences", steps, maxlen, "float64", padding, truncating)


@pytest.mark.parametrize("wrong", [["a", "b"], [1, 2], 3, [[[1], [2, 3]], [4]]], ids=str)
def test_what_is_no_list_of_sequences(wrong):
    same("pad_sequences", wrong)


@pytest.mark.parametrize("labels", [LABELS, LABELS[..., None], [3, 0], np.array(2), [1.0, 0.0]])
@pytest.mark.parametrize("classes", [None, 5, 7])
def test_to_categorical(labels, classes):
    same("to_categorical", labels, classes)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize(order):
    x = RNG.normal(size=(3, 4))
    x[1] = 0
    for axis in (-1, -2, 1):
        same("normalize", x, axis, order)
    # Keras takes axis 0 for the last when it divides: an error, or wrong where all axes are equal.
    _, k = both()
    np.testing.assert_array_equal(k.utils.normalize(x, 0, order), k.utils.normalize(x, -2, order))


COLORS = ["rgb", "rgba", "grayscale", "hsv"]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("color", COLORS)
def test_load_img(mode, color, tmp_path):
    path = tmp_path / "a.png"
    image = Image.fromarray(PIXELS.astype("uint8"))
    if mode == "I;16":
        image = Image.fromarray((PIXELS[..., 0] * 250).astype("uint16"))
    (image if mode in ("RGB", "I;16") else image.convert(mode)).save(path)
    same("load_img", path, color)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(
    "how", ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos", "area"]
)
def test_load_img_of_a_size(how, kept, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(PIXELS.astype("uint8")).save(path)
    for size in ((3, 4), (9, 4), (5, 7)):
        same("load_img", path, target_size=size, interpolation=how, keep_aspect_ratio=kept)


@pytest.mark.parametrize("form", ["channels_first", "channels_last", "channels_middle"])
@pytest.mark.parametrize("scale", [True, False])
def test_arrays_and_images(form, scale):
    for channels in (1, 2, 3, 4):
        x = np.concatenate([PIXELS, PIXELS], -1)[..., :channels] - 20
        x = x if form == "channels_last" else np.moveaxis(x, -1, 0)
        same("array_to_img", x, form, scale)
    image = Image.fromarray(PIXELS.astype("uint8"))
    for one in (image, image.convert("L"), PIXELS):
        same("img_to_array", one, form, "float64")


@pytest.mark.parametrize("form", ["channels_first", "channels_last"])
def test_save_img(form, tmp_path):
    x = PIXELS if form == "channels_last" else np.moveaxis(PIXELS, -1, 0)
    found = []
    for i, k in enumerate(both()):
        k.utils.save_img(tmp_path / f"{i}.png", x, form, scale=False)
        with Image.open(tmp_path / f"{i}.png") as image:
            found.append((image.mode, np.asarray(image)))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[1][1], found[0][1])


@pytest.mark.parametrize("size", [(3, 3), (4, 9), (10, 2), (5, 7), (1, 2, 3)], ids=str)
def test_smart_resize(size):
    def resized(x, *args, **kwargs):
        same("smart_resize", x, size, *args, module=lambda k: k.preprocessing.image, **kwargs)

    for how in ("bilinear", "nearest"):
        resized(PIXELS, how)
        resized(np.moveaxis(PIXELS, -1, 0), how, data_format="channels_first")
    resized(PIXELS[0])
