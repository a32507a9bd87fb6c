"""Recurrent layers over a whole sequence: SimpleRNN, LSTM and GRU.

Each takes the projection of its inputs, `x W + b` for all steps in one matrix product, and runs the
recurrence. A second primitive runs it backward; the gradient of the recurrent kernel then is one
matrix product over all steps. All arrays are `(batch, time, ...)` in the order of the inputs, also
with `reverse`. A mask `(batch, time)` is the last input before the cotangents: where it is false a
row keeps its state.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import apply, differentiate
from ..errors import ShapeError
from ..op import Op, Spec, define_op
from ..tensor import OPERATORS, Tensor
from . import _rnn_steps as steps
from ._args import convert, promote
from .elementwise import cast
from .linalg import matmul
from .reduce import sum
from .shape import concatenate, expand_dims, reshape, transpose

__all__ = ["gru", "lstm", "simple_rnn"]


# -- arrays in, arrays out: half types are computed in float32


def _kernel(run: Any, fixed: int, cotangents: int = 0) -> Any:
    """The kernel of a recurrence that takes `fixed` arrays, a mask and cotangents."""

    def kernel(xp: Any, *xs: Any, masked: bool, given: tuple[bool, ...] = (), **attrs: Any) -> Any:
        dtype = xs[0].dtype
        if dtype.itemsize < 4:
            xs = tuple(x if x.dtype.kind == "b" else x.astype("float32") for x in xs)
        args = _arguments(xs, fixed, masked, given if cotangents else ())
        found = run(steps.over_arrays(xp), *args, **attrs)
        return tuple(y.astype(dtype, copy=False) for y in found)

    return kernel


def _arguments(xs: Any, fixed: int, masked: bool, given: tuple[bool, ...]) -> list[Any]:
    """The inputs with None for what is absent: the arrays, the mask, the cotangents."""
    rest = iter(xs[fixed:])
    return [
        *xs[:fixed],
        next(rest) if masked else None,
        *(next(rest) if g else None for g in given),
    ]


def _composed(run: Any, fixed: int, masked: bool, given: tuple[bool, ...], attrs: Any) -> Any:
    """The same in tensors, to be differentiated where a rule has no shorter form."""
    return lambda *xs: list(run(steps.OPS, *_arguments(xs, fixed, masked, given), **attrs))


def _zeros_for(g: Any, ys: Any) -> list[Any]:
    return [OPERATORS["zeros"](y.shape, y.dtype) if u is None else u for u, y in zip(g, ys)]


def _grad_rule(run: Any, fixed: int) -> Any:
    """The rule of a backward recurrence: that of its composed form."""

    def rule(g: Any, xs: Any, y: Any, masked: bool, given: Any, activation: str, reverse: bool,
             recurrent_activation: Any) -> Any:  # fmt: skip
        attrs = {"activation": activation, "reverse": reverse}
        if recurrent_activation is not None:
            attrs["recurrent_activation"] = recurrent_activation
        return differentiate(_composed(run, fixed, masked, given, attrs), xs, _zeros_for(g, y))

    return rule


def _earlier(states: Tensor, start: Tensor, reverse: bool) -> Tensor:
    """The states that the steps started from, as rows."""
    first = expand_dims(start, 1)
    pair = [states[:, 1:], first] if reverse else [first, states[:, :-1]]
    return reshape(concatenate(pair, 1), (-1, states.shape[-1]))


def _kernel_grad(states: Tensor, start: Tensor, dz: Tensor, reverse: bool) -> Tensor:
    rows = reshape(dz, (-1, dz.shape[-1]))
    return matmul(transpose(_earlier(states, start, reverse)), rows)


def _present(g: Any) -> tuple[list[Any], tuple[bool, ...]]:
    return [u for u in g if u is not None], tuple(u is not None for u in g)


# -- samples


def _inputs(rng: np.random.Generator, gates: int, bias: bool, cell: bool) -> list[Any]:
    batch, time, units = 2, 3, 2
    found = [rng.normal(size=(batch, time, gates * units)), rng.normal(size=(units, gates * units))]
    found += [rng.normal(size=(gates * units,))] if bias else []
    return found + [rng.normal(size=(batch, units)) for _ in range(2 if cell else 1)]


_MASK = np.array([[True, False, True], [False, True, True]])
_CASES = (
    ({"activation": "tanh", "recurrent_activation": "sigmoid", "reverse": False}, False),
    ({"activation": "sigmoid", "recurrent_activation": "hard_sigmoid", "reverse": True}, True),
    ({"activation": "relu", "recurrent_activation": "tanh", "reverse": False}, True),
    ({"activation": "linear", "recurrent_activation": "sigmoid", "reverse": True}, False),
)


def _samples(gates: int, bias: bool = False, cell: bool = False) -> Any:
    def samples(rng: np.random.Generator) -> Any:
        found = []
        for attrs, masked in _CASES:
            own = {k: v for k, v in attrs.items() if gates > 1 or k != "recurrent_activation"}
            mask = [_MASK] if masked else []
            found.append(([*_inputs(rng, gates, bias, cell), *mask], {**own, "masked": masked}))
        return found

    return samples


def _off_kinks(y: Any) -> Any:
    """Values at the bends of `relu` and `hard_sigmoid` moved into the flat part."""
    return np.where(y == 0, -0.3, np.where(y == 1, 1.3, y))


def _grad_samples(forward: Op, pick: Any, cotangents: int) -> Any:
    """Inputs of a backward recurrence: what the forward one gave, and cotangents."""

    def samples(rng: np.random.Generator) -> Any:
        found = []
        for i, (arrays, attrs) in enumerate(forward.samples(rng)):  # type: ignore[misc]
            outputs = [_off_kinks(y) for y in forward.kernel(np, *arrays, **attrs)]
            given = tuple(i == 0 or (i + n) % 2 == 0 for n in range(cotangents))
            us = [rng.normal(size=y.shape) for y, g in zip(outputs, given) if g]
            kept = [*pick(arrays, outputs), *([_MASK] if attrs["masked"] else [])]
            found.append(([*kept, *us], {**attrs, "given": given}))
        return found

    return samples


# -- SimpleRNN


def _simple_spec(z: Spec, kernel: Spec, h0: Spec, *mask: Spec, **_: Any) -> tuple[Spec, ...]:
    return Spec((*z.shape[:2], h0.shape[-1]), z.dtype), h0


def _simple_rule(g: Any, xs: Any, y: Any, masked: bool, activation: str, reverse: bool) -> Any:
    kernel, h0, mask = xs[1], xs[2], xs[3:]
    us, given = _present(g)
    dz, dh0 = apply(
        _SIMPLE_GRAD, kernel, y[0], *mask, *us, masked=masked, given=given, activation=activation,
        reverse=reverse,
    )  # fmt: skip
    return dz, _kernel_grad(y[0], h0, dz, reverse), dh0, *(None for _ in mask)


_SIMPLE = define_op(
    "simple_rnn", "opaque", "*xs", native=True,
    infer=_simple_spec, kernel=_kernel(steps.simple_rnn, 3),
    vjp=_simple_rule, multiple=True, samples=_samples(1),
)  # fmt: skip
_SIMPLE_GRAD = define_op(
    "simple_rnn_grad", "opaque", "*xs", native=True, multiple=True,
    infer=lambda kernel, states, *_, **attrs: (
        states, Spec((states.shape[0], states.shape[-1]), states.dtype)
    ),
    kernel=_kernel(steps.simple_rnn_grad, 2, 2),
    vjp=_grad_rule(steps.simple_rnn_grad, 2),
    samples=_grad_samples(_SIMPLE, lambda xs, ys: [xs[1], ys[0]], 2),
)  # fmt: skip


# -- LSTM


def _lstm_spec(z: Spec, kernel: Spec, h0: Spec, c0: Spec, *mask: Spec, **_: Any) -> Any:
    states = Spec((*z.shape[:2], h0.shape[-1]), z.dtype)
    return states, h0, c0, states, z


def _lstm_rule(g: Any, xs: Any, y: Any, masked: bool, activation: str, recurrent_activation: str,
               reverse: bool) -> Any:  # fmt: skip
    attrs = {
        "activation": activation, "recurrent_activation": recurrent_activation, "reverse": reverse,
    }  # fmt: skip
    if g[3] is not None or g[4] is not None:
        return differentiate(_composed(steps.lstm, 4, masked, (), attrs), xs, _zeros_for(g, y))
    _, kernel, h0, c0, *mask = xs
    us, given = _present(g[:3])
    dz, dh0, dc0 = apply(
        _LSTM_GRAD, kernel, c0, y[3], y[4], *mask, *us, masked=masked, given=given, **attrs
    )
    return dz, _kernel_grad(y[0], h0, dz, reverse), dh0, dc0, *(None for _ in mask)


_LSTM = define_op(
    "lstm", "opaque", "*xs", native=True,
    infer=_lstm_spec, kernel=_kernel(steps.lstm, 4),
    vjp=_lstm_rule,
    multiple=True, samples=_samples(4, cell=True),
)  # fmt: skip
_LSTM_GRAD = define_op(
    "lstm_grad", "opaque", "*xs", native=True, multiple=True,
    infer=lambda kernel, c0, cells, gates, *_, **attrs: (gates, c0, c0),
    kernel=_kernel(steps.lstm_grad, 4, 3),
    vjp=_grad_rule(steps.lstm_grad, 4),
    samples=_grad_samples(_LSTM, lambda xs, ys: [xs[1], xs[3], ys[3], ys[4]], 3),
)  # fmt: skip


# -- GRU


def _gru_spec(z: Spec, kernel: Spec, bias: Spec, h0: Spec, *mask: Spec, **_: Any) -> Any:
    units = h0.shape[-1]
    states = Spec((*z.shape[:2], units), z.dtype)
    return states, h0, Spec((*z.shape[:2], 4 * units), z.dtype)


def _gru_grad_spec(kernel: Spec, h0: Spec, states: Spec, *_: Spec, **attrs: Any) -> Any:
    wide = Spec((*states.shape[:2], 3 * h0.shape[-1]), h0.dtype)
    return wide, wide, h0


def _gru_rule(g: Any, xs: Any, y: Any, masked: bool, activation: str, recurrent_activation: str,
              reverse: bool) -> Any:  # fmt: skip
    attrs = {
        "activation": activation, "recurrent_activation": recurrent_activation, "reverse": reverse,
    }  # fmt: skip
    if g[2] is not None:
        return differentiate(_composed(steps.gru, 4, masked, (), attrs), xs, _zeros_for(g, y))
    _, kernel, _, h0, *mask = xs
    us, given = _present(g[:2])
    dz, db, dh0 = apply(
        _GRU_GRAD, kernel, h0, y[0], y[2], *mask, *us, masked=masked, given=given, **attrs
    )
    return dz, _kernel_grad(y[0], h0, db, reverse), sum(db, (0, 1)), dh0, *(None for _ in mask)


_GRU = define_op(
    "gru", "opaque", "*xs", native=True,
    infer=_gru_spec, kernel=_kernel(steps.gru, 4),
    vjp=_gru_rule,
    multiple=True, samples=_samples(3, bias=True),
)  # fmt: skip
_GRU_GRAD = define_op(
    "gru_grad", "opaque", "*xs", native=True, infer=_gru_grad_spec, multiple=True,
    kernel=_kernel(steps.gru_grad, 4, 2),
    vjp=_grad_rule(steps.gru_grad, 4),
    samples=_grad_samples(_GRU, lambda xs, ys: [xs[1], xs[3], ys[0], ys[2]], 2),
)  # fmt: skip


# -- the public functions


def _prepared(name: str, gates: int, z: Any, kernel: Any, starts: Any, mask: Any,
              activations: tuple[str, ...], bias: Any = None) -> list[Tensor]:  # fmt: skip
    """The inputs as tensors of one dtype whose shapes fit.

    Raises:
        ShapeError: They do not fit.
        ValueError: An activation is unknown.
    """
    for activation in activations:
        if activation not in steps.ACTIVATIONS:
            raise ValueError(
                f"{name}: activation {activation!r}; expected one of {steps.ACTIVATIONS}."
            )
    given = [z, kernel, *([] if bias is None else [bias]), *starts]
    tensors = list(promote(*given, at_least=float))
    a, b = tensors[:2]
    units = b.shape[0] if b.ndim else 0
    if a.ndim != 3 or a.shape[2] != gates * units or a.shape[1] == 0:
        raise ShapeError(
            f"{name}: z is {a.spec}, recurrent_kernel is {b.spec}; z must be (batch, time, "
            f"{gates} * units) with one step or more, the kernel (units, {gates} * units)."
        )
    wanted: dict[str, tuple[int, ...]] = {"recurrent_kernel": (units, gates * units)}
    wanted |= {} if bias is None else {"bias": (gates * units,)}
    wanted |= dict.fromkeys(("h0", "c0")[: len(starts)], (a.shape[0], units))
    for (label, shape), t in zip(wanted.items(), tensors[1:], strict=True):
        if t.shape != shape:
            raise ShapeError(f"{name}: z is {a.spec}, {label} is {t.spec}; it must be {shape}.")
    if mask is not None:
        mask = cast(convert(mask), "bool")
        if mask.shape != a.shape[:2]:
            raise ShapeError(
                f"{name}: mask is {mask.spec}, z is {a.spec}; mask must be (batch, time)."
            )
        tensors.append(mask)
    return tensors


def simple_rnn(
    z: Any, recurrent_kernel: Any, h0: Any, mask: Any = None, activation: str = "tanh",
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`h[t] = activation(z[t] + h[t-1] U)` over a sequence.

    Args:
        z: `(batch, time, units)`, the inputs times their kernel, plus the bias.
        recurrent_kernel: U, `(units, units)`.
        h0: `(batch, units)`, the state before the first step.
        mask: `(batch, time)`; a step where it is false keeps the state.
        activation: One of `tanh`, `sigmoid`, `hard_sigmoid`, `relu`, `linear`.
        reverse: From the last step to the first.

    Returns:
        All states `(batch, time, units)` in the order of `z`, and the one after the last step.

    Raises:
        ShapeError: Shapes do not fit.
        ValueError: Unknown activation.
    """
    xs = _prepared("simple_rnn", 1, z, recurrent_kernel, [h0], mask, (activation,))
    return apply(  # type: ignore[no-any-return]
        _SIMPLE, *xs, masked=mask is not None, activation=activation, reverse=bool(reverse)
    )


