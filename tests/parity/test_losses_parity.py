"""Losses against the published Keras: values, masks, weights, reductions, configs, names."""

import inspect

import keras
import numpy as np
import pytest

import kerasish.losses as ours
import kerasish_core as core
from kerasish import ops

theirs = keras.losses
pytestmark = pytest.mark.parity

RNG = np.random.default_rng(0)
ONE_HOT = np.eye(3, dtype="float32")[[0, 2, 1, 1]]
SCORES = RNG.normal(size=(4, 3)).astype("float32")
PROBABILITIES = (np.exp(SCORES) / np.exp(SCORES).sum(-1, keepdims=True)).astype("float32")
REALS = RNG.normal(size=(4, 3)).astype("float32")
BINARY = (RNG.uniform(size=(4, 3)) > 0.5).astype("float32")
UNIT = (REALS / np.linalg.norm(REALS, axis=1, keepdims=True)).astype("float32")
SEQUENCE = RNG.normal(size=(2, 5, 3)).astype("float32")

# class, arguments, targets, predictions
CASES = [
    ("MeanSquaredError", {}, REALS, SCORES),
    ("MeanAbsoluteError", {}, REALS, SCORES),
    ("MeanAbsolutePercentageError", {}, REALS, SCORES),
    ("MeanAbsolutePercentageError", {}, BINARY, SCORES),
    ("MeanSquaredLogarithmicError", {}, REALS, SCORES),
    ("Huber", {}, REALS, SCORES),
    ("Huber", {"delta": 0.3}, REALS, SCORES),
    ("LogCosh", {}, REALS * 30, SCORES),
    ("KLDivergence", {}, PROBABILITIES[::-1], PROBABILITIES),
    ("KLDivergence", {}, ONE_HOT, PROBABILITIES),
    ("Poisson", {}, BINARY, PROBABILITIES),
    ("Hinge", {}, BINARY, SCORES),
    ("Hinge", {}, BINARY * 2 - 1, SCORES),
    ("SquaredHinge", {}, BINARY, SCORES),
    ("CategoricalHinge", {}, ONE_HOT, SCORES),
    ("CosineSimilarity", {}, REALS, SCORES),
    ("CosineSimilarity", {"axis": 0}, REALS, SCORES),
    ("CosineSimilarity", {}, REALS * 0, SCORES),
    ("BinaryCrossentropy", {}, BINARY, PROBABILITIES),
    ("BinaryCrossentropy", {}, BINARY, BINARY[::-1]),
    ("BinaryCrossentropy", {"from_logits": True}, BINARY, SCORES * 20),
    ("BinaryCrossentropy", {"label_smoothing": 0.1, "axis": 0}, BINARY, PROBABILITIES),
    ("BinaryFocalCrossentropy", {}, BINARY, PROBABILITIES),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 3.0}, BINARY, SCORES),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "label_smoothing": 0.2},
        BINARY,
        PROBABILITIES,
    ),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABILITIES),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABILITIES * 3),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, SCORES * 50),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, PROBABILITIES),
    ("CategoricalCrossentropy", {"axis": 0}, ONE_HOT, PROBABILITIES),
    ("CategoricalFocalCrossentropy", {}, ONE_HOT, PROBABILITIES),
    (
        "CategoricalFocalCrossentropy",
        {"alpha": [0.2, 0.3, 0.5], "gamma": 1.0, "from_logits": True, "label_smoothing": 0.1},
        ONE_HOT,
        SCORES,
    ),
    ("SparseCategoricalCrossentropy", {}, np.array([0, 2, 1, 1]), PROBABILITIES),
    ("SparseCategoricalCrossentropy", {}, np.array([[0], [2], [1], [1]]), PROBABILITIES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, np.array([0, 2, 1, 1]), SCORES),
    (
        "SparseCategoricalCrossentropy",
        {"from_logits": True, "ignore_class": -1},
        np.array([0, -1, 1, -1]),
        SCORES,
    ),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, np.array([0, 2, 1, 2]), PROBABILITIES),
    ("CategoricalGeneralizedCrossEntropy", {}, np.array([0, 2, 1, 1]), PROBABILITIES),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.9}, np.array([0, 2, 1, 1]), PROBABILITIES),
    ("Dice", {}, BINARY, PROBABILITIES),
    ("Dice", {"axis": 1}, BINARY, PROBABILITIES),
    ("Tversky", {}, BINARY, PROBABILITIES),
    ("Tversky", {"alpha": 0.2, "beta": 0.9, "axis": (1,)}, BINARY, PROBABILITIES),
    ("Circle", {}, np.array([0, 1, 0, 2]), UNIT),
    ("Circle", {"gamma": 2.0, "margin": 0.2}, np.array([0, 1, 0, 1]), UNIT),
    ("Circle", {"gamma": 2.0, "remove_diagonal": False}, np.array([0, 1, 2, 1]), UNIT),
    ("CTC", {}, np.array([[1, 2], [2, 0]]), SEQUENCE),
]
IDS = [f"{c[0]}-{i}" for i, c in enumerate(CASES)]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", None]
FEW = ["sum_over_batch_size", "mean_with_sample_weight", None]


