"""The modules of `keras.utils` in Keras 1 and 2, and their data sets' arguments."""

import hashlib
import importlib
import pathlib
import tarfile
import threading
import zipfile

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers
from kerasish.compat import OlderSpelling, generation
from kerasish.compat.utils import (
    conv_utils,
    data_utils,
    generic_utils,
    layer_utils,
    np_utils,
    test_utils,
)


@pytest.fixture
def generation_2():
    generation.set_generation(2)
    yield
    generation.set_generation(3)


# -- np_utils
def test_one_hot_rows(generation_2):
    found = keras.utils.to_categorical([[0], [2]])
    np.testing.assert_array_equal(found, [[1, 0, 0], [0, 0, 1]])
    assert found.dtype == "float32"
    assert keras.utils.to_categorical([1], 4, dtype="int8").tolist() == [[0, 1, 0, 0]]
    assert np_utils.to_categorical(np.zeros((2, 3), int), nb_classes=2).shape == (2, 3, 2)


def test_classes_of_probabilities():
    assert np_utils.probas_to_classes([[0.2, 0.8], [0.6, 0.4]]).tolist() == [1, 0]
    assert np_utils.probas_to_classes([[0.2], [0.6]]).tolist() == [0, 1]
    assert np_utils.accuracy([1, 0], [1, 1]) == 0.5
    p = np.array([[0.25, 0.75], [0.5, 0.5]])
    wanted = -(np.log(0.75) + np.log(0.5)) / 2
    assert np_utils.multiclass_logloss(p, np.eye(2)[[1, 0]]) == pytest.approx(wanted)
    assert np_utils.binary_logloss(p[:, 1], [1, 0]) == pytest.approx(wanted)


# -- conv_utils
SIZES = [(n, k, s, d) for n in (7, 8) for k in (1, 2, 3) for s in (1, 2, 3) for d in (1, 2)]


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_lengths_are_those_of_convolutions(padding):
    for n, k, stride, dilation in SIZES:
        if stride > 1 and dilation > 1:
            continue
        layer = layers.Conv1D(1, k, stride, padding, dilation_rate=dilation)
        wanted = layer.compute_output_shape((1, n, 1))[1]
        assert conv_utils.conv_output_length(n, k, padding, stride, dilation) == wanted


def test_lengths_of_transposed_convolutions():
    for padding in ("valid", "same"):
        for n, k, stride, _ in SIZES:
            layer = layers.Conv1DTranspose(1, k, stride, padding)
            wanted = layer.compute_output_shape((1, n, 1))[1]
            assert conv_utils.deconv_output_length(n, k, padding, None, stride) == wanted
            assert conv_utils.deconv_length(n, stride, k, padding) == wanted
    assert conv_utils.deconv_output_length(5, 3, "same", 1, 2) == 10
    assert conv_utils.deconv_output_length(5, 3, "full", None, 2) == 7


def test_lengths_there_and_back():
    for padding in ("valid", "same", "full"):
        n = conv_utils.conv_input_length(5, 3, padding, 2)
        assert conv_utils.conv_output_length(n, 3, padding, 2) == 5
        assert conv_utils.conv_input_length(None, 3, padding, 2) is None
        assert conv_utils.deconv_output_length(None, 3, padding) is None
    assert conv_utils.conv_output_length(None, 3, "same", 2) is None
    with pytest.raises(ValueError, match="padding='half'"):
        conv_utils.conv_output_length(5, 3, "half", 1)


def test_arguments_of_convolutions():
    assert conv_utils.normalize_tuple(np.int64(3), 2, "size") == (3, 3)
    assert conv_utils.normalize_tuple([1, np.int32(2)], 2, "size") == (1, 2)
    for wrong in ((1, 2, 3), 0, "ab", (1.5, 2), None):
        with pytest.raises(ValueError, match="`size` argument must be a tuple of 2"):
            conv_utils.normalize_tuple(wrong, 2, "size")
    assert conv_utils.normalize_tuple(0, 2, "size", allow_zero=True) == (0, 0)
    assert conv_utils.normalize_padding("SAME") == "same"
    assert conv_utils.normalize_padding([1, 2]) == [1, 2]
    with pytest.raises(ValueError, match="Received: half"):
        conv_utils.normalize_padding("half")
    assert conv_utils.convert_data_format("channels_first", 5) == "NCDHW"
    assert conv_utils.convert_data_format("channels_last", 4) == "NHWC"
    with pytest.raises(ValueError, match="rank not supported: 2"):
        conv_utils.convert_data_format("channels_last", 2)
    assert conv_utils.normalize_data_format(None) == "channels_last"


def test_kernels_turned_over():
    kernel = np.arange(12.0).reshape(2, 3, 1, 2)
    turned = conv_utils.convert_kernel(kernel)
    np.testing.assert_array_equal(turned[0, 0], kernel[1, 2])
    with pytest.raises(ValueError, match="Invalid kernel shape"):
        conv_utils.convert_kernel(np.zeros((2, 2)))
    inner = keras.Sequential([layers.Input((5, 5, 1)), layers.Conv2D(2, (2, 3), name="c")])
    model = keras.Sequential([inner, layers.Flatten(), layers.Dense(1)])
    before = [w.copy() for w in model.get_weights()]
    layer_utils.convert_all_kernels_in_model(model)
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], before[0][::-1, ::-1])
    for old, new in zip(before[1:], after[1:]):
        np.testing.assert_array_equal(old, new)


