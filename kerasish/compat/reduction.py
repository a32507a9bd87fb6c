"""What `losses` had: names of reductions, and a question."""

from __future__ import annotations

from typing import Any

from .. import losses

__all__ = ["Reduction", "is_categorical_crossentropy"]


class Reduction:
    """Names of reductions, as today's losses take them."""

    AUTO = "sum_over_batch_size"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All of them."""
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: str) -> None:
        """Refuse what is none of them.

        Raises:
            ValueError: It is none.
        """
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key: {key}. Expected keys are {cls.all()}")


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a loss is categorical crossentropy, in any of its spellings."""
    return (
        loss in ("categorical_crossentropy", losses.categorical_crossentropy)
        or getattr(loss, "__name__", "") == "categorical_crossentropy"
        or isinstance(loss, losses.CategoricalCrossentropy)
    )
