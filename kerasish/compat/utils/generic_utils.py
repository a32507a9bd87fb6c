"""`keras.utils.generic_utils`; what it shares with `keras.utils` is found there."""

from __future__ import annotations

import inspect
from typing import Any

from ...naming import to_snake_case as modern_snake_case
from ...serialization.lambdas import func_dump, func_load

__all__ = [
    "check_for_unexpected_keys", "func_dump", "func_load", "get_from_module", "has_arg",
    "is_all_none", "make_batches", "make_tuple", "object_list_uid", "slice_arrays", "to_list",
    "to_snake_case", "transpose_shape", "unpack_singleton",
]  # fmt: skip


def has_arg(fn: Any, name: str, accept_all: bool = False) -> bool:
    """Whether a function can be called with a keyword.

    Args:
        fn: The function.
        name: The keyword.
        accept_all: Whether `**kwargs` counts.
    """
    parameters = inspect.signature(fn).parameters
    if accept_all and any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return True
    found = parameters.get(name)
    return found is not None and found.kind in (found.POSITIONAL_OR_KEYWORD, found.KEYWORD_ONLY)


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """A list: itself, or with this one element."""
    if isinstance(x, list) or (allow_tuple and isinstance(x, tuple)):
        return list(x)
    return [x]


def make_tuple(*args: Any) -> tuple[Any, ...]:
    """The arguments as a tuple."""
    return args


def unpack_singleton(x: Any) -> Any:
    """The only element of a list, or the list."""
    return x[0] if len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    """A key for these objects: where they lie in memory."""
    return ", ".join(str(abs(id(x))) for x in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether it is None, or all that it holds is."""
    found = iterable_or_element
    return all(v is None for v in (found if isinstance(found, list | tuple) else [found]))


def slice_arrays(arrays: Any, start: Any = None, stop: Any = None) -> Any:
    """Rows of arrays: of each one of a list, None staying None.

    Args:
        arrays: An array, or a list of them.
        start: The first row, or a list of rows.
        stop: The row after the last.
    """
    if arrays is None:
        return [None]
    if isinstance(start, list) and stop is not None:
        raise ValueError(
            "The stop argument has to be None if the value of start is a list. "
            f"Received start={start}, stop={stop}"
        )
    rows = start if hasattr(start, "__len__") else slice(start, stop)
    if isinstance(arrays, list):
        return [None if x is None else x[rows] for x in arrays]
    return arrays[rows]


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """The first row of each batch and the one after its last.

    >>> make_batches(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(i, min(i + batch_size, size)) for i in range(0, size, batch_size)]


def to_snake_case(name: str) -> str:
    """A class's name as a function's.

    >>> to_snake_case("BatchNormalization")
    'batch_normalization'
    """
    found = modern_snake_case(name)
    return f"private{found}" if found[:1] == "_" else found


def transpose_shape(shape: Any, target_format: str, spatial_axes: Any) -> Any:
    """A shape with its channels last, in another data format.

    Args:
        shape: `(samples, ..., channels)`.
        target_format: "channels_first" or "channels_last".
        spatial_axes: Which of its axes are those of space.

    Raises:
        ValueError: An unknown format.
    """
    if target_format == "channels_last":
        return shape
    if target_format != "channels_first":
        raise ValueError(
            'The `data_format` argument must be one of "channels_first", "channels_last". '
            f"Received: {target_format}"
        )
    first = [*shape[: spatial_axes[0]], shape[-1], *(shape[axis] for axis in spatial_axes)]
    return tuple(first) if isinstance(shape, tuple) else first


def check_for_unexpected_keys(name: str, input_dict: Any, expected_values: Any) -> None:
    """Raises ValueError where a dictionary has other keys than these."""
    unknown = set(input_dict) - set(expected_values)
    if unknown:
        raise ValueError(
            f"Unknown entries in {name} dictionary: {sorted(map(str, unknown))}. Only expected "
            f"following keys: {list(expected_values)}"
        )


def get_from_module(
    identifier: Any, module_params: Any, module_name: str, instantiate: bool = False,
    kwargs: Any = None,
) -> Any:  # fmt: skip
    """What a name means among others, as Keras 1 looked up losses and initializers.

    Args:
        identifier: The name, a dictionary of `name` and arguments, or the thing itself.
        module_params: The names, such as `globals()`.
        module_name: For the error.
        instantiate: Whether it is a class of which an object is wanted.
        kwargs: For the object.

    Raises:
        ValueError: There is no such name.
    """
    if isinstance(identifier, dict):
        kwargs = {k: v for k, v in identifier.items() if k != "name"}
        identifier, instantiate = identifier["name"], True
    if not isinstance(identifier, str):
        return identifier
    found = module_params.get(identifier)
    if found is None:
        raise ValueError(f"Invalid {module_name}: {identifier}")
    return found(**(kwargs or {})) if instantiate else found
