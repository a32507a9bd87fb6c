"""The recurrences themselves, forward and backward, written once over a small namespace.

Kernels run them over NumPy or CuPy arrays, gradient rules of higher order over tensors. Arrays are
`(batch, time, ...)` and in time order whatever the direction: a batch row is contiguous over all
its steps, so that rows can be computed independently of each other, and the projections before
and after are plain matrix products without a transposition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..op import REGISTRY
from . import nonlinear
from .elementwise import where
from .shape import concatenate, stack
from .trigonometry import tanh

__all__ = ["ACTIVATIONS", "OPS", "Math", "over_arrays"]

ACTIVATIONS = ("tanh", "sigmoid", "hard_sigmoid", "relu", "linear")

# What each activation's derivative is, given its value.
SLOPES: dict[str, Callable[[Any, Any], Any]] = {
    "tanh": lambda m, y: 1 - y * y,
    "sigmoid": lambda m, y: y * (1 - y),
    "hard_sigmoid": lambda m, y: m.where((y > 0) & (y < 1), y * 0 + 1 / 6, y * 0),
    "relu": lambda m, y: m.where(y > 0, y * 0 + 1, y * 0),
    "linear": lambda m, y: y * 0 + 1,
}


class Math(NamedTuple):
    """Functions of one kind of array."""

    where: Callable[..., Any]
    stack: Callable[..., Any]
    concatenate: Callable[..., Any]
    activations: dict[str, Callable[[Any], Any]]

    def slope(self, name: str, y: Any) -> Any:
        """The derivative of an activation whose value is `y`."""
        return SLOPES[name](self, y)


OPS = Math(
    where, stack, concatenate,
    {"linear": lambda x: x, "tanh": tanh,
     **{name: getattr(nonlinear, name) for name in ("sigmoid", "hard_sigmoid", "relu")}},
)  # fmt: skip


def over_arrays(xp: Any) -> Math:
    """The same over arrays of NumPy or CuPy."""
    sigmoid = REGISTRY["sigmoid"].kernel
    return Math(
        xp.where, xp.stack, xp.concatenate,
        {"linear": lambda x: x, "tanh": xp.tanh, "sigmoid": lambda x: sigmoid(xp, x),
         "hard_sigmoid": lambda x: xp.clip(x + 3, 0, 6) / 6, "relu": lambda x: xp.maximum(x, 0)},
    )  # fmt: skip


def order(time: int, reverse: bool) -> range:
    """The steps in the order in which they run."""
    return range(time - 1, -1, -1) if reverse else range(time)


def before(values: Any, start: Any, step: int, reverse: bool) -> Any:
    """The state that a step started from."""
    last = values.shape[1] - 1 if reverse else 0
    return start if step == last else values[:, step + 1 if reverse else step - 1]


def parts(x: Any, units: int) -> list[Any]:
    """The columns of each gate."""
    return [x[:, i : i + units] for i in range(0, x.shape[-1], units)]


def _kept(m: Math, keep: Any, new: Sequence[Any], old: Sequence[Any]) -> list[Any]:
    return list(new) if keep is None else [m.where(keep, a, b) for a, b in zip(new, old)]


def _stacked(m: Math, rows: Sequence[Any], reverse: bool) -> Any:
    return m.stack(rows[::-1] if reverse else rows, 1)


def _columns(mask: Any) -> Callable[[int], Any]:
    """For each step which rows are not masked, as a column; None without a mask."""
    return lambda k: None if mask is None else mask[:, k : k + 1]


def simple_rnn(
    m: Math, z: Any, kernel: Any, h: Any, mask: Any, activation: str, reverse: bool
) -> Any:
    """`h' = activation(z + h U)`; all states and the last."""
    act, keep = m.activations[activation], _columns(mask)
    states = []
    for k in order(z.shape[1], reverse):
        (h,) = _kept(m, keep(k), [act(z[:, k] + h @ kernel)], [h])
        states.append(h)
    return _stacked(m, states, reverse), h


def simple_rnn_grad(
    m: Math, kernel: Any, states: Any, mask: Any, dstates: Any, dh: Any, activation: str,
    reverse: bool,
) -> Any:  # fmt: skip
    """The cotangents of `z` and the first state, from those of all states and of the last."""
    back, keep = kernel.T, _columns(mask)
    dh = states[:, 0] * 0 if dh is None else dh
    found = []
    for k in order(states.shape[1], not reverse):
        dh = dh if dstates is None else dh + dstates[:, k]
        dz = dh * m.slope(activation, states[:, k])
        dz, dh = _kept(m, keep(k), [dz, dz @ back], [0, dh])
        found.append(dz)
    return _stacked(m, found, not reverse), dh


def lstm(
    m: Math, z: Any, kernel: Any, h: Any, c: Any, mask: Any, activation: str,
    recurrent_activation: str, reverse: bool,
) -> Any:  # fmt: skip
    """States, last state, last cell, all cells, all gates (input, forget, candidate, output)."""
    act, gate, keep = m.activations[activation], m.activations[recurrent_activation], _columns(mask)
    units = h.shape[-1]
    states, cells, gates = [], [], []
    for k in order(z.shape[1], reverse):
        a = z[:, k] + h @ kernel
        both, candidate = gate(a[:, : 2 * units]), act(a[:, 2 * units : 3 * units])
        output = gate(a[:, 3 * units :])
        cell = both[:, units:] * c + both[:, :units] * candidate
        h, c = _kept(m, keep(k), [output * act(cell), cell], [h, c])
        states.append(h)
        cells.append(c)
        gates.append(m.concatenate([both, candidate, output], 1))
    rows = [_stacked(m, v, reverse) for v in (states, cells, gates)]
    return rows[0], h, c, rows[1], rows[2]


def lstm_grad(
    m: Math, kernel: Any, c0: Any, cells: Any, gates: Any, mask: Any, dstates: Any, dh: Any,
    dc: Any, activation: str, recurrent_activation: str, reverse: bool,
) -> Any:  # fmt: skip
    """The cotangents of `z` and of the first state and cell."""
    act, back, keep = m.activations[activation], kernel.T, _columns(mask)
    dh = c0 * 0 if dh is None else dh
    dc = c0 * 0 if dc is None else dc
    found = []
    for k in order(cells.shape[1], not reverse):
        dh = dh if dstates is None else dh + dstates[:, k]
        i, f, candidate, o = parts(gates[:, k], c0.shape[-1])
        shown = act(cells[:, k])
        cell = dc + dh * o * m.slope(activation, shown)
        dz = m.concatenate(
            [
                cell * candidate * m.slope(recurrent_activation, i),
                cell * before(cells, c0, k, reverse) * m.slope(recurrent_activation, f),
                cell * i * m.slope(activation, candidate),
                dh * shown * m.slope(recurrent_activation, o),
            ],
            1,
        )
        dz, dh, dc = _kept(m, keep(k), [dz, dz @ back, cell * f], [0, dh, dc])
        found.append(dz)
    return _stacked(m, found, not reverse), dh, dc


def gru(
    m: Math, z: Any, kernel: Any, bias: Any, h: Any, mask: Any, activation: str,
    recurrent_activation: str, reverse: bool,
) -> Any:  # fmt: skip
    """States, the last one, and all gates (update, reset, candidate, candidate's recurrence)."""
    act, gate, keep = m.activations[activation], m.activations[recurrent_activation], _columns(mask)
    units = h.shape[-1]
    states, gates = [], []
    for k in order(z.shape[1], reverse):
        a, b = z[:, k], h @ kernel + bias
        both = gate(a[:, : 2 * units] + b[:, : 2 * units])
        inner = b[:, 2 * units :]
        candidate = act(a[:, 2 * units :] + both[:, units:] * inner)
        update = both[:, :units]
        (h,) = _kept(m, keep(k), [update * h + (1 - update) * candidate], [h])
        states.append(h)
        gates.append(m.concatenate([both, candidate, inner], 1))
    return _stacked(m, states, reverse), h, _stacked(m, gates, reverse)


def gru_grad(
    m: Math, kernel: Any, h0: Any, states: Any, gates: Any, mask: Any, dstates: Any, dh: Any,
    activation: str, recurrent_activation: str, reverse: bool,
) -> Any:  # fmt: skip
    """The cotangents of `z`, of the recurrent projection, and of the first state."""
    back, keep = kernel.T, _columns(mask)
    dh = h0 * 0 if dh is None else dh
    found, recurrent = [], []
    for k in order(states.shape[1], not reverse):
        dh = dh if dstates is None else dh + dstates[:, k]
        update, reset, candidate, inner = parts(gates[:, k], h0.shape[-1])
        da = dh * (1 - update) * m.slope(activation, candidate)
        difference = before(states, h0, k, reverse) - candidate
        dupdate = dh * difference * m.slope(recurrent_activation, update)
        dreset = da * inner * m.slope(recurrent_activation, reset)
        dz = m.concatenate([dupdate, dreset, da], 1)
        db = m.concatenate([dupdate, dreset, da * reset], 1)
        new = [dz, db, dh * update + db @ back]
        dz, db, dh = _kept(m, keep(k), new, [0, 0, dh])
        found.append(dz)
        recurrent.append(db)
    return _stacked(m, found, not reverse), _stacked(m, recurrent, not reverse), dh
