"""Seeds: a variable that each draw advances by one."""

from __future__ import annotations

import random as python_random
from typing import Any

import kerasish_core as core
import numpy as np

from ..naming import auto_name, name_scope, on_clear_session
from ..serialization import builtin
from ..variable import Variable

__all__ = ["SeedGenerator", "draw_seed", "global_seed_generator", "make_default_seed",
           "set_global_seed"]  # fmt: skip


def make_default_seed() -> int:
    """A seed from Python's generator, so that `random.seed` settles it."""
    return python_random.randint(1, int(1e9))


@builtin("keras.random")
class SeedGenerator:
    """Gives a fresh seed at each call of `next`.

    Args:
        seed: The first seed, an int from 0. None draws one from Python's generator.
        name: Of the generator.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        self.name = name or auto_name(type(self).__name__)
        seed = make_default_seed() if seed is None else seed
        if not isinstance(seed, int | np.integer):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed!r}")
        if seed < 0:
            raise ValueError(f"`seed` must be 0 or more. Received: seed={seed}.")
        self._initial_seed = seed
        with name_scope(self.name):
            self.state = Variable(
                np.array([seed & 0xFFFFFFFF, 0], "uint32"), trainable=False, dtype="uint32",
                aggregation="none", name="seed_generator_state",
            )  # fmt: skip

    @property
    def seed(self) -> int:
        return self._initial_seed

    def next(self, ordered: bool = True) -> core.Tensor:
        """The current seed, uint32[2]; the state moves on by one."""
        seed = self.state.value
        self.state.assign(core.ops.add(seed, np.array([0, 1], "uint32")))
        return seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)


_global: SeedGenerator | None = None


def global_seed_generator() -> SeedGenerator:
    """The generator behind `seed=None`."""
    global _global
    if _global is None:
        with core.eager_scope():
            _global = SeedGenerator(np.random.randint(1, int(1e9)), name="global_seed_generator")
    return _global


def set_global_seed(seed: int) -> None:
    """Start the global generator again from a seed."""
    global _global
    with core.eager_scope():
        _global = SeedGenerator(seed, name="global_seed_generator")


def draw_seed(seed: Any) -> core.Tensor:
    """A seed tensor from None (the global generator), an int, or a generator.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, int | np.integer):
        return core.constant(np.array([int(seed) & 0xFFFFFFFF, 0], "uint32"))
    if seed is None:
        return global_seed_generator().next()
    raise ValueError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
        f"Received: seed={seed!r} (of type {type(seed)})"
    )


def _forget() -> None:
    global _global
    _global = None


on_clear_session(_forget)
