"""What callbacks write, print and do to a run, in the published Keras and here."""

import csv
import inspect
import re
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from layer_pairs import both

pytestmark = [
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3)).astype("float32")
Y = RNG.normal(size=(24, 1)).astype("float32")
VALIDATION = (X[:8], Y[:8])


def rates(k, folder):
    return [k.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5, verbose=1)]


def plateau(k, folder):
    return [k.callbacks.ReduceLROnPlateau("loss", 0.1, 1, verbose=1, min_delta=9.0, min_lr=0.002)]


def stopping(k, folder):
    return [k.callbacks.EarlyStopping(
        "val_loss", 1.0, 1, verbose=1, restore_best_weights=True, start_from_epoch=1)]  # fmt: skip


def baseline(k, folder):
    return [k.callbacks.EarlyStopping("loss", patience=1, verbose=1, baseline=0.1)]


def unknown(k, folder):
    stop = k.callbacks.EarlyStopping("nothing", mode="min")
    return [stop, k.callbacks.ReduceLROnPlateau("nothing", mode="min")]


def infinite(k, folder):
    class Spoil(k.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                logs["loss"] = float("nan")

    return [Spoil(), k.callbacks.TerminateOnNaN()]


def table(k, folder):
    return [k.callbacks.CSVLogger(folder / "a.csv"),
            k.callbacks.CSVLogger(folder / "b.tsv", separator="\t", append=True)]  # fmt: skip


def checkpoint(path, **options):
    def make(k, folder):
        return [k.callbacks.ModelCheckpoint(str(folder / path), verbose=1, **options)]

    return make


def backup(k, folder):
    return [k.callbacks.BackupAndRestore(folder / "b", delete_checkpoint=False)]


def functions(k, folder):
    seen = (folder / "seen.txt").open("a")
    return [k.callbacks.LambdaCallback(
        on_train_begin=lambda logs: seen.write("begin\n"),
        on_epoch_begin=lambda epoch, logs: seen.write(f"{epoch} {sorted(logs or {})}\n"),
        on_epoch_end=lambda epoch, logs: seen.write(f"{epoch} {sorted(logs)}\n"),
        on_train_end=lambda logs: (seen.write(f"{sorted(logs)}\n"), seen.close()),
    )]  # fmt: skip


CASES = {
    "table": table,
    "rates": rates,
    "plateau": plateau,
    "stopping": stopping,
    "baseline": baseline,
    "nothing to watch": unknown,
    "not a number": infinite,
    "functions": functions,
    "backup": backup,
    "checkpoint": checkpoint("{epoch:02d}-{val_loss:.2f}.keras"),
    "checkpoint of weights": checkpoint("{epoch}.weights.h5", save_weights_only=True),
    "best checkpoint": checkpoint("best.keras", monitor="loss", save_best_only=True),
    "best above": checkpoint(
        "best.weights.h5", monitor="mae", mode="max", save_best_only=True,
        save_weights_only=True, initial_value_threshold=0.5,
    ),
    "checkpoint of batches": checkpoint(
        "{epoch}-{batch}.weights.h5", save_freq=3, save_weights_only=True
    ),
    "unknown figure": checkpoint("x.keras", monitor="nothing", save_best_only=True, mode="min"),
}  # fmt: skip
NAMES = [pytest.param(n, marks=[] if n == "table" else pytest.mark.slow) for n in CASES]
# Compared in `test_callbacks_parity.py`, `test_training_parity.py`, or by a server, TensorBoard's
# reader or an error: `tests/api/test_callbacks.py`, `tests/api/test_tensorboard.py`.
ELSEWHERE = {
    "Callback", "CallbackList", "History", "OrbaxCheckpoint", "ProgbarLogger",
    "RemoteMonitor", "SwapEMAWeights", "TensorBoard",
}  # fmt: skip


def test_every_callback_has_a_case():
    text = Path(__file__).read_text()
    used = set(re.findall(r"callbacks\.(\w+)\(", text)) | ELSEWHERE
    assert used == {n for n, v in vars(keras.callbacks).items() if inspect.isclass(v)}


def numbers(text):
    """A text with its figures cut to 3 digits and the folder's name taken out."""
    return re.sub(r"-?\d+\.\d+(e-?\d+)?", lambda m: f"{float(m[0]):.3g}", text)


def rows(path):
    with path.open(newline="") as file:
        return [[numbers(v) for v in row] for row in csv.reader(file)]


def run(k, name, folder, weights, capsys):
    folder.mkdir()
    model = k.Sequential([k.layers.Input((3,)), k.layers.Dense(1, name="d")])
    model.set_weights(weights)
    model.compile(k.optimizers.SGD(0.02), "mse", metrics=["mae"])
    capsys.readouterr()
    caught = []
    for _ in range(2):  # the second goes on where a file says so
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            hooks = CASES[name](k, folder)
            history = model.fit(
                X, Y, batch_size=6, epochs=3, shuffle=False, verbose=0, callbacks=hooks,
                validation_data=VALIDATION,
            )  # fmt: skip
        messages = [str(w.message) for w in seen if w.category is UserWarning]
        caught += [re.search(r"nothing|learning rate|$", m)[0] for m in messages]
    printed = numbers(capsys.readouterr().out.replace(str(folder), "folder"))
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    if name == "backup":  # ours is one file, which a killed run can't leave half written
        assert files
        files = []
    tables = {f: rows(folder / f) for f in files if f.endswith(("csv", "tsv", "txt"))}
    return history, printed, files, tables, caught, model.get_weights()


@pytest.mark.parametrize("name", NAMES)
def test_callbacks(name, tmp_path, capsys):
    weights = [RNG.normal(size=s).astype("float32") for s in [(3, 1), (1,)]]
    theirs, ours = (run(k, name, tmp_path / k.__name__, weights, capsys) for k in both())
    assert ours[0].epoch == theirs[0].epoch
    assert list(ours[0].history) == list(theirs[0].history)
    for key, values in theirs[0].history.items():
        np.testing.assert_allclose(ours[0].history[key], values, rtol=1e-4, err_msg=key)
    for a, b in zip(ours[1:5], theirs[1:5], strict=True):
        assert a == b
    for a, b in zip(ours[5], theirs[5], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