def pair(name, arguments):
    return getattr(ours, name)(**arguments), getattr(theirs, name)(**arguments)


def close(a, b, rtol=2e-5, atol=2e-6):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name, arguments, y_true, y_pred", CASES, ids=IDS)
def test_values_weights_and_reductions(name, arguments, y_true, y_pred):
    n = len(y_pred)
    for reduction in FEW:
        a, b = pair(name, {**arguments, "reduction": reduction})
        close(a(y_true, y_pred), b(y_true, y_pred))
        per_sample = np.asarray(b(y_true, y_pred)).ndim or reduction is not None
        if (name in ("Dice", "Tversky") and "axis" not in arguments) or arguments.get("axis") == 0:
            continue  # no value per sample to weight
        if per_sample:
            weight = np.arange(1.0, n + 1.0, dtype="float32")
            close(a(y_true, y_pred, weight), b(y_true, y_pred, weight))
            close(a(y_true, y_pred, weight[:, None]), b(y_true, y_pred, weight[:, None]))


@pytest.mark.parametrize("name, arguments, y_true, y_pred", CASES, ids=IDS)
def test_configs(name, arguments, y_true, y_pred):
    a, b = pair(name, arguments)
    mine, expected = a.get_config(), b.get_config()
    unsaved = {"Huber": "delta", "CosineSimilarity": "axis"}.get(name)
    if unsaved in arguments:  # Keras loses it; here it stays
        assert mine.pop(unsaved) == arguments[unsaved]
    assert mine == expected
    assert a.name == b.name and a.dtype == b.dtype
    again = getattr(ours, name).from_config(a.get_config())
    close(again(y_true, y_pred), a(y_true, y_pred))
    assert ours.serialize(getattr(ours, name)()) == theirs.serialize(getattr(theirs, name)())


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [None, 1, 2])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2)])
def test_masks(reduction, weighted, shape):
    rng = np.random.default_rng(1)
    y_true, y_pred = rng.normal(size=(2, *shape)).astype("float32")
    mask = rng.uniform(size=shape[:-1]) > 0.4
    weight = None if weighted is None else rng.uniform(size=shape[:-1]).astype("float32")
    if weighted == 2:
        weight = weight[..., None]
    mine, expected = ops.convert_to_tensor(y_pred), keras.ops.convert_to_tensor(y_pred)
    mine.mask, expected._keras_mask = ops.convert_to_tensor(mask), keras.ops.convert_to_tensor(mask)
    a, b = pair("MeanSquaredError", {"reduction": reduction})
    close(a(y_true, mine, weight), b(y_true, expected, weight))


@pytest.mark.parametrize(
    "shapes", [((4,), (4, 1)), ((4, 1), (4,)), ((4, 3, 1), (4, 3)), ((4, 3), (4, 3, 1))]
)
@pytest.mark.parametrize(
    "name",
    ["MeanSquaredError", "BinaryCrossentropy", "Hinge", "LogCosh", "BinaryFocalCrossentropy"],
)
def test_ranks_that_differ_by_one(name, shapes):
    y_true = (RNG.uniform(size=shapes[0]) > 0.5).astype("int32")
    y_pred = RNG.uniform(size=shapes[1]).astype("float32")
    for reduction in ("sum_over_batch_size", None):
        a, b = pair(name, {"reduction": reduction})
        close(a(y_true, y_pred), b(y_true, y_pred))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtypes(dtype):
    for name in ("MeanSquaredError", "Huber"):
        a, b = pair(name, {"dtype": dtype})
        mine, expected = a(ONE_HOT, PROBABILITIES), b(ONE_HOT, PROBABILITIES)
        assert mine.dtype.name == str(expected.dtype) == a.dtype == b.dtype
        close(np.float32(mine.numpy()), np.float32(expected), rtol=2e-2, atol=1e-2)


FUNCTIONS = [
    ("mean_squared_error", REALS, SCORES),
    ("mean_absolute_error", REALS, SCORES),
    ("mean_absolute_percentage_error", REALS, SCORES),
    ("mean_squared_logarithmic_error", REALS, SCORES),
    ("huber", REALS, SCORES),
    ("log_cosh", REALS, SCORES),
    ("kl_divergence", ONE_HOT, PROBABILITIES),
    ("poisson", BINARY, PROBABILITIES),
    ("hinge", BINARY, SCORES),
    ("squared_hinge", BINARY, SCORES),
    ("categorical_hinge", ONE_HOT, SCORES),
    ("cosine_similarity", REALS, SCORES),
    ("binary_crossentropy", BINARY, PROBABILITIES),
    ("binary_focal_crossentropy", BINARY, PROBABILITIES),
    ("categorical_crossentropy", ONE_HOT, PROBABILITIES),
    ("categorical_focal_crossentropy", ONE_HOT, PROBABILITIES),
    ("sparse_categorical_crossentropy", np.array([0, 2, 1, 1]), PROBABILITIES),
    ("dice", BINARY, PROBABILITIES),
    ("tversky", BINARY, PROBABILITIES),
    ("circle", np.array([0, 1, 0, 2]), UNIT),
    ("ctc", np.array([[1, 2], [2, 0]]), SEQUENCE),
]


