"""The optimizers under Keras 2's `optimizers.legacy`, with its `lr` and `decay`.

Keras 3 only raises here. These are the present optimizers: their steps are the same formulas.
"""

from __future__ import annotations

from typing import Any

from .. import older as _older
from ..serialization import builtin
from . import adagrad, adam, base, ftrl, rmsprop, sgd
from .schedules import InverseTimeDecay

__all__ = ["Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop", "SGD"]


class _Legacy:
    """Takes Keras 2's `lr` for `learning_rate`, and `decay`: `lr / (1 + decay * step)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "lr" in kwargs:
            kwargs.setdefault("learning_rate", kwargs.pop("lr"))
        decay = kwargs.pop("decay", 0.0)
        super().__init__(*args, **kwargs)
        if decay:
            optimizer: Any = self
            rate = float(optimizer.learning_rate)
            optimizer.learning_rate = InverseTimeDecay(rate, 1, decay)


@builtin("keras.optimizers.legacy")
class Optimizer(_Legacy, base.Optimizer):
    __doc__ = f"`optimizers.Optimizer`. {_Legacy.__doc__}"


@builtin("keras.optimizers.legacy")
class SGD(_Legacy, sgd.SGD):
    __doc__ = f"`optimizers.SGD`. {_Legacy.__doc__}"


@builtin("keras.optimizers.legacy")
class Adam(_Legacy, adam.Adam):
    __doc__ = f"`optimizers.Adam`. {_Legacy.__doc__}"


@builtin("keras.optimizers.legacy")
class RMSprop(_Legacy, rmsprop.RMSprop):
    __doc__ = f"`optimizers.RMSprop`. {_Legacy.__doc__}"


@builtin("keras.optimizers.legacy")
class Adagrad(_Legacy, adagrad.Adagrad):
    __doc__ = f"`optimizers.Adagrad`. {_Legacy.__doc__}"


@builtin("keras.optimizers.legacy")
class Ftrl(_Legacy, ftrl.Ftrl):
    __doc__ = f"`optimizers.Ftrl`. {_Legacy.__doc__}"


__getattr__ = _older.names(__name__)
