"""The part of each batch that is this process's, and what stands for the whole batch meanwhile.

Inside `sharded(shard)` layers, losses and metrics see their own rows. A loss there is one of the
processes' values `L_p` with `L = sum_p share_p L_p`: what is a mean over rows needs no change.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import kerasish_core as core

__all__ = [
    "Shard", "check_alike", "common_order", "current_shard", "distribution", "flush_metrics",
    "note_update", "own_part", "parallel", "replicas", "rows_of", "set_distribution", "shard_of",
    "sharded", "shards_of", "synchronize", "synchronized", "whole_results", "whole_sum",
    "with_gradients_of_all",
]  # fmt: skip


class Shard(NamedTuple):
    """Rows of a batch.

    Attributes:
        start: The first row.
        rows: How many rows.
        total: Rows of the whole batch.
        repeats: How many processes have the same rows: 1, or all where rows are fewer than
            processes.
        all_rows: Of each process, if they bring their own: all trace a step anew when they change
            for one of them, since either all capture a sum or none.
    """

    start: int
    rows: int
    total: int
    repeats: int = 1
    all_rows: tuple[int, ...] = ()

    @property
    def part(self) -> float:
        """The rows' part of all rows."""
        return self.rows / self.total

    @property
    def share(self) -> float:
        """How much of the loss is this process's: the shares of all add up to 1."""
        return self.part / self.repeats

    def cut(self, batch: Any) -> Any:
        """The rows of a structure of arrays or tensors that hold the whole batch."""

        def own(x: Any) -> Any:
            return x[self.start : self.start + self.rows] if getattr(x, "ndim", 0) else x

        return core.tree.map_structure(own, batch)


class _Running:
    """A step on a shard. `before` has what metrics' variables held before they were updated."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.before: dict[int, tuple[Any, Any]] = {}
        self.reduced = False


class _Open(threading.local):
    running: _Running | None = None


_open = _Open()
_distribution: Any = None


def distribution() -> Any:
    """The distribution that is set, or None."""
    return _distribution


def set_distribution(value: Any) -> None:
    """Set how training is spread over devices; None: not at all."""
    global _distribution
    _distribution = value


def parallel() -> bool:
    """Whether several processes train together."""
    return _distribution is not None and core.communicator().size > 1


def replicas() -> Any:
    """The GPUs over which this process spreads its steps; None for one device."""
    return None if _distribution is None else _distribution.replicas


def current_shard() -> Shard | None:
    """The part of the batch that the running step sees; None for the whole."""
    return None if _open.running is None else _open.running.shard


@contextlib.contextmanager
def sharded(shard: Shard | None) -> Iterator[None]:
    """In the block, a step sees this part of a batch; None: the whole."""
    before = _open.running
    _open.running = None if shard is None else _Running(shard)
    try:
        yield
    finally:
        _open.running = before


def shard_of(total: int) -> Shard:
    """This process's rows of a batch that all processes have."""
    rank, size = core.communicator().rank, core.communicator().size
    if total < size:
        return Shard(0, total, total, size)
    return shards_of(total, size)[rank]


