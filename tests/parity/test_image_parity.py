"""`keras.ops.image` beside Keras."""

import numpy as np
import pytest
from scipy import ndimage

import kerasish
import kerasish_core as core

# JAX compiles every op anew: minutes, so that only `scripts/check --all` runs this file.
pytestmark = [pytest.mark.parity, pytest.mark.slow]
ours = kerasish.ops.image


@pytest.fixture(scope="module")
def theirs():
    import keras

    return keras.ops.image


def draw(*shape):
    return np.random.default_rng(list(shape)).random(size=shape).astype("float32")


X = draw(2, 6, 8, 3)
FIRST = draw(2, 3, 6, 8)
BYTES = (255 * X).astype("uint8")
TURN = np.array([[1, 0.2, 0.5, -0.1, 1.1, 0.3, 0, 0], [0.9, 0, 1, 0, 1, -2, 0, 0]], "float32")
POINTS = np.array([[[0, 0], [5, 0], [0, 7], [5, 7]]] * 2, "float32")
MOVED = np.array([[[1, 0], [5, 1], [0, 7], [4, 6]], [[0, 0], [5, 0], [1, 7], [5, 5]]], "float32")
LAST, CHANNELS_FIRST = {}, {"data_format": "channels_first"}

CASES = {
    **{
        f"resize {i} {a} {size}": lambda k, i=i, a=a, size=size: k.resize(
            X, size, interpolation=i, antialias=a
        )
        for i in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
        for a in (False, True)
        for size in ((9, 4), (3, 16))
    },
    "resize of one": lambda k: k.resize(X[0], (9, 4)),
    "resize, channels first": lambda k: k.resize(FIRST, (9, 4), **CHANNELS_FIRST),
    "resize, cropped": lambda k: k.resize(X, (4, 4), crop_to_aspect_ratio=True),
    "resize, cropped high": lambda k: k.resize(X, (9, 4), crop_to_aspect_ratio=True),
    "resize, padded": lambda k: k.resize(X, (4, 4), pad_to_aspect_ratio=True, fill_value=0.5),
    "resize, padded wide": lambda k: k.resize(X, (3, 9), pad_to_aspect_ratio=True),
    "gray": lambda k: k.rgb_to_grayscale(X),
    "gray, channels first": lambda k: k.rgb_to_grayscale(FIRST, **CHANNELS_FIRST),
    "hsv": lambda k: k.rgb_to_hsv(X),
    "hsv of gray": lambda k: k.rgb_to_hsv(np.float32([[[0.5] * 3, [0] * 3]] * 2)),
    "rgb": lambda k: k.hsv_to_rgb(X),
    "rgb, channels first": lambda k: k.hsv_to_rgb(FIRST, **CHANNELS_FIRST),
    "pad": lambda k: k.pad_images(X, 1, 2, target_height=10, target_width=12),
    "pad by sides": lambda k: k.pad_images(FIRST, 1, 2, 3, 4, **CHANNELS_FIRST),
    "pad from below": lambda k: k.pad_images(
        X, bottom_padding=1, right_padding=2, target_height=10, target_width=12
    ),
    "crop": lambda k: k.crop_images(X, 1, 2, 1, 1),
    "crop to": lambda k: k.crop_images(
        FIRST, 1, 2, target_height=3, target_width=4, **CHANNELS_FIRST
    ),
    "patches": lambda k: k.extract_patches(X, (2, 3)),
    "patches, same": lambda k: k.extract_patches(X, 3, 2, 1, "same"),
    "patches, dilated": lambda k: k.extract_patches(X, 2, 1, 2, "same"),
    "patches, channels first": lambda k: k.extract_patches(FIRST, 2, (1, 2), **CHANNELS_FIRST),
    "patches of volumes": lambda k: k.extract_patches_3d(draw(2, 4, 5, 4, 2), 2, 1),
    "affine": lambda k: k.affine_transform(X, TURN),
    "affine, nearest": lambda k: k.affine_transform(X, TURN, "nearest", "reflect"),
    "affine of one": lambda k: k.affine_transform(X[0], TURN[0], fill_mode="wrap"),
    "affine, channels first": lambda k: k.affine_transform(
        FIRST, TURN, fill_value=0.5, **CHANNELS_FIRST
    ),
    "perspective": lambda k: k.perspective_transform(X, POINTS, MOVED),
    "perspective of one": lambda k: k.perspective_transform(X[0], POINTS[0], MOVED[0], "nearest"),
    **{
        f"map {order} {mode}": lambda k, order=order, mode=mode: k.map_coordinates(
            draw(5, 6), 14 * draw(2, 3, 7) - 5, order, mode, 0.25
        )
        for order in (0, 1)
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
    },
    "ssim": lambda k: k.ssim(draw(2, 16, 16, 3), draw(2, 16, 17, 3)[:, :, :16]),
    "ssim of one": lambda k: k.ssim(X[0], 0.9 * X[0], 2.0, 3, 1.0),
    **{
        f"scale {method} {a}": lambda k, method=method, a=a: k.scale_and_translate(
            X, (2, 9, 4, 3), np.array([1.5, 0.5], "float32"), np.array([0.5, -1], "float32"),
            (1, 2), method, a,
        )
        for method in ("linear", "cubic", "lanczos3")
        for a in (True, False)
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_values(theirs, case):
    found, expected = (np.asarray(CASES[case](k)) for k in (ours, theirs))
    assert found.shape == expected.shape and found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


def test_filters():
    """Keras on JAX loses rows of the kernel here; its NumPy backend gives what SciPy gives."""
    for kernel_size, sigma in [((3, 3), (1.0, 1.0)), ((5, 3), (2.0, 0.5))]:
        bells = []
        for n, width in zip(kernel_size, sigma):
            bell = np.exp(-0.5 * ((np.arange(n) - n // 2) / width) ** 2)
            bells.append(bell / bell.sum())
        kernel = np.outer(*bells)
        expected = ndimage.correlate(X, kernel[None, :, :, None], mode="constant")
        found = ours.gaussian_blur(X, kernel_size, sigma)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        first = ours.gaussian_blur(X.transpose(0, 3, 1, 2), kernel_size, sigma, "channels_first")
        np.testing.assert_allclose(np.asarray(first).transpose(0, 2, 3, 1), found, atol=1e-6)
        np.testing.assert_allclose(ours.gaussian_blur(X[0], kernel_size, sigma), found[0])
    down = np.outer([-1, 0, 1], [1, 2, 1])
    expected = [
        ndimage.correlate(X, kernel[None, :, :, None], mode="nearest") for kernel in (down, down.T)
    ]
    found = np.asarray(ours.sobel_edges(X))
    np.testing.assert_allclose(found, np.stack(expected, -1), rtol=1e-5, atol=1e-5)
    first = np.asarray(ours.sobel_edges(X[0].transpose(2, 0, 1), "channels_first"))
    np.testing.assert_allclose(first.transpose(1, 2, 0, 3), found[0], atol=1e-6)


def test_bytes(theirs):
    for run in [
        lambda k: k.resize(BYTES, (4, 4)),
        lambda k: k.resize(BYTES, (9, 4), interpolation="nearest"),
        lambda k: k.resize(BYTES, (9, 4), interpolation="bicubic"),
        lambda k: k.rgb_to_grayscale(BYTES),
    ]:
        found, expected = (np.asarray(run(k)).astype(int) for k in (ours, theirs))
        assert np.abs(found - expected).max() <= 1
        assert (found != expected).mean() < 0.02


def test_gradients(theirs):
    import jax

    for run in [
        lambda k, x: k.resize(x, (9, 4), interpolation="bicubic"),
        lambda k, x: k.affine_transform(x, TURN),
        lambda k, x: k.rgb_to_hsv(x),
    ]:
        t = core.constant(X)
        with core.GradientTape() as tape:
            tape.watch(t)
            y = run(ours, t)
            total = core.ops.sum(core.ops.square(y))
        expected = jax.grad(lambda x, run=run: (run(theirs, x) ** 2).sum())(jax.numpy.asarray(X))
        np.testing.assert_allclose(tape.gradient(total, t), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("fill", ["constant", "nearest", "wrap", "mirror", "reflect"])
def test_gradients_by_the_map(theirs, fill):
    """By the six numbers of an affine map and by the points of a perspective one.

    Keras on JAX takes the last two numbers of an affine map for zeros.
    """
    import jax

    weights = draw(*X.shape)

    def compare(call, at):
        found = core.grad(lambda t: core.ops.sum(call(ours, t) * weights))(at)
        judge = jax.grad(lambda t: (call(theirs, t) * weights).sum())(at)
        np.testing.assert_allclose(np.asarray(found), judge, rtol=1e-4, atol=1e-4)

    def affine(k, six):
        zeros = np.zeros((2, 2), "float32")
        join = core.ops.concatenate if k is ours else jax.numpy.concatenate
        return k.affine_transform(X, join([six, zeros], 1), fill_mode=fill, fill_value=0.3)

    compare(affine, TURN[:, :6])
    if fill == "constant":
        moved = MOVED + 0.3  # off the grid, where slopes jump
        compare(lambda k, t: k.perspective_transform(X, POINTS, t), moved)
        compare(lambda k, t: k.perspective_transform(X, t, moved), POINTS)


def test_refusals(theirs):
    for run in [
        lambda k: k.resize(X, (4, 4, 4)),
        lambda k: k.resize(X[0, 0], (4, 4)),
        lambda k: k.resize(X, (4, 4), interpolation="area"),
        lambda k: k.resize(X, (4, 4), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
        lambda k: k.resize(X, (4, 4), fill_mode="wrap"),
        lambda k: k.rgb_to_hsv(BYTES),
        lambda k: k.rgb_to_grayscale(X[..., :2]),
        lambda k: k.pad_images(X, 1, 2),
        lambda k: k.pad_images(X, 1, 2, target_height=3, target_width=3),
        lambda k: k.crop_images(X, 1, 2),
        lambda k: k.map_coordinates(draw(5, 6), draw(2, 4), 2),
        lambda k: k.map_coordinates(draw(5, 6), draw(3, 4), 1),
        lambda k: k.map_coordinates(draw(5, 6), draw(2, 4), 1, "other"),
        lambda k: k.affine_transform(X, TURN, "bicubic"),
        lambda k: k.scale_and_translate(X, X.shape, [1.0], [0.0], (1,), "nearest"),
    ]:
        for k in (theirs, ours):
            with pytest.raises(ValueError):
                run(k)


def test_symbolic():
    x = kerasish.Input((6, 8, 3))
    assert ours.resize(x, (9, 4)).shape == (None, 9, 4, 3)
    assert ours.extract_patches(x, 2).shape == (None, 3, 4, 12)
    assert ours.affine_transform(x, TURN[0]).shape == (None, 6, 8, 3)


WHOLE = np.random.default_rng(1).integers(0, 256, (2, 7, 8, 3)).astype("uint8")


@pytest.mark.parametrize(
    "run",
    [
        lambda k: k.map_coordinates(WHOLE[0, ..., 0], 5 * np.abs(draw(2, 30)), 1),
        lambda k: k.map_coordinates(WHOLE[0, ..., 0].astype("int32"), 5 * np.abs(draw(2, 30)), 1),
        lambda k: k.resize(WHOLE, (2, 4)),
        lambda k: k.resize(WHOLE, (14, 5), interpolation="bicubic"),
    ],
)
def test_whole_numbers_are_rounded(theirs, run):
    np.testing.assert_array_equal(np.asarray(run(ours)), np.asarray(run(theirs)))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_halves_are_rounded_away_from_0(theirs, dtype, interpolation):
    images, half = (WHOLE.astype("int32") - 20 * (dtype != "uint8")).astype(dtype), 0.5
    six = np.array([[1, 0, half, 0, 1, -half, 0, 0], [1, 0, -half, 0, 1, 0, 0, 0]], "float32")
    places = np.arange(-4, 12, dtype="float32").reshape(1, -1) / 2 * np.ones((2, 1), "float32")
    order = ["nearest", "bilinear"].index(interpolation)
    for run in (
        lambda k: k.affine_transform(images, six, interpolation),
        lambda k: k.map_coordinates(images[0, ..., 0], places, order),
        lambda k: k.map_coordinates(images[0, ..., 0], places, order, "mirror"),
    ):
        np.testing.assert_array_equal(np.asarray(run(ours)), np.asarray(run(theirs)))


def test_whole_numbers_that_are_scaled_become_floats(theirs):
    moves = np.array([1.5, 0.75], "float32"), np.array([0.5, -0.25], "float32"), (1, 2), "linear"
    found, expected = (np.asarray(k.scale_and_translate(WHOLE, (2, 9, 8, 3), *moves))
                       for k in (ours, theirs))  # fmt: skip
    assert found.dtype == expected.dtype == "float32"
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["gaussian_blur", "sobel_edges"])
def test_whole_numbers_that_are_filtered_become_floats(name):
    filtered = getattr(ours, name)
    found, expected = (np.asarray(filtered(x)) for x in (WHOLE, WHOLE.astype("float32")))
    assert found.dtype == "float32" and expected.any()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["affine_transform", "perspective_transform"])
def test_whole_numbers_are_rounded_where_images_turn(theirs, name):
    given = (TURN,) if name == "affine_transform" else (POINTS, MOVED)
    whole = X.astype("int32") * 7
    found, expected = (np.asarray(getattr(k, name)(whole, *given)) for k in (ours, theirs))
    # Places that differ in the last bit of float32 may round to neighbours.
    assert found.dtype == expected.dtype and np.abs(found - expected).max() <= 1
    assert np.mean(found != expected) < 0.02
