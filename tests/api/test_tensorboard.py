"""Event files: framing, checksums and contents, read back by a decoder that shares no code."""

import gzip
import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import kerasish
from kerasish import layers
from kerasish.callbacks import TensorBoard
from kerasish.training.events import EventWriter, records, summaries

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype("float32")
Y = RNG.normal(size=(40, 1)).astype("float32")


# -- a decoder


def crc(content):
    """CRC-32C bit by bit."""
    found = 0xFFFFFFFF
    for byte in content:
        found ^= byte
        for _ in range(8):
            found = (found >> 1) ^ (0x82F63B78 * (found & 1))
    return found ^ 0xFFFFFFFF


def unmasked(word):
    rotated = (struct.unpack("<I", word)[0] - 0xA282EAD8) % (1 << 32)
    return (rotated >> 17 | rotated << 15) % (1 << 32)


def messages(path):
    content, place = path.read_bytes(), 0
    while place < len(content):
        head = content[place : place + 8]
        assert unmasked(content[place + 8 : place + 12]) == crc(head)
        (size,) = struct.unpack("<Q", head)
        body = content[place + 12 : place + 12 + size]
        assert unmasked(content[place + 12 + size : place + 16 + size]) == crc(body)
        yield body
        place += 16 + size


def varint(content, place):
    value, shift = 0, 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def fields(content):
    """Field number to list of values."""
    found, place = {}, 0
    while place < len(content):
        key, place = varint(content, place)
        if key & 7 == 0:
            value, place = varint(content, place)
        elif key & 7 == 1:
            value, place = struct.unpack("<d", content[place : place + 8])[0], place + 8
        else:
            size, place = varint(content, place)
            value, place = content[place : place + size], place + size
        found.setdefault(key >> 3, []).append(value)
    return found


def read(folder):
    """(tag, step, plugin, value) of all summaries in a folder's only event file."""
    (path,) = folder.glob("events.out.tfevents.*")
    first, *rest = [fields(m) for m in messages(path)]
    assert first[3] == [b"brain.Event:2"]
    found = []
    for event in rest:
        value = fields(fields(event[5][0])[1][0])
        plugin = fields(fields(value[9][0])[1][0])[1][0].decode()
        tensor = fields(value[8][0])
        shape = [fields(d).get(1, [0])[0] for d in fields(tensor[2][0]).get(2, [])]
        if tensor[1] == [7]:
            content = tensor[8]
        else:
            kind = {1: "<f4", 2: "<f8"}[tensor[1][0]]
            content = np.frombuffer(tensor[4][0], kind).reshape(shape)
        found.append((value[1][0].decode(), event.get(2, [0])[0], plugin, content))
    return found


# -- the pieces


def test_checksum():
    assert records.crc32c(b"123456789") == 0xE3069283  # the published check value
    content = RNG.bytes(300)
    assert records.crc32c(content) == crc(content)


@pytest.mark.parametrize("values", [[], [2.0], [3, 3, 3], [0.0, 1.0], list(range(100))], ids=str)
def test_buckets_hold_all_values(values):
    rows = summaries.buckets(values)
    assert rows.shape == (30, 3) and rows[:, 2].sum() == len(values)
    if len(set(values)) > 1:
        expected, edges = np.histogram(values, 30)
        np.testing.assert_array_equal(rows[:, 2], expected)
        np.testing.assert_allclose(np.append(rows[:, 0], rows[-1, 1]), edges)


