"""`ctc_decode` and `image.elastic_transform` against the published Keras."""

import numpy as np
import pytest
from layer_pairs import close

import kerasish
import kerasish_core as core

pytestmark = pytest.mark.parity

LENGTHS = np.array([8, 5, 1])


def logits(seed, classes=5):
    return (2 * np.random.default_rng(seed).normal(size=(3, 8, classes))).astype("float32")


@pytest.mark.parametrize("mask_index", [0, 2, 4])
@pytest.mark.parametrize("merge", [True, False])
def test_greedy(mask_index, merge):
    import keras

    options = {"merge_repeated": merge, "mask_index": mask_index}
    ours = kerasish.ops.ctc_decode(logits(1), LENGTHS, **options)
    theirs = keras.ops.ctc_decode(logits(1), LENGTHS, **options)
    assert ours[0].dtype.name == str(theirs[0].dtype)
    close(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "width", "paths", "mask"), [(2, 3, 1, 0), (4, 20, 4, 4)])
def test_beam_search(seed, width, paths, mask):
    import keras

    options = {
        "strategy": "beam_search", "beam_width": width, "top_paths": paths, "mask_index": mask,
    }  # fmt: skip
    x, lengths = logits(seed), np.array([8, 5, 4])
    ours = kerasish.ops.ctc_decode(x, lengths, **options)
    close(ours, keras.ops.ctc_decode(x, lengths, **options))
    close(kerasish.function(lambda v: kerasish.ops.ctc_decode(v, lengths, **options))(x), ours)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "order"), [("reflect", "bilinear"), ("constant", "bilinear"), ("wrap", "nearest")]
)
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_elastic_transform(monkeypatch, mode, order, layout):
    import jax
    import keras

    noise = np.random.default_rng(0).normal(size=(2, 9, 7)).astype("float32")
    shape = (2, 9, 7, 3) if layout == "channels_last" else (2, 3, 9, 7)
    images = np.random.default_rng(1).uniform(size=shape).astype("float32")
    monkeypatch.setattr(jax.random, "normal", lambda *args, **options: jax.numpy.asarray(noise))
    monkeypatch.setattr(core.ops.random, "normal", lambda *args: core.convert(noise))
    options = {
        "alpha": 3.0, "sigma": 0.8, "interpolation": order, "fill_mode": mode, "fill_value": 0.5,
        "data_format": layout,
    }  # fmt: skip
    ours = kerasish.ops.image.elastic_transform(images, **options)
    close(ours, keras.ops.image.elastic_transform(images, **options), 1e-4)
