"""Metrics: against scikit-learn and by hand; state, tracing, own metrics."""

import numpy as np
import pytest
from sklearn import metrics as sk

import kerasish_core as core
from kerasish import metrics, ops
from kerasish.variable import Variable

RNG = np.random.default_rng(0)
LABELS = (RNG.uniform(size=200) > 0.6).astype("float32")
SCORES = np.clip(LABELS * 0.3 + RNG.uniform(size=200) * 0.7, 0, 1).astype("float32")
CLASSES = RNG.integers(0, 3, 60)
GUESSES = np.where(RNG.uniform(size=60) < 0.5, CLASSES, RNG.integers(0, 3, 60))
ONE_HOT = np.eye(3, dtype="float32")


def in_batches(metric, *arrays, size=32, weight=None):
    for i in range(0, len(arrays[0]), size):
        part = None if weight is None else weight[i : i + size]
        metric.update_state(*(a[i : i + size] for a in arrays), part)
    return np.asarray(metric.result())


def test_area_under_roc():
    exact = sk.roc_auc_score(LABELS, SCORES)
    assert in_batches(metrics.AUC(num_thresholds=2000), LABELS, SCORES) == pytest.approx(
        exact, abs=2e-3
    )
    low = in_batches(metrics.AUC(summation_method="minoring"), LABELS, SCORES)
    high = in_batches(metrics.AUC(summation_method="majoring"), LABELS, SCORES)
    assert low <= exact <= high


def test_area_under_precision_recall():
    exact = sk.average_precision_score(LABELS, SCORES)
    value = in_batches(metrics.AUC(num_thresholds=2000, curve="PR"), LABELS, SCORES)
    assert value == pytest.approx(exact, abs=5e-3)


def test_buckets_equal_comparisons():
    weight = RNG.uniform(size=200).astype("float32")
    even = metrics.AUC(num_thresholds=11)
    plain = metrics.AUC(num_thresholds=11)
    plain._evenly = False
    assert even._evenly
    for metric in (even, plain):
        in_batches(metric, LABELS, SCORES, weight=weight)
    for a, b in zip(even.variables, plain.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-5)


def test_precision_and_recall():
    guess = SCORES > 0.5
    weight = RNG.uniform(size=200)
    for name, exact in (("Precision", sk.precision_score), ("Recall", sk.recall_score)):
        metric = getattr(metrics, name)()
        assert in_batches(metric, LABELS, SCORES) == pytest.approx(exact(LABELS, guess))
        metric.reset_state()
        value = in_batches(metric, LABELS, SCORES, weight=weight)
        assert value == pytest.approx(exact(LABELS, guess, sample_weight=weight), rel=1e-5)


def test_counts():
    (tn, fp), (fn, tp) = sk.confusion_matrix(LABELS, SCORES > 0.5)
    expected = {"True": (tp, tn), "False": (fp, fn)}
    for truth, (positives, negatives) in expected.items():
        for kind, number in (("Positives", positives), ("Negatives", negatives)):
            metric = getattr(metrics, truth + kind)()
            assert in_batches(metric, LABELS, SCORES) == number


@pytest.mark.parametrize("average", ["micro", "macro", "weighted", None])
@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_f_scores(average, beta):
    metric = metrics.FBetaScore(average=average, beta=beta)
    value = in_batches(metric, ONE_HOT[CLASSES], ONE_HOT[GUESSES])
    exact = sk.fbeta_score(CLASSES, GUESSES, beta=beta, average=average)
    np.testing.assert_allclose(value, exact, rtol=1e-5)


def test_intersection_over_union():
    exact = sk.jaccard_score(CLASSES, GUESSES, average=None)
    assert in_batches(metrics.MeanIoU(3), CLASSES, GUESSES) == pytest.approx(exact.mean())
    assert in_batches(metrics.IoU(3, [1]), CLASSES, GUESSES) == pytest.approx(exact[1])
    value = in_batches(metrics.OneHotMeanIoU(3), ONE_HOT[CLASSES], ONE_HOT[GUESSES])
    assert value == pytest.approx(exact.mean())


def test_labels_out_of_range_do_not_count_in_iou():
    metric = metrics.MeanIoU(2)
    assert float(metric(np.array([0, 1, 7, -1]), np.array([0, 1, 0, 1]))) == 1.0


def test_r2():
    y_true, y_pred = RNG.normal(size=(2, 50, 2))
    exact = sk.r2_score(y_true, y_pred)
    assert in_batches(metrics.R2Score(), y_true, y_pred) == pytest.approx(exact, rel=1e-4)


def test_correlations():
    y_true, y_pred = RNG.normal(size=(2, 4, 30))
    exact = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(y_true, y_pred, strict=True)])
    assert float(metrics.PearsonCorrelation()(y_true, y_pred)) == pytest.approx(exact, rel=1e-4)
    assert float(metrics.ConcordanceCorrelation()(y_true, y_true)) == pytest.approx(1.0, rel=1e-4)


