"""What CIFAR-10 and CIFAR-100 have in common: pickled batches of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..config import image_data_format, keras_home
from ..utils.files import get_file
from .cache import load_pickle

__all__ = ["find_folder", "load_batch", "oriented"]


def find_folder(folder: str, origin: str, file_hash: str) -> Path:
    """The unpacked folder in the cache, or where the download was unpacked."""
    datasets = Path(keras_home()) / "datasets"
    target = f"{folder}-target"
    for place in (datasets, datasets / target, datasets / f"{target}_extracted"):
        if (place / folder).is_dir():
            return place / folder
    return Path(get_file(target, origin, extract=True, file_hash=file_hash)) / folder


def load_batch(path: Path, label_key: str = "labels") -> tuple[Any, Any]:
    """Pictures as uint8 `(n, 3, 32, 32)` and labels of one file."""
    with open(path, "rb") as file:
        batch = load_pickle(file, encoding="bytes")
    batch = {k.decode() if isinstance(k, bytes) else k: v for k, v in batch.items()}
    return np.asarray(batch["data"]).reshape(-1, 3, 32, 32), batch[label_key]


def oriented(x: Any) -> Any:
    """Pictures with the channels where `image_data_format()` has them."""
    x = x.transpose(0, 2, 3, 1) if image_data_format() == "channels_last" else x
    return np.ascontiguousarray(x)
