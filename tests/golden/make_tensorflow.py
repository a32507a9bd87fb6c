"""Makes tensorflow.npz: what TensorFlow answers to the calls of `tests/compat/tensorflow_cases.py`.

usage: python tests/golden/make_tensorflow.py     (needs tensorflow)

The fixture was made with tensorflow-cpu 2.21.0 and keras 3.15.0.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "compat"))

import tensorflow_cases  # noqa: E402


def main():
    names = tensorflow_cases.values(tf)
    asked, stored = tensorflow_cases.expressions(), {}
    for i, expression in enumerate(asked):
        try:
            found = eval(expression, {"tf": tf, "np": np, **names})
            for j, leaf in enumerate(tensorflow_cases.leaves(found)):
                stored[f"{i}.{j}"] = leaf
        except Exception as error:
            print("FAILED", expression, type(error).__name__, str(error)[:300])
    stored["expressions"] = np.array(asked)
    np.savez_compressed(HERE / "tensorflow.npz", **stored)
    print(len(stored) - 1, "arrays")


if __name__ == "__main__":
    main()
