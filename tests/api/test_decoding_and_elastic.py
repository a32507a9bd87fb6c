"""`ops.image.elastic_transform` against SciPy, and `ops.ctc_decode` against all alignments."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import correlate1d, map_coordinates

import kerasish
import kerasish_core as core
from kerasish import ops


def expected(images, noise, alpha, sigma):
    """The definition, in double precision."""
    size = int(6 * sigma) | 1
    bell = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    bell /= bell.sum()
    found = np.empty(images.shape)
    rows, columns = np.indices(noise.shape[1:])
    for b, field in enumerate(noise):
        moved = sigma * field
        for axis in (0, 1):
            moved = correlate1d(moved, bell, axis, mode="constant")
        places = [rows + alpha * moved, columns + alpha * moved]
        for c in range(images.shape[-1]):
            found[b, ..., c] = map_coordinates(images[b, ..., c], places, order=1, mode="reflect")
    return found


@pytest.mark.parametrize("compiled", [False, True])
def test_elastic_transform(compiled):
    images = np.random.default_rng(0).uniform(size=(2, 12, 10, 3)).astype("float32")
    noise = kerasish.random.normal((2, 12, 10), seed=3).numpy()

    def call(x):
        return ops.image.elastic_transform(x, alpha=4.0, sigma=1.3, seed=3)

    found = kerasish.function(call)(images) if compiled else call(images)
    np.testing.assert_allclose(found, expected(images, noise, 4.0, 1.3), rtol=1e-4, atol=1e-4)
    single = ops.image.elastic_transform(images[0], alpha=0.0)
    np.testing.assert_allclose(single, images[0], atol=1e-6)


def test_elastic_transform_is_symbolic_random_and_checked():
    x = kerasish.Input((12, 10, 3))
    y = ops.image.elastic_transform(x, seed=kerasish.random.SeedGenerator(0))
    assert y.shape == (None, 12, 10, 3)
    model = kerasish.Model(x, y)
    images = np.random.default_rng(0).uniform(size=(2, 12, 10, 3)).astype("float32")
    assert np.abs(np.asarray(model(images)) - np.asarray(model(images))).max() > 0.01
    with pytest.raises(ValueError, match="fill_mode"):
        ops.image.elastic_transform(images, fill_mode="none")
    with pytest.raises(ValueError, match="interpolation"):
        ops.image.elastic_transform(images, interpolation="cubic")
    with pytest.raises(ValueError, match="floats"):
        ops.image.elastic_transform(images.astype("uint8"))


def label_scores(log_p, blank):
    """Every label sequence with the sum of the probabilities of its alignments."""
    found = {}
    steps, classes = log_p.shape
    for path in itertools.product(range(classes), repeat=steps):
        labels = tuple(c for i, c in enumerate(path) if c != blank and (i == 0 or path[i - 1] != c))
        score = np.exp(sum(log_p[t, c] for t, c in enumerate(path)))
        found[labels] = found.get(labels, 0.0) + score
    return sorted(((s, k) for k, s in found.items()), reverse=True)


@pytest.mark.parametrize("blank", [0, 2])
def test_beam_search_finds_the_likeliest_labels(blank):
    x = np.random.default_rng(blank).normal(size=(2, 5, 3)).astype("float32")
    lengths = [5, 4]
    labels, scores = ops.ctc_decode(
        x, np.array(lengths), "beam_search", beam_width=64, top_paths=4, mask_index=blank
    )
    assert labels.shape == (4, 2, 5)
    for b, length in enumerate(lengths):
        log_p = np.asarray(ops.log_softmax(core.convert(x[b, :length])), "float64")
        for path, (score, wanted) in enumerate(label_scores(log_p, blank)[:4]):
            row = labels[path, b].numpy()
            assert tuple(row[row >= 0]) == wanted
            np.testing.assert_allclose(scores[b, path], np.log(score), rtol=1e-4, atol=1e-5)


def test_greedy_decoding():
    x = ops.one_hot(np.array([[1, 1, 0, 1, 2, 2], [0, 2, 2, 1, 1, 1]]), 3) * 2.0
    labels, scores = ops.ctc_decode(x, np.array([6, 4]))
    assert labels.numpy().tolist() == [[[1, 1, 2, -1, -1, -1], [2, 1, -1, -1, -1, -1]]]
    assert scores.numpy().tolist() == [[-12.0], [-8.0]]
    labels, _ = ops.ctc_decode(x, np.array([6, 4]), merge_repeated=False)
    assert labels.numpy().tolist() == [[[1, 1, 1, 2, 2, -1], [2, 2, 1, -1, -1, -1]]]
    with pytest.raises(ValueError, match="strategy"):
        ops.ctc_decode(x, np.array([6, 4]), "best")
