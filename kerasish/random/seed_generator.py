"""Seeds: a variable that each draw advances by one."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

import kerasish_core as core

from ..naming import auto_name, name_scope, on_clear
from ..serialization import builtin
from ..variable import Variable

__all__ = [
    "SeedGenerator",
    "draw_seed",
    "global_seed_generator",
    "make_default_seed",
    "set_global_seed",
    "set_random_seed",
]


def make_default_seed() -> int:
    """A seed from Python's generator, so that `random.seed` settles it."""
    return python_random.randint(1, int(1e9))


def _seed_words(seed: int) -> Any:
    if not 0 <= seed < 2**32:
        raise OverflowError(
            f"seed={seed} is out of bounds: an integer from 0 to 2**32 - 1 is needed."
        )
    return np.array([int(seed), 0], "uint32")


@builtin("keras.random")
class SeedGenerator:
    """Gives a fresh seed at each call of `next()`.

    Random functions take it as their `seed`. Its state is a variable, so compiled steps advance
    it too, and files hold it.

    Args:
        seed: The first seed, from 0 to 2**32 - 1. None draws one from Python's generator.
        name: Of the generator.

    Raises:
        ValueError: The seed is no integer.
        OverflowError: It is out of bounds.

    Source: https://keras.io/api/random/seed_generator/
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        self.name = auto_name(type(self).__name__) if name is None else name
        self._initial_seed = seed
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, int | np.integer):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed}")
        with name_scope(self.name, caller=self):
            self.state = Variable(
                _seed_words(int(seed)),
                trainable=False,
                autocast=False,
                dtype="uint32",
                name="seed_generator_state",
            )

    @property
    def seed(self) -> int | None:
        """The seed that it was made with."""
        return self._initial_seed

    def next(self, ordered: bool = True) -> core.Tensor:
        """The current seed, uint32[2]; the state moves on by one.

        Args:
            ordered: Accepted as in Keras; draws are always in order.
        """
        seed = self.state.value
        self.state.assign(core.ops.add(seed, np.array([0, 1], "uint32")))
        return seed

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again, with its first state."""
        seed = self._initial_seed
        return {"seed": seed if seed is None else int(seed), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """The generator of a config."""
        return cls(**config)


_global: SeedGenerator | None = None
# Named, so that it takes no number from those of layers.
_GLOBAL_NAME = "seed_generator"


def global_seed_generator() -> SeedGenerator:
    """The generator behind `seed=None`."""
    global _global
    if _global is None:
        with core.eager_scope():
            _global = SeedGenerator(name=_GLOBAL_NAME)
    return _global


def global_seed_state() -> Variable:
    """The state of the generator behind `seed=None`."""
    return global_seed_generator().state


def set_global_seed(seed: int) -> None:
    """Start the global generator again from a seed."""
    global _global
    with core.eager_scope():
        _global = SeedGenerator(seed, name=_GLOBAL_NAME)


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and this package's global generators.

    Args:
        seed: From 0 to 2**32 - 1.

    Raises:
        ValueError: The seed is no integer.
    """
    if not isinstance(seed, int | np.integer):
        raise ValueError(
            "Expected `seed` argument to be an integer. "
            f"Received: seed={seed} (of type {type(seed)})"
        )
    python_random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002  (that generator is the one meant)
    set_global_seed(int(seed))


def draw_seed(seed: Any) -> core.Tensor:
    """A seed tensor, uint32[2], from None (the global generator), an int, or a generator.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, int | np.integer):
        return core.constant(_seed_words(int(seed)))
    if seed is None:
        return global_seed_generator().next(ordered=False)
    raise ValueError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
        f"Received: seed={seed} (of type {type(seed)})"
    )


def _forget() -> None:
    global _global
    _global = None


on_clear.append(_forget)
