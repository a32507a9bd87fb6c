"""`tf.random`: draws of the global stream, of seeded streams, and of given seeds."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from ... import ops
from ... import random as draws
from ...random import SeedGenerator
from ...text_arrays import Text, is_text
from .dtypes import name_of
from .values import sizes_of

__all__ = ["Generator", "normal", "set_seed", "shuffle", "uniform"]

# A draw with `seed=5` goes on where the one before it ended.
_STREAMS: dict[int, SeedGenerator] = {}


def set_seed(seed: Any) -> None:
    """Seed the global stream, and start those of draws with seeds of their own again."""
    _STREAMS.clear()
    draws.set_random_seed(int(seed))


def _stream(seed: Any) -> Any:
    if not isinstance(seed, int | np.integer):
        return seed
    number = int(seed) % 2**32
    if number not in _STREAMS:
        with core.eager_scope():
            _STREAMS[number] = SeedGenerator(number)
    return _STREAMS[number]


class _Given(SeedGenerator):
    """A seed of two whole numbers, which stays."""

    def __init__(self, seed: Any) -> None:
        if isinstance(seed, core.Tensor):
            self.words = core.ops.cast(seed, "uint32")
        else:
            words = (np.asarray(seed).astype("int64") % 2**32).astype("uint32")
            self.words = core.constant(words)

    def next(self, ordered: bool = True) -> Any:
        """The seed."""
        return self.words


def _normal(seed: Any, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Any:
    return draws.normal(sizes_of(shape), 0.0, 1.0, name_of(dtype), seed) * stddev + mean


def _truncated(seed: Any, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Any:
    found = draws.truncated_normal(sizes_of(shape), 0.0, 1.0, name_of(dtype), seed)
    return found * stddev + mean


def _uniform(seed: Any, shape: Any, minval: Any, maxval: Any, dtype: Any) -> Any:
    sizes, kind = sizes_of(shape), name_of(dtype)
    if kind.startswith(("int", "uint")):
        if maxval is None:
            raise ValueError(f"uniform: maxval must be given for integers, dtype={kind!r}.")
        low = 0 if minval is None else minval
        return draws.randint(sizes, low, maxval, kind, seed)
    low, high = 0 if minval is None else minval, 1 if maxval is None else maxval
    if isinstance(low, int | float) and isinstance(high, int | float):
        return draws.uniform(sizes, low, high, kind, seed)
    return draws.uniform(sizes, 0.0, 1.0, kind, seed) * (core.convert(high) - low) + low


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None
) -> Any:
    """Normal draws."""
    return _normal(_stream(seed), shape, mean, stddev, dtype)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None
) -> Any:
    """Normal draws within two standard deviations."""
    return _truncated(_stream(seed), shape, mean, stddev, dtype)


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: Any = None
) -> Any:
    """Uniform draws from `minval` to before `maxval`, integers if the dtype is of integers."""
    return _uniform(_stream(seed), shape, minval, maxval, dtype)


def categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Classes `(batch, num_samples)` with probabilities `softmax(logits)`."""
    kind = "int64" if dtype is None else name_of(dtype)
    return ops.cast(draws.categorical(logits, int(num_samples), "int32", _stream(seed)), kind)


def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", seed: Any = None
) -> Any:
    """Gamma draws `(*shape, *alpha.shape)` of shape parameter `alpha` and rate `beta`."""
    alpha = core.convert(alpha, name_of(dtype))
    if beta is not None:
        beta = core.convert(beta, name_of(dtype))
        alpha = core.ops.broadcast_to(alpha, np.broadcast_shapes(alpha.shape, beta.shape))
    found = draws.gamma((*sizes_of(shape), *alpha.shape), alpha, name_of(dtype), _stream(seed))
    return found if beta is None else found / beta


def poisson(shape: Any, lam: Any, dtype: Any = "float32", seed: Any = None) -> Any:
    """Poisson draws `(*shape, *lam.shape)` of mean `lam`."""
    lam = core.convert(lam, "float32")
    words = draws.draw_seed(_stream(seed))
    return ops.cast(
        core.ops.random.poisson(words, (*sizes_of(shape), *lam.shape), lam), name_of(dtype)
    )


def shuffle(value: Any, seed: Any = None) -> Any:
    """The rows in random order."""
    return _shuffled(value, _stream(seed))


def _shuffled(value: Any, seed: Any) -> Any:
    if is_text(value):
        order = np.asarray(draws.shuffle(core.constant(np.arange(len(value))), seed=seed))
        return Text(np.asarray(value)[order])
    return draws.shuffle(core.convert(value), seed=seed)


