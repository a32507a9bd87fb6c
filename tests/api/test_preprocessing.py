"""Preprocessing layers of numbers and sound, without Keras."""

import numpy as np
import pytest

import kerasish as k
from kerasish import layers


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_normalization_learns_from_an_array_and_from_batches():
    x = draw(50, 3) * [1, 5, 9] + 2
    layer = layers.Normalization()
    layer.adapt(x)
    y = layer(x).numpy()
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(y.std(0), 1, atol=1e-5)
    assert [v.name for v in layer.weights] == ["mean", "variance", "count"]
    back = layers.Normalization(invert=True)
    back.adapt(x[i : i + 7] for i in range(0, 50, 7))
    np.testing.assert_allclose(back(y), x, rtol=1e-4, atol=1e-4)


def test_normalization_of_a_dataset():
    class Batches(k.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return np.full((4, 2), float(i)), np.zeros(4)

    layer = layers.Normalization()
    layer.adapt(Batches())
    np.testing.assert_allclose(layer.mean, [[1, 1]])
    np.testing.assert_allclose(layer.variance, [[2 / 3, 2 / 3]], rtol=1e-6)


def test_normalization_in_a_compiled_model_follows_adapt():
    layer = layers.Normalization()
    layer.adapt(np.array([[0.0], [2.0]]))
    model = k.Sequential([k.Input((1,)), layer])
    x = np.array([[2.0]])
    assert model.predict(x, verbose=0) == 1
    layer.adapt(np.array([[0.0], [4.0]]))
    assert model.predict(x, verbose=0) == 0


def test_normalization_refuses():
    layer = layers.Normalization()
    with pytest.raises(ValueError, match="empty iterable"):
        layer.adapt([])
    with pytest.raises(TypeError, match="shape"):
        layer.adapt([1.0, 2.0])
    layer.adapt(draw(4, 3))
    with pytest.raises(ValueError, match="incompatible shape"):
        layer.adapt(draw(4, 2))


def test_discretization_learns_bins():
    x = np.random.default_rng(1).permutation(1000).astype("float32")
    layer = layers.Discretization(num_bins=4)
    layer.adapt(x)
    np.testing.assert_allclose(layer.bin_boundaries, [249, 499, 749], atol=12)
    counts = np.bincount(layer(x).numpy())
    assert len(counts) == 4
    assert counts.min() > 230
    twin = layers.Discretization.from_config(layer.get_config())
    np.testing.assert_array_equal(twin(x), layer(x))


def test_sparse_is_refused():
    for make in (
        lambda: layers.CategoryEncoding(3, sparse=True),
        lambda: layers.Discretization([0.0], output_mode="one_hot", sparse=True),
    ):
        with pytest.raises(ValueError, match="sparse"):
            make()


def test_numbers_in_a_model_compile_and_save(tmp_path):
    inputs = k.Input((2,))
    normal = layers.Normalization()
    normal.adapt(draw(20, 2) * 3)
    bins = layers.Discretization(num_bins=3, output_mode="one_hot")
    bins.adapt(draw(20, 2))
    x = layers.Flatten()(bins(normal(inputs)))
    model = k.Model(inputs, layers.Dense(1)(x))
    model.compile("sgd", "mse", jit_compile=True)
    model.fit(draw(20, 2), draw(20, 1), verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = k.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(
        loaded.predict(draw(5, 2), verbose=0), model.predict(draw(5, 2), verbose=0), rtol=1e-6
    )


def test_spectrogram_finds_the_tone():
    tone = np.sin(2 * np.pi * 100 * np.arange(800) / 800).astype("float32")
    layer = layers.STFTSpectrogram("psd", frame_length=64, scaling=None)
    y = layer(tone[None, :, None]).numpy()
    assert set(y[0].argmax(-1)) == {100 * 64 // 800}
    mel = layers.MelSpectrogram(64, 20, sampling_rate=800, num_mel_bins=8)
    assert mel(tone).shape == mel.compute_output_shape((800,)) == (8, 41)
