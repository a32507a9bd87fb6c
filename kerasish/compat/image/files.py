"""Batches of augmented images that lie in files: by folder, or by a data frame of pandas."""

from __future__ import annotations

import os
import re
import warnings
from typing import Any

import numpy as np

from ...config import floatx, standardize_data_format
from ...utils.images import img_to_array, load_img
from .iterators import Iterator, augment, save_batch, validation_part

__all__ = ["DataFrameIterator", "DirectoryIterator", "list_pictures"]

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


class FileIterator(Iterator):
    """What both have in common.

    A subclass sets `filenames`, `filepaths`, `samples`, `class_mode` and, for labels, `classes`
    and `class_indices`, or `targets`.
    """

    class_indices: dict[Any, int]
    classes: Any = None
    targets: Any = None
    sample_weight: Any = None
    class_mode: str | None = None
    dtype: Any = None

    def _set_reading(
        self, image_data_generator: Any, target_size: Any, color_mode: str,
        data_format: str | None, save_to_dir: Any, save_prefix: str, save_format: str,
        subset: str | None, interpolation: str, keep_aspect_ratio: bool,
    ) -> None:  # fmt: skip
        if color_mode not in _CHANNELS:
            raise ValueError(
                f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".'
            )
        self.image_data_generator, self.color_mode = image_data_generator, color_mode
        self.target_size = tuple(int(n) for n in target_size)
        self.data_format = standardize_data_format(data_format)
        channels = (_CHANNELS[color_mode],)
        last = self.data_format == "channels_last"
        self.image_shape = self.target_size + channels if last else channels + self.target_size
        self.save_to_dir, self.save_prefix = save_to_dir, save_prefix
        self.save_format = save_format
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.subset, self.split = subset, None
        if subset is not None:
            self.split = validation_part(subset, image_data_generator._validation_split)

    @property
    def filepaths(self) -> list[str]:
        """The images' paths."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """The number of each image's class, or what the data frame's columns hold."""
        return self.classes if self.targets is None else self.targets

    def _check_class_mode(self, allowed: tuple[Any, ...]) -> None:
        if self.class_mode not in allowed:
            raise ValueError(f"Invalid class_mode: {self.class_mode}; expected one of: {allowed}")

    def _read(self, row: int) -> Any:
        image = load_img(
            self._filepaths[row], color_mode=self.color_mode, target_size=self.target_size,
            interpolation=self.interpolation, keep_aspect_ratio=self.keep_aspect_ratio,
        )  # fmt: skip
        return img_to_array(image, data_format=self.data_format)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        batch = np.zeros((len(index_array), *self.image_shape), dtype=self.dtype)
        for i, row in enumerate(index_array):
            # A copy: transforms work in place, and Pillow's memory is read-only.
            batch[i] = augment(self.image_data_generator, np.array(self._read(row)))
        save_batch(self, batch, index_array, 1e7)
        if self.class_mode is None:
            return batch
        labels = self._labels_of(batch, index_array)
        if self.sample_weight is None:
            return batch, labels
        return batch, labels, self.sample_weight[index_array]

    def _labels_of(self, batch: Any, index_array: Any) -> Any:
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode == "multi_output":
            return [column[index_array] for column in self.targets]
        if self.class_mode == "raw":
            return self.targets[index_array]
        if self.class_mode in ("binary", "sparse"):
            return np.array([self.classes[row] for row in index_array], dtype=self.dtype)
        one_hot = np.zeros((len(index_array), len(self.class_indices)), dtype=self.dtype)
        for i, row in enumerate(index_array):
            one_hot[i, self.classes[row]] = 1.0  # several classes where a row lists several
        return one_hot


def _images_of(folder: str, formats: tuple[str, ...], follow_links: bool) -> list[str]:
    """The images within a class's folder, in Keras's order."""
    found = []
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links), key=lambda x: x[0]):
        for name in sorted(names):
            if name.lower().endswith(".tiff"):
                warnings.warn(
                    'Using ".tiff" files with multiple bands will cause distortion. Please verify '
                    "your output.",
                    stacklevel=5,
                )
            if name.lower().endswith(formats):
                found.append(os.path.join(root, name))
    return found


def list_pictures(directory: Any, ext: str = "jpg|jpeg|bmp|png") -> list[str]:
    """The images below a folder.

    Args:
        directory: The folder.
        ext: Endings, separated by "|".
    """
    pattern = re.compile(rf"\w+\.(?:{ext})")
    return [
        os.path.join(root, name)
        for root, _, names in os.walk(directory)
        for name in names
        if pattern.match(name)
    ]


class DirectoryIterator(FileIterator):
    """Batches of the images below a folder that has a folder for each class.

    Args:
        directory: The folder.
        image_data_generator: The transforms.
        target_size: Height and width of the batches' images.
        color_mode: "grayscale", "rgb" or "rgba".
        classes: Names of the classes' folders; all by default.
        class_mode: "categorical" (one-hot), "binary", "sparse", "input" (the images themselves) or
            None for no labels.
        batch_size, shuffle, seed: See `Iterator`.
        data_format: "channels_last" or "channels_first"; the configured one by default.
        save_to_dir, save_prefix, save_format: Where and how to keep the pictures, if at all.
        follow_links: Whether to enter linked folders.
        subset: "training" or "validation", by the generator's `validation_split`: of each class,
            the first files are for validation.
        interpolation, keep_aspect_ratio: See `load_img`.
        dtype: Of the batches; `floatx()` by default.

    Attributes:
        filenames, filepaths: Of the images, in order.
        classes, class_indices: The number of each image's class; from name to number.
        samples, num_classes: How many there are.

    Raises:
        ValueError: An unknown class mode, color mode or subset.

    Source: Keras 2.15, `keras.preprocessing.image.DirectoryIterator`.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self, directory: Any, image_data_generator: Any, target_size: Any = (256, 256),
        color_mode: str = "rgb", classes: Any = None, class_mode: str | None = "categorical",
        batch_size: int = 32, shuffle: bool = True, seed: int | None = None,
        data_format: str | None = None, save_to_dir: Any = None, save_prefix: str = "",
        save_format: str = "png", follow_links: bool = False, subset: str | None = None,
        interpolation: str = "nearest", keep_aspect_ratio: bool = False, dtype: Any = None,
    ) -> None:  # fmt: skip
        self._set_reading(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix,
            save_format, subset, interpolation, keep_aspect_ratio,
        )  # fmt: skip
        self.directory, self.class_mode = os.fspath(directory), class_mode
        self._check_class_mode(self.allowed_class_modes)
        self.dtype = floatx() if dtype is None else dtype
        names = list(classes) if classes is not None and len(classes) else self._folders()
        self.num_classes = len(names)
        self.class_indices = dict(zip(names, range(len(names))))
        self.filenames, numbers = [], []
        for name, number in self.class_indices.items():
            folder = os.path.join(self.directory, name)
            images = _images_of(folder, self.white_list_formats, follow_links)
            if self.split:
                first, last = (int(f * len(images)) for f in self.split)
                images = images[first:last]
            self.filenames += [os.path.relpath(path, self.directory) for path in images]
            numbers += [number] * len(images)
        self.samples, self.classes = len(numbers), np.array(numbers, dtype="int32")
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _folders(self) -> list[str]:
        return sorted(entry.name for entry in os.scandir(self.directory) if entry.is_dir())


