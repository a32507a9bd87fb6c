"""Progress on a terminal, in a notebook and elsewhere."""

import io
import re
import subprocess
import sys
import types

import numpy as np
import pytest

import kerasish as keras

X, Y = np.ones((40, 2), "float32"), np.ones((40, 1), "float32")
PLAIN = r"Epoch 1/2\n4/4 - \d+s - \d+(ms|us)/step - loss: [\d.e+-]+\n"


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, stream, run):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        run()
    return stream.getvalue() if stream is not None else ""


def fit(model, **options):
    return lambda: model.fit(X, Y, batch_size=10, epochs=2, **options)


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_a_stream_that_is_no_terminal_gets_one_plain_line_for_each_epoch(
    monkeypatch, model, verbose
):
    text = shown(monkeypatch, io.StringIO(), fit(model, verbose=verbose))
    assert re.fullmatch(PLAIN + PLAIN.replace("1/2", "2/2"), text)
    assert "\r" not in text


def test_a_terminal_gets_a_moving_bar(monkeypatch, model):
    text = shown(monkeypatch, Terminal(), fit(model, verbose=1))
    assert "\r" in text and "Epoch 1/2: 100%" in text and "Epoch 2/2: 100%" in text
    assert "4/4" in text and "loss: " in text
    quiet = shown(monkeypatch, Terminal(), fit(model, verbose=2))
    assert re.fullmatch(PLAIN + PLAIN.replace("1/2", "2/2"), quiet)
    assert shown(monkeypatch, Terminal(), fit(model, verbose=0)) == ""


def test_streams_without_isatty_or_none_at_all(monkeypatch, model):
    class Bare:
        def __init__(self):
            self.parts = []
            self.write, self.flush = self.parts.append, lambda: None

    bare = Bare()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", bare)
        fit(model)()
    assert re.match(PLAIN, "".join(bare.parts))
    assert shown(monkeypatch, None, fit(model)) == ""  # as under pythonw


def test_evaluate_and_predict_without_a_terminal(monkeypatch, model):
    text = shown(monkeypatch, io.StringIO(), lambda: model.evaluate(X, Y, batch_size=10))
    assert re.fullmatch(r"4/4 - .*loss: [\d.e+-]+\n", text)
    text = shown(monkeypatch, io.StringIO(), lambda: model.predict(X, batch_size=10))
    assert re.fullmatch(r"4/4 - \d+s - \d+(ms|us)/step\n", text)


def test_an_interrupted_bar_ends_its_line(monkeypatch, model):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise RuntimeError("stopped")

    stream = Terminal()
    with pytest.raises(RuntimeError, match="stopped"):
        shown(monkeypatch, stream, fit(model, callbacks=[Stop()]))
    assert stream.getvalue().endswith("\n")


NOTEBOOK = """
import sys, types
sys.modules["IPython"] = types.SimpleNamespace(
    get_ipython=lambda: types.SimpleNamespace(config={"IPKernelApp": {}})
)
import warnings
warnings.simplefilter("ignore")  # of tqdm, where ipywidgets is missing
import numpy as np, kerasish as keras
made = []
if sys.argv[1] == "widgets":
    import tqdm.auto, tqdm.std
    class Bar(tqdm.std.tqdm):  # stands for tqdm.notebook's, which needs a browser
        def __init__(self, *args, **kwargs):
            made.append(kwargs["desc"])
            super().__init__(*args, **kwargs)
    tqdm.auto.tqdm = Bar
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((40, 2)), np.ones((40, 1)), epochs=2, batch_size=10)
print(made)
"""


@pytest.mark.parametrize("kind", ["widgets", "plain"])
def test_in_a_notebook_the_bar_is_that_of_tqdm_auto(kind):
    """The output of a kernel is no terminal, yet bars move there."""
    done = subprocess.run([sys.executable, "-c", NOTEBOOK, kind], capture_output=True, check=True)
    text = done.stdout.decode()  # as it is, with carriage returns
    assert "\r" in text and "Epoch 2/2" in text and "4/4" in text and "loss: " in text
    assert ("['Epoch 1/2', 'Epoch 2/2']" in text) == (kind == "widgets")


def test_a_shell_of_ipython_without_a_kernel_is_no_notebook(monkeypatch, model):
    shell = types.SimpleNamespace(config={"TerminalIPythonApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    text = shown(monkeypatch, io.StringIO(), fit(model))
    assert "\r" not in text


def test_without_interactive_logging_lines_go_to_the_log(model, capsys, caplog):
    keras.config.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", logger="kerasish"):
            stop = keras.callbacks.EarlyStopping("loss", min_delta=9, patience=0, verbose=1)
            model.fit(X, Y, batch_size=10, epochs=2, callbacks=[stop])
    finally:
        keras.config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert "Epoch 1/2\n4/4" in caplog.text and "early stopping" in caplog.text
