"""Scripts as people wrote them for Keras 1, Keras 2 and tf.keras: they run, and they learn.

Each prints `figure` and a number last; an untrained model misses its bound.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"

# Script: generation, least figure (or None), greatest figure (or None), whether it is slow.
TABLE = {
    "acgan": (2, 0.9, None, True),
    "attention": (2, 0.85, None, True),
    "autoencoder": (2, None, 0.5, True),
    "capsules": (2, 0.9, None, True),
    "character_lstm": (2, None, 0.2, True),
    "convnet": (2, 0.85, None, True),
    "cudnn_layers": (2, 0.85, None, True),
    "custom_layer": (2, None, 0.2, True),
    "custom_optimizer": (2, None, 0.1, False),
    "deep_dream": (2, 5.0, None, True),
    "gan": (2, None, 0.3, True),
    "k_function_updates": (2, 0.85, None, True),
    "learning_rates": (2, None, 0.01, True),
    "locally_connected": (2, 0.8, None, True),
    "mlp_functional": (2, 0.9, None, True),
    "mlp_sequential": (2, 0.85, None, False),
    "residual_blocks": (2, 0.85, None, True),
    "rows_of_rows": (2, 0.9, None, True),
    "save_load": (2, 0.85, None, True),
    "seq2seq": (2, 0.9, None, True),
    "sequence_generator": (2, 0.9, None, True),
    "siamese": (2, 0.9, None, True),
    "stateful_lstm": (2, 0.9, None, True),
    "style_transfer": (2, None, 0.4, True),
    "subclassed": (2, 0.85, None, True),
    "tensorboard_logs": (2, 0.85, None, True),
    "tf_actor_critic": (3, None, 9.0, False),
    "tf_checkpoints": (2, 0.9, None, False),
    "tf_custom_loops": (3, 0.85, None, True),
    "tf_gan_loop": (3, None, 0.2, True),
    "tf_image_files": (3, 0.9, None, True),
    "tf_keras_layers": (2, 0.85, None, False),
    "tf_seq2seq_masks": (3, 0.9, None, False),
    "tf_text_classification": (3, 0.9, None, False),
    "tf_time_series": (3, None, 0.3, True),
    "vae_add_loss": (2, None, 0.8, True),
    "vae_closure": (2, None, 0.7, False),
    "where_autoencoder": (2, None, 0.3, True),
    "wgan": (2, None, 0.8, True),
    "wgan_gp": (2, None, 1.3, True),
}


def marked(name):
    return pytest.param(name, marks=pytest.mark.slow) if TABLE[name][3] else name


def test_all_are_listed():
    assert sorted(path.stem for path in SCRIPTS.glob("*.py")) == sorted(TABLE)


WITHOUT_RUNNER = ["custom_layer"]


@pytest.mark.parametrize("name", WITHOUT_RUNNER)
def test_imported_as_keras(name, tmp_path):
    """`import kerasish as keras` in the script does the same."""
    text = (SCRIPTS / f"{name}.py").read_text()
    text = text.replace("from keras", "from kerasish").replace(
        "import keras\n", "import kerasish\n"
    )
    script = tmp_path / "script.py"
    script.write_text(text)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    _, least, greatest, _ = TABLE[name]
    figure = float(done.stdout.split()[-1])
    assert (least or -1e9) < figure < (greatest or 1e9)
    assert "OlderSpelling" in done.stderr


@pytest.mark.parametrize("name", [marked(name) for name in TABLE])
def test_script(name, tmp_path):
    generation, least, greatest, _ = TABLE[name]
    done = subprocess.run(
        [sys.executable, "-m", "kerasish", "--verbose", str(SCRIPTS / f"{name}.py")],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"a program for Keras {generation}\n" in done.stderr
    words = done.stdout.split()
    assert words[-2] == "figure", done.stdout
    figure = float(words[-1])
    assert least is None or figure > least, figure
    assert greatest is None or figure < greatest, figure