_UNLABELLED = ("input", "multi_output", "raw", None)


class DataFrameIterator(FileIterator):
    """Batches of the images that a data frame names.

    Args:
        dataframe: Of pandas, a row for each image.
        directory: Where the files lie; None if the paths are whole.
        image_data_generator: The transforms; None for none.
        x_col: The column of file names.
        y_col: The column of labels, or columns for "raw" and "multi_output".
        weight_col: The column of sample weights.
        target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
        interpolation, keep_aspect_ratio, batch_size, shuffle, seed, dtype: See `DirectoryIterator`.
        classes: The classes to use; all of the column by default.
        class_mode: "categorical" (a row may list several classes), "binary", "sparse", "input",
            "raw" (the columns' values), "multi_output" (a list of columns) or None.
        validate_filenames: Whether rows whose file is no image or is missing are left out.

    Raises:
        TypeError: Columns of other types than the class mode needs.
        ValueError: An unknown class mode, or "binary" with other than two classes.

    Source: Keras 2.15, `keras.preprocessing.image.DataFrameIterator`.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", *_UNLABELLED)

    def __init__(
        self, dataframe: Any, directory: Any = None, image_data_generator: Any = None,
        x_col: str = "filename", y_col: Any = "class", weight_col: str | None = None,
        target_size: Any = (256, 256), color_mode: str = "rgb", classes: Any = None,
        class_mode: str | None = "categorical", batch_size: int = 32, shuffle: bool = True,
        seed: int | None = None, data_format: str | None = "channels_last",
        save_to_dir: Any = None, save_prefix: str = "", save_format: str = "png",
        subset: str | None = None, interpolation: str = "nearest",
        keep_aspect_ratio: bool = False, dtype: Any = "float32", validate_filenames: bool = True,
    ) -> None:  # fmt: skip
        self._set_reading(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix,
            save_format, subset, interpolation, keep_aspect_ratio,
        )  # fmt: skip
        self.directory = os.fspath(directory) if directory else ""
        self.class_mode, self.dtype = class_mode, dtype
        self._check_columns(dataframe, x_col, y_col, weight_col, classes)
        frame = self._existing(dataframe, x_col) if validate_filenames else dataframe
        labelled, names = class_mode not in _UNLABELLED, []
        if labelled:
            frame, names = _with_classes(frame, y_col, classes)
            self.class_indices = dict(zip(names, range(len(names))))
        if self.split:
            first, last = (int(f * len(frame)) for f in self.split)
            frame = frame.iloc[first:last]
        self._set_labels(frame, y_col)
        self.filenames = frame[x_col].tolist()
        self.sample_weight = frame[weight_col].to_numpy() if weight_col else None
        self.samples = len(self.filenames)
        kind = "validated" if validate_filenames else "non-validated"
        of = f" belonging to {len(names)} classes" if labelled else ""
        print(f"Found {self.samples} {kind} image filenames{of}.")
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _set_labels(self, frame: Any, y_col: Any) -> None:
        if self.class_mode == "multi_output":
            self.targets = [np.array(frame[column].tolist()) for column in y_col]
        elif self.class_mode == "raw":
            self.targets = frame[y_col].to_numpy()
        elif self.class_mode not in _UNLABELLED:
            self.classes = self.get_classes(frame, y_col)

    def get_classes(self, df: Any, y_col: str) -> list[Any]:
        """The number of each row's class; a list of numbers where the row lists several."""
        number = self.class_indices
        return [
            [number[name] for name in label] if isinstance(label, list | tuple) else number[label]
            for label in df[y_col]
        ]

    def _existing(self, frame: Any, x_col: str) -> Any:
        def usable(name: str) -> bool:
            path = os.path.join(self.directory, name)
            return path.lower().endswith(self.white_list_formats) and os.path.isfile(path)

        kept = np.array([usable(name) for name in frame[x_col]], dtype=bool)
        if not kept.all():
            warnings.warn(
                f'Found {(~kept).sum()} invalid image filename(s) in x_col="{x_col}". These '
                "filename(s) will be ignored.",
                stacklevel=4,
            )
        return frame[kept]

    def _check_columns(
        self, frame: Any, x_col: str, y_col: Any, weight_col: str | None, classes: Any
    ) -> None:
        mode = self.class_mode
        self._check_class_mode(self.allowed_class_modes)
        if mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(
                f'If class_mode="{mode}", y_col must be a list. Received {type(y_col).__name__}.'
            )
        if not all(isinstance(name, str) for name in frame[x_col]):
            raise TypeError(f"All values in column x_col={x_col} must be strings.")
        if mode in ("binary", "sparse", "categorical"):
            types = (str, list, tuple) if mode == "categorical" else (str,)
            wrong = next((v for v in frame[y_col] if not isinstance(v, types)), None)
            if wrong is not None:
                raise TypeError(
                    f'If class_mode="{mode}", y_col="{y_col}" column values must be '
                    f"{' or '.join(t.__name__ for t in types)}. Found {wrong!r}. Numbers can be "
                    f'turned by df["{y_col}"].astype(str), or used as they are by class_mode="raw".'
                )
        if mode == "binary":
            count = len(set(classes)) if classes else frame[y_col].nunique()
            if count != 2:
                raise ValueError(
                    f'If class_mode="binary" there must be 2 classes. Found {count} classes.'
                )
        if classes and mode in _UNLABELLED:
            warnings.warn(f'`classes` will be ignored given the class_mode="{mode}"', stacklevel=4)
        if weight_col and not np.issubdtype(frame[weight_col].dtype, np.number):
            raise TypeError(f"Column weight_col={weight_col} must be numeric.")


def _with_classes(frame: Any, y_col: str, classes: Any) -> tuple[Any, list[Any]]:
    """The rows of these classes (of all if none are given), and the classes in order."""
    if not classes:
        names: set[Any] = set()
        for label in frame[y_col]:
            names.update(label if isinstance(label, list | tuple) else [label])
        return frame.dropna(subset=[y_col]), sorted(names)
    names_kept = list(dict.fromkeys(classes))

    def only(label: Any) -> Any:
        if isinstance(label, list | tuple):
            return [name for name in label if name in names_kept] or None
        return label if label in names_kept else None

    frame = frame.copy()
    frame[y_col] = [only(label) for label in frame[y_col]]
    return frame.dropna(subset=[y_col]), names_kept
