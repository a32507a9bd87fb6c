"""Preprocessing layers of numbers and sound, compared with Keras."""

import numpy as np
import pytest
from layer_pairs import both, close, compare, equal, plain, same_error, variables

import kerasish

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),
]


def draw(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape).astype("float32")


INTEGERS = np.array([[0, 3, 3], [2, 5, 1]], "int32")
CATEGORIES = [
    ({"num_tokens": 6}, INTEGERS),
    ({"num_tokens": 6, "output_mode": "count"}, INTEGERS),
    ({"num_tokens": 6, "output_mode": "one_hot"}, INTEGERS),
    ({"num_tokens": 6, "output_mode": "one_hot"}, INTEGERS[:, :1]),
    ({"num_tokens": 6, "output_mode": "count"}, INTEGERS[0]),
    ({"num_tokens": 6, "output_mode": "multi_hot"}, INTEGERS[:, :1]),
    ({"num_tokens": 4, "output_mode": "count"}, INTEGERS - 1),  # some are out of range
]


@pytest.mark.parametrize("options, x", CATEGORIES)
def test_category_encoding(options, x):
    compare(lambda k: k.layers.CategoryEncoding(**options), x, grads=False, shapes=x.ndim > 1)


@pytest.mark.slow
def test_category_encoding_of_high_ranks_and_scalars():
    for mode in ("multi_hot", "count", "one_hot"):
        for x in (np.arange(12).reshape(2, 3, 2) % 5, np.array(3)):
            theirs, ours = (k.layers.CategoryEncoding(5, mode)(x) for k in both())
            close(ours, theirs)


def test_category_encoding_weights():
    weights = draw(2, 3)
    theirs, ours = (
        k.layers.CategoryEncoding(6, "count")(INTEGERS, count_weights=weights) for k in both()
    )
    close(ours, theirs)


BINS = [
    ({"bin_boundaries": [-1.0, 0.0, 0.5]}, (3, 4)),
    ({"bin_boundaries": [0.0], "output_mode": "one_hot"}, (3, 1)),
    ({"bin_boundaries": [-0.5, 0.5], "output_mode": "one_hot"}, (3, 2)),
    ({"bin_boundaries": [-0.5, 0.5], "output_mode": "multi_hot", "name": "d"}, (3, 2)),
    ({"bin_boundaries": [-0.5, 0.5], "output_mode": "count", "dtype": "float16"}, (3, 2)),
    ({"bin_boundaries": [-0.5, 0.5], "output_mode": "count"}, (3, 2, 2)),
]


@pytest.mark.parametrize("options, shape", BINS)
def test_discretization(options, shape):
    compare(lambda k: k.layers.Discretization(**options), draw(*shape), grads=False)


def test_discretization_on_the_boundary_and_of_integers():
    for x in (np.array([-1.0, 0.0, 0.5, 0.4999], "float32"), np.array([[-2, 0, 3]])):
        theirs, ours = (k.layers.Discretization([-1.0, 0.0, 0.5])(x) for k in both())
        close(ours, theirs)


NORMALIZED = [
    ({}, (6, 3)),
    ({"axis": None}, (6, 3)),
    ({"axis": 1}, (6, 3, 2)),
    ({"axis": (1, -1), "invert": True}, (6, 3, 2)),
    ({"axis": -1, "invert": True}, (4, 2, 3)),
    ({"axis": (-1, 1)}, (4, 2, 3)),
]


@pytest.mark.slow
@pytest.mark.parametrize("options, shape", NORMALIZED)
def test_normalization_adapts(options, shape):
    data, x = draw(*shape) * 3 + 1, draw(2, *shape[1:])
    theirs, ours = (k.layers.Normalization(**options) for k in both())
    for layer in (theirs, ours):
        layer.build(shape)
    equal(variables(ours), variables(theirs))
    kept = tuple(a for a in range(len(shape)) if a not in theirs._keep_axis)
    # Keras's own adapt imports TensorFlow; its result is this.
    theirs.adapt_mean.assign(data.mean(kept))
    theirs.adapt_variance.assign(data.var(kept))
    theirs.finalize_state()
    ours.adapt(data)
    close(ours.get_weights(), theirs.get_weights())
    close((ours.mean, ours.variance), (theirs.mean, theirs.variance))
    close(ours(x), theirs(x))
    equal(plain(ours.get_config()), plain(theirs.get_config()))
    equal(plain(ours.get_build_config()), plain(theirs.get_build_config()))
    parts = (data[:1], data[1:3], data[3:])
    for batches in (list(parts), (p for p in parts), [(p, None) for p in parts]):
        again = kerasish.layers.Normalization(**options)
        again.adapt(batches)
        close(again.get_weights(), ours.get_weights())


GIVEN = [
    ({"mean": 1.5, "variance": 4.0}, (2, 3)),
    ({"mean": [1.0, 2.0, 3.0], "variance": [4.0, 5.0, 0.0]}, (2, 3)),
    ({"axis": (1, 2), "mean": [1.0, 2.0], "variance": [4.0, 5.0]}, (3, 4, 2)),
    ({"axis": (1, 2), "mean": [[1.0, 2.0]], "variance": [[4.0, 5.0]]}, (3, 1, 2)),
    ({"axis": None, "mean": 1.5, "variance": 4.0, "invert": True}, (2, 3)),
]


