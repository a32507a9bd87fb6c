"""Makes classic_preprocessing.npz: what the published Keras 2 answers to the calls of
`tests/compat/classic_preprocessing_cases.py`.

usage: python tests/golden/make_classic_preprocessing.py

Needs tensorflow, tf-keras, scipy, pillow and pandas. The fixture was made with tf-keras 2.21.0.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas
from PIL import Image
from tf_keras.preprocessing import image, sequence, text

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "compat"))

import classic_preprocessing_cases as cases  # noqa: E402


def main():
    with tempfile.TemporaryDirectory() as folder:
        cases.make_folder(Path(folder), lambda pixels, path: Image.fromarray(pixels).save(path))
        groups = {
            "flows": cases.flows(image), "functions": cases.functions(image),
            "files": cases.files(image, pandas, folder), "texts": cases.texts(text),
            "sequences": cases.sequences(sequence),
        }  # fmt: skip
    arrays, plain = {}, {}
    for group, found in groups.items():
        for name, value in found.items():
            place = arrays if isinstance(value, np.ndarray) else plain
            place[f"{group}/{name}"] = value
    np.savez_compressed(
        HERE / "classic_preprocessing.npz", plain=np.array(json.dumps(plain)), **arrays
    )


if __name__ == "__main__":
    main()
