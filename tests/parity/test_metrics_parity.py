"""Metrics against the published Keras: results, state, weights, masks, configs, names."""

import warnings

import keras
import numpy as np
import pytest

import kerasish.metrics as ours
from kerasish import ops
from kerasish.metrics.choice import loss_for, metric_for

theirs = keras.metrics
# Keras's own Variable warns under NumPy 2 when it is read, and its JAX backend about int64.
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64"),
]

RNG = np.random.default_rng(0)
N = 12


def f32(x):
    return np.asarray(x, dtype="float32")


ONE_HOT = np.eye(3, dtype="float32")[RNG.integers(0, 3, N)]
LABELS = ONE_HOT.argmax(-1)
SCORES = f32(RNG.normal(size=(N, 3)))
PROBABILITIES = f32(np.exp(SCORES) / np.exp(SCORES).sum(-1, keepdims=True))
REALS = f32(RNG.normal(size=(N, 3)))
BINARY = f32(RNG.uniform(size=(N, 3)) > 0.5)
UNIFORM = f32(RNG.uniform(size=(N, 3)))
# Some predictions lie on thresholds.
FLAT = f32(RNG.uniform(size=40).round(2))
FLAT[:6] = [0.0, 1.0, 0.5, 0.25, 0.75, 0.5]
HITS = f32(RNG.uniform(size=40) > 0.4)
IDS = RNG.integers(0, 3, N)
REGRESSION = [
    "MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError", "RootMeanSquaredError", "LogCoshError", "CosineSimilarity",
    "PearsonCorrelation", "ConcordanceCorrelation", "R2Score",
]  # fmt: skip

