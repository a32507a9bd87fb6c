"""Makes classic_applications.json: what the published Keras 2 builds for the cases of
`tests/compat/classic_application_cases.py`.

usage: python tests/golden/make_classic_applications.py     (needs tensorflow and tf-keras)

The fixture was made with tensorflow-cpu 2.21.0 and tf-keras 2.21.0.
"""

import json
import sys
import unittest.mock
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras.src.engine.base_layer import Layer
from tf_keras.src.utils import data_utils

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "compat"))

import classic_application_cases as cases  # noqa: E402

ADD_WEIGHT = Layer.add_weight


def without_drawing(self, *args, initializer=None, **kwargs):
    """Zeros for weights: drawing them takes most of the time."""
    return ADD_WEIGHT(self, *args, initializer="zeros", **kwargs)


def built(name, kwargs):
    files = []

    def get_file(fname, origin, cache_subdir, file_hash):
        files.append([fname, origin, cache_subdir, file_hash])
        return "nowhere"

    tf_keras.backend.clear_session()
    with (
        unittest.mock.patch.object(data_utils, "get_file", get_file),
        unittest.mock.patch.object(tf_keras.Model, "load_weights"),
        unittest.mock.patch.object(Layer, "add_weight", without_drawing),
    ):
        model = getattr(tf_keras.applications, name)(**kwargs)
    return {**cases.describe(model), "files": files}


def main():
    print("tensorflow", tf.__version__, "tf-keras", tf_keras.__version__)
    structure = {}
    for name, kwargs in cases.CASES:
        structure[cases.label(name, kwargs)] = built(name, kwargs)
        print(cases.label(name, kwargs), structure[cases.label(name, kwargs)], flush=True)
    values = {}
    for name in cases.VALUES:
        tf_keras.backend.clear_session()
        found = cases.outputs(cases.small(tf_keras, name))
        values[name] = [[float(np.float32(v)) for v in row[::8]] for row in found]
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in structure.items()]
    text = '{"structure": {\n' + ",\n".join(lines) + '\n},\n"values": '
    (HERE / "classic_applications.json").write_text(text + json.dumps(values) + "}\n")


if __name__ == "__main__":
    main()
