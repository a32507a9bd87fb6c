"""Calls of Keras 2's preprocessing whose results are compared: run by the published Keras 2 once
(`tests/golden/make_classic_preprocessing.py`) and by ours in `test_classic_preprocessing.py`.

Each function takes the modules and returns names with arrays or plain values.
"""

import random

import numpy as np

GENERATORS = {
    "rotation": dict(rotation_range=40),
    "shift": dict(width_shift_range=0.3, height_shift_range=0.2),
    "shift_in_pixels": dict(width_shift_range=3, height_shift_range=[1, 2.0, 4]),
    "shear": dict(shear_range=20.0),
    "zoom": dict(zoom_range=0.3),
    "zoom_reflected": dict(zoom_range=(0.5, 1.1), fill_mode="reflect"),
    "channel_shift": dict(channel_shift_range=30.0),
    "brightness": dict(brightness_range=(0.3, 1.5)),
    "flips": dict(horizontal_flip=True, vertical_flip=True),
    "all": dict(
        rotation_range=10, width_shift_range=0.1, height_shift_range=0.1, shear_range=5,
        zoom_range=0.2, channel_shift_range=10.0, horizontal_flip=True, vertical_flip=True,
        rescale=1 / 255.0, fill_mode="constant", cval=7.0, brightness_range=[0.5, 2],
    ),
    "wrapped_nearest_pixel": dict(rotation_range=90, fill_mode="wrap", interpolation_order=0),
    "cubic": dict(rotation_range=30, interpolation_order=3),
    "samplewise": dict(samplewise_center=True, samplewise_std_normalization=True),
    "featurewise": dict(featurewise_center=True, featurewise_std_normalization=True),
    "zca": dict(zca_whitening=True, featurewise_center=True, zca_epsilon=1e-2),
    "function": dict(preprocessing_function=lambda x: x[::-1] * 2, rescale=0.5),
    "channels_first": dict(
        rotation_range=20, data_format="channels_first", featurewise_center=True,
        width_shift_range=0.2,
    ),
}  # fmt: skip


def pictures():
    return (np.random.RandomState(3).rand(5, 8, 7, 3) * 255).astype("float32")


def flows(image):
    """Batches of arrays: the order of an epoch, the transforms and the normalizations."""
    found = {}
    for name, options in GENERATORS.items():
        generator = image.ImageDataGenerator(**options)
        x = pictures()
        if name == "channels_first":
            x = x.transpose(0, 3, 1, 2)
        generator.fit(x, augment=name == "featurewise", rounds=2, seed=5)
        batches = generator.flow(x, np.arange(5) % 3, batch_size=3, seed=11)
        # As an iterator over the end of an epoch, and as a data set.
        for i, (batch, labels) in enumerate([next(batches) for _ in range(3)] + [batches[1]]):
            found[f"{name}.{i}.x"], found[f"{name}.{i}.y"] = batch, labels
        amounts = generator.get_random_transform((11, 9, 3), seed=4)
        found[f"{name}.amounts"] = {k: None if v is None else float(v) for k, v in amounts.items()}
    return found


def functions(image):
    """The transforms by themselves."""
    x, found = pictures()[0], {}
    amounts = dict(
        random_rotation=(30,), random_shift=(0.2, 0.3), random_shear=(20,),
        random_zoom=((0.5, 1.5),), random_channel_shift=(20,), random_brightness=((0.2, 2),),
    )  # fmt: skip
    last = dict(row_axis=0, col_axis=1, channel_axis=2)
    for name, amount in amounts.items():
        np.random.seed(1)
        found[name] = getattr(image, name)(x, *amount)
        if name not in ("random_channel_shift", "random_brightness"):
            found[f"{name}.last"] = getattr(image, name)(x, *amount, **last)
    for scale in (False, True):
        found[f"brightness.{scale}"] = image.apply_brightness_shift(x * 2 - 100, 0.7, scale)
    found["affine"] = image.apply_affine_transform(
        x, theta=20, tx=1, ty=-2, shear=5, zx=0.8, zy=1.2, fill_mode="reflect", **last
    )
    return found


FRAMES = {
    "categorical": dict(class_mode="categorical"),
    "several": dict(class_mode="categorical", y_col="several"),
    "sparse": dict(class_mode="sparse"),
    "binary": dict(class_mode="binary", classes=["dog", "cat"]),
    "classes": dict(class_mode="categorical", classes=["eel", "cat"]),
    "raw": dict(class_mode="raw", y_col="value"),
    "raw_columns": dict(class_mode="raw", y_col=["value", "weight"]),
    "multi_output": dict(class_mode="multi_output", y_col=["value", "weight"]),
    "input": dict(class_mode="input"),
    "none": dict(class_mode=None),
}


def make_folder(folder, save):
    """Images of three classes, `save(array, path)` writes one."""
    generator = np.random.RandomState(0)
    for name in ("cat", "dog", "eel"):
        (folder / name / "more").mkdir(parents=True)
        for i in range(3):
            pixels = generator.randint(0, 256, (7 + i, 6, 3)).astype("uint8")
            save(pixels, folder / name / f"{i}.png")
        save(generator.randint(0, 256, (6, 6, 3)).astype("uint8"), folder / name / "more/x.bmp")


def _flat(batch):
    parts = batch if isinstance(batch, tuple) else (batch,)
    return [leaf for part in parts for leaf in (part if isinstance(part, list) else [part])]


