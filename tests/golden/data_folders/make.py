"""What Keras on TensorFlow reads from folders, and makes of series.

Run once, where `keras` and `tensorflow` are installed:

    KERAS_BACKEND=tensorflow python tests/golden/data_folders/make.py

It writes small pictures, texts and sounds beside itself, and each case's arguments with the
elements that Keras made of them into `cases.json`; the test does the same with ours.
"""

import json
import wave
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
PLAIN = {"shuffle": False, "verbose": False}
SMALL = {"image_size": (3, 4), "batch_size": 3, **PLAIN}


def write_files():
    rng = np.random.default_rng(0)
    for i, (name, size) in enumerate([("b/0", (4, 6)), ("b/1", (7, 5)), ("a/x/2", (2, 3))]):
        path = HERE / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (*size, 3 + i // 2), dtype="uint8")
        path.write_bytes(tf.io.encode_png(pixels).numpy())
    for name, text in {"b/1": "Grün", "a/2": "two words\n", "b/10": ""}.items():
        path = HERE / "texts" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for i, name in enumerate(("left", "right")):
        path = HERE / "sounds" / f"{name}/0.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((1 + i, 2, 8000, 5 + i, "NONE", ""))
            file.writeframes(rng.integers(-(2**15), 2**15, (5 + i) * (1 + i), "<i2").tobytes())


def cases():
    pictures = [
        {}, {"label_mode": "categorical"}, {"label_mode": "binary"}, {"label_mode": None},
        {"labels": None}, {"labels": [7, 5, 6]}, {"class_names": ["b", "a"]},
        {"batch_size": None}, {"color_mode": "grayscale"}, {"color_mode": "rgba"},
        {"data_format": "channels_first"}, {"crop_to_aspect_ratio": True},
        {"pad_to_aspect_ratio": True}, {"image_size": (9, 8)},
        *({"interpolation": x} for x in (
            "nearest", "bicubic", "lanczos3", "lanczos5", "area", "gaussian", "mitchellcubic")),
        {"validation_split": 0.4, "subset": "training"},
        {"validation_split": 0.4, "subset": "validation"},
    ]  # fmt: skip
    for more in pictures:
        yield "image_dataset_from_directory", "pictures", {**SMALL, **more}
    # Longer texts Keras cuts between the bytes of a letter; ours are cut between letters.
    for more in ({}, {"max_length": 2}, {"label_mode": "categorical"}, {"batch_size": None},
                 {"batch_size": 2}):  # fmt: skip
        yield "text_dataset_from_directory", "texts", {**PLAIN, **more}
    yield "audio_dataset_from_directory", "sounds/left", {**PLAIN, "labels": None}
    for length in (3, 9):
        more = {"labels": None, "output_sequence_length": length}
        for side in ("left", "right"):
            yield "audio_dataset_from_directory", f"sounds/{side}", {**PLAIN, **more}
    for more in (
        {}, {"sequence_stride": 3}, {"sampling_rate": 2}, {"batch_size": 2}, {"batch_size": None},
        {"start_index": 4, "end_index": 13}, {"start_index": 3}, {"end_index": 9},
        {"sequence_stride": 2, "sampling_rate": 3, "start_index": 1},
    ):  # fmt: skip
        for targets in (None, "same length", "shorter"):
            yield "timeseries_dataset_from_array", targets, {"sequence_length": 4, **more}


def series(targets):
    data = np.arange(40.0, dtype="float32").reshape(20, 2)
    return data, {None: None, "same length": data[:, 0] * 10, "shorter": data[:17]}[targets]


def plain(element):
    if isinstance(element, tuple | list):
        return [plain(e) for e in element]
    found = np.asarray(element)
    if found.dtype == object:
        return {"dtype": "string", "value": [t.decode() for t in found.ravel()],
                "shape": found.shape}  # fmt: skip
    value = [round(float(v), 4) for v in found.ravel()]
    return {"dtype": found.dtype.name, "value": value, "shape": found.shape}


def outcome(function, place, options):
    call = getattr(keras.utils, function)
    if function.startswith("timeseries"):
        data, targets = series(place)
        dataset = call(data, targets, **options)
    else:
        dataset = call(str(HERE / place), **options)
    found = {"elements": [plain(e) for e in dataset]}
    if hasattr(dataset, "class_names"):
        found["class_names"] = dataset.class_names
    if hasattr(dataset, "file_paths"):
        found["files"] = [str(Path(p).relative_to(HERE)) for p in dataset.file_paths]
    return found


def main():
    write_files()
    rows = []
    for function, place, options in cases():
        try:
            found = outcome(function, place, options)
        except Exception as error:
            found = {"error": type(error).__name__}
        rows.append({"function": function, "place": place, "options": options, **found})
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