@pytest.mark.parametrize("channels, colour", [(1, 0), (3, 2), (4, 6)])
def test_png(channels, colour):
    pixels = RNG.integers(0, 256, (5, 7, channels), dtype="uint8")
    file = summaries.png(pixels)
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, {}
    while place < len(file):
        (size,) = struct.unpack(">I", file[place : place + 4])
        kind, content = file[place + 4 : place + 8], file[place + 8 : place + 8 + size]
        check = struct.unpack(">I", file[place + 8 + size : place + 12 + size])[0]
        assert check == zlib.crc32(kind + content)
        chunks[kind], place = content, place + 12 + size
    assert struct.unpack(">IIBB", chunks[b"IHDR"][:10]) == (7, 5, 8, colour)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), "uint8").reshape(5, 1 + 7 * channels)
    assert not rows[:, 0].any()
    np.testing.assert_array_equal(rows[:, 1:].reshape(pixels.shape), pixels)


def test_values_read_back(tmp_path):
    writer = EventWriter(tmp_path)
    writer.add(summaries.scalar("a", 1.5), 3)
    writer.add(summaries.histogram("b", np.arange(60)), 1 << 40)
    writer.add(summaries.image("c", np.linspace(0, 1, 80).reshape(5, 4, 4, 1)), 0)
    writer.flush()
    a, b, c = read(tmp_path)
    assert a == ("a", 3, "scalars", 1.5)
    assert b[:3] == ("b", 1 << 40, "histograms") and b[3].shape == (30, 3)
    assert c[2] == "images" and c[3][:2] == [b"4", b"4"] and len(c[3]) == 2 + 3


# -- the callback


def model_of(*extra):
    model = kerasish.Sequential([
        layers.Input((6,)), *extra, layers.Dense(4, name="first"), layers.Dense(1, name="last"),
    ])  # fmt: skip
    model.compile(kerasish.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def test_figures_of_epochs(tmp_path):
    model = model_of()
    history = model.fit(
        X, Y, epochs=3, verbose=0, validation_data=(X[:8], Y[:8]),
        callbacks=[TensorBoard(tmp_path, write_steps_per_second=True)],
    ).history  # fmt: skip
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    graph = train.pop(0)
    assert graph[:3] == ("keras", 0, "graph_keras_model")
    assert json.loads(graph[3][0])["class_name"] == "Sequential"
    for key in ("loss", "mae"):
        for found, logs in ((train, history[key]), (validation, history[f"val_{key}"])):
            series = [(step, float(v)) for tag, step, _, v in found if tag == f"epoch_{key}"]
            assert series == [(i, pytest.approx(v)) for i, v in enumerate(logs)]
    rates = [float(v) for tag, _, _, v in train if tag == "epoch_learning_rate"]
    assert rates == [pytest.approx(0.1)] * 3
    assert all(v > 0 for tag, _, _, v in train if tag == "epoch_steps_per_second")
    steps = [step for tag, step, _, _ in validation if tag == "evaluation_loss_vs_iterations"]
    assert steps == [2, 4, 6]


def test_figures_of_batches_and_profile(tmp_path):
    callback = TensorBoard(tmp_path, update_freq=2, profile_batch=(2, 3), write_graph=False)
    model_of().fit(X, Y, batch_size=8, epochs=1, verbose=0, callbacks=[callback])
    found = read(tmp_path / "train")
    assert [step for tag, step, _, _ in found if tag == "batch_loss"] == [2, 4]
    (trace,) = (tmp_path / "train" / "plugins" / "profile").glob("*/*.trace.json.gz")
    with gzip.open(trace, "rt") as file:
        events = [e for e in json.load(file)["traceEvents"] if e["ph"] == "X"]
    assert [e["args"]["step_num"] for e in events] == [2, 3]
    assert all(e["dur"] > 0 for e in events) and events[0]["ts"] < events[1]["ts"]


def test_weights_as_histograms_and_images(tmp_path):
    model = model_of(layers.Reshape((6, 1)), layers.Conv1D(5, 3, name="conv"), layers.Flatten())
    callback = TensorBoard(tmp_path, histogram_freq=2, write_images=True, write_graph=False)
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[callback])
    found = read(tmp_path / "train")
    for weight in model.weights:
        rows = [(s, v) for tag, s, _, v in found if tag == f"{weight.path}/histogram"]
        assert [s for s, _ in rows] == [0, 2]
        assert rows[1][1][:, 2].sum() == np.prod(weight.shape)
        np.testing.assert_allclose(rows[1][1][-1, 1], weight.numpy().max(), atol=0.1)
    sizes = {tag.split("/", 1)[-1]: v[:2] for tag, _, p, v in found if p == "images"}
    assert sizes["first/kernel/image"] == [b"20", b"4"]  # the longer side lies flat
    assert sizes["first/bias/image"] == [b"1", b"4"]


