"""What meant something else in Keras 1 and 2: where, and what takes its place there.

What takes the place of a method or function gets it as its first argument; of a property, it is
called with the property and returns another one.
"""

from __future__ import annotations

__all__ = ["MEANINGS"]

MEANINGS: dict[str, str] = {
    "training.trainer:Trainer.compile": "compat.freezing:compile",
    "training.trainer:Trainer.fit": "compat.freezing:train",
    "training.trainer:Trainer.train_on_batch": "compat.freezing:train",
    "models.sequential:Sequential.add": "compat.layers.merge:add_to_sequential",
    "utils:get_file": "compat.utils.data_utils:instead_of_get_file",
    "utils:to_categorical": "compat.utils.np_utils:instead_of_to_categorical",
}
