"""What Keras on TensorFlow computes with layers for text, vocabularies and hashes.

Run once, where `keras` and `tensorflow` are installed:

    KERAS_BACKEND=tensorflow python tests/golden/preprocessing/make.py

Each case is a layer's class and arguments, what it adapts to, what it is called on, and what Keras
makes of it; the test does the same with ours. Each model is a `.keras` file (packed once more, to
be small) and what it computes.
"""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

WORDS = ["apple", "Banana", "cherry pie", "", "naïve Ünïcode", "日本 語", "a", "apple", "x" * 70]
LONG = ["z" * n + "é" * (n % 3) for n in (3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130)]
TEXTS = [
    "The quick brown fox, the lazy dog!", "A dog; a fox -- and THE end.", "", "Éclair\tat\nnoon",
    "fox fox fox", "one\u00a0two three",
]  # fmt: skip
DOCS = [["a", "b", "b"], ["b", "c", "a"], ["d", "b", "b"], ["e", "e", "e"]]
INTS = [[1, 5, 5], [7, 1, 2**40], [-3, 5, 5]]


def case(name, call, adapt=None, batches=None, **options):
    return {"layer": name, "options": options, "adapt": adapt, "batches": batches, "call": call}


def cases():
    modes = ("one_hot", "multi_hot", "count")
    for options in (
        {}, {"salt": 7}, {"salt": [133, 137]}, {"mask_value": ""}, {"dtype": "int32"},
        *({"output_mode": m} for m in modes),
    ):  # fmt: skip
        yield case("Hashing", WORDS + LONG, num_bins=1000003 if len(options) < 1 else 7, **options)
        yield case("Hashing", [[w] for w in WORDS], num_bins=5, **options)
    yield case("Hashing", INTS, num_bins=11)
    yield case("Hashing", INTS, num_bins=11, mask_value=5, salt=3)
    yield case("Hashing", [1.9, -3.7, 2.0], num_bins=11)
    yield case("Hashing", "abc", num_bins=11)
    yield case("Hashing", [True, False], num_bins=11)

    flat = [v for row in INTS for v in row]
    yield case("HashedCrossing", [WORDS, flat], num_bins=1000003)
    yield case("HashedCrossing", [[[w] for w in WORDS], [[v] for v in flat]], num_bins=9)
    yield case("HashedCrossing", [WORDS, flat, WORDS[::-1]], num_bins=9, output_mode="one_hot")
    yield case("HashedCrossing", ["A", 3], num_bins=9)
    yield case("HashedCrossing", ["A", 3], num_bins=9, output_mode="one_hot")

    known = ["a", "b", "c"]
    for options in (
        {}, {"mask_token": "e"}, {"num_oov_indices": 3}, {"num_oov_indices": 3, "salt": 9},
        {"num_oov_indices": 2, "mask_token": ""}, {"max_tokens": 4}, {"oov_token": "?"},
    ):  # fmt: skip
        yield case("StringLookup", DOCS, vocabulary=known, **options)
        yield case("StringLookup", DOCS, adapt=DOCS, **options)
        yield case("StringLookup", DOCS, batches=[DOCS[:1], DOCS[1:]], **options)
    for mode in (*modes, "tf_idf"):
        weights = {"idf_weights": [0.5, 0.25, 2.0]} if mode == "tf_idf" else {}
        padded = {"max_tokens": 8, "pad_to_max_tokens": True}
        for options in ({}, padded, {"mask_token": "b", "num_oov_indices": 2}):
            mine = {**options, "output_mode": mode}
            yield case("StringLookup", DOCS, adapt=DOCS, **mine)
            yield case("StringLookup", DOCS[0], adapt=["a", "b", "a"], **mine)
        yield case("StringLookup", DOCS, vocabulary=known, output_mode=mode, **weights)
        yield case(
            "StringLookup", [[w] for w in "abz"], vocabulary=known, output_mode=mode, **weights
        )
        yield case("StringLookup", [DOCS, DOCS], vocabulary=known, output_mode=mode, **weights)
        yield case("StringLookup", "b", vocabulary=known, output_mode=mode, **weights)
    yield case("StringLookup", DOCS, output_mode="tf_idf", vocabulary=["[UNK]", *known],
               idf_weights=[9.0, 1.0, 2.0, 3.0])  # fmt: skip
    yield case("StringLookup", [[0, 1], [3, 9]], vocabulary=known, invert=True)
    yield case("StringLookup", [0, 1, 2, 3, 4, 5], vocabulary=known, invert=True, mask_token="",
               num_oov_indices=2)  # fmt: skip
    yield case("StringLookup", 2, adapt=DOCS, invert=True)

    for options in (
        {}, {"mask_token": 0}, {"num_oov_indices": 3}, {"oov_token": -5},
        {"num_oov_indices": 3, "oov_method": "farmhash"},
        {"num_oov_indices": 3, "oov_method": "farmhash", "salt": [1, 2]},
        {"output_mode": "multi_hot"}, {"output_mode": "tf_idf"}, {"output_mode": "one_hot"},
    ):  # fmt: skip
        yield case("IntegerLookup", [[5, 0, 8], [9, 10, -7]], adapt=INTS, **options)
    yield case("IntegerLookup", [5, 7, 8], vocabulary=[7, 5])
    yield case("IntegerLookup", [0, 1, 2, 3], vocabulary=[7, 5], invert=True)
    yield case("IntegerLookup", [5, 7, 8], vocabulary=[0, -1, 7, 5], mask_token=0)

    for options in (
        {}, {"standardize": "lower"}, {"standardize": None}, {"split": "character"},
        {"split": None}, {"ngrams": 2}, {"ngrams": [2, 3]}, {"output_sequence_length": 4},
        {"max_tokens": 5}, {"standardize": "strip_punctuation", "max_tokens": 6},
        *({"output_mode": m} for m in ("multi_hot", "count", "tf_idf")),
        {"output_mode": "tf_idf", "ngrams": 2, "max_tokens": 40, "pad_to_max_tokens": True},
    ):  # fmt: skip
        yield case("TextVectorization", TEXTS + ["new words"], adapt=TEXTS, **options)
        if "split" not in options:
            columns = [[t] for t in TEXTS]
            yield case("TextVectorization", columns, batches=[columns[:2], columns[2:]], **options)
            yield case("TextVectorization", "a lazy fox", adapt=TEXTS, **options)
    yield case("TextVectorization", [["a", "b", "c"], ["c", "z", "a"]], split=None, ngrams=2,
               vocabulary=["a", "b", "b c"], output_sequence_length=6)  # fmt: skip
    yield case("TextVectorization", ["a b", "c"], vocabulary=["", "[UNK]", "a", "b"])

    numbers = np.random.default_rng(0).normal(size=(400,)).astype("float32").tolist()
    yield case("Discretization", numbers[:9], adapt=numbers, num_bins=5)
    yield case("Discretization", numbers[:9], num_bins=3, epsilon=0.05,
               batches=[numbers[:150], numbers[150:210], numbers[210:]])  # fmt: skip