@pytest.mark.parametrize("name, y_true, y_pred", FUNCTIONS, ids=[f[0] for f in FUNCTIONS])
def test_functions(name, y_true, y_pred):
    close(getattr(ours, name)(y_true, y_pred), getattr(theirs, name)(y_true, y_pred))
    assert str(inspect.signature(getattr(theirs, name))) == _plain(getattr(ours, name))
    assert ours.serialize(getattr(ours, name)) == theirs.serialize(getattr(theirs, name))
    assert ours.get(name) is getattr(ours, name)
    assert ours.get(ours.serialize(getattr(ours, name))) is getattr(ours, name)


def _plain(function):
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(bare))


@pytest.mark.parametrize("q", [0.3, 0.9])
def test_generalized_crossentropy(q):
    labels = np.array([0, 2, 1, 1])
    mine, expected = (
        module.categorical_generalized_cross_entropy(labels, PROBABILITIES, q)
        for module in (ours, theirs)
    )
    close(mine, expected)


def test_losses_of_keras_configs():
    config = theirs.serialize(theirs.Huber(delta=0.5))
    again = ours.deserialize(config)
    assert again.get_config() == theirs.deserialize(config).get_config()


def test_reference_embeddings_of_circle():
    labels = np.array([0, 1, 0, 1])
    arguments = dict(
        ref_labels=labels[:3], ref_embeddings=UNIT[:3], remove_diagonal=False, gamma=3.0
    )
    close(ours.circle(labels, UNIT, **arguments), theirs.circle(labels, UNIT, **arguments))


NAMES = [
    "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "bce", "BCE", "kld", "KLD",
    "log_cosh", "huber", "ctc", "circle", "MeanSquaredError", "CTC", "Circle", "Loss", "Dice",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_get_knows(name):
    a, b = ours.get(name), theirs.get(name)
    if inspect.isfunction(b):
        assert a.__name__ == b.__name__
    else:
        assert (a.name.rstrip("0123456789_"), a.reduction) == (
            b.name.rstrip("0123456789_"),
            b.reduction,
        )


@pytest.mark.parametrize("identifier", ["foo", 3, "loss"])
def test_identifiers_that_get_refuses(identifier):
    for get in (ours.get, theirs.get):
        with pytest.raises(ValueError, match="Could not interpret loss identifier"):
            get(identifier)


@pytest.mark.parametrize(
    "make",
    [
        lambda losses: losses.MeanSquaredError(reduction="foo"),
        lambda losses: losses.CategoricalGeneralizedCrossEntropy(q=1.0),
        lambda losses: losses.SparseCategoricalCrossentropy()(np.ones(3), np.ones((4, 5))),
        lambda losses: losses.binary_crossentropy(np.ones(3), np.ones((3, 1))),
        lambda losses: losses.categorical_crossentropy(ONE_HOT, PROBABILITIES, axis=True),
    ],
)
def test_errors(make):
    for losses in (ours, theirs):
        with pytest.raises(ValueError):
            make(losses)


PAIRED = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "huber",
    "mean_squared_logarithmic_error", "log_cosh", "kl_divergence", "poisson", "hinge",
    "squared_hinge", "cosine_similarity", "dice", "tversky",
)  # fmt: skip


@pytest.mark.parametrize("name", PAIRED)
def test_functions_of_targets_and_predictions_of_two_ranks(name):
    true, pred = BINARY[:, 0], PROBABILITIES[:, 0]
    for given in ((true, pred[:, None]), (true[:, None], pred), (true, pred)):
        found, expected = (np.asarray(getattr(k, name)(*given)) for k in (ours, theirs))
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("labels", [[[1, 1, 2], [2, 2, 2]], [[1, 2, 3], [3, 1, 0]]])
def test_ctc_of_impossible_alignments(labels):
    logits = RNG.normal(size=(2, 3, 4)).astype("float32")
    for ends in ([3, 3], [2, 3], [1, 2], [0, 3]):
        given = np.array(labels), logits, np.array([3, 2]), np.array(ends)
        found, expected = (np.asarray(k.ctc_loss(*given)) for k in (ops, keras.ops))
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_ctc_in_half_types(dtype):
    logits = core.convert(RNG.normal(size=(2, 6, 4)), dtype)
    wide = core.ops.cast(logits, "float64")

    def slope(x):
        given = np.array([[1, 2, 3], [1, 1, 0]]), x, np.array([3, 2]), np.array([6, 5])
        return core.grad(lambda x: ops.sum(ops.ctc_loss(given[0], x, *given[2:])))(x)

    found, expected = slope(logits), slope(wide)
    assert found.dtype == dtype
    np.testing.assert_allclose(np.asarray(found, "float64"), expected, rtol=2e-2, atol=2e-2)
