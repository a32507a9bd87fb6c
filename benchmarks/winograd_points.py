"""Rounding errors of Winograd's filtering for pairs of points, beside sums one by one.

    python benchmarks/winograd_points.py [--channels 256] [--trials 200]

Tiles of 6 x 6 pixels of normally distributed float32, 3 x 3 or 5 x 5 windows; an error is that of
a sum over the root mean square of all exact sums. The matrices are made from the points as in Toom
and Cook's method, in rational numbers.
"""

from __future__ import annotations

import argparse
from fractions import Fraction

import numpy as np

EDGE = 6
POINTS = [
    ("1", "2"), ("1", "1/2"), ("3/4", "3/2"), ("5/8", "3/2"), ("1/2", "3/2"), ("3/4", "5/4"),
    ("5/8", "5/4"), ("1/2", "5/4"), ("2/3", "3/2"), ("3/5", "5/3"),
]  # fmt: skip


def times(a: list[Fraction], b: list[Fraction]) -> list[Fraction]:
    """The product of two polynomials, lowest coefficient first."""
    found = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            found[i + j] += x * y
    return found


def matrices(points: list[Fraction], window: int) -> tuple[np.ndarray, ...]:
    """For the pixels, the window's taps and the sums; the last point is infinity."""
    taps, sums = window, EDGE + 1 - window
    pixels = np.zeros((EDGE, EDGE))
    kernel, back = np.zeros((EDGE, taps)), np.zeros((sums, EDGE))
    for i, p in enumerate(points):
        others = [q for q in points if q != p]
        polynomial, scale = [Fraction(1)], Fraction(1)
        for q in others:
            polynomial, scale = times(polynomial, [-q, Fraction(1)]), scale * (p - q)
        pixels[i, : len(polynomial)] = [float(c) for c in polynomial]
        kernel[i] = [float(p**k / scale) for k in range(taps)]
        back[:, i] = [float(p**k) for k in range(sums)]
    polynomial = [Fraction(1)]
    for q in points:
        polynomial = times(polynomial, [-q, Fraction(1)])
    pixels[-1, : len(polynomial)] = [float(c) for c in polynomial]
    kernel[-1, -1] = back[-1, -1] = 1
    return pixels, kernel, back


def both(matrix: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    """A matrix applied to both axes, in float32."""
    matrix = matrix.astype("float32")
    return np.einsum("lk,...ik->...il", matrix, np.einsum("ij,...jk->...ik", matrix, tiles))


def errors(sums: np.ndarray, exact: np.ndarray) -> tuple[float, float]:
    """The largest and the root mean square."""
    scale, wrong = np.sqrt((exact**2).mean()), np.abs(sums - exact)
    return wrong.max() / scale, np.sqrt((wrong**2).mean()) / scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--trials", type=int, default=200)
    args = parser.parse_args()
    for window in (3, 5):
        rng = np.random.default_rng(1)
        made = EDGE + 1 - window
        x = rng.normal(size=(args.trials, args.channels, EDGE, EDGE)).astype("float32")
        w = rng.normal(size=(args.trials, args.channels, window, window)).astype("float32")
        exact = np.zeros((args.trials, made, made))
        plain = exact.astype("float32")
        for c in range(args.channels):
            for a in range(window):
                for b in range(window):
                    part, tap = x[:, c, a : a + made, b : b + made], w[:, c, a, b, None, None]
                    exact += part.astype("float64") * tap
                    plain += part * tap
        print(f"{window} x {window}, {args.channels} channels: largest error, root mean square")
        print("  one by one   {:.1e} {:.1e}".format(*errors(plain, exact)))
        for names in POINTS:
            points = [Fraction(0)] + [s * Fraction(n) for n in names for s in (1, -1)]
            pixels, kernel, back = matrices(points, window)
            values, taps = both(pixels, x), both(kernel, w)
            total = np.zeros((args.trials, EDGE, EDGE), "float32")
            for c in range(args.channels):
                total += values[:, c] * taps[:, c]
            found = errors(both(back, total), exact)
            print("  {:4} {:4}    {:.1e} {:.1e}".format(*names, *found))


if __name__ == "__main__":
    main()
