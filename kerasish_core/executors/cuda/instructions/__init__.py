"""One module for each family of kernels; importing them fills the table of lowerings."""

from . import attention, collective, index, move, product, random, recurrent, rows, sorting, windows

__all__ = [
    "attention",
    "collective",
    "index",
    "move",
    "product",
    "random",
    "recurrent",
    "rows",
    "sorting",
    "windows",
]
