"""Methods that meant something else in Keras 1 and 2: where, and what takes their place there.

What takes the place of a method gets it as its first argument; of a property, it is called with
the property and returns another one.
"""

from __future__ import annotations

__all__ = ["MEANINGS"]

MEANINGS: dict[str, str] = {
    "training.trainer:Trainer.compile": "compat.freezing:compile",
    "training.trainer:Trainer.fit": "compat.freezing:train",
    "training.trainer:Trainer.train_on_batch": "compat.freezing:train",
}
