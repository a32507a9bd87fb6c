"""Keras 2's preprocessing of images, text and sequences, against what Keras 2 answered."""

import json
import pickle
import threading
from pathlib import Path

import classic_preprocessing_cases as cases
import numpy as np
import pytest

import kerasish as keras
from kerasish.compat import image, sequence, text
from kerasish.compat.image.resampling import MODES, resample

FIXTURE = Path(__file__).resolve().parents[1] / "golden" / "classic_preprocessing.npz"


@pytest.fixture(scope="module")
def expected():
    with np.load(FIXTURE) as file:
        found = {name: file[name] for name in file.files}
    return found | json.loads(str(found.pop("plain")))


def compare(group, found, expected):
    named = {name for name in expected if name.startswith(group + "/")}
    assert named == {f"{group}/{name}" for name in found}
    for name, value in found.items():
        judge = expected[f"{group}/{name}"]
        if isinstance(judge, np.ndarray):
            assert (value.shape, value.dtype) == (judge.shape, judge.dtype), name
            np.testing.assert_allclose(value, judge, rtol=1e-5, atol=1e-4, err_msg=name)
        else:
            assert json.loads(json.dumps(value)) == judge, name


def test_flows(expected):
    compare("flows", cases.flows(image), expected)


def test_functions(expected):
    compare("functions", cases.functions(image), expected)


@pytest.fixture
def folder(tmp_path):
    pil = pytest.importorskip("PIL.Image")
    cases.make_folder(tmp_path / "data", lambda pixels, path: pil.fromarray(pixels).save(path))
    return tmp_path / "data"


def test_files(expected, folder, capsys):
    pandas = pytest.importorskip("pandas")
    with pytest.warns(UserWarning, match="1 invalid image filename"):
        found = cases.files(image, pandas, folder)
    compare("files", found, expected)
    assert "Found 9 images belonging to 3 classes.\n" in capsys.readouterr().out


def test_texts(expected):
    compare("texts", cases.texts(text), expected)


def test_sequences(expected):
    compare("sequences", cases.sequences(sequence), expected)


# -- what the published one does not answer, or answers wrongly
def test_sample_weights_of_a_subset():
    """They are split as the images are; Keras 2 gave those of other images."""
    x = cases.pictures()
    generator = image.ImageDataGenerator(validation_split=0.4)
    with pytest.raises(ValueError, match="different number of classes"):
        generator.flow(x, np.arange(5), subset="training")
    batches = generator.flow(
        x, np.arange(5), sample_weight=np.arange(5.0), subset="training", shuffle=False,
        ignore_class_split=True,
    )  # fmt: skip
    batch, labels, weights = next(batches)
    np.testing.assert_array_equal(batch, x[2:])
    assert labels.tolist() == weights.tolist() == [2, 3, 4]


def test_pictures_are_saved(tmp_path):
    batches = image.ImageDataGenerator().flow(
        cases.pictures(), batch_size=2, shuffle=False, save_to_dir=tmp_path, save_prefix="p",
        save_format="jpeg",
    )  # fmt: skip
    next(batches)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name[:4] for name in names] == ["p_0_", "p_1_"]
    assert image.load_img(tmp_path / names[0]).size == (7, 8)


def test_more_inputs_and_arrays_untouched():
    x = cases.pictures()
    kept = x.copy()
    generator = image.ImageDataGenerator(rescale=0.5, samplewise_center=True)
    (batch, more), labels = next(
        generator.flow((x, np.arange(5)), np.arange(5), shuffle=False, batch_size=5)
    )
    assert more.tolist() == labels.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(batch.mean(axis=(1, 2, 3)), 0, atol=1e-4)
    np.testing.assert_array_equal(x, kept)


def test_threads_share_an_iterator():
    """Each sample comes once an epoch, whoever asks for the batches; and a seed's batches are the
    same as one thread's, in some order."""

    def batches():
        generator = image.ImageDataGenerator(rotation_range=90)
        x = cases.pictures().repeat(4, axis=0)
        return generator.flow(x, np.arange(20), batch_size=2, seed=3)

    shared, found = batches(), []

    def work():
        found.extend(next(shared) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = batches()
    wanted = [next(alone) for _ in range(20)]

    def key(batch):
        return batch[1].tolist(), float(batch[0].sum())

    assert sorted(map(key, found)) == sorted(map(key, wanted))


def test_iterators_can_be_pickled():
    batches = image.ImageDataGenerator().flow(cases.pictures(), batch_size=2, seed=1)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(batches))[1], batches[1])


