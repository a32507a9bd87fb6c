"""`keras.utils.test_utils`: made-up data."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...naming import clear_session

__all__ = ["get_test_data", "keras_test"]


def get_test_data(
    num_train: int = 1000, num_test: int = 500, input_shape: Any = (10,),
    output_shape: Any = (2,), classification: bool = True, num_classes: int = 2,
    **older: Any,
) -> Any:  # fmt: skip
    """Data that a model can learn: each class has a mean of its own.

    Args:
        num_train, num_test: Samples of each part.
        input_shape: Of a sample.
        output_shape: Of a target, unless there are classes.
        classification: Whether targets are numbers of classes.
        num_classes: How many.
        **older: `nb_train`, `nb_test`, `nb_class`: names of Keras 1.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Raises:
        TypeError: Other keyword arguments.
    """
    num_train, num_test = older.pop("nb_train", num_train), older.pop("nb_test", num_test)
    num_classes = older.pop("nb_class", num_classes)
    if older:
        raise TypeError(f"get_test_data() got unexpected keyword arguments: {sorted(older)}")
    generator = np.random
    samples = num_train + num_test
    if classification:
        y = generator.randint(0, num_classes, size=samples)
        level = y.reshape(-1, *(1 for _ in input_shape))
        x = level + generator.normal(0, 0.7, (samples, *input_shape))
    else:
        mean = generator.random((samples, 1))
        y = np.full((samples, *output_shape), mean.reshape(-1, *(1 for _ in output_shape)))
        level = mean.reshape(-1, *(1 for _ in input_shape))
        x = level + generator.normal(0, 0.7, (samples, *input_shape))
    x = x.astype("float32")
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def keras_test(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a test: names start anew after it."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        finally:
            clear_session()

    return run