CASES = [
    *((name, {}, REALS, SCORES) for name in REGRESSION),
    ("CosineSimilarity", {"axis": 1}, REALS, SCORES),
    ("PearsonCorrelation", {"axis": 1}, REALS, SCORES),
    ("R2Score", {"class_aggregation": None}, REALS, SCORES),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, REALS, SCORES),
    ("R2Score", {"num_regressors": 2}, REALS, SCORES),
    ("Hinge", {}, BINARY, SCORES),
    ("SquaredHinge", {}, BINARY, SCORES),
    ("CategoricalHinge", {}, ONE_HOT, SCORES),
    ("KLDivergence", {}, PROBABILITIES[::-1], PROBABILITIES),
    ("Poisson", {}, BINARY, PROBABILITIES),
    ("BinaryCrossentropy", {}, BINARY, PROBABILITIES),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BINARY, SCORES),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABILITIES),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, SCORES),
    ("SparseCategoricalCrossentropy", {}, LABELS, PROBABILITIES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS[:, None], SCORES),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, LABELS, PROBABILITIES),
    ("Accuracy", {}, LABELS[:, None], IDS[:, None]),
    ("Accuracy", {}, LABELS, IDS),
    ("BinaryAccuracy", {}, BINARY, UNIFORM),
    ("BinaryAccuracy", {"threshold": 0.8}, BINARY[:, :1], UNIFORM[:, :1]),
    ("BinaryAccuracy", {}, BINARY[:, 0], UNIFORM[:, :1]),
    ("CategoricalAccuracy", {}, ONE_HOT, SCORES),
    ("SparseCategoricalAccuracy", {}, LABELS, SCORES),
    ("SparseCategoricalAccuracy", {}, LABELS[:, None], SCORES),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, SCORES),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS, SCORES),
    (
        "SparseTopKCategoricalAccuracy",
        {"k": 2, "from_sorted_ids": True},
        LABELS,
        np.argsort(-SCORES, axis=-1),
    ),
    *((name, {}, HITS, FLAT) for name in ("TruePositives", "FalsePositives")),
    *((name, {}, HITS, FLAT) for name in ("TrueNegatives", "FalseNegatives")),
    ("TruePositives", {"thresholds": [0.2, 0.5, 0.9]}, HITS, FLAT),
    ("FalseNegatives", {"thresholds": [0.0, 0.5, 1.0]}, HITS, FLAT),
    *((name, {}, HITS, FLAT) for name in ("Precision", "Recall")),
    *(
        (name, arguments, BINARY, UNIFORM)
        for name in ("Precision", "Recall")
        for arguments in (
            {"thresholds": [0.2, 0.5, 0.9]},
            {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]},
            {"top_k": 2},
            {"class_id": 1},
            {"top_k": 1, "class_id": 2},
            {"thresholds": 0.3, "top_k": 2},
        )
    ),
    *(
        (name, {bound: value, "num_thresholds": number}, HITS, FLAT)
        for name, bound in (
            ("PrecisionAtRecall", "recall"),
            ("RecallAtPrecision", "precision"),
            ("SensitivityAtSpecificity", "specificity"),
            ("SpecificityAtSensitivity", "sensitivity"),
        )
        for value, number in ((0.3, 1), (0.5, 3), (0.7, 200), (1.0, 10))
    ),
    ("RecallAtPrecision", {"precision": 0.4, "class_id": 1}, BINARY, UNIFORM),
    *(
        ("AUC", {"curve": curve, "summation_method": method}, HITS, FLAT)
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    ("AUC", {"num_thresholds": 3}, HITS, FLAT),
    ("AUC", {"thresholds": [0.1, 0.4, 0.5]}, HITS, FLAT),
    ("AUC", {"thresholds": [0.25, 0.5, 0.75]}, HITS, FLAT),
    ("AUC", {"thresholds": [0.0, 0.5, 1.0]}, HITS, FLAT),
    ("AUC", {"from_logits": True}, BINARY, SCORES),
    ("AUC", {"multi_label": True}, BINARY, UNIFORM),
    ("AUC", {"multi_label": True, "num_labels": 3, "curve": "PR"}, BINARY, UNIFORM),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 2.0, 3.0]}, BINARY, UNIFORM),
    ("AUC", {"multi_label": True, "thresholds": [0.3, 0.6]}, BINARY, UNIFORM),
    ("AUC", {"label_weights": [1.0, 2.0, 3.0]}, BINARY, UNIFORM),
    *(
        (name, {"average": average, "threshold": threshold}, BINARY, UNIFORM)
        for name in ("F1Score", "FBetaScore")
        for average in (None, "micro", "macro", "weighted")
        for threshold in (None, 0.4)
    ),
    ("FBetaScore", {"beta": 2.0, "average": "macro"}, BINARY, UNIFORM),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, LABELS, IDS),
    ("IoU", {"num_classes": 3, "target_class_ids": (1,), "dtype": "float32"}, LABELS, IDS),
    ("IoU", {"num_classes": 3, "target_class_ids": [0], "ignore_class": 1}, LABELS, IDS),
    ("MeanIoU", {"num_classes": 3}, LABELS, IDS),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 0}, LABELS, IDS),
    (
        "MeanIoU",
        {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False},
        ONE_HOT,
        SCORES,
    ),
    ("BinaryIoU", {}, HITS, FLAT),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, HITS, FLAT),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 2]}, ONE_HOT, SCORES),
    ("OneHotMeanIoU", {"num_classes": 3}, ONE_HOT, SCORES),
    ("OneHotMeanIoU", {"num_classes": 3, "sparse_y_pred": True}, ONE_HOT, IDS),
]
NAMES = [f"{c[0]}-{i}" for i, c in enumerate(CASES)]


def close(a, b, rtol=2e-5, atol=3e-6):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def pair(name, arguments):
    return getattr(ours, name)(**arguments), getattr(theirs, name)(**arguments)


def same_state(a, b):
    assert [v.name for v in a.variables] == [v.name for v in b.variables]
    for mine, expected in zip(a.variables, b.variables, strict=True):
        assert mine.dtype == expected.dtype
        close(mine.numpy(), np.asarray(expected.value))