def test_a_model_learns_from_them():
    keras.utils.set_random_seed(0)
    x = np.random.RandomState(0).rand(64, 6, 6, 1).astype("float32")
    y = (x[:, :3].mean(axis=(1, 2, 3)) > x[:, 3:].mean(axis=(1, 2, 3))).astype("float32")
    generator = image.ImageDataGenerator(horizontal_flip=True)
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    batches = generator.flow(x, y, batch_size=16)
    assert len(batches) == 4
    history = model.fit(
        batches, epochs=30, verbose=0, validation_data=generator.flow(x, y, batch_size=16)
    )
    assert history.history["val_accuracy"][-1] > 0.9
    assert model.evaluate(batches, verbose=0)[1] > 0.9
    rows = generator.flow(x, batch_size=10, shuffle=False)
    assert model.predict(rows, verbose=0).shape == (64, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(zoom_range=(1, 2, 3)), "zoom_range"),
        (dict(brightness_range=1.0), "brightness_range"),
        (dict(validation_split=1.5), "validation_split"),
        (dict(data_format="last"), "data_format"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        image.ImageDataGenerator(**options)


def test_wrong_data(folder):
    generator = image.ImageDataGenerator(validation_split=0.5, featurewise_center=True)
    with pytest.raises(ValueError, match="rank 4"):
        generator.flow(np.zeros((3, 4, 4)))
    with pytest.raises(ValueError, match="same length"):
        generator.flow(np.zeros((3, 4, 4, 1)), np.zeros(2))
    with pytest.raises(ValueError, match="Invalid subset name: test"):
        generator.flow(np.zeros((3, 4, 4, 1)), subset="test")
    with pytest.raises(ValueError, match="Invalid class_mode: other"):
        generator.flow_from_directory(folder, class_mode="other")
    with pytest.raises(ValueError, match="Invalid color mode: hsv"):
        generator.flow_from_directory(folder, color_mode="hsv")
    with pytest.warns(UserWarning, match="hasn't been fit"):
        generator.standardize(np.zeros((4, 4, 1)))
    with pytest.warns(UserWarning, match="5 channels"):
        generator.flow(np.zeros((3, 4, 4, 5)))
    with pytest.warns(UserWarning, match="overrides setting of `featurewise_center`"):
        assert image.ImageDataGenerator(zca_whitening=True).featurewise_center
    frame = pytest.importorskip("pandas").DataFrame({"filename": ["a.png"], "class": [1]})
    with pytest.raises(TypeError, match=r"must be str.*Found 1.*astype"):
        generator.flow_from_dataframe(frame, folder, class_mode="sparse")
    with pytest.raises(ValueError, match="there must be 2 classes"):
        generator.flow_from_dataframe(frame.astype(str), folder, class_mode="binary")
    with pytest.raises(TypeError, match="y_col must be a list"):
        generator.flow_from_dataframe(frame, folder, class_mode="multi_output")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_pixels_between_pixels(mode, order):
    """Against SciPy, far outside of the image too."""
    ndimage = pytest.importorskip("scipy.ndimage")
    generator = np.random.RandomState(0)
    for case in range(60):
        height, width, channels = generator.randint(1, 8, 3)
        x = generator.rand(height, width, channels).astype("float32" if case % 2 else "float64")
        matrix = generator.normal(size=(2, 2)) if case % 4 else np.eye(2)
        offset = generator.uniform(-12, 12, 2) if case % 3 else generator.randint(-3, 4, 2) * 1.0
        found = resample(x, matrix, offset, order, mode, 0.3)
        wanted = [
            ndimage.affine_transform(x[..., i], matrix, offset, order=order, mode=mode, cval=0.3)
            for i in range(channels)
        ]
        assert found.dtype == x.dtype
        np.testing.assert_allclose(found, np.stack(wanted, -1), atol=3e-7, rtol=0)


def test_wrong_axes():
    with pytest.raises(ValueError, match="distinct"):
        image.apply_affine_transform(np.zeros((3, 3, 3)), theta=1, row_axis=0)
    with pytest.raises(ValueError, match="not axis 1"):
        image.apply_affine_transform(np.zeros((3, 3, 3)), row_axis=0, channel_axis=1)
    with pytest.raises(ValueError, match="rank 3"):
        image.apply_affine_transform(np.zeros((3, 3)))


def test_tokenizer_errors():
    with pytest.warns(UserWarning, match="num_words"):
        assert text.Tokenizer(nb_words=3).num_words == 3
    with pytest.raises(TypeError, match="words"):
        text.Tokenizer(words=3)
    with pytest.raises(ValueError, match="Specify a dimension"):
        text.Tokenizer().texts_to_matrix(["a"])
    with pytest.raises(ValueError, match="tfidf"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], mode="tfidf")
    with pytest.raises(ValueError, match="Unknown vectorization mode: bag"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], mode="bag")
    assert all(0 < n < 9 for n in text.one_hot("the cat sat on the mat", 9))


def test_windows_errors():
    with pytest.raises(ValueError, match="same length"):
        sequence.TimeseriesGenerator(np.zeros(5), np.zeros(4), length=2)
    with pytest.raises(ValueError, match="no part of the sequence"):
        sequence.TimeseriesGenerator(np.zeros(5), np.zeros(5), length=5)
    with pytest.raises(TypeError, match="not JSON Serializable"):
        sequence.TimeseriesGenerator([b"a"] * 5, np.zeros(5), length=2).to_json()
