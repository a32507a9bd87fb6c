"""Random numbers, files, text and data sets under TensorFlow's names."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
from PIL import Image

import kerasish as keras
from kerasish.compat import tensorflow

tf = tensorflow.namespace("")
RNG = np.random.default_rng(5)


# -- random numbers


def test_random_numbers():
    tf.random.set_seed(3)
    first = [tf.random.normal((4,)).numpy(), tf.random.uniform((4,), seed=1).numpy()]
    assert (tf.random.uniform((4,), seed=1).numpy() != first[1]).all()  # a stream goes on
    tf.random.set_seed(3)
    again = [tf.random.normal((4,)).numpy(), tf.random.uniform((4,), seed=1).numpy()]
    assert np.array_equal(first, again)
    n = 4000
    x = tf.random.normal((n, 2), mean=[1.0, -1.0], stddev=2.0, dtype=tf.float64)
    assert x.dtype == np.float64 and np.allclose(x.numpy().mean(0), [1, -1], atol=0.2)
    x = tf.random.truncated_normal((n,), stddev=0.5).numpy()
    assert np.abs(x).max() <= 1 and abs(x.mean()) < 0.05
    x = tf.random.uniform((n,), 2, 5, dtype=tf.int32)
    assert x.dtype == np.int32 and set(x.numpy()) == {2, 3, 4}
    x = tf.random.uniform((n,), minval=-1.0, maxval=tf.constant(3.0)).numpy()
    assert -1 <= x.min() < -0.9 and 2.9 < x.max() < 3
    x = tf.random.categorical(tf.math.log([[0.8, 0.2]]), n)
    assert x.shape == (1, n) and x.dtype == np.int64 and abs(x.numpy().mean() - 0.2) < 0.05
    x = tf.random.gamma((n,), [2.0, 3.0], beta=2.0).numpy()
    assert x.shape == (n, 2) and np.allclose(x.mean(0), [1, 1.5], atol=0.1)
    x = tf.random.poisson((n,), [1.0, 4.0]).numpy()
    assert x.shape == (n, 2) and np.allclose(x.mean(0), [1, 4], atol=0.2)
    assert sorted(tf.random.shuffle(tf.range(9)).numpy()) == list(range(9))
    with pytest.raises(ValueError, match="maxval"):
        tf.random.uniform((2,), dtype=tf.int32)


def test_random_numbers_of_given_seeds():
    def same(draw):
        a, b, c = (np.asarray(draw(s)) for s in ((1, 2), tf.constant([1, 2]), (1, 3)))
        return np.array_equal(a, b) and not np.array_equal(a, c)

    assert same(lambda s: tf.random.stateless_normal((9,), seed=s))
    assert same(lambda s: tf.random.stateless_uniform((9,), s, 0, 99, tf.int32))
    assert same(lambda s: tf.random.stateless_truncated_normal((9,), s))
    assert same(lambda s: tf.random.experimental.stateless_shuffle(tf.range(20), seed=s))
    assert same(lambda s: tf.random.stateless_categorical(tf.zeros((1, 9)), 9, s))
    assert same(lambda s: tf.random.experimental.stateless_split(s, 2))
    assert same(lambda s: tf.random.experimental.stateless_fold_in(s, 7))
    one, other = (tf.random.Generator.from_seed(5) for _ in range(2))
    assert np.array_equal(one.normal((3,)), other.normal((3,)))
    assert not np.array_equal(one.uniform((3,)), one.uniform((3,)))
    assert len(one.split(2)) == 2 and one.make_seeds(3).shape == (2, 3)
    image = tf.constant(RNG.random((8, 6, 3)).astype("float32"))
    for name, args in {
        "brightness": (0.3,), "contrast": (0.2, 0.9), "saturation": (0.2, 0.9), "hue": (0.3,),
        "crop": ((4, 4, 3),),
    }.items():  # fmt: skip
        function = getattr(tf.image, f"stateless_random_{name}")
        assert same(lambda s, f=function, a=args: f(image, *a, seed=s)), name
        changed = getattr(tf.image, f"random_{name}")(image, *args)
        assert changed.shape == ((4, 4, 3) if name == "crop" else image.shape)
    flips = [tf.image.random_flip_left_right(image).numpy() for _ in range(30)]
    turned = [np.array_equal(f, image.numpy()[:, ::-1]) for f in flips]
    assert 3 < sum(turned) < 27
    crops = tf.function(lambda x: tf.image.random_crop(x, (2, 2, 3)))
    assert len({crops(image).numpy().tobytes() for _ in range(9)}) > 3
    drops = tf.nn.dropout(tf.ones((1000,)), rate=0.25).numpy()
    assert 0.7 < (drops > 0).mean() < 0.8 and drops.max() == pytest.approx(1 / 0.75)
    rows = tf.nn.dropout(tf.ones((50, 4)), 0.5, noise_shape=[50, 1]).numpy()
    assert (rows == rows[:, :1]).all()


# -- files


def test_files(tmp_path):
    path = str(tmp_path / "deep" / "a.txt")
    tf.io.write_file(path, "one\ntwo é\n")
    assert tf.io.read_file(path).numpy() == "one\ntwo é\n".encode()
    with pytest.raises(tf.errors.NotFoundError):
        tf.io.read_file(str(tmp_path / "none"))
    lines = [t.numpy().decode() for t in tf.data.TextLineDataset(path).skip(1)]
    assert lines == ["two é"]
    gfile = tf.io.gfile
    with gfile.GFile(str(tmp_path / "b.txt"), "w") as file:
        file.write("x")
    assert gfile.exists(path) and gfile.isdir(str(tmp_path)) and not gfile.isdir(path)
    assert gfile.listdir(str(tmp_path)) == ["b.txt", "deep"]
    assert gfile.glob(str(tmp_path / "*.txt")) == [str(tmp_path / "b.txt")]
    gfile.copy(path, str(tmp_path / "c.txt"))
    with pytest.raises(tf.errors.AlreadyExistsError):
        gfile.rename(path, str(tmp_path / "c.txt"))
    files = tf.data.Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)
    assert [t.numpy().decode()[-5:] for t in files] == ["b.txt", "c.txt"]
    gfile.rmtree(str(tmp_path / "deep"))
    assert tf.io.matching_files(str(tmp_path / "*")).shape == (2,)
    pixels = RNG.integers(0, 255, (4, 5, 3)).astype("uint8")
    tf.io.write_file(str(tmp_path / "p.png"), tf.io.encode_png(pixels))
    picture = tf.io.decode_png(tf.io.read_file(str(tmp_path / "p.png")), channels=3)
    np.testing.assert_array_equal(picture, pixels)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no picture"):
        tf.io.decode_image(tf.constant("nothing"))


def test_text_vectorization_with_functions_of_tensorflow():
    def standardize(text):
        text = tf.strings.regex_replace(tf.strings.lower(text), "<br />", " ")
        return tf.strings.strip(tf.strings.regex_replace(text, "[!.,]", ""))

    texts = ["Good<br />film!", "bad, BAD film."]
    words = keras.layers.TextVectorization(standardize=standardize, output_sequence_length=3)
    words.adapt(tf.data.Dataset.from_tensor_slices(texts).batch(2))
    assert words.get_vocabulary() == ["", "[UNK]", "film", "bad", "good"]
    assert words(tf.constant(texts)).numpy().tolist() == [[4, 2, 0], [3, 3, 2]]
    letters = keras.layers.TextVectorization(
        standardize=None, split=lambda x: tf.strings.unicode_split(x, "UTF-8")
    )
    letters.adapt(["aab"])
    assert letters(["ba"]).numpy().tolist() == [[3, 2]]
    pairs = tf.data.Dataset.from_tensor_slices((texts, [1, 0])).batch(2)
    for numbers, label in pairs.map(lambda x, y: (words(x), y)):
        assert numbers.shape == (2, 3) and label.numpy().tolist() == [1, 0]


# -- data sets


def test_mixtures_of_data_sets():
    sets = [tf.data.Dataset.range(300), tf.data.Dataset.range(1000, 1300)]
    mixed = tf.data.Dataset.sample_from_datasets(sets, weights=[0.8, 0.2], seed=3)
    found = [int(x) for x in mixed]
    assert sorted(found) == [*range(300), *range(1000, 1300)] and len(mixed) == 600
    assert 60 < sum(x < 300 for x in found[:100]) < 95
    first = tf.data.Dataset.sample_from_datasets(sets, seed=3, stop_on_empty_dataset=True)
    assert 300 <= len(list(first)) < 600
    assert tf.data.experimental.sample_from_datasets(sets, [1.0, 0.0]).cardinality() == 600
    drawn = [int(x) for x in tf.data.Dataset.random(seed=4).take(5)]
    assert drawn == [int(x) for x in tf.data.Dataset.random(seed=4).take(5)]
    assert len(set(drawn)) == 5 and min(drawn) >= 0 and max(drawn) < 2**32
    numbers = tf.data.experimental.Counter(2, 3).take(2)
    assert [int(x) for x in numbers] == [2, 5]


def test_data_sets_take_options_that_have_no_effect(tmp_path):
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    options.deterministic = False
    data = tf.data.Dataset.range(3).with_options(options).cache(str(tmp_path / "cache"))
    assert [int(x) for x in data] == [0, 1, 2] and not list(tmp_path.iterdir())
    assert bool(tf.data.Dataset.range(0)) and tf.data.AUTOTUNE == -1


def test_errors_of_data_sets(tmp_path):
    data = tf.data.Dataset.range(3)
    for wrong, match in (
        (lambda: data.shard(2, 2), "index=2"),
        (lambda: data.get_single_element(), "more elements"),
        (lambda: tf.data.Dataset.list_files(str(tmp_path / "*")), "No files matched"),
        (lambda: tf.data.Dataset.from_tensor_slices(([1, 2], [1])), "must be equal"),
        (lambda: data.bucket_by_sequence_length(len, [2], [1]), "need 2 batch sizes"),
        (lambda: list(data.map(lambda n: tf.fill([n], n)).padded_batch(3, [1])), "does not fit"),
    ):
        with pytest.raises(ValueError, match=match):
            wrong()
    with pytest.raises(AttributeError, match=r"tensorflow\.data\.TFRecordDataset is not there"):
        _ = tf.data.TFRecordDataset


def test_pictures_of_other_kinds():
    frames = [Image.fromarray(np.full((4, 5, 3), c, "uint8")) for c in (0, 255)]
    made = io.BytesIO()
    frames[0].save(made, "gif", save_all=True, append_images=frames[1:])
    several = tf.io.decode_gif(made.getvalue())
    assert several.shape == (2, 4, 5, 3) and several.numpy()[1].min() == 255
    assert tf.io.decode_image(made.getvalue()).shape == (2, 4, 5, 3)
    assert tf.io.decode_image(made.getvalue(), expand_animations=False).shape == (4, 5, 3)
    made = io.BytesIO()
    frames[1].save(made, "bmp")
    assert tf.image.decode_bmp(made.getvalue()).numpy().min() == 255
    floats = tf.io.decode_image(made.getvalue(), channels=1, dtype=tf.float32)
    assert floats.shape == (4, 5, 1) and floats.numpy().max() == 1.0


def test_functions_of_objects_are_no_part_of_them():
    class Scale:
        factor = 3.0

        @tf.function
        def times(self, x):
            return x * self.factor

    one = Scale()
    assert float(one.times(tf.constant(2.0))) == 6.0
    assert one.times is one.times and not vars(one)
    two = copy.deepcopy(one)
    two.factor = 5.0
    assert float(two.times(tf.constant(2.0))) == 10.0 and two.times is not one.times