class Sampled(NamedTuple):
    """Classes that were drawn, and how often classes are to be expected among them."""

    sampled_candidates: Any
    true_expected_count: Any
    sampled_expected_count: Any


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: Any, num_sampled: Any, unique: bool, range_max: Any,
    seed: Any = None,
) -> Sampled:  # fmt: skip
    """Classes by Zipf's law: `log((c + 2) / (c + 1)) / log(range_max + 1)` for class `c`.

    Unique ones are drawn until there are enough different ones; their expected counts are
    `1 - (1 - p)**tries`.
    """
    count, size, stream = int(num_sampled), int(range_max), _stream(seed)
    if unique and count > size:
        raise ValueError(f"log_uniform_candidate_sampler: {count} different of {size} classes.")
    found: list[int] = []
    seen: set[int] = set()
    tries = 0
    while len(found) < count:
        part = np.asarray(draws.uniform((max(count, 16),), seed=stream), "float64")
        drawn = np.minimum(np.exp(part * np.log1p(size)).astype("int64") - 1, size - 1)
        for each in drawn.tolist():
            if len(found) == count:
                break
            tries += 1
            if not unique or each not in seen:
                found.append(each)
                seen.add(each)

    def expected(classes: Any) -> Any:
        c = np.asarray(classes, "float64")
        p = np.log((c + 2) / (c + 1)) / np.log1p(size)
        # Where no class was drawn twice, the mean.
        times = p * tries if tries == count else -np.expm1(tries * np.log1p(-p))
        return core.constant(times.astype("float32"))

    sampled = np.array(found, "int64")
    return Sampled(core.constant(sampled), expected(true_classes), expected(sampled))


# -- of given seeds: the same each time


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32",
    alg: Any = "auto_select",
) -> Any:  # fmt: skip
    """Normal draws, the same for the same seed of two numbers."""
    return _normal(_Given(seed), shape, mean, stddev, dtype)


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32",
    alg: Any = "auto_select",
) -> Any:  # fmt: skip
    """Normal draws within two standard deviations, the same for the same seed."""
    return _truncated(_Given(seed), shape, mean, stddev, dtype)


def stateless_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32",
    alg: Any = "auto_select",
) -> Any:  # fmt: skip
    """Uniform draws, the same for the same seed of two numbers."""
    return _uniform(_Given(seed), shape, minval, maxval, dtype)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = "int64"
) -> Any:  # fmt: skip
    """Classes with probabilities `softmax(logits)`, the same for the same seed."""
    found = draws.categorical(logits, int(num_samples), "int32", _Given(seed))
    return ops.cast(found, name_of(dtype))


def stateless_shuffle(value: Any, seed: Any, alg: Any = "auto_select") -> Any:
    """The rows in random order, the same for the same seed."""
    return _shuffled(value, _Given(seed))


def stateless_split(seed: Any, num: int = 2, alg: Any = "auto_select") -> Any:
    """New seeds `(num, 2)` of one."""
    return draws.randint((int(num), 2), 0, 2**31 - 1, "int32", _Given(seed))


def stateless_fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Any:
    """A new seed of one and a number."""
    mixed = _Given(seed).words + core.ops.cast(core.convert(data), "uint32") * np.array(
        [2654435761, 2246822519], "uint32"
    )
    return draws.randint((2,), 0, 2**31 - 1, "int32", _Given(mixed))


class Generator:
    """A stream of draws of its own.

    Args:
        seed: Of the stream; None for one that nobody knows.
    """

    def __init__(self, seed: Any = None, **_: Any) -> None:
        self._seeds = SeedGenerator(None if seed is None else int(seed) % 2**32)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """A stream of a seed."""
        return cls(seed)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A stream that nobody knows."""
        return cls(int(np.random.SeedSequence().generate_state(1)[0]))

    @property
    def state(self) -> Any:
        """The variable that each draw advances."""
        return self._seeds.state

    def reset_from_seed(self, seed: Any) -> None:
        """Start again from a seed."""
        self._seeds.state.assign(np.array([int(seed) % 2**32, 0], "uint32"))

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32") -> Any:
        """Normal draws."""
        return _normal(self._seeds, shape, mean, stddev, dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32"
    ) -> Any:
        """Normal draws within two standard deviations."""
        return _truncated(self._seeds, shape, mean, stddev, dtype)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32"
    ) -> Any:
        """Uniform draws."""
        return _uniform(self._seeds, shape, minval, maxval, dtype)

    def make_seeds(self, count: int = 1) -> Any:
        """Seeds `(2, count)` for stateless functions."""
        return draws.randint((2, int(count)), 0, 2**31 - 1, "int32", self._seeds)

    def split(self, count: int = 1) -> list[Generator]:
        """New streams."""
        return [Generator(int(n)) for n in np.asarray(self.make_seeds(count))[0]]


_global: list[Generator] = []


def get_global_generator() -> Generator:
    """The stream that programs share."""
    if not _global:
        _global.append(Generator.from_non_deterministic_state())
    return _global[0]


def set_global_generator(generator: Generator) -> None:
    """Share another stream."""
    _global[:] = [generator]