@pytest.mark.parametrize("name, arguments, y_true, y_pred", CASES, ids=NAMES)
def test_results_and_state(name, arguments, y_true, y_pred):
    a, b = pair(name, arguments)
    half = len(y_true) // 2
    weight = f32(RNG.integers(1, 4, len(y_true)))
    if "IoU" in name and "dtype" not in arguments:
        weight = weight.astype("int32")  # a float one warns, there as here
    for step, w in ((slice(0, half), None), (slice(half, None), weight[half:])):
        for metric in (a, b):
            metric.update_state(y_true[step], y_pred[step], w)
        close(a.result(), b.result())
        same_state(a, b)
    for metric in (a, b):
        metric.reset_state()
    same_state(a, b)
    close(a(y_true[:half], y_pred[:half]), b(y_true[:half], y_pred[:half]))


@pytest.mark.parametrize("name, arguments, y_true, y_pred", CASES, ids=NAMES)
def test_configs(name, arguments, y_true, y_pred):
    a, b = pair(name, {**arguments, "name": "it"})
    mine, expected = a.get_config(), b.get_config()
    if "thresholds" in expected and expected["thresholds"] and name == "AUC":
        close(mine.pop("thresholds"), expected.pop("thresholds"))
    if name == "CosineSimilarity" and arguments:  # Keras loses it; here it stays
        assert mine.pop("axis") == 1
    if expected.get("label_weights") is not None:  # Keras puts an array there
        close(mine.pop("label_weights"), expected.pop("label_weights"))
    assert mine == expected
    again = getattr(ours, name).from_config(a.get_config())
    close(again(y_true, y_pred), a(y_true, y_pred))
    assert getattr(a, "_direction", None) == getattr(b, "_direction", None)


WITHOUT_ARGUMENTS = [
    n for n in dir(theirs)
    if isinstance(getattr(theirs, n), type)
    and n not in ("Metric", "MeanMetricWrapper", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU")
    and "At" not in n
]  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT_ARGUMENTS)
def test_serialization_and_names(name):
    a, b = getattr(ours, name)(), getattr(theirs, name)()
    strip = "_0123456789"
    assert a.name.rstrip(strip) == b.name.rstrip(strip)
    assert [v.path.split("/")[-1] for v in a.variables] == [
        v.path.split("/")[-1] for v in b.variables
    ]
    assert all(v.path == f"{a.name}/{v.name}" for v in a.variables)
    a.name = b.name = "same"
    assert ours.serialize(a) == theirs.serialize(b)
    assert ours.deserialize(theirs.serialize(b)).get_config() == a.get_config()


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize(
    "values, weight",
    [
        (5.0, None),
        (5.0, 2.0),
        ([[1.0, 2.0], [3.0, 4.0]], None),
        ([[1.0, 2.0], [3.0, 4.0]], [1.0, 0.0]),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.5], [2.0, 1.0]]),
        ([[1.0, 2.0], [3.0, 4.0]], 3.0),
        ([1, 3, 5, 7], [1, 1, 0, 0]),
        (np.arange(24.0).reshape(4, 3, 2), [[1.0], [2.0], [3.0], [4.0]]),
        (np.zeros((0,)), None),
    ],
)
def test_mean_and_sum(name, values, weight):
    a, b = pair(name, {})
    close(a(values, weight), b(values, weight))
    same_state(a, b)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["MeanSquaredError", "RootMeanSquaredError", "BinaryAccuracy"])
def test_masks(name, weighted):
    mask = RNG.uniform(size=(4, 3)) > 0.4
    y_true = f32(RNG.uniform(size=(4, 3, 2)) > 0.5)
    y_pred = f32(RNG.uniform(size=(4, 3, 2)))
    weight = f32(RNG.uniform(size=(4, 3))) if weighted else None
    mine, expected = ops.convert_to_tensor(y_pred), keras.ops.convert_to_tensor(y_pred)
    mine.mask, expected._keras_mask = ops.convert_to_tensor(mask), keras.ops.convert_to_tensor(mask)
    a, b = pair(name, {})
    a.update_state(y_true, mine, weight)
    b.update_state(y_true, expected, weight)
    same_state(a, b)
    values = mine[..., 0]
    values.mask = mine.mask
    other = expected[..., 0]
    other._keras_mask = expected._keras_mask
    a, b = ours.Mean(), theirs.Mean()
    close(a(values, weight), b(other, weight))


