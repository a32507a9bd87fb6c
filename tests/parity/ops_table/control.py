"""Control flow, functions of functions, what changes gradients."""

from __future__ import annotations

from .entries import mark, use
from .inputs import A, B, C, I, V, draw

SMALL = draw(3, 2)

use("ops.cond", "by a value", lambda k, x: k.ops.cond(x[0, 0] > 0, lambda: x * 2, lambda: x - 1), A)
use("ops.cond", "by a number", lambda k, x: k.ops.cond(True, lambda: x * 2, lambda: x - 1), A)
use("ops.cond", "of two", lambda k, x: k.ops.cond(False, lambda: (x, x + 1), lambda: (x - 1, x)), A)
for _index in (0, 1, 2, 7, -3):
    use(
        "ops.switch", f"branch {_index}",
        lambda k, x, i=_index: k.ops.switch(
            i, [lambda v: v + 1, lambda v: v * v, lambda v: k.ops.exp(v)], x
        ),
        A,
    )  # fmt: skip
use("ops.switch", "of two operands", lambda k, x, y: k.ops.switch(
    1, [lambda a, b: a + b, lambda a, b: a * b], x, y), A, B)  # fmt: skip


def _step(k):
    return lambda carry, x: (carry + x, carry * x)


use("ops.scan", "sums", lambda k, x: k.ops.scan(_step(k), k.ops.zeros((2,)), x), SMALL)
use("ops.scan", "from the end", lambda k, x: k.ops.scan(
    _step(k), k.ops.ones((2,)), x, reverse=True), SMALL)  # fmt: skip
use("ops.scan", "without inputs", lambda k, x: k.ops.scan(
    lambda c, _: (c * 2, c), x, length=4), V)  # fmt: skip
use("ops.scan", "of a structure", lambda k, x: k.ops.scan(
    lambda c, xs: ((c[0] + xs[0], c[1] * xs[1]), {"a": c[0]}),
    (k.ops.zeros((2,)), k.ops.ones((2,))), (x, x)), SMALL)  # fmt: skip
use("ops.scan", "nothing to go by", lambda k, x: k.ops.scan(lambda c, _: (c, c), x), V)
use("ops.map", "squares", lambda k, x: k.ops.map(lambda v: v * v, x), A)
use("ops.map", "of a pair", lambda k, x, y: k.ops.map(lambda v: v[0] + v[1], (x, y)), A, B)
use("ops.map", "to a structure", lambda k, x: k.ops.map(
    lambda v: {"sum": k.ops.sum(v), "v": v}, x), A)  # fmt: skip
use("ops.vectorized_map", "squares", lambda k, x: k.ops.vectorized_map(lambda v: v * v, x), A)
use("ops.vectorized_map", "sums", lambda k, x: k.ops.vectorized_map(k.ops.sum, x), C)
use("ops.vectorized_map", "of a pair", lambda k, x, y: k.ops.vectorized_map(
    lambda v: v[0] @ v[1], [x, y]), A, B)  # fmt: skip
use("ops.fori_loop", "powers", lambda k, x: k.ops.fori_loop(0, 3, lambda i, v: v * v + 1, x), A)
use("ops.fori_loop", "by index", lambda k, x: k.ops.fori_loop(
    1, 4, lambda i, v: v + k.ops.cast(i, "float32"), x), A)  # fmt: skip
use("ops.fori_loop", "no turn", lambda k, x: k.ops.fori_loop(3, 3, lambda i, v: v * x, x), A)
use("ops.while_loop", "doubled", lambda k, x: k.ops.while_loop(
    lambda v: k.ops.sum(v) < 40.0, lambda v: (v * 2,), (k.ops.abs(x) + 0.1,)), V)  # fmt: skip
use("ops.while_loop", "bounded", lambda k, x: k.ops.while_loop(
    lambda i, v: i < 9, lambda i, v: (i + 1, v * 2), (0, x), maximum_iterations=4), V)  # fmt: skip
use("ops.while_loop", "one variable", lambda k, x: k.ops.while_loop(
    lambda v: k.ops.sum(v) < 20.0, lambda v: v + 1.0, k.ops.abs(x)), V)  # fmt: skip
use("ops.associative_scan", "sums", lambda k, x: k.ops.associative_scan(k.ops.add, x), A)
use("ops.associative_scan", "products from the end", lambda k, x: k.ops.associative_scan(
    k.ops.multiply, x, reverse=True, axis=1), A)  # fmt: skip
use("ops.associative_scan", "of a structure", lambda k, x, y: k.ops.associative_scan(
    lambda a, b: [a[0] + b[0], a[1] * b[1]], [x, y], axis=-1), A, B)  # fmt: skip
use("ops.associative_scan", "nothing to call", lambda k, x: k.ops.associative_scan(3, x), A)
use("ops.vectorize", "a sum", lambda k, x, y: k.ops.vectorize(lambda a, b: a * b + 1)(x, y), A, V)
use("ops.vectorize", "of scalars", lambda k, x: k.ops.vectorize(k.ops.exp)(x), V)
use("ops.vectorize", "excluded", lambda k, x: k.ops.vectorize(
    lambda a, p: a**p, excluded={1})(x, 2), V)  # fmt: skip
use("ops.vectorize", "by signature", lambda k, x, y: k.ops.vectorize(
    k.ops.dot, signature="(n),(n)->()")(x, y), A, B)  # fmt: skip
use("ops.vectorize", "of matrices", lambda k, x, y: k.ops.vectorize(
    k.ops.dot, signature="(m,n),(n)->(m)")(x, y), C, V)  # fmt: skip
use("ops.vectorize", "bad signature", lambda k, x: k.ops.vectorize(
    k.ops.sum, signature="n->")(x), A)  # fmt: skip
use("ops.jvp", "of one", lambda k, x, t: k.ops.jvp(lambda v: k.ops.sin(v) * v, (x,), (t,)), A, B)
use("ops.jvp", "of two", lambda k, x, y: k.ops.jvp(
    lambda a, b: a * b + b, (x, y), (y, x)), A, B)  # fmt: skip
use("ops.jvp", "with more", lambda k, x, t: k.ops.jvp(
    lambda v: (k.ops.exp(v), v + 1), (x,), (t,), has_aux=True), A, B)  # fmt: skip


def _with_its_own_gradient(k, x):
    @k.ops.custom_gradient
    def function(v):
        def grad(*args, upstream=None):
            return (args[0] if upstream is None else upstream) * 3

        return v * v, grad

    return function(x)


use("ops.custom_gradient", "times three", _with_its_own_gradient, A)
use("ops.stop_gradient", "half of it", lambda k, x: x * k.ops.stop_gradient(x), A)
use("ops.stop_gradient", "of a structure", lambda k, x, i: k.ops.stop_gradient([x, {"i": i}]), A, I)
mark("ops: jvp vectorize custom_gradient", symbolic=False)
mark("ops: cond switch scan map vectorized_map fori_loop while_loop associative_scan", batch=False)
mark("ops: while_loop switch", gradient="")