def run(entry):
    options = dict(entry["options"])
    if isinstance(options.get("ngrams"), list):
        options["ngrams"] = tuple(options["ngrams"])
    layer = getattr(keras.layers, entry["layer"])(**options, name="layer")
    numeric = entry["layer"] == "Discretization"
    as_data = np.array if numeric else tf.constant
    if entry["adapt"] is not None:
        layer.adapt(as_data(entry["adapt"]))
    if entry["batches"] is not None:
        layer.adapt(as_data(b) for b in entry["batches"])
    inputs = np.array(entry["call"], "float32") if numeric else entry["call"]
    result = layer(inputs)
    values = np.asarray(result.numpy())
    text = values.dtype.kind in "OS"
    if text:
        values = np.vectorize(lambda v: v.decode(), otypes=[object])(values)
    entry["result"] = values.tolist()
    entry["dtype"] = "string" if text else str(values.dtype)
    entry["config"] = layer.get_config()
    if hasattr(layer, "get_vocabulary"):
        entry["vocabulary"] = [v if isinstance(v, str) else int(v) for v in layer.get_vocabulary()]
    return entry


REVIEWS = ["good movie", "bad film", "good film yes", "awful bad"]


def models():
    """Name, model and inputs."""
    L = keras.layers

    def text(**options):
        layer = L.TextVectorization(**options)
        layer.adapt(REVIEWS)
        return layer

    first = [keras.Input((1,), dtype="string"), text(output_sequence_length=5)]
    rest = [L.Embedding(20, 3), L.Flatten(), L.Dense(1)]
    yield "sequences", keras.Sequential([*first, *rest]), [[[r] for r in REVIEWS]]
    x = keras.Input((), dtype="string")
    weighted = text(output_mode="tf_idf", ngrams=2, max_tokens=30)
    yield "weighted", keras.Model(x, L.Dense(2)(weighted(x))), [REVIEWS]
    lookup = L.StringLookup(output_mode="tf_idf", max_tokens=6)
    lookup.adapt([["x", "y"], ["x", "z"]])
    x = keras.Input((2,), dtype="string")
    yield "lookup", keras.Model(x, L.Dense(2)(lookup(x))), [[["x", "y"], ["q", "z"]]]
    yield "mixed", mixed(), [[["x"], ["q"]], [[5], [9]], [[1.0, 2, 3], [4, 5, 6]]]


