"""Seeds of weights as Keras drew them until 2.3."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from .. import older

__all__ = ["default_seed"]


def default_seed(today: Callable[[], int]) -> int:
    """From NumPy's global generator, so that `np.random.seed` fixes a run; not in `tf.keras`."""
    if older.state.generation != 1 and {"tensorflow", "tf_keras"} & sys.modules.keys():
        return today()
    return int(np.random.randint(1, int(1e9)))  # noqa: NPY002  that generator is meant