def test_dense_after_flatten_in_the_other_data_format():
    maps = np.random.RandomState(0).rand(4, 2, 3, 5).astype("float32")  # channels last
    dense = layers.Dense(2)
    wanted = np.asarray(dense(maps.reshape(4, -1)))
    layer_utils.convert_dense_weights_data_format(dense, (5, 2, 3), "channels_first")
    first = maps.transpose(0, 3, 1, 2).reshape(4, -1)
    np.testing.assert_allclose(np.asarray(dense(first)), wanted, rtol=1e-5, atol=1e-6)
    layer_utils.convert_dense_weights_data_format(dense, (2, 3, 5), "channels_last")
    np.testing.assert_allclose(np.asarray(dense(maps.reshape(4, -1))), wanted, atol=1e-6)
    with pytest.raises(ValueError, match="30 rows"):
        layer_utils.convert_dense_weights_data_format(dense, (2, 3, 4), "channels_last")


def test_summaries(capsys):
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    layer_utils.print_summary(model)
    assert "Total params: 8" in capsys.readouterr().out
    assert layer_utils.count_params([*model.weights, model.weights[0]]) == 8
    layer = layer_utils.layer_from_config(keras.layers.serialize(model.layers[0]))
    assert layer.units == 2


# -- generic_utils
def test_generic():
    def function(a, *, b=1, **kwargs):
        return a, b, kwargs

    has = generic_utils.has_arg
    assert [has(function, name) for name in ("a", "b", "c", "kwargs")] == [True, True, False, False]
    assert has(function, "c", accept_all=True)
    assert generic_utils.to_list(1) == generic_utils.to_list([1]) == [1]
    assert generic_utils.to_list((1, 2)) == [(1, 2)]
    assert generic_utils.to_list((1, 2), allow_tuple=True) == [1, 2]
    assert generic_utils.unpack_singleton([1]) == 1
    assert generic_utils.unpack_singleton([1, 2]) == [1, 2]
    assert generic_utils.is_all_none([None, None]) and not generic_utils.is_all_none([None, 0])
    assert generic_utils.to_snake_case("CuDNNLSTM") == "cu_dnnlstm"
    assert generic_utils.to_snake_case("_Merge") == "private__merge"
    assert generic_utils.transpose_shape((2, 3, 4, 5), "channels_first", (1, 2)) == (2, 5, 3, 4)
    one = object()
    assert (
        generic_utils.object_list_uid(one) == generic_utils.object_list_uid([one]) == str(id(one))
    )
    generic_utils.check_for_unexpected_keys("loss", {"a": 1}, ["a"])
    with pytest.raises(ValueError, match=r"Unknown entries in loss dictionary: \['b'\]"):
        generic_utils.check_for_unexpected_keys("loss", {"b": 1}, ["a"])
    names = {"Zeros": keras.initializers.Zeros}
    made = generic_utils.get_from_module("Zeros", names, "initializer", instantiate=True)
    assert isinstance(made, keras.initializers.Zeros)
    with pytest.raises(ValueError, match="Invalid initializer: Ones"):
        generic_utils.get_from_module("Ones", names, "initializer")


def test_rows_of_arrays():
    a, b = np.arange(5), np.arange(10).reshape(5, 2)
    assert [x.tolist() for x in generic_utils.slice_arrays([a, b], 3, 5)] == [
        [3, 4],
        [[6, 7], [8, 9]],
    ]
    assert generic_utils.slice_arrays(a, [0, 4]).tolist() == [0, 4]
    assert generic_utils.slice_arrays([None, a], 1, 2) == [None, a[1:2]]
    with pytest.raises(ValueError, match="stop argument has to be None"):
        generic_utils.slice_arrays([a], [0], 3)


