"""Callbacks: averages swapped in, figures sent, progress, directions, ends of training."""

import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish import callbacks, layers
from kerasish_core.executors import native

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5)).astype("float32")
Y = RNG.normal(size=(24, 1)).astype("float32")


def model_of(optimizer="sgd", metrics=None):
    model = kerasish.Sequential([layers.Input((5,)), layers.Dense(3), layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=metrics)
    return model


def fit(model, *hooks, **settings):
    settings = {"verbose": 0, "shuffle": False, **settings}
    return model.fit(X, Y, callbacks=list(hooks), **settings).history


# -- averages


def ema():
    return kerasish.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5)


def test_fit_ends_with_the_averages_in_the_model():
    model = model_of(ema())
    fit(model, epochs=2)
    for v, average in zip(
        model.trainable_variables, model.optimizer._model_variables_moving_average, strict=True
    ):
        np.testing.assert_array_equal(v.numpy(), average.numpy())


@pytest.mark.parametrize("scaled", [False, True])
def test_evaluation_sees_averages(scaled):
    model = model_of(kerasish.optimizers.LossScaleOptimizer(ema()) if scaled else ema())
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    raw, plain = model.get_weights(), model.evaluate(X, Y, verbose=0)
    found = model.evaluate(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    averages = [v.numpy() for v in inner._model_variables_moving_average]
    for a, b in zip(model.get_weights(), raw, strict=True):
        np.testing.assert_array_equal(a, b)
    model.set_weights(averages)
    assert found == pytest.approx(model.evaluate(X, Y, verbose=0)) != plain
    expected = model.predict(X, verbose=0)
    model.set_weights(raw)
    found = model.predict(X, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(model.get_weights()[0], raw[0])


def test_averages_at_the_end_of_epochs():
    model, seen = model_of(ema()), []
    look = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0]),
        on_epoch_begin=lambda epoch, logs: seen.append(model.get_weights()[0]),
    )
    fit(model, callbacks.SwapEMAWeights(swap_on_epoch=True), look, epochs=2, batch_size=4)
    # Training went on from the weights themselves, not from the averages of the first epoch.
    assert not np.array_equal(seen[1], seen[2])
    np.testing.assert_array_equal(seen[3], model.get_weights()[0])


def test_averages_need_use_ema():
    with pytest.raises(ValueError, match="use_ema"):
        model_of().evaluate(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
    several = kerasish.optimizers.MultiOptimizer(
        kerasish.optimizers.OptimizerMap(kerasish.optimizers.SGD(), {})
    )
    model = model_of(several)
    model.train_on_batch(X, Y)
    with pytest.raises(ValueError, match="one of several"):
        model.evaluate(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()])


# -- a server


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append((self.path, dict(self.headers), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.HTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("as_json", [False, True])
def test_figures_reach_a_server(server, as_json):
    monitor = callbacks.RemoteMonitor(
        f"http://127.0.0.1:{server.server_port}", "/here/", "figures", {"X-Key": "k"}, as_json
    )
    history = fit(model_of(), monitor, epochs=2)
    assert len(server.seen) == 2
    path, headers, body = server.seen[1]
    if not as_json:
        (body,) = urllib.parse.parse_qs(body)["figures"]
    assert path == "/here/" and headers["X-Key"] == "k"
    assert (headers["Content-Type"] == "application/json") is as_json
    assert json.loads(body) == {"epoch": 1, "loss": pytest.approx(history["loss"][1])}


def test_no_server_is_no_error():
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor"):
        fit(model_of(), callbacks.RemoteMonitor("http://127.0.0.1:1"))


# -- lists, progress, functions


def test_a_list_calls_its_callbacks(capsys):
    seen = []
    hooks = callbacks.CallbackList(
        [callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append(("batch", batch, logs)),
            on_test_end=lambda logs: seen.append(("test", logs)), tag=3,
        )],
        add_history=True, add_progbar=True, model=model_of(), verbose=0, epochs=1, steps=2,
    )  # fmt: skip
    assert [type(c).__name__ for c in hooks.callbacks][1:] == ["History", "ProgbarLogger"]
    assert isinstance(hooks, callbacks.Callback) and hooks.callbacks[0].tag == 3
    hooks.on_epoch_begin(0)
    hooks.on_train_batch_end(batch=1, logs={"loss": 2.0})
    hooks.on_epoch_end(epoch=0)
    hooks.on_test_end({"loss": 1.0})
    assert seen == [("batch", 1, {"loss": 2.0}), ("test", {"loss": 1.0})]


def test_progress_is_shown_once(capsys):
    model = model_of()
    fit(model, verbose=2, epochs=2)
    expected = capsys.readouterr().out
    fit(model, callbacks.ProgbarLogger(), verbose=2, epochs=2)
    found = capsys.readouterr().out
    assert found.count("Epoch 1/2") == expected.count("Epoch 1/2") == 1
    assert len(found.splitlines()) == len(expected.splitlines()) and "loss: " in found
    model.predict(X, verbose=2, callbacks=[callbacks.ProgbarLogger()])
    model.evaluate(X, Y, verbose=2, callbacks=[callbacks.ProgbarLogger()])
    assert len(capsys.readouterr().out.splitlines()) == 2


# -- what is monitored


def test_direction_is_that_of_the_metric():
    model = model_of(metrics=["mae", kerasish.metrics.R2Score(name="fit")])
    for name, larger in {"loss": False, "val_mae": False, "val_fit": True}.items():
        stop = callbacks.EarlyStopping(monitor=name)
        fit(model, stop, validation_data=(X, Y))
        assert stop.is_better(2.0, 1.0) is larger

    def largest(y_true, y_pred):
        return kerasish.ops.max(y_pred - y_true)

    with pytest.raises(ValueError, match="mode='max'"):
        fit(model_of(metrics=[largest]), callbacks.EarlyStopping(monitor="largest"), epochs=2)


def test_waits_and_cooldowns():
    model = model_of()
    reduce = callbacks.ReduceLROnPlateau("loss", 0.5, 1, min_delta=1e9, cooldown=2)
    rates = fit(model, reduce, epochs=6)["learning_rate"]
    assert rates == pytest.approx([0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025])
    assert callbacks.EarlyStopping("loss").get_monitor_value({"loss": 3.0}) == 3.0


def test_nan_ends_training():
    model = model_of(kerasish.optimizers.SGD(1e30))
    ended = []
    end = callbacks.LambdaCallback(on_train_end=lambda logs: ended.append(1))
    with pytest.raises(RuntimeError, match="NaN or Inf loss"):
        fit(model, callbacks.TerminateOnNaN(raise_error=True), end, epochs=9, batch_size=4)
    assert not ended
    model = model_of(kerasish.optimizers.SGD(1e30))
    with np.errstate(all="ignore"):
        history = fit(model, callbacks.TerminateOnNaN(), end, epochs=9, batch_size=4)
    assert ended and len(history["loss"]) < 9


def test_orbax_names_what_to_use():
    with pytest.raises(ImportError, match=r"orbax-checkpoint.*ModelCheckpoint"):
        callbacks.OrbaxCheckpoint("here")


def test_a_chunk_ends_at_the_batch_whose_loss_is_no_number(capsys, monkeypatch):
    """With and without chunks: the same batch, the same weights, no step after it."""
    x = np.ones((400, 3), "float32")
    x[4 * 37] = np.inf  # in the 38th batch of 4
    asked = []
    run_rows = core.CompiledStep.run_rows

    def noted(self, *args):
        done, results = run_rows(self, *args)
        asked.append((args[-1], done))
        return done, results

    monkeypatch.setattr(core.CompiledStep, "run_rows", noted)

    def trained(*others):
        kerasish.utils.set_random_seed(0)
        model = kerasish.Sequential([layers.Input((3,)), layers.Dense(1)])
        model.compile(kerasish.optimizers.SGD(0.01), "mse")
        model.fit(x, np.ones((400, 1)), batch_size=4, shuffle=False, verbose=0, epochs=3,
                  callbacks=[callbacks.TerminateOnNaN(), *others])  # fmt: skip
        assert "Batch 37: Invalid loss, terminating training" in capsys.readouterr().out
        assert int(model.optimizer.iterations.numpy()) == 38
        assert len(model.history.history["loss"]) == 1
        return model.get_weights()

    in_chunks = trained()
    assert {watched for watched, _ in asked} == {"loss"}
    assert sum(done for _, done in asked) == (38 if native.available() else 0)
    asked.clear()
    by_batch = trained(callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None))
    assert not asked
    for a, b in zip(in_chunks, by_batch, strict=True):
        np.testing.assert_array_equal(a, b)


