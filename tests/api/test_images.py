"""Images as arrays and files."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from kerasish import ops, preprocessing, utils

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("mode, channels", [("L", 1), ("RGB", 3), ("RGBA", 4)])
def test_there_and_back(mode, channels):
    x = RNG.integers(0, 256, (5, 4, channels)).astype("float32")
    image = utils.array_to_img(x, scale=False)
    assert image.mode == mode and image.size == (4, 5)
    np.testing.assert_array_equal(utils.img_to_array(image), x)
    first = utils.img_to_array(image, data_format="channels_first", dtype="uint8")
    assert first.shape == (channels, 5, 4) and first.dtype == np.uint8
    again = utils.array_to_img(first, data_format="channels_first", scale=False)
    np.testing.assert_array_equal(np.asarray(again), np.asarray(image))


def test_scaling_and_large_values():
    scaled = np.asarray(utils.array_to_img(np.array([[[-1.0], [0.0], [1.0]]])))
    assert scaled.tolist() == [[0, 127, 255]]
    assert np.asarray(utils.array_to_img(np.zeros((2, 2, 1)))).max() == 0
    large = utils.array_to_img(np.full((2, 2, 1), 1000.0), scale=False)
    assert large.mode == "I" and np.asarray(large).max() == 1000


def test_files(tmp_path):
    x = RNG.integers(0, 256, (6, 8, 3)).astype("uint8")
    utils.save_img(tmp_path / "a.png", x, scale=False)
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        np.testing.assert_array_equal(np.asarray(utils.load_img(path)), x)
    data = io.BytesIO((tmp_path / "a.png").read_bytes())
    assert utils.load_img(data, color_mode="grayscale").mode == "L"
    small = utils.load_img(tmp_path / "a.png", target_size=(3, 4), interpolation="bilinear")
    expected = Image.fromarray(x).resize((4, 3), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(np.asarray(small), np.asarray(expected))
    kept = utils.load_img(tmp_path / "a.png", target_size=(3, 3), keep_aspect_ratio=True)
    np.testing.assert_array_equal(
        np.asarray(kept), np.asarray(Image.fromarray(x[:, 1:7]).resize((3, 3), 0))
    )
    with pytest.warns(UserWarning, match="RGBA"):
        utils.save_img(str(tmp_path / "b.jpg"), np.zeros((2, 2, 4)))
    assert utils.load_img(tmp_path / "b.jpg", color_mode="rgba").mode == "RGBA"


def test_wrong_arguments(tmp_path):
    utils.save_img(tmp_path / "a.png", np.zeros((4, 4, 3)))
    for run in (
        lambda: utils.array_to_img(np.zeros((2, 2))),
        lambda: utils.array_to_img(np.zeros((2, 2, 2))),
        lambda: utils.img_to_array(np.zeros(3)),
        lambda: utils.load_img(tmp_path / "a.png", color_mode="cmyk"),
        lambda: utils.load_img(tmp_path / "a.png", target_size=(2, 2), interpolation="x"),
        lambda: preprocessing.image.smart_resize(np.zeros((2, 2, 1)), (1, 2, 3)),
        lambda: preprocessing.image.smart_resize(np.zeros((2, 2)), (1, 2)),
    ):
        with pytest.raises(ValueError):
            run()
    with pytest.raises(TypeError):
        utils.load_img(3)


def test_smart_resize_cuts_first():
    x = np.zeros((4, 8, 1), "float32")
    x[:, 2:6] = 1
    found = preprocessing.image.smart_resize(x, (2, 2))
    assert isinstance(found, np.ndarray) and found.shape == (2, 2, 1) and found.min() == 1


def test_without_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"kerasish\[image\]"):
        utils.array_to_img(np.zeros((2, 2, 3)))


def test_older_names():
    assert preprocessing.sequence.pad_sequences is utils.pad_sequences
    assert preprocessing.image.load_img is utils.load_img
    assert preprocessing.image_dataset_from_directory is utils.image_dataset_from_directory


def test_names_in_capitals():
    x = np.arange(50.0, dtype="float32").reshape(1, 5, 5, 2)
    found = ops.image.extract_patches(x, 2, padding="SAME")
    assert np.array_equal(found, ops.image.extract_patches(x, 2, padding="same"))
    width = [[0, 0], [1, 1], [1, 1], [0, 0]]
    for mode in ("reflect", "symmetric", "constant"):
        assert np.array_equal(ops.pad(x, width, mode=mode.upper()), ops.pad(x, width, mode=mode))
