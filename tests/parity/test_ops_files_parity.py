"""Models of function calls, written by one package and read by the other."""

import numpy as np
import pytest
from layer_pairs import both, close

pytestmark = [pytest.mark.parity, pytest.mark.slow]

# Calls on images (2, 8, 8, 3) in [0, 1]; the functions stand in `ops` or `ops.image`. Not
# among them: filters, whose convolution by channel JAX computes wrongly on some machines.
IMAGES = {
    "affine": lambda ops, x: ops.image.affine_transform(
        x, np.float32([[1, 0, 1, 0.1, 1, 0, 0, 0]] * 2), fill_mode="reflect"
    ),
    "resize": lambda ops, x: ops.image.resize(x, (5, 6)),
    "gray": lambda ops, x: ops.image.rgb_to_grayscale(x),
    "hsv": lambda ops, x: ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(x)),
    "patches": lambda ops, x: ops.image.extract_patches(x, (2, 2)),
    "pad": lambda ops, x: ops.image.pad_images(x, 1, 2, target_height=12, target_width=13),
    "crop": lambda ops, x: ops.image.crop_images(x, 1, 2, target_height=4, target_width=3),
    "depth": lambda ops, x: ops.nn.space_to_depth(x, 2),
    "erfc": lambda ops, x: ops.erfc(x) + ops.rsqrt(x + 1),
    "isin": lambda ops, x: ops.cast(ops.isin(ops.round(x), np.float32([1.0])), "float32"),
    "svd": lambda ops, x: ops.svd(ops.reshape(x, (-1, 8, 24)), full_matrices=False)[1],
    "psnr": lambda ops, x: ops.expand_dims(ops.psnr(x, x * 0.9, 1.0), 0),
    "inverse": lambda ops, x: ops.inv(x[..., 0] + 8 * np.eye(8, dtype="float32")),
}


@pytest.mark.parametrize("name", sorted(IMAGES))
def test_a_file_of_ours_is_read_by_keras_and_back(name, tmp_path):
    keras, ours = both()
    data = np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")
    x = ours.layers.Input((8, 8, 3), batch_size=2)
    model = ours.models.Model(x, IMAGES[name](ours.ops, x))
    expected = model(data)
    model.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    close(expected, theirs(data), 1e-4, name)
    theirs.save(tmp_path / "theirs.keras")
    back = ours.models.load_model(tmp_path / "theirs.keras")
    close(back(data), expected, 1e-6, name)


@pytest.mark.parametrize("strategy", ["greedy", "beam_search"])
def test_decoding_in_a_file(strategy, tmp_path):
    keras, ours = both()
    logits = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
    x = ours.layers.Input((6, 4), batch_size=2)
    y = ours.ops.ctc_decode(x, np.array([6, 4]), strategy, beam_width=4)
    model = ours.models.Model(x, list(y))
    model.save(tmp_path / "ours.keras")
    close(model(logits), keras.models.load_model(tmp_path / "ours.keras")(logits), 1e-5)