def test_only_terminate_on_nan_keeps_steps_in_chunks():
    class Own(callbacks.TerminateOnNaN):
        seen = 0

        def on_batch_end(self, batch, logs=None):
            self.seen += 1

    own = Own()
    model = kerasish.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((40, 3)), np.ones((40, 1)), batch_size=4, verbose=0, callbacks=[own])
    assert own.seen == 10


@pytest.mark.parametrize("others", [[], [callbacks.LambdaCallback(on_train_batch_end=print)]])
def test_stopping_before_an_epoch_still_gives_its_logs(others, capsys):
    """As in Keras, where `stop_training` is looked at after a batch."""

    class Stop(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model = model_of()
    model.fit(X, Y, batch_size=4, epochs=5, verbose=0, callbacks=[Stop(), *others])
    assert len(model.history.history["loss"]) == 2


@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_an_error_of_the_programs_own_does_not_train_again(error):
    """Calls with older arguments are made again in today's form: not those that had begun."""
    begun = []

    class Fails(callbacks.Callback):
        def on_train_begin(self, logs=None):
            begun.append("fit")

        def on_test_begin(self, logs=None):
            begun.append("evaluate")

        def on_predict_batch_end(self, batch, logs=None):
            begun.append("predict")
            raise error("mine")

        def on_epoch_end(self, epoch, logs=None):
            raise error("mine")

        def on_test_end(self, logs=None):
            raise error("mine")

    model = model_of()
    for run in (
        lambda: model.fit(X, Y, 4, 2, 0, [Fails()]),
        lambda: model.evaluate(X, Y, 4, 0, callbacks=[Fails()]),
        lambda: model.predict(X, 100, 0, callbacks=[Fails()]),
    ):
        with pytest.raises(error, match="mine"):
            run()
    assert begun == ["fit", "evaluate", "predict"]


def test_csv_has_columns_for_validation_that_comes_later(tmp_path):
    x = np.ones((4, 2), "float32")
    model = kerasish.Sequential([kerasish.Input((2,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    path = tmp_path / "log.csv"
    log = callbacks.CSVLogger(path)
    model.fit(x, x, epochs=3, validation_data=(x, x), validation_freq=2, verbose=0, callbacks=[log])
    model.fit(x, x, verbose=0, callbacks=[callbacks.CSVLogger(path, append=True)])
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    assert header == ["epoch", "loss", "val_loss"]
    assert [row[2] == "NA" for row in rows] == [True, False, True, True]


def test_backups_of_others_stay(tmp_path):
    (tmp_path / "latest.weights.h5").write_bytes(b"of Keras")
    x = np.ones((4, 2), "float32")
    model = kerasish.Sequential([kerasish.Input((2,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="a backup of Keras's"):
        model.fit(x, x, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path)])
    assert [f.name for f in tmp_path.iterdir()] == ["latest.weights.h5"]
