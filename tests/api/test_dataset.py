"""The data set that files and series are read into."""

import wave

import numpy as np
import pytest
from PIL import Image

import kerasish
import kerasish_core as core
from kerasish import layers, utils
from kerasish.utils.dataset import INFINITE, UNKNOWN, Dataset
from kerasish.utils.from_directory import read_wav, resample


def numbers(n):
    return Dataset.from_tensor_slices(np.arange(n))


def values(dataset):
    return [np.asarray(x).tolist() for x in dataset]


def test_changes():
    ds = numbers(7)
    assert len(ds) == 7 and values(ds.batch(3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert values(ds.batch(3, drop_remainder=True)) == [[0, 1, 2], [3, 4, 5]]
    assert len(ds.batch(3)) == 3 and len(ds.batch(3, drop_remainder=True)) == 2
    assert values(ds.take(2)) == [0, 1] and values(ds.skip(5)) == [5, 6]
    assert len(ds.take(9)) == 7 and len(ds.skip(9)) == 0 and values(ds.take(-1)) == list(range(7))
    assert values(ds.map(lambda x: x * 2).take(3)) == [0, 2, 4]
    assert values(ds.filter(lambda x: x % 2 == 1)) == [1, 3, 5]
    assert ds.filter(lambda x: True).cardinality() == UNKNOWN
    assert values(ds.batch(3).unbatch()) == list(range(7))
    assert values(ds.take(2).repeat(2)) == [0, 1, 0, 1] and len(ds.repeat(3)) == 21
    assert ds.repeat().cardinality() == INFINITE and values(ds.repeat().take(9))[7:] == [0, 1]
    assert values(ds.take(2).concatenate(numbers(1))) == [0, 1, 0]
    assert [int(i) for i, _ in ds.skip(5).enumerate(5)] == [5, 6]
    pairs = Dataset.zip(ds, ds.map(lambda x: x + 1))
    assert values(pairs.map(lambda a, b: a + b).take(2)) == [1, 3] and len(pairs) == 7
    assert values(ds.prefetch(2)) == values(ds)
    for wrong in (ds.repeat(), ds.filter(bool)):
        with pytest.raises(TypeError, match="dataset"):
            len(wrong)
    with pytest.raises(ValueError, match="batch_size"):
        ds.batch(0)


def test_elements_are_tensors():
    images, _ = next(iter(Dataset.from_tensor_slices((np.ones((4, 2)), np.arange(4))).batch(2)))
    assert isinstance(images, core.Tensor) and images.numpy().shape == (2, 2)
    first = next(Dataset.from_tensor_slices({"a": np.ones(3)}).as_numpy_iterator())
    assert isinstance(first["a"], np.float64)
    spec = Dataset.from_tensor_slices(np.ones((4, 2), "float32")).element_spec
    assert (spec.shape, spec.dtype) == ((2,), "float32") and spec.shape.as_list() == [2]


def test_shuffling_is_anew_in_each_epoch_and_the_same_for_a_seed():
    ds = numbers(50).shuffle(50, seed=3)
    first, second = values(ds), values(ds)
    assert first != second and sorted(first) == sorted(second) == list(range(50))
    again = numbers(50).shuffle(50, seed=3)
    assert [values(again), values(again)] == [first, second]
    still = numbers(50).shuffle(50, seed=3, reshuffle_each_iteration=False)
    assert values(still) == values(still)
    near = values(numbers(50).shuffle(5, seed=1))
    assert sorted(near) == list(range(50)) and max(near[:5]) < 10


def test_a_cache_reads_once():
    read = []

    def note(x):
        read.append(int(x))
        return x

    ds = numbers(4).map(note).cache()
    assert values(ds.take(2)) == [0, 1]  # not all: nothing is kept
    assert values(ds) == values(ds) == [0, 1, 2, 3]
    assert read == [0, 1, 0, 1, 2, 3] or read == [0, 1, 2, 0, 1, 2, 3]


def test_sounds_of_different_lengths_are_filled_up():
    rows = Dataset.from_tensor_slices(np.arange(1, 4)).map(
        lambda n: np.ones((int(n), 1), "float32")
    )
    batch = next(iter(rows.padded_batch(3)))
    assert batch.shape == (3, 3, 1) and np.asarray(batch).sum((1, 2)).tolist() == [1, 2, 3]


def test_split():
    x, y = np.arange(10), np.arange(10) * 2
    left, right = utils.split_dataset((x, y), left_size=0.75)
    assert len(left) == 8 and [tuple(map(int, e)) for e in right] == [(8, 16), (9, 18)]
    left, right = utils.split_dataset(x, right_size=4, shuffle=True, seed=1)
    # Python's generator, as in Keras.
    assert values(left) + values(right) == [6, 8, 9, 7, 5, 3, 0, 4, 1, 2]
    left, right = utils.split_dataset(numbers(10).batch(4), left_size=6)
    assert values(left) == [[0, 1, 2, 3], [4, 5]] and values(right) == [[6, 7, 8, 9]]
    for arguments, match in [
        ({}, "At least one"), ({"left_size": 20}, "left_size=20"),
        ({"left_size": 6, "right_size": 6}, "greater than"), ({"left_size": 0.01}, "empty"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=match):
            utils.split_dataset(x, **arguments)
    with pytest.raises(ValueError, match="one length"):
        utils.split_dataset((x, y[:3]), 0.5)
    with pytest.raises(TypeError):
        utils.split_dataset("abc", 0.5)


# -- files


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two classes of pictures, one color each; the blue of a picture is its number."""
    folder = tmp_path_factory.mktemp("images")
    number = 0
    for name, red in (("cats", 10), ("dogs", 200)):
        (folder / name / "deep").mkdir(parents=True)
        for i in range(5):
            pixels = np.zeros((6 + i, 9, 3), "uint8")
            pixels[..., 0], pixels[..., 2] = red, number
            place = folder / name / ("deep" if i == 4 else "") / f"{i}.png"
            Image.fromarray(pixels).save(place)
            number += 1
    (folder / "cats" / "notes.md").write_text("no picture")
    (folder / ".hidden").mkdir()
    return folder


def seen(dataset):
    """The numbers of the pictures, with their labels."""
    found = []
    for x, y in dataset:
        found += zip(np.asarray(x)[:, 0, 0, 2].astype(int).tolist(), np.asarray(y).tolist())
    return found


def test_images_of_a_folder(images, capsys):
    ds = utils.image_dataset_from_directory(images, image_size=(4, 5), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    assert ds.class_names == ["cats", "dogs"] and len(ds) == 3 and len(ds.file_paths) == 10
    assert seen(ds) == [(i, int(i > 4)) for i in range(10)]
    x, y = next(iter(ds))
    assert x.shape == (4, 4, 5, 3) and x.dtype == np.float32 and y.dtype == np.int32
    assert set(np.unique(np.asarray(x)[..., 0])) == {10.0}


def test_labels_and_colors(images):
    def load(**more):
        given = {"image_size": (4, 4), "shuffle": False, "verbose": False, "batch_size": 10}
        return next(iter(utils.image_dataset_from_directory(images, **(given | more))))

    assert np.asarray(load(label_mode="binary")[1]).tolist() == [[0.0]] * 5 + [[1.0]] * 5
    assert np.asarray(load(label_mode="categorical")[1])[5].tolist() == [0.0, 1.0]
    assert load(label_mode=None).shape == (10, 4, 4, 3)
    assert load(labels=None, color_mode="grayscale").shape == (10, 4, 4, 1)
    assert load(color_mode="rgba")[0].shape == (10, 4, 4, 4)
    assert load(data_format="channels_first")[0].shape == (10, 3, 4, 4)
    assert np.asarray(load(labels=list(range(10)))[1]).tolist() == list(range(10))
    x, y = load(class_names=["dogs"])
    assert x.shape[0] == 5 and np.asarray(y).tolist() == [0] * 5
    assert load(batch_size=None)[0].shape == (4, 4, 3)
    padded = np.asarray(load(pad_to_aspect_ratio=True)[0])
    assert padded[0, 2:].max() == 0 and (padded[0, :2, :, 0] == 10).all()
    assert np.asarray(load(crop_to_aspect_ratio=True)[0])[..., 0].min() == 10


def test_subsets_do_not_overlap(images, capsys):
    given = {"seed": 3, "validation_split": 0.3, "image_size": (4, 4)}
    train, val = utils.image_dataset_from_directory(images, subset="both", **given)
    assert "Using 7 files for training.\nUsing 3 files for validation." in capsys.readouterr().out
    first, second = seen(train), seen(train)
    assert first != second and sorted(first) == sorted(second)
    assert sorted(first + seen(val)) == [(i, int(i > 4)) for i in range(10)]
    assert seen(val) == seen(val)
    alone = utils.image_dataset_from_directory(images, subset="validation", **given)
    assert sorted(seen(alone)) == sorted(seen(val))
    assert train.file_paths + val.file_paths == (
        utils.image_dataset_from_directory(images, seed=3, image_size=(4, 4)).file_paths
    )


def test_training_on_files(images):
    train, val = utils.image_dataset_from_directory(
        images, image_size=(4, 4), label_mode="binary", batch_size=4, subset="both", seed=1,
        validation_split=0.4, verbose=False,
    )  # fmt: skip
    model = kerasish.Sequential(
        [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1, activation="sigmoid")]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(train.cache().prefetch(1), validation_data=val, epochs=3, verbose=0)
    assert set(history.history) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    assert model.predict(val, verbose=0).shape == (4, 1)
    assert len(model.evaluate(val, verbose=0)) == 2
    scaled = train.map(lambda x, y: (x / 255.0, y))
    assert np.asarray(next(iter(scaled))[0]).max() <= 1.0


@pytest.mark.parametrize(
    "arguments, match",
    [
        ({"labels": 3}, "`labels`"), ({"label_mode": "x"}, "label_mode"),
        ({"labels": [0] * 10, "class_names": ["a"]}, "class_names"),
        ({"labels": [0] * 3}, "lengths of `labels`"), ({"class_names": ["a"]}, "did not match"),
        ({"labels": None, "class_names": ["cats"]}, "labels=None"),
        ({"validation_split": 2, "subset": "training"}, "between 0 and 1"),
        ({"validation_split": 0.5}, "subset"), ({"subset": "training"}, "subset"),
        ({"validation_split": 0.5, "subset": "test", "seed": 1}, "subset"),
        ({"validation_split": 0.5, "subset": "training"}, "seed"),
        ({"color_mode": "hsv"}, "color_mode"), ({"image_size": (1, 2, 3)}, "image_size"),
        ({"interpolation": "cubic"}, "interpolation"), ({"format": "torch"}, "format"),
        ({"class_names": ["dogs"], "label_mode": "binary"}, "exactly 2"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one"),
    ],
)  # fmt: skip
def test_wrong_arguments(images, arguments, match):
    with pytest.raises(ValueError, match=match):
        utils.image_dataset_from_directory(images, verbose=False, **arguments)


def test_empty_folders(tmp_path):
    (tmp_path / "a").mkdir()
    for load in (utils.image_dataset_from_directory, utils.text_dataset_from_directory):
        with pytest.raises(ValueError, match=r"No .* files found"):
            load(tmp_path, verbose=False)


def test_texts_of_a_folder(tmp_path):
    for name in ("neg", "pos"):
        (tmp_path / name).mkdir()
        for i in range(2):
            (tmp_path / name / f"{i}.txt").write_text(f"{name} ä {i}", encoding="utf-8")
    ds = utils.text_dataset_from_directory(tmp_path, shuffle=False, verbose=False, batch_size=3)
    texts, labels = next(iter(ds))
    assert texts.tolist() == ["neg ä 0", "neg ä 1", "pos ä 0"]
    assert np.asarray(labels).tolist() == [0, 0, 1]
    short = utils.text_dataset_from_directory(
        tmp_path, labels=None, max_length=5, shuffle=False, verbose=False
    )
    assert next(iter(short)).tolist() == ["neg ä", "neg ä", "pos ä", "pos ä"]
    vectorizer = layers.TextVectorization()
    vectorizer.adapt(ds.map(lambda x, y: x))
    assert set(vectorizer.get_vocabulary()) >= {"neg", "pos", "ä"}


def write_wav(path, samples, rate=8000, width=2):
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.shape[1], width, rate, len(samples), "NONE", ""))
        whole = np.round(samples * (2 ** (8 * width - 1) - 1))
        if width == 1:
            data = (whole + 128).astype("u1").tobytes()
        else:
            bits = whole.astype("<i4")[..., None].view("u1").reshape(*samples.shape, 4)
            data = bits[..., :width].tobytes()
        file.writeframes(data)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_widths_of_samples(tmp_path, width):
    samples = np.random.default_rng(width).uniform(-1, 1, (50, 2)) * 0.99
    write_wav(tmp_path / "a.wav", samples, 16000, width)
    found, rate = read_wav(str(tmp_path / "a.wav"))
    assert rate == 16000 and found.dtype == np.float32
    np.testing.assert_allclose(found, samples, atol=2.0 ** (2 - 8 * width) + 1e-6)


def test_sounds_of_a_folder(tmp_path):
    for i, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        write_wav(tmp_path / name / "0.wav", np.full((100 + 20 * i, 1), 0.5))

    def load(**more):
        ds = utils.audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False, **more)
        return next(iter(ds))

    x, y = load()
    assert x.shape == (2, 120, 1) and np.asarray(y).tolist() == [0, 1]
    assert np.asarray(x)[0, 100:].max() == 0 and abs(np.asarray(x)[0, 50, 0] - 0.5) < 1e-4
    assert load(output_sequence_length=110)[0].shape == (2, 110, 1)
    assert load(sampling_rate=4000)[0].shape == (2, 60, 1)
    for wrong in ({"ragged": True}, {"sampling_rate": -1}, {"sampling_rate": 1.5}):
        with pytest.raises(ValueError):
            load(**wrong)


@pytest.mark.parametrize("wanted", [8000, 44100])
def test_resampling_keeps_a_tone(wanted):
    rate, pitch = 16000, 440.0
    tone = np.sin(2 * np.pi * pitch * np.arange(1600) / rate)[:, None]
    found = resample(tone, rate, wanted)[:, 0]
    expected = np.sin(2 * np.pi * pitch * np.arange(len(found)) / wanted)
    inner = slice(len(found) // 4, -len(found) // 4)
    assert len(found) == 1600 * wanted / rate
    np.testing.assert_allclose(found[inner], expected[inner], atol=2e-3)


# -- series


def test_windows_of_a_series():
    data = np.arange(20.0)
    ds = utils.timeseries_dataset_from_array(
        data, data * 10, 4, sequence_stride=3, sampling_rate=2, batch_size=2
    )
    x, y = zip(*((np.asarray(a), np.asarray(b)) for a, b in ds))
    assert [len(v) for v in x] == [2, 2, 1] and len(ds) == 3
    expected = np.arange(0, 14, 3)[:, None] + np.arange(0, 8, 2)
    np.testing.assert_array_equal(np.concatenate(x), expected)
    np.testing.assert_array_equal(np.concatenate(y), expected[:, 0] * 10)
    ds = utils.timeseries_dataset_from_array(data, None, 3, start_index=5, end_index=10)
    np.testing.assert_array_equal(np.asarray(next(iter(ds))), [[5, 6, 7], [6, 7, 8], [7, 8, 9]])
    ds = utils.timeseries_dataset_from_array(data, None, 3, batch_size=None)
    assert next(iter(ds)).shape == (3,) and len(ds) == 18
    ds = utils.timeseries_dataset_from_array(data, None, 3, shuffle=True, seed=2)
    first, second = (np.asarray(next(iter(ds))) for _ in range(2))
    assert (first != second).any() and sorted(first[:, 0]) == list(range(18))


@pytest.mark.parametrize(
    "arguments",
    [
        {"start_index": -1}, {"start_index": 30}, {"start_index": 5, "end_index": 4},
        {"end_index": 30}, {"end_index": -2}, {"sampling_rate": 0}, {"sampling_rate": 30},
        {"sequence_stride": 0}, {"sequence_stride": 30}, {"format": "x"},
    ],
)  # fmt: skip
def test_wrong_windows(arguments):
    with pytest.raises(ValueError):
        utils.timeseries_dataset_from_array(np.arange(20), None, 3, **arguments)


@pytest.mark.parametrize(
    "n, size, shift, stride, drop, expected",
    [
        (5, 2, None, 1, False, [[0, 1], [2, 3], [4]]),
        (5, 3, 1, 1, True, [[0, 1, 2], [1, 2, 3], [2, 3, 4]]),
        (5, 3, 2, 2, False, [[0, 2, 4], [2, 4], [4]]),
        (7, 2, 5, 2, True, [[0, 2]]),
        (7, 2, 5, 1, False, [[0, 1], [5, 6]]),
        (0, 2, 1, 1, False, []),
    ],
)
def test_windows(n, size, shift, stride, drop, expected):
    """Numbers of tf.data."""
    found = numbers(n).window(size, shift, stride, drop)
    assert [values(w) for w in found] == expected and len(found) == len(expected)


def test_a_series_by_windows():
    series = numbers(6).window(4, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(4))
    pairs = [(np.asarray(a).tolist(), np.asarray(b).tolist())
             for a, b in series.map(lambda w: (w[:-1], w[-1:]))]  # fmt: skip
    assert pairs == [([0, 1, 2], [3]), ([1, 2, 3], [4]), ([2, 3, 4], [5])]
    both = Dataset.zip(numbers(3), numbers(3).map(lambda x: x + 10)).window(2)
    assert [[values(part) for part in pair] for pair in both] == [[[0, 1], [10, 11]], [[2], [12]]]
    assert int(numbers(5).reduce(0, lambda total, x: total + x)) == 10
    with pytest.raises(ValueError, match="at least 1"):
        numbers(5).window(0)


CHOICES = {
    "shuffle": lambda d: d.shuffle(7, seed=3),
    "shuffle all": lambda d: d.shuffle(100, seed=3),
    "one order": lambda d: d.shuffle(7, seed=3, reshuffle_each_iteration=False),
    "take and skip": lambda d: d.skip(3).take(12),
    "repeat": lambda d: d.shuffle(5, seed=1).repeat(2),
    "shard": lambda d: d.shard(3, 1),
    "cache": lambda d: d.shuffle(20, seed=2).cache().shuffle(6, seed=4),
    "all": lambda d: d.skip(1).shuffle(9, seed=5).cache().repeat(3).take(40).shard(2, 0),
}


@pytest.mark.parametrize("name", CHOICES)
def test_rows_of_arrays_are_chosen_as_elements_are(name):
    """Batches of rows are taken from the arrays at once; in the order of the elements."""
    x, y = (
        np.arange(40).reshape(20, 2),
        {"a": np.arange(20.0), "b": np.array(list("abcdefghij" * 2))},
    )
    rows = CHOICES[name](Dataset.from_tensor_slices((x, y)))
    single = CHOICES[name](Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a, b)))
    assert rows.cardinality() == single.cardinality()
    for drop in (False, True):
        one, other = rows.batch(4, drop_remainder=drop), single.batch(4, drop_remainder=drop)
        assert one.cardinality() == other.cardinality() and one.element_spec == other.element_spec
        for _ in range(3):
            pairs = list(zip(one.as_numpy_iterator(), other.as_numpy_iterator(), strict=True))
            assert len(pairs) == one.cardinality()
            for (a, b), (c, d) in pairs:
                np.testing.assert_array_equal(a, c)
                assert a.dtype == c.dtype
                for key in b:
                    assert b[key].dtype == d[key].dtype and b[key].tolist() == d[key].tolist()


def test_shuffling_reaches_every_place():
    seen = np.zeros((20, 20))
    for seed in range(300):
        order = [int(i) for i in Dataset.range(20).shuffle(6, seed=seed)]
        assert sorted(order) == list(range(20))
        seen[np.arange(20), order] += 1
    assert np.all(seen[0, :6] > 20) and np.all(seen[0, 6:] == 0)  # out of the first six
    assert np.count_nonzero(seen[-1]) > 12  # old elements may wait until the end


def test_image_layers_give_floats_in_data_sets():
    """As Keras's do within `tf.data`; on arrays they keep the dtype of whole numbers."""
    images = np.arange(2 * 6 * 6 * 3).reshape(2, 6, 6, 3).astype("uint8")
    for layer in (
        layers.Resizing(4, 4),
        layers.RandomGrayscale(1.0),
        layers.MaxNumBoundingBoxes(2),
    ):
        assert layer(images).dtype == "uint8"
        mapped = next(iter(Dataset.from_tensor_slices(images).batch(2).map(layer)))
        whole = layer(images.astype("float32"))
        assert mapped.dtype == "float32" and np.array_equal(mapped, whole)
        pairs = Dataset.from_tensor_slices((images, np.arange(2))).batch(2)
        x, y = next(iter(pairs.map(lambda x, y, layer=layer: (layer(x), y))))
        assert x.dtype == "float32" and np.array_equal(x, whole) and y.dtype.kind == "i"
    kept = layers.Resizing(4, 4, dtype="uint8")
    assert next(iter(Dataset.from_tensor_slices(images).map(kept))).dtype == "uint8"
