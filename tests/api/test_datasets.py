"""Data sets: found in the cache, read safely, split as Keras does."""

import gzip
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kerasish import datasets
from kerasish.datasets import cache, cifar10, cifar100
from kerasish.utils import get_file
from kerasish.utils.files import hash_of, validate_file


@pytest.mark.parametrize("keras_home", [("mnist.npz",)], indirect=True)
def test_mnist(keras_home):
    (x, y), (x_test, y_test) = datasets.mnist.load_data()
    assert x.shape == (60000, 28, 28) and x.dtype == np.uint8 and y.shape == (60000,)
    assert x_test.shape == (10000, 28, 28) and y_test.dtype == np.uint8
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    x[0] = 0  # the arrays can be written to


@pytest.mark.parametrize("keras_home", [("boston_housing.npz",)], indirect=True)
def test_boston_housing(keras_home):
    (x, y), (x_test, y_test) = datasets.boston_housing.load_data()  # noqa: RUF059
    assert x.shape == (404, 13) and x_test.shape == (102, 13) and y.shape == (404,)
    (again, _), _ = datasets.boston_housing.load_data()
    np.testing.assert_array_equal(x, again)
    (other, _), _ = datasets.boston_housing.load_data(seed=7)
    assert (x != other).any()
    with pytest.raises(ValueError, match="test_split=1"):
        datasets.boston_housing.load_data(test_split=1)


@pytest.mark.parametrize("keras_home", [("california_housing.npz",)], indirect=True)
def test_california_housing(keras_home):
    (x, y), (x_test, _) = datasets.california_housing.load_data()
    assert x.shape == (16512, 8) and x_test.shape == (4128, 8) and y.dtype == np.float32
    (x, _), (x_test, _) = datasets.california_housing.load_data(version="small")
    assert len(x) + len(x_test) == 600
    with pytest.raises(ValueError, match="huge"):
        datasets.california_housing.load_data(version="huge")


@pytest.mark.parametrize("keras_home", [("reuters.npz", "reuters_word_index.json")], indirect=True)
def test_reuters(keras_home):
    (x, y), (x_test, _) = datasets.reuters.load_data(num_words=1000, test_split=0.25)
    assert all(s[0] == 1 for s in x[:50]) and max(max(s) for s in x) < 1000
    assert len(x_test) == pytest.approx(len(x) / 3, rel=0.01)
    names = datasets.reuters.get_label_names()
    assert len(names) == 46 and names[3] == "earn"
    assert np.bincount(y).argmax() == 3
    assert datasets.reuters.get_word_index()["the"] == 1


def small_text(path):
    """Twelve reviews of different lengths: word ranks from 1."""
    x = np.empty(12, dtype=object)
    x[:] = [list(range(1, n)) for n in range(3, 15)]
    y = np.arange(12) % 2
    last = np.arange(12) % 3 == 2
    np.savez(path, x_train=x[~last], y_train=y[~last], x_test=x[last], y_test=y[last])


def test_imdb_arguments(tmp_path, monkeypatch):
    folder = tmp_path / "datasets"
    folder.mkdir()
    small_text(folder / "imdb.npz")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (x, y), (x_test, y_test) = datasets.imdb.load_data()
    assert len(x) == len(y) == 8 and len(x_test) == len(y_test) == 4
    assert sorted(len(s) for s in x) == [3, 4, 6, 7, 9, 10, 12, 13]
    assert all(s[:2] == [1, 4] for s in x)
    (x, _), _ = datasets.imdb.load_data(num_words=6, skip_top=5)
    assert {w for s in x for w in s} == {2, 5}
    (x, _), _ = datasets.imdb.load_data(num_words=6, start_char=None, oov_char=None)
    assert {w for s in x for w in s} == {4, 5}
    (x, y), _ = datasets.imdb.load_data(maxlen=6)
    assert len(x) == len(y) == 2
    with pytest.raises(ValueError, match="maxlen=2"):
        datasets.imdb.load_data(maxlen=2)
    with pytest.raises(TypeError, match="unknown"):
        datasets.imdb.load_data(unknown=1)
    with pytest.warns(UserWarning, match="nb_words"):
        datasets.imdb.load_data(nb_words=5)


def test_fashion_mnist(tmp_path, monkeypatch):
    folder = tmp_path / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    for part, n in (("train", 6), ("t10k", 2)):
        images = np.arange(n * 784, dtype=np.uint32).astype("uint8")
        for kind, head, body in (
            ("images-idx3", 16, images), ("labels-idx1", 8, np.arange(n, dtype="uint8")),
        ):  # fmt: skip
            with gzip.open(folder / f"{part}-{kind}-ubyte.gz", "wb") as file:
                file.write(bytes(head) + body.tobytes())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (x, y), (x_test, y_test) = datasets.fashion_mnist.load_data()
    assert x.shape == (6, 28, 28) and x_test.shape == (2, 28, 28)
    assert x[0, 1, 0] == 28 and y.tolist() == [0, 1, 2, 3, 4, 5] and len(y_test) == 2


def batch(n, **labels):
    data = np.arange(n * 3072, dtype=np.uint32).astype("uint8").reshape(n, 3072)
    return pickle.dumps({b"data": data, **{k.encode(): v for k, v in labels.items()}}, protocol=2)