def test_weights_of_every_rank():
    y_true, y_pred = f32(RNG.normal(size=(2, 4, 3, 2)))
    for weight in (np.arange(4.0), RNG.uniform(size=(4, 1)), RNG.uniform(size=(4, 3)), 2.0):
        a, b = pair("MeanAbsoluteError", {})
        close(a(y_true, y_pred, weight), b(y_true, y_pred, weight))
        same_state(a, b)
    for weight in (np.arange(N), np.arange(N)[:, None], RNG.uniform(size=(N, 3))):
        for name in ("Precision", "AUC"):
            a, b = pair(name, {})
            close(a(BINARY, UNIFORM, weight), b(BINARY, UNIFORM, weight))


FUNCTIONS = [
    ("binary_accuracy", BINARY, UNIFORM, {"threshold": 0.3}),
    ("categorical_accuracy", ONE_HOT, SCORES, {}),
    ("categorical_accuracy", RNG.uniform(size=(4, 3, 2)), RNG.uniform(size=(4, 3, 2)), {}),
    ("sparse_categorical_accuracy", LABELS, SCORES, {}),
    ("sparse_categorical_accuracy", LABELS[:, None], SCORES, {}),
    ("sparse_categorical_accuracy", np.ones((4, 3)), RNG.uniform(size=(4, 3, 2)), {}),
    ("top_k_categorical_accuracy", ONE_HOT, SCORES, {"k": 2}),
    ("sparse_top_k_categorical_accuracy", LABELS, SCORES, {"k": 2}),
    ("sparse_top_k_categorical_accuracy", LABELS[:, None], SCORES, {"k": 2}),
    ("sparse_top_k_categorical_accuracy", np.ones((4, 3)), RNG.uniform(size=(4, 3, 2)), {"k": 1}),
    ("pearson_correlation", REALS, SCORES, {}),
    ("pearson_correlation", REALS, SCORES, {"axis": 0}),
    ("concordance_correlation", REALS, SCORES, {}),
    ("concordance_correlation", REALS * 0, SCORES * 0, {}),
    ("mean_squared_error", REALS, SCORES, {}),
]


@pytest.mark.parametrize("name, y_true, y_pred, arguments", FUNCTIONS)
def test_functions(name, y_true, y_pred, arguments):
    mine = getattr(ours, name)(y_true, y_pred, **arguments)
    expected = getattr(theirs, name)(y_true, y_pred, **arguments)
    close(mine, expected, rtol=1e-4)
    assert mine.dtype.name == str(expected.dtype)


def test_int_weights_of_iou_are_cut_off_with_a_warning():
    weight = np.array([0.3, 0.3, 0.3, 0.1])
    for metrics in (ours, theirs):
        metric = metrics.IoU(num_classes=2, target_class_ids=[0])
        with pytest.warns(UserWarning, match="weight as `float`, but dtype is `int`"):
            metric.update_state([0, 0, 1, 1], [0, 1, 0, 1], weight)
        assert float(metric.result()) == 0.0


def test_adjusted_r2_needs_more_samples_than_regressors():
    for metrics in (ours, theirs):
        metric = metrics.R2Score(num_regressors=40)
        metric.update_state(REALS, SCORES)
        with pytest.warns(UserWarning, match="[Ff]alling back to"):
            adjusted = float(metric.result())
        plain = float(metrics.R2Score()(REALS, SCORES))
        assert adjusted == pytest.approx(plain)


