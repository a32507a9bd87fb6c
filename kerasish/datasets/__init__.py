"""Data sets, from the cache or downloaded."""

from . import mnist

__all__ = ["mnist"]