def mixed():
    """A model with a layer of each kind."""
    L = keras.layers
    words, integers = L.StringLookup(output_mode="one_hot"), L.IntegerLookup(mask_token=0)
    words.adapt(["x", "y", "x"])
    integers.adapt([5, 6, 5])
    normal, bins = L.Normalization(), L.Discretization(num_bins=3, output_mode="one_hot")
    normal.adapt(np.arange(12.0).reshape(4, 3).astype("float32"))
    bins.adapt(np.arange(30.0).astype("float32"))
    a, b = keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")
    c, flat = keras.Input((3,)), L.Flatten()
    hashed, crossed = L.Hashing(4, output_mode="one_hot"), L.HashedCrossing(5, "one_hot")
    encoded = L.CategoryEncoding(4)(integers(b))
    parts = [words(a), encoded, normal(c), bins(c), hashed(a), crossed([a, b])]
    return keras.Model([a, b, c], L.Dense(2)(L.Concatenate()([flat(p) for p in parts])))


ROWS = {
    "plain": [0.0, 0.1, 0.2, 0.3], "normal": [1.0, 2.0, 3.0, 4.0], "scaled": [1.0, 2.0, 3.0, 4.0],
    "bins": [0.0, 1.0, 2.0, 3.0], "word": ["zero", "one", "two", "three"], "id": [0, 1, 2, 3],
    "hashed": [5, 6, 7, 8], "letter": ["a", "b", "c", "d"],
}  # fmt: skip


def feature_space():
    kinds = keras.utils.FeatureSpace
    space = kinds(
        {
            "plain": "float", "normal": "float_normalized", "word": "string_categorical",
            "scaled": kinds.float_rescaled(scale=2.0), "bins": kinds.float_discretized(3),
            "id": kinds.integer_categorical(max_tokens=4), "hashed": "integer_hashed",
            "letter": kinds.string_hashed(5),
        },
        crosses=[("word", "id"), kinds.cross(("letter", "hashed"), 7)], crossing_dim=6,
        hashing_dim=4,
    )  # fmt: skip
    space.adapt(ROWS)
    return space


def pack(path):
    """Compress an archive."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)


def make_models(folder):
    values = {}
    space = feature_space()
    space.save(folder / "features.keras")
    pack(folder / "features.keras")
    (folder / "features.json").write_text(
        json.dumps({"inputs": ROWS, "outputs": space(ROWS).numpy().tolist()}), encoding="utf-8"
    )
    for name, model, inputs in models():
        rng = np.random.default_rng(0)
        for v in model.trainable_variables:
            v.assign(rng.normal(size=tuple(v.shape)).astype("float32"))
        tensors = [tf.constant(x) for x in inputs]
        y = model(tensors[0] if len(tensors) == 1 else tensors)
        values[name] = {"inputs": inputs, "outputs": y.numpy().tolist()}
        path = folder / f"{name}.keras"
        model.save(path)
        pack(path)
    (folder / "models.json").write_text(json.dumps(values), encoding="utf-8")


if __name__ == "__main__":
    made = [run(entry) for entry in cases()]
    here = Path(__file__).parent
    lines = ",\n".join(json.dumps(e, ensure_ascii=True, default=str) for e in made)
    (here / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    make_models(here)
    print(len(made), "cases,", sum(f.stat().st_size for f in here.iterdir()), "bytes")
