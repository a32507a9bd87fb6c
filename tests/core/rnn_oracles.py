"""Recurrent layers in another way: forward by loops over single units; backward by pushing a unit
change of every input forward through the linearised recurrence."""

import math

import numpy as np

__all__ = ["gru", "gru_grad", "lstm", "lstm_grad", "simple_rnn", "simple_rnn_grad"]

VALUE = {
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "hard_sigmoid": lambda x: min(max(x / 6 + 0.5, 0.0), 1.0),
    "relu": lambda x: max(x, 0.0),
    "linear": lambda x: x,
}
SLOPE = {
    "tanh": lambda y: (1 - y) * (1 + y),
    "sigmoid": lambda y: y - y * y,
    "hard_sigmoid": lambda y: 1 / 6 if 0 < y < 1 else 0.0,
    "relu": lambda y: float(y > 0),
    "linear": lambda y: 1.0,
}


def value(name, x):
    return np.vectorize(VALUE[name], otypes=[float])(x)


def slope(name, y):
    return np.vectorize(SLOPE[name], otypes=[float])(y)


def times(time, reverse):
    return list(range(time))[:: -1 if reverse else 1]


def product(h, kernel):
    return [math.fsum(a * b for a, b in zip(h, column)) for column in kernel.T]


def simple_rnn(z, kernel, h0, *mask, masked, activation, reverse):
    states, last = np.zeros(z.shape), h0.copy()
    for b in range(z.shape[0]):
        for k in times(z.shape[1], reverse):
            if not masked or mask[0][b, k]:
                last[b] = [
                    VALUE[activation](s + p) for s, p in zip(z[b, k], product(last[b], kernel))
                ]
            states[b, k] = last[b]
    return states, last


def lstm(z, kernel, h0, c0, *mask, masked, activation, recurrent_activation, reverse):
    act, gate = VALUE[activation], VALUE[recurrent_activation]
    batch, time, units = *z.shape[:2], h0.shape[1]
    states, cells, gates = (np.zeros((batch, time, n * units)) for n in (1, 1, 4))
    h, c = h0.copy(), c0.copy()
    for b in range(batch):
        for k in times(time, reverse):
            a = z[b, k] + product(h[b], kernel)
            rows = [
                value(n, a[i * units : (i + 1) * units])
                for i, n in enumerate(
                    [recurrent_activation, recurrent_activation, activation, recurrent_activation]
                )
            ]
            gates[b, k] = np.concatenate(rows)
            if not masked or mask[0][b, k]:
                for u in range(units):
                    c[b, u] = gate(a[units + u]) * c[b, u] + gate(a[u]) * act(a[2 * units + u])
                    h[b, u] = gate(a[3 * units + u]) * act(c[b, u])
            states[b, k], cells[b, k] = h[b], c[b]
    return states, h, c, cells, gates


def gru(z, kernel, bias, h0, *mask, masked, activation, recurrent_activation, reverse):
    act, gate = VALUE[activation], VALUE[recurrent_activation]
    batch, time, units = *z.shape[:2], h0.shape[1]
    states, gates = (np.zeros((batch, time, n * units)) for n in (1, 4))
    h = h0.copy()
    for b in range(batch):
        for k in times(time, reverse):
            inner = bias + product(h[b], kernel)
            new = h[b].copy()
            for u in range(units):
                update, reset = (gate(z[b, k, i] + inner[i]) for i in (u, units + u))
                i = 2 * units + u
                candidate = act(z[b, k, i] + reset * inner[i])
                gates[b, k, u::units] = update, reset, candidate, inner[i]
                new[u] = candidate + update * (h[b, u] - candidate)
            if not masked or mask[0][b, k]:
                h[b] = new
            states[b, k] = h[b]
    return states, h, gates


def pulled(shapes, push, cotangents):
    """The cotangents of inputs of the given shapes: what a unit change of each element changes."""
    found = [np.zeros(shape) for shape in shapes]
    for i, target in enumerate(found):
        for place in np.ndindex(target.shape):
            moves = [np.zeros(shape) for shape in shapes]
            moves[i][place] = 1.0
            target[place] = sum(np.vdot(d, u) for d, u in zip(push(*moves), cotangents))
    return found


def split(rest, masked, given, shapes):
    """The mask or None, and a cotangent of each shape, zeros if not given."""
    rest = list(rest)
    mask = rest.pop(0) if masked else None
    return mask, [rest.pop(0) if g else np.zeros(s) for g, s in zip(given, shapes)]


def live(mask, k, units):
    """Which elements of a step are not masked."""
    return True if mask is None else np.repeat(mask[:, k : k + 1], units, 1)


def simple_rnn_grad(kernel, states, *rest, masked, given, activation, reverse):
    last = (states.shape[0], states.shape[2])
    mask, us = split(rest, masked, given, [states.shape, last])

    def push(dz, dh):
        moved = np.zeros(states.shape)
        for k in times(states.shape[1], reverse):
            new = (dz[:, k] + dh @ kernel) * slope(activation, states[:, k])
            dh = moved[:, k] = np.where(live(mask, k, last[1]), new, dh)
        return moved, dh

    return pulled([states.shape, last], push, us)


def lstm_grad(
    kernel, c0, cells, gates, *rest, masked, given, activation, recurrent_activation, reverse
):
    units = c0.shape[1]
    mask, us = split(rest, masked, given, [cells.shape, c0.shape, c0.shape])

    def push(dz, dh, dc):
        moved, cell = np.zeros(cells.shape), c0
        for k in times(cells.shape[1], reverse):
            da = dz[:, k] + dh @ kernel
            names = [recurrent_activation, recurrent_activation, activation, recurrent_activation]
            i, f, g, o = np.split(gates[:, k], 4, 1)
            di, df, dg, do = (
                d * slope(n, y) for d, n, y in zip(np.split(da, 4, 1), names, (i, f, g, o))
            )
            shown = value(activation, cells[:, k])
            new = df * cell + f * dc + di * g + i * dg
            keep = live(mask, k, units)
            dh = np.where(keep, do * shown + o * slope(activation, shown) * new, dh)
            dc, moved[:, k], cell = np.where(keep, new, dc), dh, cells[:, k]
        return moved, dh, dc

    return pulled([gates.shape, c0.shape, c0.shape], push, us)


def gru_grad(
    kernel, h0, states, gates, *rest, masked, given, activation, recurrent_activation, reverse
):
    units, wide = h0.shape[1], (*states.shape[:2], 3 * h0.shape[1])
    mask, us = split(rest, masked, given, [states.shape, h0.shape])

    def push(dz, db, dh):
        """`db` changes the recurrent projections, as the bias does but step by step."""
        moved, state = np.zeros(states.shape), h0
        for k in times(states.shape[1], reverse):
            update, reset, candidate, inner = np.split(gates[:, k], 4, 1)
            du, dr, dg = np.split(dz[:, k], 3, 1)
            eu, er, eg = np.split(db[:, k] + dh @ kernel, 3, 1)
            du, dr = (
                (a + b) * slope(recurrent_activation, y)
                for a, b, y in ((du, eu, update), (dr, er, reset))
            )
            dg = (dg + dr * inner + reset * eg) * slope(activation, candidate)
            new = du * (state - candidate) + update * dh + (1 - update) * dg
            dh = moved[:, k] = np.where(live(mask, k, units), new, dh)
            state = states[:, k]
        return moved, dh

    return pulled([wide, wide, h0.shape], push, us)