@pytest.mark.slow
@pytest.mark.parametrize("options, shape", GIVEN)
def test_normalization_by_given_values(options, shape):
    compare(lambda k: k.layers.Normalization(**options), draw(*shape))


WRONG = [
    lambda k: k.layers.CategoryEncoding(),
    lambda k: k.layers.CategoryEncoding(0),
    lambda k: k.layers.CategoryEncoding(3, "int"),
    lambda k: k.layers.CategoryEncoding(6)(INTEGERS, count_weights=INTEGERS),
    lambda k: k.layers.Discretization(),
    lambda k: k.layers.Discretization([1.0], 2),
    lambda k: k.layers.Discretization(num_bins=-1),
    lambda k: k.layers.Discretization([1.0], output_mode="tf_idf"),
    lambda k: k.layers.Discretization([1.0], sparse=True),
    lambda k: k.layers.Discretization(num_bins=2)(draw(2)),
    lambda k: k.layers.Discretization([1.0]).adapt(draw(2)),
    lambda k: k.layers.Normalization(mean=1.0),
    lambda k: k.layers.Normalization(mean=1.0, variance=[1.0]),
    lambda k: k.layers.Normalization(mean=[[1.0]], variance=[[1.0]]),
    lambda k: k.layers.Normalization(axis=3).build((2, 3)),
    lambda k: k.layers.Normalization().build((2, None)),
    lambda k: k.layers.MelSpectrogram(fft_length=8, sequence_length=9),
    lambda k: k.layers.STFTSpectrogram("power"),
    lambda k: k.layers.STFTSpectrogram(frame_length=8, frame_step=9),
    lambda k: k.layers.STFTSpectrogram(frame_length=8, fft_length=4),
    lambda k: k.layers.STFTSpectrogram(scaling="none"),
    lambda k: k.layers.STFTSpectrogram(window="blue"),
    lambda k: k.layers.STFTSpectrogram(padding="full"),
    lambda k: k.layers.STFTSpectrogram()(np.zeros((1, 300, 1), "int32")),
    lambda k: k.layers.Pipeline.from_config({"name": "p"}),
]


@pytest.mark.slow
@pytest.mark.parametrize("run", WRONG)
def test_refused(run):
    same_error(run)


SMALL = {"fft_length": 64, "sequence_stride": 20, "sampling_rate": 800, "num_mel_bins": 8}
MEL = [
    ({}, (2, 200)),
    ({}, (200,)),
    ({"window": "hamming", "sequence_length": 40, "power_to_db": False}, (2, 200)),
    ({"window": None, "top_db": 20.0, "mag_exp": 1.0, "ref_power": 5.0}, (2, 200)),
    ({"min_freq": 50.0, "max_freq": 300.0, "min_power": 1e-3}, (1, 128)),
]


@pytest.mark.slow
@pytest.mark.parametrize("options, shape", MEL)
def test_mel_spectrogram(options, shape):
    compare(
        lambda k: k.layers.MelSpectrogram(**{**SMALL, **options}), draw(*shape),
        tolerance=2e-4, grads=False, shapes=len(shape) > 1,
    )  # fmt: skip


@pytest.mark.slow
def test_mel_matrix():
    theirs, ours = (k.layers.MelSpectrogram().linear_to_mel_weight_matrix() for k in both())
    close(ours, theirs, 2e-5)


FIRST = {"data_format": "channels_first"}
STFT = [
    ({}, (2, 60, 2)),
    ({"mode": "magnitude", "window": "hamming", "padding": "same"}, (2, 60, 2)),
    ({"mode": "psd", "scaling": "spectrum", "periodic": True}, (2, 60, 1)),
    ({"mode": "real", "frame_step": 5, "expand_dims": True}, (2, 60, 2)),
    ({"mode": "imag", "window": None, "scaling": None}, (2, 60, 1)),
    ({"mode": "stft", "fft_length": 32}, (2, 60, 2)),
    ({"mode": "stft", "expand_dims": True, **FIRST}, (2, 2, 60)),
    ({"mode": "psd", "padding": "same", **FIRST}, (2, 2, 60)),
    ({"mode": "angle", "window": list(range(1, 17))}, (1, 60, 1)),
]


@pytest.mark.slow
@pytest.mark.parametrize("options, shape", STFT)
def test_stft_spectrogram(options, shape):
    options = {"frame_length": 16, **options}
    grads = options.get("mode") in ("psd", "real")
    compare(
        lambda k: k.layers.STFTSpectrogram(**options), draw(*shape), tolerance=1e-4, grads=grads
    )


def test_pipeline():
    def make(k):
        return k.layers.Pipeline(
            [k.layers.Rescaling(2.0), k.layers.Discretization([0.0, 2.0])], name="p"
        )

    x = draw(2, 3)
    theirs, ours = (make(k) for k in both())
    close(ours(x), theirs(x))
    equal(plain(ours.get_config()), plain(theirs.get_config()))
    close(type(ours).from_config(plain(theirs.get_config()))(x), theirs(x))
    assert [type(a).__name__ for a in ours.layers] == ["Rescaling", "Discretization"]
