"""Programs written for Keras run unchanged: `python -m kerasish script.py`, `%load_ext kerasish`.

`imports` makes `keras` and its other spellings mean kerasish, `runner` runs programs so.

What earlier releases had is declared by rows of the tables in `tables/`:

- `tables/paths.py`: modules that are gone, and where their names are now;
- `tables/names.py`: names that a module had, and what they mean;
- `tables/*_arguments.py`: arguments of calls: older keywords, older order;
- `tables/attributes.py`: methods and attributes of objects;
- `tables/meanings.py`: methods that meant something else;
- `tables/marks.py`: what shows the generation for which a program is written.

What `tensorflow` has beside `tensorflow.keras` is said by `tables/tensorflow.py` and made in
`tensorflow/`, a module for each room.

`paths`, `names`, `arguments` and `attributes` look them up when `kerasish.older`, the rooms' one
link to here, asks. `generation` guesses for which Keras the program is written, `meanings` lets
names mean what they meant there. What today's Keras has nothing like is written anew in rooms of
its own beside the tables.
"""

import importlib
from typing import Any

_NAMES = {
    "OlderSpelling": "warning", "install": "imports", "load_ipython_extension": "imports",
    "main": "runner", "set_generation": "generation", "uninstall": "imports",
}  # fmt: skip

__all__ = [*_NAMES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f".{_NAMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