def files(image, pandas, folder):
    """Batches of files: which of them, in which order, with which labels."""
    found = {}
    generator = image.ImageDataGenerator(validation_split=0.34, rotation_range=5)
    for subset in ("training", "validation"):
        for mode in ("categorical", "binary", "sparse", "input", None):
            color = "grayscale" if mode == "input" else "rgb"
            batches = generator.flow_from_directory(
                str(folder), target_size=(5, 4), class_mode=mode, batch_size=4, seed=2,
                subset=subset, color_mode=color,
            )  # fmt: skip
            key = f"directory.{subset}.{mode}"
            found.update({f"{key}.{i}": part for i, part in enumerate(_flat(next(batches)))})
            found[f"{key}.names"] = list(batches.filenames)
            found[f"{key}.classes"] = np.asarray(batches.classes)
    names = [f"{name}/{i}.png" for name in ("cat", "dog", "eel") for i in range(3)]
    frame = pandas.DataFrame(dict(
        filename=names + ["no.png"],
        class_=[name[:3] for name in names] + ["cat"],
        value=np.arange(10.0) / 3, weight=np.arange(10) * 2,
        several=[["a"], ["b", "a"], ["c"]] * 3 + [["a"]],
    )).rename(columns={"class_": "class"})  # fmt: skip
    for name, options in FRAMES.items():
        for subset in (None, "validation"):
            weights = dict(weight_col="weight") if name == "sparse" else {}
            batches = generator.flow_from_dataframe(
                frame, str(folder), target_size=(5, 5), batch_size=4, seed=3, subset=subset,
                interpolation="bilinear", **weights, **options,
            )  # fmt: skip
            key = f"frame.{name}.{subset}"
            found.update({f"{key}.{i}": part for i, part in enumerate(_flat(next(batches)))})
            found[f"{key}.names"] = list(batches.filenames)
    return found


TEXTS = [
    "The quick brown fox, jumps over the lazy dog.", "A dog! a DOG? the cat\tsat\non the mat",
    ["Already", "Split", "the", "Dog"], "", "fox fox fox",
]  # fmt: skip
TOKENIZERS = {
    "plain": {},
    "num_words": dict(num_words=5),
    "oov": dict(num_words=4, oov_token="<oov>"),
    "characters": dict(char_level=True, oov_token="UNK"),
    "as_they_are": dict(lower=False, filters=""),
    "analyzer": dict(analyzer=lambda text: text.split("o")),
}


def texts(text):
    found = {
        "words": text.text_to_word_sequence(TEXTS[1]),
        "words.split": text.text_to_word_sequence("a-b_c;d", filters="-", split=";", lower=False),
        "hash.md5": text.hashing_trick("the cat sat", 50, "md5"),
        "hash.function": text.hashing_trick("a bb c", 20, len),
    }
    for name, options in TOKENIZERS.items():
        given = [t for t in TEXTS if isinstance(t, str)] if name == "analyzer" else TEXTS
        tokenizer = text.Tokenizer(**options)
        tokenizer.fit_on_texts(given)
        tokenizer.fit_on_texts(given[:1])
        tokenizer.fit_on_sequences([[1, 2, 2], [3]])
        sequences = tokenizer.texts_to_sequences([*given, "zebra dog"])
        found[f"{name}.sequences"] = sequences
        found[f"{name}.texts"] = tokenizer.sequences_to_texts([*sequences, [1, 999, 3]])
        found[f"{name}.index"] = dict(tokenizer.word_index)
        found[f"{name}.counts"] = dict(tokenizer.word_counts)
        found[f"{name}.docs"] = dict(tokenizer.word_docs)
        found[f"{name}.documents"] = tokenizer.document_count
        for mode in ("binary", "count", "freq", "tfidf"):
            found[f"{name}.{mode}"] = tokenizer.texts_to_matrix(given, mode=mode)
        if name != "analyzer":
            again = text.tokenizer_from_json(tokenizer.to_json())
            found[f"{name}.again"] = again.texts_to_matrix(given, "tfidf")
            found[f"{name}.config"] = sorted(tokenizer.get_config())
    return found


WINDOWS = {
    "plain": {},
    "sampled": dict(sampling_rate=2, batch_size=4),
    "strided": dict(stride=3, batch_size=5, reverse=True),
    "part": dict(start_index=5, end_index=30, batch_size=4),
    "shuffled": dict(shuffle=True, batch_size=6),
}
SKIPGRAMS = {
    "plain": {},
    "near": dict(window_size=1, categorical=True),
    "real": dict(negative_samples=0, shuffle=False),
    "thinned": dict(seed=4, negative_samples=2.0),
}


def sequences(sequence):
    data, targets, found = np.arange(40.0).reshape(40, 1), np.arange(40), {}
    for name, options in WINDOWS.items():
        np.random.seed(0)
        windows = sequence.TimeseriesGenerator(data, targets, length=6, **options)
        for i in range(len(windows)):
            found[f"windows.{name}.{i}.x"], found[f"windows.{name}.{i}.y"] = windows[i]
        found[f"windows.{name}.json"] = windows.to_json()
    table = found["table"] = sequence.make_sampling_table(100, 1e-2)
    for name, options in SKIPGRAMS.items():
        random.seed(7)
        thin = dict(sampling_table=table) if name == "thinned" else {}
        pairs, labels = sequence.skipgrams([3, 0, 5, 9, 2, 5, 1, 44, 3], 50, **thin, **options)
        found[f"pairs.{name}"] = [[list(map(int, pair)) for pair in pairs], labels]
    return found
