"""Functions of images."""

from __future__ import annotations

import itertools

import numpy as np

from .entries import call, entry, mark, spec
from .inputs import FLOATS, A, draw, typed, whole

X = draw(2, 6, 8, 3, low=0, high=1)
FIRST = draw(2, 3, 6, 8, low=0, high=1)
BYTES = np.asarray((255 * X).astype("uint8"))
CHANNELS_FIRST = {"data_format": "channels_first"}
TURN = np.array([[1, 0.2, 0.5, -0.1, 1.1, 0.3, 0, 0], [0.9, 0, 1, 0, 1, -2, 0, 0]], "float32")
START = np.array([[[0, 0], [5, 0], [0, 7], [5, 7]]] * 2, "float32")
END = np.array([[[1, 0], [5, 1], [0, 7], [4, 6]], [[0, 0], [5, 0], [1, 7], [5, 5]]], "float32")
KINDS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
EVERY = "ops.image: rgb_to_grayscale rgb_to_hsv hsv_to_rgb sobel_edges gaussian_blur"

call("ops.image: resize", X, (9, 4))
for _kind, _antialias, _size in itertools.product(KINDS, (False, True), ((9, 4), (3, 16))):
    call("ops.image: resize", X, _size, interpolation=_kind, antialias=_antialias)
call("ops.image: resize", X[0].copy(), (9, 4))
call("ops.image: resize", FIRST, (9, 4), **CHANNELS_FIRST)
call("ops.image: resize", X, (4, 4), crop_to_aspect_ratio=True)
call("ops.image: resize", X, (9, 4), crop_to_aspect_ratio=True)
call("ops.image: resize", X, (4, 4), pad_to_aspect_ratio=True, fill_value=0.5)
call("ops.image: resize", X, (3, 9), pad_to_aspect_ratio=True)
for _size in ((5, 5), (6, 2), (3, 3), (2, 7)):  # rests that are odd
    call("ops.image: resize", X, _size, pad_to_aspect_ratio=True, fill_value=0.5)
    call("ops.image: resize", X, _size, crop_to_aspect_ratio=True)