def test_accuracies():
    scores = ONE_HOT[GUESSES] + RNG.uniform(size=(60, 3)) * 0.5
    exact = sk.accuracy_score(CLASSES, GUESSES)
    assert in_batches(metrics.CategoricalAccuracy(), ONE_HOT[CLASSES], scores) == pytest.approx(
        exact
    )
    assert in_batches(metrics.SparseCategoricalAccuracy(), CLASSES, scores) == pytest.approx(exact)
    exact = sk.top_k_accuracy_score(CLASSES, scores, k=2)
    value = in_batches(metrics.SparseTopKCategoricalAccuracy(k=2), CLASSES, scores)
    assert value == pytest.approx(exact)
    binary = in_batches(metrics.BinaryAccuracy(), LABELS, SCORES)
    assert binary == pytest.approx(sk.accuracy_score(LABELS, SCORES > 0.5), rel=1e-2)


def test_mean_of_batches_is_the_weighted_mean():
    values, weight = RNG.normal(size=100), RNG.uniform(size=100)
    metric = metrics.Mean()
    assert float(metric.result()) == 0.0
    for i in range(0, 100, 7):
        metric.update_state(values[i : i + 7], weight[i : i + 7])
    assert float(metric.result()) == pytest.approx(np.average(values, weights=weight), rel=1e-4)


TRACED = [
    ("MeanSquaredError", {}), ("AUC", {}), ("AUC", {"thresholds": [0.2, 0.3]}), ("Precision", {}),
    ("Recall", {"thresholds": [0.1, 0.9]}), ("PrecisionAtRecall", {"recall": 0.5}),
    ("BinaryAccuracy", {}), ("BinaryIoU", {}), ("FalsePositives", {}), ("BinaryCrossentropy", {}),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments", TRACED)
def test_compiled_equals_eager(name, arguments):
    eager = getattr(metrics, name)(**arguments)
    compiled = getattr(metrics, name)(**arguments)
    step = core.compile_step(lambda a, b: (compiled.update_state(a, b), compiled.result())[1])
    for i in range(0, 200, 50):
        batch = LABELS[i : i + 50], SCORES[i : i + 50]
        eager.update_state(*batch)
        value = step(*batch)
    np.testing.assert_allclose(np.asarray(value), np.asarray(eager.result()), rtol=1e-6)
    for a, b in zip(eager.variables, compiled.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["F1Score", "R2Score"])
def test_state_made_by_the_first_batch_is_real_in_a_trace(name):
    eager, compiled = getattr(metrics, name)(), getattr(metrics, name)()
    step = core.compile_step(lambda a, b: (compiled.update_state(a, b), compiled.result())[1])
    batch = ONE_HOT[CLASSES], ONE_HOT[GUESSES] * 0.9 + 0.05
    np.testing.assert_allclose(np.asarray(step(*batch)), np.asarray(eager(*batch)), rtol=1e-5)
    assert all(isinstance(v.numpy(), np.ndarray) for v in compiled.variables)


def test_own_metric():
    class Largest(metrics.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.value = self.add_variable((), "zeros", name="value")
            self.inner = metrics.Mean()
            self.extra = Variable(2.0, trainable=False, name="extra")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(ops.maximum(self.value, ops.max(y_pred)))
            self.inner.update_state(y_pred)

        def result(self):
            return {"largest": self.value, "mean": self.inner.result()}

    metric = Largest(name="it")
    assert [v.path for v in metric.variables] == ["it/value", "extra", "mean/total", "mean/count"]
    result = metric(None, np.array([1.0, 5.0, 3.0]))
    assert float(result["largest"]) == 5.0 and float(result["mean"]) == 3.0
    metric.reset_state()
    assert [float(v) for v in metric.variables] == [0.0] * 4


def test_metric_without_super_init():
    class Careless(metrics.Metric):
        def __init__(self):
            self.total = self.add_variable((), "zeros")

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Careless()


def test_base_has_no_formula():
    for action in ("update_state", "result"):
        with pytest.raises(NotImplementedError, match=action):
            getattr(metrics.Metric(), action)()


def test_labels_and_predictions_of_other_shapes():
    with pytest.raises(ValueError, match="must have the same shape"):
        metrics.Precision()(np.ones((5, 3)), np.ones((5, 4)))


def test_weights_of_each_entry_with_a_class_id():
    weight = RNG.uniform(size=(60, 3)).astype("float32")
    metric = metrics.Precision(class_id=1)
    value = float(metric(ONE_HOT[CLASSES], ONE_HOT[GUESSES], weight))
    exact = sk.precision_score(CLASSES == 1, GUESSES == 1, sample_weight=weight[:, 1])
    assert value == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_state_of_half_types_is_float32(dtype):
    # 2048 + 1 is 2048 in float16, 256 + 1 is 256 in bfloat16.
    mean = metrics.MeanSquaredError(dtype=dtype)
    total = metrics.Sum(dtype=dtype)
    auc, wide = metrics.AUC(dtype=dtype), metrics.AUC()
    ones, zeros = np.ones((3000, 1), "float32"), np.zeros((3000, 1), "float32")
    predictions = np.linspace(0, 1, 3000, dtype="float32")[:, None]
    labels = (np.arange(3000) % 3 == 0).astype("float32")[:, None]
    for _ in range(2):
        mean.update_state(ones, zeros)
        total.update_state(ones)
        for metric in (auc, wide):
            metric.update_state(labels, predictions)
    assert float(mean.result()) == 1.0 and mean.result().dtype == dtype
    assert float(total.result()) == (6016.0 if dtype == "bfloat16" else 6000.0)
    assert {v.dtype for m in (mean, total, auc) for v in m.variables} == {"float32"}
    assert auc.result().dtype == "float32"
    assert abs(float(auc.result()) - float(wide.result())) < 0.01
