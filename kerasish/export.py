"""Models for serving by other programs, under Keras's public path."""

from __future__ import annotations

from typing import Any

from .serialization import builtin

__all__ = ["ExportArchive"]


@builtin("keras.export")
class ExportArchive:
    """Not to be had yet: it writes SavedModels, a format of TensorFlow.

    Raises:
        NotImplementedError: Always; it says what to do instead.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "ExportArchive writes SavedModels, which need TensorFlow. Save the model as `.keras` "
            "(`model.save`): this package and Keras read it, and Keras with TensorFlow exports it "
            "from there."
        )
