"""One module for each family of kernels; importing them fills the table of lowerings."""

from . import collective, index, move, product, random, rows

__all__ = ["collective", "index", "move", "product", "random", "rows"]