def test_embeddings_for_the_projector(tmp_path):
    model = kerasish.Sequential([
        layers.Input((3,)), layers.Embedding(5, 2, name="words"), layers.Flatten(),
        layers.Dense(1),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    callback = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"words": "w.tsv"})
    ids = RNG.integers(0, 5, (8, 3))
    model.fit(ids, np.zeros((8, 1)), verbose=0, callbacks=[callback])
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'metadata_path: "w.tsv"' in config and 'tensor_path: "words.tsv"' in config
    table = np.loadtxt(tmp_path / "words.tsv", delimiter="\t")
    np.testing.assert_allclose(table, model.layers[0].embeddings.numpy(), rtol=1e-4)
    assert (tmp_path / "train" / "keras_embedding.ckpt-0.weights.h5").exists()
    wrong = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"nothing": "w.tsv"})
    with pytest.raises(ValueError, match="nothing"):
        model.fit(ids, np.zeros((8, 1)), verbose=0, callbacks=[wrong])


def test_own_figures(tmp_path):
    callback = TensorBoard(tmp_path, write_graph=False)
    callback.set_model(model_of())
    callback.summary.scalar("mine", 2.0, step=7)
    callback.on_train_end()
    assert read(tmp_path / "train") == [("mine", 7, "scalars", 2.0)]


@pytest.mark.parametrize("given", [-1, (3, 2), (1, 2, 3), "4,1", 1.5, None], ids=str)
def test_batches_to_profile_are_checked(given):
    with pytest.raises(ValueError, match="profile_batch"):
        TensorBoard(profile_batch=given)


def test_batches_to_profile_as_text():
    callback = TensorBoard(profile_batch="2,5")
    assert (callback._start_batch, callback._stop_batch) == (2, 5)


@pytest.mark.slow
@pytest.mark.parity
def test_tensorboard_reads_it(tmp_path):
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.plugins.graph import keras_util
    from tensorboard.util import tensor_util

    model = model_of()
    callback = TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[callback]).history
    found = event_accumulator.EventAccumulator(
        str(tmp_path / "train"), {event_accumulator.TENSORS: 0}
    )
    found.Reload()
    kernel = model.weights[0].path
    tags = found.Tags()["tensors"]
    assert {"keras", "epoch_loss", f"{kernel}/histogram", f"{kernel}/image"} <= set(tags)
    series = [float(tensor_util.make_ndarray(e.tensor_proto)) for e in found.Tensors("epoch_loss")]
    np.testing.assert_allclose(series, history["loss"], rtol=1e-6)
    plugins = {tag: found.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags}
    kinds = ("histograms", "images", "scalars", "graph_keras_model")
    assert {plugins[t] for t in tags} == {*kinds}

    def last(tag):
        return tensor_util.make_ndarray(found.Tensors(tag)[-1].tensor_proto)

    rows = last(f"{kernel}/histogram")
    values = model.weights[0].numpy()
    np.testing.assert_allclose([rows[0, 0], rows[-1, 1]], [values.min(), values.max()], rtol=1e-6)
    assert rows[:, 2].sum() == values.size
    width, height, picture = last(f"{kernel}/image")
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (int(width), int(height)) == (6, 4)
    graph = keras_util.keras_model_to_graph_def(json.loads(last("keras").item()))
    names = {node.name.rpartition("/")[2] for node in graph.node}
    assert {"first", "last"} <= names