def lstm(
    z: Any, recurrent_kernel: Any, h0: Any, c0: Any, mask: Any = None, activation: str = "tanh",
    recurrent_activation: str = "sigmoid", reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Long short-term memory over a sequence, gates in the order input, forget, candidate, output.

    With `i, f, g, o` the columns of `z[t] + h[t-1] U` through their activations,
    `c[t] = f c[t-1] + i g` and `h[t] = o activation(c[t])`.

    Args:
        z: `(batch, time, 4 * units)`, the inputs times their kernel, plus the bias.
        recurrent_kernel: U, `(units, 4 * units)`.
        h0, c0: `(batch, units)`, state and cell before the first step.
        mask: `(batch, time)`; a step where it is false keeps state and cell.
        activation: Of candidate and cell: one of `tanh`, `sigmoid`, `hard_sigmoid`, `relu`,
            `linear`.
        recurrent_activation: Of the gates, one of the same.
        reverse: From the last step to the first.

    Returns:
        All states `(batch, time, units)` in the order of `z`; state and cell after the last step.

    Raises:
        ShapeError: Shapes do not fit.
        ValueError: Unknown activation.

    Source: S. Hochreiter and J. Schmidhuber, Neural Computation 9 (1997).
    """
    names = (activation, recurrent_activation)
    xs = _prepared("lstm", 4, z, recurrent_kernel, [h0, c0], mask, names)
    found = apply(
        _LSTM, *xs, masked=mask is not None, activation=activation,
        recurrent_activation=recurrent_activation, reverse=bool(reverse),
    )  # fmt: skip
    return found[0], found[1], found[2]


def gru(
    z: Any, recurrent_kernel: Any, bias: Any, h0: Any, mask: Any = None, activation: str = "tanh",
    recurrent_activation: str = "sigmoid", reverse: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Gated recurrent unit over a sequence, gates in the order update, reset, candidate.

    With `b = h[t-1] U + bias`, `u` and `r` of `z[t] + b` through the recurrent activation and
    `g = activation(z_g + r b_g)`: `h[t] = u h[t-1] + (1 - u) g` (the reset gate acts after the
    product).

    Args:
        z: `(batch, time, 3 * units)`, the inputs times their kernel, plus their bias.
        recurrent_kernel: U, `(units, 3 * units)`.
        bias: `(3 * units,)`, of the recurrent product.
        h0: `(batch, units)`, the state before the first step.
        mask: `(batch, time)`; a step where it is false keeps the state.
        activation: Of the candidate: one of `tanh`, `sigmoid`, `hard_sigmoid`, `relu`, `linear`.
        recurrent_activation: Of the gates, one of the same.
        reverse: From the last step to the first.

    Returns:
        All states `(batch, time, units)` in the order of `z`, and the one after the last step.

    Raises:
        ShapeError: Shapes do not fit.
        ValueError: Unknown activation.

    Source: K. Cho et al., EMNLP 2014.
    """
    names = (activation, recurrent_activation)
    xs = _prepared("gru", 3, z, recurrent_kernel, [h0], mask, names, bias)
    found = apply(
        _GRU, *xs, masked=mask is not None, activation=activation,
        recurrent_activation=recurrent_activation, reverse=bool(reverse),
    )  # fmt: skip
    return found[0], found[1]
