"""Programs for Keras under `python -m kerasish`, and `import keras` as kerasish."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import kerasish
from kerasish import compat
from kerasish.compat.imports import resolve

MODEL = """
import pickle
import sys
import threading

import numpy as np
{imports}

class Point:
    pass

model = keras.Sequential([layers.Input((2,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
history = model.fit(np.ones((16, 2)), np.ones((16, 1)), epochs=2, verbose=0)
assert len(history.history["mae"]) == 2
assert isinstance(pickle.loads(pickle.dumps(Point())), Point)
print(keras.__name__, __name__, sys.argv[1:], "keras.src" in sys.modules and "real" or "ours")
"""
SPELLINGS = [
    "import keras\nfrom keras import layers",
    "from tensorflow import keras\nfrom tensorflow.keras import layers",
    "import tensorflow as tf\nkeras, layers = tf.keras, tf.keras.layers",
    "import tensorflow.keras as keras\nimport tensorflow.keras.layers as layers",
    "import tf_keras as keras\nfrom tf_keras import layers",
    "import keras\nfrom keras.api import layers",
]


def run(*arguments, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "kerasish", *arguments], capture_output=True, text=True, cwd=cwd
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("imports", SPELLINGS)
def test_scripts(imports, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(MODEL.format(imports=imports))
    code, out, err = run(str(script), "a", "--b")
    assert (code, err) == (0, "")
    assert out == "kerasish __main__ ['a', '--b'] ours\n"


def test_modules_and_code(tmp_path):
    (tmp_path / "helper.py").write_text(
        "from keras import ops\ndef two():\n    return ops.ones(2)\n"
    )
    (tmp_path / "program.py").write_text(
        "import helper, sys\nprint(helper.two().shape, sys.argv[1:])"
    )
    assert run("-m", "program", "x", cwd=tmp_path)[:2] == (0, "(2,) ['x']\n")
    assert run(str(tmp_path / "program.py"), cwd="/")[:2] == (0, "(2,) []\n")
    code = "import keras, sys; print(keras.version() == keras.__version__, sys.argv)"
    assert run("-c", code, "y")[:2] == (0, "True ['-c', 'y']\n")


def test_tracebacks_are_the_users(tmp_path):
    script = tmp_path / "wrong.py"
    script.write_text("import keras\n\n\ndef f():\n    keras.layers.Dense(-1)\n\n\nf()\n")
    code, out, err = run(str(script))
    lines = err.splitlines()
    assert code == 1 and not out
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{script}", line 8, in <module>'
    assert "runner.py" not in err and lines[-1].startswith("ValueError")


def test_how_programs_end(tmp_path):
    assert run("-c", "raise SystemExit(7)")[0] == 7
    assert run("-c", "import sys; sys.exit('said')")[::2] == (1, "said\n")
    code, _, err = run(str(tmp_path / "missing.py"))
    assert code == 2 and "can't open" in err
    assert run("-m")[0] == 2 and run()[0] == 2
    code, out, _ = run("--help")
    assert code == 0 and out.startswith("usage")


def test_generations(tmp_path):
    code = "from kerasish import older; print(older.state.generation)"
    old = "from keras.layers.core import Dense\n" + code
    assert run("--generation", "1", "-c", code)[1] == "1\n"
    assert run("--generation=2", "--verbose", "-c", code)[1:] == (
        "2\n", "kerasish: read as a program for Keras 2\n"
    )  # fmt: skip
    assert run("-c", code)[1] == "3\n"
    (tmp_path / "program.py").write_text(old)
    for arguments in ((str(tmp_path / "program.py"),), ("-m", "program"), ("-c", old)):
        _, out, err = run("--verbose", *arguments, cwd=tmp_path)
        assert out == "2\n"
        assert err.splitlines()[:2] == [
            "kerasish: read as a program for Keras 2",
            "kerasish:   line 1: keras.layers.core",
        ]
    code, _, err = run("--generation", "4", "-c", "1")
    assert code == 2 and "--generation is 1, 2 or 3" in err


def test_tensorflow_has_keras_only():
    code, _, err = run("-c", "import tensorflow as tf\ntf.sparse")
    assert code == 1 and "tensorflow.sparse is not there" in err.splitlines()[-1]


def test_names_of_modules():
    assert resolve("keras") == resolve("tf_keras") == resolve("tensorflow.keras") == "kerasish"
    assert resolve("tensorflow.python.keras.layers") == "kerasish.layers"
    assert resolve("keras.src.models.functional") == "kerasish.src.models.functional"
    assert resolve("keras.src.optimizers.schedules") == "kerasish.src.optimizers.schedules"
    assert resolve("keras.src.engine.training") == "kerasish.src.engine.training"
    assert resolve("keras.src.nowhere") is None
    assert resolve("keras.nowhere") is None
    assert resolve("keras_preprocessing.image") == "kerasish.preprocessing.image"
    assert resolve("keras_preprocessing.text") == "kerasish.preprocessing.text"
    assert resolve("keras_applications.vgg16") == "kerasish.applications.vgg16"
    assert resolve("keras_applications.nowhere") is None
    assert (
        resolve("kerasish") is None and resolve("numpy") is None and resolve("kerastuner") is None
    )


@pytest.fixture
def clean(monkeypatch):
    """Imports as in a fresh process, put back afterwards."""
    before = {
        n: m for n, m in sys.modules.items() if n.partition(".")[0] in ("keras", "tensorflow")
    }
    for name in before:
        monkeypatch.delitem(sys.modules, name)
    yield
    compat.uninstall()
    sys.modules.update(before)


def test_in_a_running_process(clean):
    compat.install()
    compat.install()
    import keras
    import keras.layers

    assert keras is kerasish and keras.layers is kerasish.layers
    assert kerasish.layers.__spec__.name == "kerasish.layers"
    with pytest.raises(ModuleNotFoundError):
        import keras.nowhere
    compat.uninstall()
    assert "keras" not in sys.modules and "kerasish" in sys.modules


def test_in_a_notebook(clean):
    kerasish.load_ipython_extension(None)
    import keras

    assert keras is kerasish


def test_beside_the_real_one(clean, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    with pytest.raises(ImportError, match="keras is already imported"):
        compat.install()