def test_stateless():
    a, b = pair("MeanSquaredError", {})
    state = [np.float32(2.0), np.float32(4.0)]
    mine = a.stateless_update_state(state, REALS, SCORES)
    expected = b.stateless_update_state(state, REALS, SCORES)
    for x, y in zip(mine, expected, strict=True):
        close(x, y)
    close(a.stateless_result(mine), b.stateless_result(expected))
    close(a.stateless_reset_state()[0], b.stateless_reset_state()[0])
    assert float(a.result()) == 0.0
    for metric in (a, b):
        with pytest.raises(ValueError, match="Received list with length 1"):
            metric.stateless_update_state([1.0], REALS, SCORES)


GET = [
    "mse", "MSE", "mae", "mape", "msle", "bce", "accuracy", "Accuracy", "auc", "AUC", "precision",
    "mean", "root_mean_squared_error", "top_k_categorical_accuracy", "binary_accuracy", "r2_score",
    "f1_score", "F1Score", "pearson_correlation", "sum", "recall", "Metric", "poisson", "hinge",
    "LogCoshError", "KLDivergence", "sparse_categorical_accuracy", "cosine_similarity",
]  # fmt: skip


@pytest.mark.parametrize("name", GET)
def test_names_that_get_knows(name):
    assert type(ours.get(name)).__name__ == type(theirs.get(name)).__name__


@pytest.mark.parametrize("identifier", ["foo", 3, "huber", "log_cosh", "dice", "iou"])
def test_identifiers_that_get_refuses(identifier):
    for get in (ours.get, theirs.get):
        with pytest.raises(ValueError, match="Could not interpret metric identifier"):
            get(identifier)


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.Precision(thresholds=2.0),
        lambda m: m.Precision(thresholds=[0.1, None]),
        lambda m: m.AUC(num_thresholds=1),
        lambda m: m.AUC(curve="x"),
        lambda m: m.AUC(summation_method="q"),
        lambda m: m.AUC(num_labels=3),
        lambda m: m.AUC(multi_label=True)(HITS, FLAT),
        lambda m: m.PrecisionAtRecall(2.0),
        lambda m: m.PrecisionAtRecall(0.5, num_thresholds=0),
        lambda m: m.F1Score(average="x"),
        lambda m: m.F1Score(threshold=2),
        lambda m: m.F1Score(threshold=0.0),
        lambda m: m.FBetaScore(beta=1),
        lambda m: m.FBetaScore(beta=-1.0),
        lambda m: m.F1Score()(HITS, FLAT),
        lambda m: m.R2Score(class_aggregation="x"),
        lambda m: m.R2Score(num_regressors=-1),
        lambda m: m.R2Score()(HITS, FLAT),
        lambda m: m.IoU(2, [3]),
        lambda m: m.BinaryIoU(target_class_ids=[2]),
    ],
)
def test_errors(make):
    for metrics in (ours, theirs):
        with pytest.raises(ValueError):
            make(metrics)


def test_what_compile_means():
    get_metric = keras.src.trainers.compile_utils.get_metric
    get_loss = keras.src.trainers.compile_utils.get_loss
    shapes = [((4, 1), (4, 1)), ((4,), (4, 3)), ((4, 3), (4, 3)), ((4, 1), (4, 3)), ((4,), (4, 1))]
    for identifier in ("accuracy", "acc", "Acc", "mse", "AUC", "binary_accuracy", _half):
        for true, pred in shapes:
            arrays = np.zeros(true), np.zeros(pred)
            a, b = metric_for(identifier, *arrays), get_metric(identifier, *arrays)
            assert (type(a).__name__, a.name) == (type(b).__name__, b.name)
    for identifier in ("mse", _half):
        assert loss_for(identifier).name == get_loss(identifier, *arrays).name
    assert loss_for(None) is None and metric_for(None, *arrays) is None


def _half(y_true, y_pred):
    return (y_true - y_pred) / 2


def test_wrapper_config_names_the_function():
    a = ours.MeanMetricWrapper(ours.mean_squared_error, name="it")
    b = theirs.MeanMetricWrapper(theirs.mean_squared_error, name="it")
    assert ours.serialize(a) == theirs.serialize(b)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = ours.deserialize(ours.serialize(a))
    close(again(REALS, SCORES), a(REALS, SCORES))
