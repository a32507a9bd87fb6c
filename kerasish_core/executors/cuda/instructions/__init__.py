"""One module for each family of kernels; importing them fills the table of lowerings."""

from . import index, move, product, random, rows

__all__ = ["index", "move", "product", "random", "rows"]
