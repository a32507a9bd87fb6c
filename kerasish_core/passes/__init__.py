"""Graph to graph: each pass keeps the meaning."""

from .cse import cse
from .dce import dce
from .fold import fold
from .pipeline import PIPELINE, optimize

__all__ = ["PIPELINE", "cse", "dce", "fold", "optimize"]
