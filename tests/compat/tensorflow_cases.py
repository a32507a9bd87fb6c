"""Calls of TensorFlow's names: expressions of `tf` and of the tensors in `values`.

`tests/golden/make_tensorflow.py` stores what TensorFlow answers, `test_tensorflow_names.py`
compares.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

CALLS = Path(__file__).parent / "tensorflow_calls"


def values(tf):
    """The names that expressions use, as tensors of `tf`."""
    rng = np.random.default_rng(11)
    floats = {
        "X": (3, 4), "Y": (3, 4), "V": (5,), "W": (4,), "T": (2, 3, 4), "A": (4, 4), "B": (2, 3, 3),
        "SEQ": (2, 9, 3), "K1": (3, 3, 5), "IMG": (2, 7, 8, 3), "K2": (3, 2, 3, 4),
        "DK": (3, 3, 3, 2),
        "PK": (1, 1, 6, 5), "VOL": (1, 5, 6, 5, 2), "K3": (2, 3, 2, 2, 3), "KT": (3, 3, 4, 3),
        "NCHW": (2, 4, 4, 4),
    }  # fmt: skip
    found = {k: rng.normal(size=s).astype("float32") for k, s in floats.items()}
    found["SPD"] = (found["A"] @ found["A"].T + 4 * np.eye(4)).astype("float32")
    found["P"] = rng.uniform(0.1, 0.9, (3, 4)).astype("float32")
    found["PIC"] = rng.uniform(0, 1, (6, 8, 3)).astype("float32")
    found["PICS"] = rng.uniform(0, 1, (2, 32, 34, 3)).astype("float32")
    found["PICS2"] = np.clip(found["PICS"] + rng.normal(0, 0.1, (2, 32, 34, 3)), 0, 1).astype(
        "float32"
    )
    found["BYTES"] = rng.integers(0, 256, (5, 6, 3)).astype("uint8")
    found["I"] = np.array([[3, 1, 2], [7, 0, 5]], "int32")
    found["J"] = np.array([[2, -3, 4], [1, 6, -2]], "int32")
    found["N"] = np.array([4, 1, 1, 3, 4], "int32")
    found["L"] = np.array([5, -7, 9], "int64")
    found["U8"] = np.array([250, 3, 100], "uint8")
    found["D"] = rng.normal(size=(2, 3))
    found["M"] = np.array([True, False, True])
    found["M2"] = np.array([[True, False, True, True], [False] * 4, [False, True, False, True]])
    found["BAD"] = np.array([1.0, np.nan, np.inf, 0.0, -np.inf], "float32")
    found["C"] = (rng.normal(size=3) + 1j * rng.normal(size=3)).astype("complex64")
    found["SORTED"] = np.array([[1, 3, 5, 7], [2, 2, 4, 8]], "float32")
    found["SEG"] = np.array([0, 0, 2], "int32")
    found["BOXES"] = np.array(
        [[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [0, 10.1, 1, 11.1]],
        "float32",
    )
    text = {
        "S": "Hello, World", "ST": ["Ab cd", "  x y  z ", "", "naïve Été"],
        "SM": [["a", "bc"], ["def", ""]], "NUM": ["1", "2.5", "-3e2"],
    }  # fmt: skip
    return {k: tf.constant(v) for k, v in {**found, **text}.items()}


def expressions():
    """All of them, one a line of the files in `tensorflow_calls`."""
    return [line for path in sorted(CALLS.glob("*.txt")) for line in path.read_text().splitlines()]


def leaves(found):
    """What an expression gave, as a list of arrays; text as `str`."""
    if isinstance(found, dict):
        return [leaf for key in sorted(found) for leaf in leaves(found[key])]
    if isinstance(found, list | tuple) and not hasattr(found, "dtype"):
        return [leaf for part in found for leaf in leaves(part)]
    array = found.numpy() if hasattr(found, "numpy") else found
    array = np.asarray(array)
    if array.dtype.kind in "OS":
        text = [
            v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in array.flat
        ]
        array = np.array(text, dtype=str).reshape(array.shape)
    return [array]
