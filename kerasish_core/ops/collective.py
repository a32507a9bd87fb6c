"""Sums over the processes that train together."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..collective import communicator
from ..device import device_scope, to_device
from ..dispatch import STATE, apply
from ..errors import DTypeError
from ..op import Spec, define_op
from ..tensor import Tensor, convert
from ..variable import Variable
from .elementwise import cast

__all__ = ["all_reduce"]

# Every call reads it and assigns the next number: so no pass drops, merges or reorders calls, and
# all processes make them in the same order.
with device_scope("cpu"):  # a number, which goes to any device; no import may start a GPU
    _ORDER = Variable(np.zeros((), "uint32"), trainable=False, name="all_reduce_order")


def _spec(x: Spec, order: Spec) -> tuple[Spec, Spec]:
    return x, order


def _kernel(xp: Any, x: Any, order: Any) -> Any:
    found = communicator()
    if xp is np or found.size == 1:
        return found.all_reduce(x), order + order.dtype.type(1)
    sums = found.on_device()
    if sums is not None and sums.serves(x.dtype):
        return sums.all_reduce(x), order + order.dtype.type(1)
    total = found.all_reduce(to_device(x, "cpu"))  # by way of the host
    return xp.asarray(total), order + order.dtype.type(1)


_ALL_REDUCE = define_op(
    "all_reduce", "opaque", "x order", infer=_spec, kernel=_kernel, multiple=True,
    # Every process differentiates its part of one sum over all.
    vjp=lambda g: (all_reduce(g[0]), None),
    samples=lambda rng: [([rng.uniform(-2, 2, (2, 3)), np.array(4, "uint32")], {})],
)  # fmt: skip


def all_reduce(x: Any) -> Tensor:
    """The sum of all processes' tensors of one shape and dtype; in one process the tensor itself.

    Its gradient is that of the sum over all processes of what each of them differentiates.

    Raises:
        DTypeError: Booleans, which have no sum.
    """
    x = convert(x)
    if x.dtype.kind == "b":
        raise DTypeError(f"all_reduce: x is {x.spec}; numbers are needed. Cast it first.")
    if dtypes.is_float(x.dtype) and x.dtype.itemsize < 4:
        return cast(all_reduce(cast(x, "float32")), x.dtype)
    recorded = STATE.store is not None  # else it is done now, and needs no place in an order
    order = _ORDER.read() if recorded else Tensor(np.zeros((), "uint32"))
    y, order = apply(_ALL_REDUCE, x, order)
    if recorded:
        _ORDER.assign(order)
    return y  # type: ignore[no-any-return]
