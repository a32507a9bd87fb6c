"""Makes classic_backend.npz: what the published Keras 2 answers to the calls of
`tests/api/classic_backend_cases.py`.

usage: python tests/golden/make_classic_backend.py     (needs tensorflow and tf-keras)

The fixture was made with tensorflow 2.21.0 and tf-keras 2.21.0.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tf_keras.src import backend

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "api"))

import classic_backend_cases  # noqa: E402


def tensors(part):
    if isinstance(part, np.ndarray):
        return tf.constant(part)
    if isinstance(part, list):
        return [tensors(p) for p in part]
    return part


def flat(part):
    if isinstance(part, list | tuple):
        return [leaf for p in part for leaf in flat(p)]
    return [np.asarray(part)]


def main():
    found = {}
    for name, (function, args, options) in classic_backend_cases.all_cases():
        call = getattr(backend, function, None)
        if call is None:
            print("not in tf-keras:", name)
            continue
        options = {k: tensors(v) for k, v in options.items()}
        for i, leaf in enumerate(flat(call(*map(tensors, args), **options))):
            found[f"{name}.{i}"] = leaf
    np.savez_compressed(HERE / "classic_backend.npz", **found)
    print(len(found), "arrays")


if __name__ == "__main__":
    main()