call("ops.image: resize", BYTES, (9, 4), interpolation="nearest")
for _options in [
    {"interpolation": "area"},
    {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
    {"pad_to_aspect_ratio": True, "fill_mode": "wrap"},
]:
    spec("ops.image: resize", X, (4, 4), **_options)
spec("ops.image: resize", X, (4, 4, 4))
spec("ops.image: resize", A, (4, 4))
for _dtype in (*FLOATS, "uint8", "int32"):
    spec("ops.image: resize", typed(_dtype, 2, 6, 8, 3), (3, 4))

for _name in ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb", "sobel_edges", "gaussian_blur"):
    call(f"ops.image: {_name}", X)
    call(f"ops.image: {_name}", X[0].copy())
    call(f"ops.image: {_name}", FIRST, **CHANNELS_FIRST)
    spec(f"ops.image: {_name}", A)
    spec(f"ops.image: {_name}", draw(2, 6, 8, 2))
    if _name != "gaussian_blur":
        spec(f"ops.image: {_name}", X, data_format="other")
    for _dtype in (*FLOATS, "uint8", "int32"):
        spec(f"ops.image: {_name}", typed(_dtype, 2, 6, 8, 3))
call("ops.image: rgb_to_hsv", np.float32([[[0.5] * 3, [0] * 3, [1, 0, 1]]] * 2))
call("ops.image: gaussian_blur", X, (5, 3), (2.0, 0.5))
mark("ops.image: rgb_to_hsv", gradient="")

call("ops.image: rgb_to_grayscale", X[..., :1].copy())
call("ops.image: pad_images", X, 1, 2, target_height=10, target_width=12)
call("ops.image: pad_images", FIRST, 1, 2, 3, 4, **CHANNELS_FIRST)
call(
    "ops.image: pad_images", X, bottom_padding=1, right_padding=2, target_height=10, target_width=12
)
call("ops.image: pad_images", X[0].copy(), 1, 1, 1, 1)
spec("ops.image: pad_images", X, 1, 2)
spec("ops.image: pad_images", X, 1, 2, target_height=3, target_width=3)
spec("ops.image: pad_images", A, 1, 1, 1, 1)
call("ops.image: crop_images", X, 1, 2, 1, 1)
call("ops.image: crop_images", FIRST, 1, 2, target_height=3, target_width=4, **CHANNELS_FIRST)
call("ops.image: crop_images", X[0].copy(), bottom_cropping=1, right_cropping=1, target_height=3,
     target_width=4)  # fmt: skip
spec("ops.image: crop_images", X, 1, 2)
spec("ops.image: crop_images", X, 9, 9, 9, 9)
spec("ops.image: crop_images", A, 1, 1, 1, 1)
for _dtype in ("uint8", "int32", "float16"):
    spec("ops.image: pad_images crop_images", typed(_dtype, 2, 6, 8, 3), 1, 1, 1, 1)

call("ops.image: extract_patches", X, (2, 3))
call("ops.image: extract_patches", X, 3, 2, 1, "same")
call("ops.image: extract_patches", X, 2, 1, 2, "same")
call("ops.image: extract_patches", FIRST, 2, (1, 2), **CHANNELS_FIRST)
call("ops.image: extract_patches", X[0].copy(), 2)
call("ops.image: extract_patches_3d", draw(2, 4, 5, 4, 2), 2, 1)
call("ops.image: extract_patches_3d", draw(2, 4, 5, 4, 2), (2, 3, 2), 2, padding="same")
call("ops.image: extract_patches_3d", draw(4, 5, 4, 2), 2)
spec("ops.image: extract_patches extract_patches_3d", A, 2)
spec("ops.image: extract_patches extract_patches_3d", X, (2, 2, 2, 2))
spec("ops.image: extract_patches", X, 2, 2, 2)
spec("ops.image: extract_patches", X, 2, padding="other")

call("ops.image: affine_transform", X, TURN)
for _mode in ("constant", "nearest", "wrap", "mirror", "reflect"):
    call("ops.image: affine_transform", X, TURN, "nearest", _mode)
call("ops.image: affine_transform", X[0].copy(), TURN[0].copy(), fill_mode="wrap")
call("ops.image: affine_transform", FIRST, TURN, fill_value=0.5, **CHANNELS_FIRST)
spec("ops.image: affine_transform", X, TURN, "bicubic")
spec("ops.image: affine_transform", X, TURN, fill_mode="other")
spec("ops.image: affine_transform", X, TURN[:, :6].copy())
spec("ops.image: affine_transform", A, TURN)
call("ops.image: perspective_transform", X, START, END)
call("ops.image: perspective_transform", X[0].copy(), START[0].copy(), END[0].copy(), "nearest")
call("ops.image: perspective_transform", FIRST, START, END, fill_value=0.5, **CHANNELS_FIRST)
spec("ops.image: perspective_transform", X, START, END[:, :3].copy())
spec("ops.image: perspective_transform", X, START, END, "bicubic")
for _order, _mode in itertools.product(
    (0, 1), ("constant", "nearest", "wrap", "mirror", "reflect")
):
    call("ops.image: map_coordinates", draw(5, 6), 5 * draw(2, 3, 7) + 3, _order, _mode, 0.25)
spec("ops.image: map_coordinates", draw(5, 6), draw(2, 4), 2)
spec("ops.image: map_coordinates", draw(5, 6), draw(3, 4), 1)
spec("ops.image: map_coordinates", draw(5, 6), draw(2, 4), 1, "other")
spec("ops.image: map_coordinates", whole(5, 6), draw(2, 4), 1)
call(
    "ops.image: ssim", draw(2, 16, 16, 3, low=0, high=1), draw(2, 16, 16, 3, low=0, high=1, seed=1)
)
call("ops.image: ssim", X[0].copy(), np.float32(0.9) * X[0], 2.0, 3, 1.0)
spec("ops.image: ssim", X, X[:1].copy())
spec("ops.image: ssim", A, A)
spec("ops.image: ssim", X, X)
for _method, _antialias in itertools.product(("linear", "cubic", "lanczos3"), (True, False)):
    call("ops.image: scale_and_translate", X, (2, 9, 4, 3), np.array([1.5, 0.5], "float32"),
         np.array([0.5, -1], "float32"), (1, 2), _method, _antialias)  # fmt: skip
spec("ops.image: scale_and_translate", X, X.shape, np.ones(1, "float32"), np.ones(1, "float32"),
     (1,), "nearest")  # fmt: skip
mark(
    "ops.image: resize sobel_edges gaussian_blur affine_transform perspective_transform "
    "map_coordinates ssim scale_and_translate rgb_to_hsv hsv_to_rgb",
    tolerance=2e-4,
)

_FILTER = "Keras on JAX loses rows of the kernel; SciPy and its NumPy backend agree with us"
mark("ops.image: sobel_edges", wider="single images and whole numbers too")
entry("ops.image.sobel_edges").differs = dict.fromkeys(
    ["float32[2,6,8,3]", "float32[2,3,6,8],data_format='channels_first'",
     "float32[2,6,8,3]:gradient"],
    _FILTER,
)  # fmt: skip
entry("ops.image.gaussian_blur").differs = dict.fromkeys(
    ["float32[2,6,8,3]", "float32[6,8,3]", "float32[2,6,8,3],[5,3],[2.0,0.5]",
     "float32[2,6,8,3]:gradient"],
    _FILTER,
)  # fmt: skip
mark("ops.image: scale_and_translate", batches=0)  # the shape of the result is given
mark("ops.image: map_coordinates", batches=1)
entry("ops.image.affine_transform").differs = {
    "float32[2,6,8,3],float32[2,8]:gradient": "the last two numbers of an affine map are zeros"
}