def shards_of(total: int, size: int) -> list[Shard]:
    """The replicas' rows of a batch of at least as many."""
    ends = [total * i // size for i in range(size + 1)]
    return [Shard(a, b - a, total) for a, b in itertools.pairwise(ends)]


def rows_of(batch: Any) -> int:
    """How many rows a structure of arrays has."""
    sizes = [x.shape[0] for x in core.tree.flatten(batch) if getattr(x, "ndim", 0)]
    return int(sizes[0]) if sizes else 1


def own_part(batch: Any) -> tuple[Shard, Any]:
    """This process's rows of a batch, and their place in the whole one.

    Where `auto_shard_dataset` is off, each process brings its own rows.
    """
    rows = rows_of(batch)
    if _distribution.auto_shard_dataset:
        shard = shard_of(rows)
        return shard, shard.cut(batch)
    found = core.communicator().all_gather(rows)
    start = sum(found[: core.communicator().rank])
    return Shard(start, rows, sum(found), all_rows=tuple(found)), batch


def check_alike(what: str, value: Any) -> None:
    """Processes that differ in how many steps they make would wait for each other for ever.

    Raises:
        ValueError: The values differ.
    """
    if parallel():
        found = core.communicator().all_gather(value)
        if any(v != found[0] for v in found):
            raise ValueError(
                f"The processes that train together must have equally many {what}, they have "
                f"{found}. Give all the same data, or with auto_shard_dataset=False parts of one "
                "size."
            )


def whole_sum(x: Any) -> Any:
    """A sum over this process's rows as that over the whole batch; gradients flow to all."""
    shard = current_shard()
    if shard is None:
        return x
    share, repeats = shard.share, shard.repeats

    @core.custom_gradient
    def total(x: Any) -> Any:
        # What each process differentiates counts by its share.
        return core.ops.all_reduce(
            x
        ) / repeats, lambda g: core.ops.all_reduce(g * share) / (share * repeats)

    return total(x)


def with_gradients_of_all(apply: Callable[..., None]) -> Callable[..., None]:
    """Decorate an optimizer's `apply`: it gets the gradients of the whole batch's loss.

    They come from those of this process's loss by one sum over the processes, and are not summed
    again where one optimizer hands them on to others.
    """

    @functools.wraps(apply)
    def wrapper(self: Any, grads: Any, trainable_variables: Any = None) -> None:
        running = _open.running
        if running is None or running.reduced:
            apply(self, grads, trainable_variables)
            return
        tensors = [None if g is None else core.convert(g) for g in grads]
        share = running.shard.share
        whole = _packed(tensors, lambda flat: core.ops.all_reduce(flat * share))
        running.reduced = True
        try:
            apply(self, whole, trainable_variables)
        finally:
            running.reduced = False

    return wrapper


def _packed(tensors: list[Any], function: Any) -> list[Any]:
    """A function of one flat tensor for each dtype, applied to all tensors of that dtype."""
    found = list(tensors)
    for dtype in {t.dtype.name: t.dtype for t in tensors if t is not None}.values():
        places = [i for i, t in enumerate(tensors) if t is not None and t.dtype == dtype]
        flat = core.ops.concatenate([core.ops.reshape(tensors[i], (-1,)) for i in places])
        flat, start = function(flat), 0
        for i in places:
            size = tensors[i].size
            found[i] = core.ops.reshape(flat[start : start + size], tensors[i].shape)
            start += size
    return found


# -- metrics


def note_update(variables: list[Any], born: bool = False) -> None:
    """Say that metrics' variables are about to take in rows of this process.

    Args:
        variables: The whole state of a metric.
        born: Whether they just did: those that were not noted before came into being, at zero.
    """
    running = _open.running
    if running is not None:
        for v in variables:
            if id(v) not in running.before:
                before = core.ops.zeros(v.shape, v.dtype) if born else v.read()
                running.before[id(v)] = v, before


def flush_metrics() -> None:
    """Give the variables that were noted what they would hold after the whole batch.

    The state of a metric is a sum over rows; one whose variables aggregate by "mean" is a mean.
    """
    running = _open.running
    if running is None or not running.before:
        return
    shard, noted = running.shard, list(running.before.values())
    running.before = {}
    noted = [(v, before) for v, before in noted if v.aggregation in ("sum", "mean")]
    changes = []
    for v, before in noted:
        change = core.ops.subtract(v.read(), before)
        if v.aggregation == "mean":
            change = change * shard.share * shard.repeats
        changes.append(change)
    for (v, before), change in zip(noted, _packed(changes, core.ops.all_reduce), strict=True):
        if shard.repeats > 1:
            whole = core.dtypes.is_integer(change.dtype)
            change = (core.ops.floor_divide if whole else core.ops.true_divide)(
                change, shard.repeats
            )
        v.assign(core.ops.add(before, core.ops.cast(change, before.dtype)))


def whole_results(found: Any) -> Any:
    """What a user's own step returns, its floats that are means over rows those of all rows."""
    running = _open.running
    if running is None or not isinstance(found, dict):
        return found
    floats = {
        key: value for key, value in found.items()
        if isinstance(value, core.Tensor) and not value.shape
        and core.dtypes.is_float(value.dtype)
    }  # fmt: skip
    share = running.shard.share
    whole = _packed(list(floats.values()), lambda flat: core.ops.all_reduce(flat * share))
    return {**found, **dict(zip(floats, whole, strict=True))}


# -- values that must be the same everywhere


def common_order(order: Any) -> Any:
    """A random order of rows, that of the first process where all have the same rows."""
    if parallel() and _distribution.auto_shard_dataset:
        return synchronized(order)
    return order


def synchronized(array: Any) -> Any:
    """The array of the first process, where several train together."""
    if not parallel():
        return array
    return core.communicator().broadcast(array)


def synchronize(variables: list[Any]) -> None:
    """Give all processes the first one's values."""
    with core.eager_scope():
        for v in variables:
            v.assign(core.constant(synchronized(v.numpy())))