def test_cifar(tmp_path, monkeypatch):
    ten = tmp_path / "datasets" / "cifar-10-batches-py"
    hundred = tmp_path / "datasets" / "cifar-100-python-target" / "cifar-100-python"
    ten.mkdir(parents=True)
    hundred.mkdir(parents=True)
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        (ten / name).write_bytes(batch(2, labels=[3, 9]))
    for name in ("train", "test"):
        (hundred / name).write_bytes(batch(2, fine_labels=[3, 99], coarse_labels=[1, 19]))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (x, y), (x_test, y_test) = cifar10.load_data()
    assert x.shape == (10, 32, 32, 3) and y.shape == (10, 1) and y.dtype == np.uint8
    assert x_test.shape == (2, 32, 32, 3) and y_test.tolist() == [[3], [9]]
    assert x[0, 0, 1].tolist() == [1, 1025 % 256, 2049 % 256]
    (_, y), _ = cifar100.load_data()
    assert y.tolist() == [[3], [99]]
    (_, y), _ = cifar100.load_data("coarse")
    assert y.tolist() == [[1], [19]]
    with pytest.raises(ValueError, match="label_mode=x"):
        cifar100.load_data("x")


# -- safety


def test_damaged_and_hostile_files(tmp_path):
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"no zip at all")
    with pytest.raises(ValueError, match=r"bad\.npz is no readable data set"):
        cache.read_npz(bad)

    class Evil:
        def __reduce__(self):
            return eval, ("1 + 1",)

    evil = np.empty(1, dtype=object)
    evil[0] = Evil()
    np.savez(bad, x=evil)
    with pytest.raises(ValueError, match=r"builtins\.eval"):
        cache.read_npz(bad)
    (tmp_path / "batch").write_bytes(pickle.dumps({"data": Evil()}))
    with (
        open(tmp_path / "batch", "rb") as file,
        pytest.raises(pickle.UnpicklingError, match="only arrays"),
    ):
        cache.load_pickle(file)


def test_read_npz_equals_numpy(tmp_path):
    path = tmp_path / "a.npz"
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "s": np.array(["x", "yz"]),
        "e": np.zeros((0, 2)),
    }
    for save in (np.savez, np.savez_compressed):
        save(path, **arrays)
        found = cache.read_npz(path)
        for key, value in arrays.items():
            np.testing.assert_array_equal(found[key], value)
            assert found[key].dtype == value.dtype


# -- get_file


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source" / "words.txt"
    path.parent.mkdir()
    path.write_text("three words here")
    return path


def test_get_file_downloads_once(source, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    url = source.as_uri()
    path = get_file(origin=url)
    assert path == str(tmp_path / "home" / "datasets" / "words.txt")
    source.write_text("changed")
    assert Path(get_file("words.txt", url)).read_text() == "three words here"
    assert Path(get_file("words.txt", url, force_download=True)).read_text() == "changed"
    other = get_file("w.txt", url, cache_subdir="texts", cache_dir=tmp_path / "else")
    assert other == str(tmp_path / "else" / "texts" / "w.txt")


def test_get_file_checks_hashes(source, tmp_path):
    url, good = source.as_uri(), hash_of(source)
    path = get_file("w.txt", url, file_hash=good, cache_dir=tmp_path)
    assert validate_file(path, good) and validate_file(path, hash_of(path, "md5"))
    get_file("m.txt", url, md5_hash=hash_of(source, "md5"), cache_dir=tmp_path)
    with pytest.raises(ValueError, match="another hash"):
        get_file("bad.txt", url, file_hash="0" * 64, cache_dir=tmp_path)
    assert not (tmp_path / "datasets" / "bad.txt").exists()
    Path(path).write_text("damaged in the cache")
    again = get_file("w.txt", url, file_hash=good, cache_dir=tmp_path)
    assert Path(again).read_text() == "three words here"


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_get_file_extracts(source, tmp_path, kind):
    archive = tmp_path / f"a.{kind}"
    if kind == "tar":
        with tarfile.open(archive, "w:gz") as file:
            file.add(source, "inside/words.txt")
    else:
        with zipfile.ZipFile(archive, "w") as file:
            file.write(source, "inside/words.txt")
    folder = get_file("a", archive.as_uri(), extract=True, cache_dir=tmp_path / "c")
    assert Path(folder, "inside/words.txt").read_text() == "three words here"
    with pytest.raises(ValueError, match="no archive"):
        get_file("b", source.as_uri(), extract=True, cache_dir=tmp_path / "c")


def test_names_in_the_cache_are_those_of_keras(tmp_path):
    archive = tmp_path / "a.b.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("in.txt", "x")
    url, cache = archive.as_uri(), tmp_path / "c"
    names = {"a.b.zip": "a_extracted", "plain": "plain", None: "a.b.zip"}
    kept = {"a.b.zip": "a.b.zip", "plain": "plain_archive", None: "a.b.zip_archive"}
    for fname, folder in names.items():
        sub = str(fname)
        found = Path(get_file(fname, url, extract=True, cache_dir=cache, cache_subdir=sub))
        assert found == cache / sub / folder and (found / "in.txt").read_text() == "x"
        assert (cache / sub / kept[fname]).is_file()
    with pytest.raises(ValueError, match="not a path"):
        get_file("a/b", url, cache_dir=cache)


def test_archives_stay_in_their_folder(source, tmp_path):
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as file:
        file.add(source, "../../escaped.txt")
    with pytest.raises(tarfile.TarError):
        get_file("evil", archive.as_uri(), extract=True, cache_dir=tmp_path / "c")
    assert not list(tmp_path.rglob("escaped.txt"))


def test_get_file_errors(tmp_path):
    with pytest.raises(ValueError, match="origin"):
        get_file("x")
    with pytest.raises(ValueError, match="Invalid `fname`"):
        get_file("../x", "file:///tmp/x", cache_dir=tmp_path)
    with pytest.raises(OSError, match=r"URL fetch failure on file:///nowhere"):
        get_file("x", "file:///nowhere/x", cache_dir=tmp_path)
