"""All families of calls: importing this fills the table."""

from . import elementwise, reductions
from .entries import TABLE

__all__ = ["TABLE", "elementwise", "reductions"]
