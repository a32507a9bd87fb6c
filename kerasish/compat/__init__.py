"""Programs written for Keras run unchanged: `python -m kerasish script.py`, `%load_ext kerasish`.

`imports` makes `keras` and its other spellings mean kerasish, `runner` runs programs so.
"""

from .imports import install, load_ipython_extension, uninstall
from .runner import main

__all__ = ["install", "load_ipython_extension", "main", "uninstall"]