# -- data_utils
@pytest.fixture
def archives(tmp_path, monkeypatch):
    """URLs of archives with a folder `pictures` that holds `a.txt`."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.txt").write_text("hello")
    with tarfile.open(tmp_path / "pictures.tar.gz", "w:gz") as file:
        file.add(folder, "pictures")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as file:
        file.write(folder / "a.txt", "pictures/a.txt")
    return {kind: (tmp_path / f"pictures.{kind}").as_uri() for kind in ("tar.gz", "zip")}


def test_archives_are_unpacked_beside_the_download(archives, generation_2, tmp_path):
    home = tmp_path / "home" / "datasets"
    folder = keras.utils.get_file("pictures", archives["tar.gz"], untar=True)
    assert folder == str(home / "pictures")
    assert pathlib.Path(folder, "a.txt").read_text() == "hello"
    assert (home / "pictures.tar.gz").is_file()
    again = keras.utils.get_file(origin=archives["tar.gz"], untar=True)
    assert again == folder
    path = keras.utils.get_file("pictures.zip", origin=archives["zip"], extract=True)
    assert path == str(home / "pictures.zip")
    assert pathlib.Path(path).with_name("pictures").joinpath("a.txt").read_text() == "hello"
    digest = hashlib.sha256((home / "pictures.zip").read_bytes()).hexdigest()
    assert data_utils.validate_file(path, digest)
    with pytest.raises(ValueError, match="another hash"):
        keras.utils.get_file("other.zip", archives["zip"], md5_hash="0" * 32)


def test_programs_of_today_unpack_as_today(archives, tmp_path):
    path = keras.utils.get_file("pictures.zip", origin=archives["zip"], extract=True)
    assert path == str(tmp_path / "home" / "datasets" / "pictures_extracted")


class Squares(data_utils.Sequence):
    def __init__(self):
        super().__init__()
        self.epochs, self.threads = 0, set()

    def __len__(self):
        return 4

    def __getitem__(self, index):
        self.threads.add(threading.get_ident())
        return index**2

    def on_epoch_end(self):
        self.epochs += 1


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_in_order(workers):
    squares = Squares()
    enqueuer = data_utils.OrderedEnqueuer(squares)
    assert not enqueuer.is_running()
    enqueuer.start(workers=workers, max_queue_size=2)
    batches = enqueuer.get()
    assert [next(batches) for _ in range(10)] == [0, 1, 4, 9, 0, 1, 4, 9, 0, 1]
    assert squares.epochs == 2
    assert (threading.get_ident() in squares.threads) == (workers < 2)
    enqueuer.stop()
    assert list(batches) == []


def test_batches_shuffled():
    enqueuer = data_utils.OrderedEnqueuer(Squares(), shuffle=True)
    enqueuer.start()
    batches = enqueuer.get()
    epochs = [[next(batches) for _ in range(4)] for _ in range(10)]
    assert all(sorted(epoch) == [0, 1, 4, 9] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_batches_of_a_generator():
    def numbers():
        yield from range(5)

    enqueuer = data_utils.GeneratorEnqueuer(numbers(), wait_time=0.1)
    enqueuer.start(workers=2, max_queue_size=2)
    assert list(enqueuer.get()) == [0, 1, 2, 3, 4]
    assert not enqueuer.is_running()

    def broken():
        yield 1
        raise OSError("no more")

    enqueuer = data_utils.GeneratorEnqueuer(broken())
    enqueuer.start()
    batches = enqueuer.get()
    assert next(batches) == 1
    with pytest.raises(OSError, match="no more"):
        next(batches)
    enqueuer = data_utils.GeneratorEnqueuer(iter(int, 1))  # endless
    enqueuer.start(max_queue_size=1)
    assert next(enqueuer.get()) == 0
    enqueuer.stop()
    assert not enqueuer._thread.is_alive()


def test_generators_for_threads():
    @data_utils.threadsafe_generator
    def count():
        yield from range(400)

    shared, found = count(), []
    threads = [threading.Thread(target=lambda: found.extend(shared)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(400))
    endless = data_utils.iter_sequence_infinite(Squares())
    assert [next(endless) for _ in range(5)] == [0, 1, 4, 9, 0]


# -- the rest
def test_made_up_data():
    (x, y), (x_test, y_test) = test_utils.get_test_data(nb_train=60, num_test=20, num_classes=3)
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((60, 10), (60,), (20, 10), (20,))
    assert (np.abs(x.mean(1) - y) < 0.8).mean() > 0.9
    (x, y), _ = test_utils.get_test_data(
        classification=False, input_shape=(4, 2), output_shape=(3,)
    )
    assert (x.shape, y.shape) == ((1000, 4, 2), (1000, 3))
    with pytest.raises(TypeError, match="colour"):
        test_utils.get_test_data(colour=1)


PATHS = {
    "conv_utils": "conv_output_length", "data_utils": "get_file", "io_utils": "HDF5Matrix",
    "generic_utils": "CustomObjectScope", "layer_utils": "print_summary",
    "np_utils": "to_categorical", "test_utils": "get_test_data", "vis_utils": "plot_model",
    "visualize_util": "plot",
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.filterwarnings("ignore::kerasish.compat.OlderSpelling")
def test_paths(path):
    assert callable(getattr(importlib.import_module(f"kerasish.utils.{path}"), PATHS[path]))
    assert issubclass(OlderSpelling, FutureWarning)


# -- data sets
@pytest.mark.parametrize("keras_home", [("mnist.npz", "reuters.npz")], indirect=True)
@pytest.mark.filterwarnings("ignore::kerasish.compat.OlderSpelling")
def test_data_sets_with_their_older_arguments(keras_home, generation_2):
    from kerasish.datasets import mnist, reuters

    (x, _), _ = reuters.load_data(path="reuters.pkl", nb_words=50, test_split=0.1, maxlen=40)
    assert max(max(row) for row in x) == 49
    (x, _), (x_test, _) = mnist.load_data("mnist.pkl.gz")
    assert (len(x), len(x_test)) == (60000, 10000)
