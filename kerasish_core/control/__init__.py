"""Control flow over tensors, run eagerly as Python loops and traced as nodes with sub-graphs."""

from .branch import cond, switch
from .custom import custom_gradient
from .loops import fori_loop, map, scan, while_loop

__all__ = ["cond", "custom_gradient", "fori_loop", "map", "scan", "switch", "while_loop"]
