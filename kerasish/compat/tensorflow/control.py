"""Functions, loops and branches: `tf.function`, `tf.while_loop`, `tf.map_fn`."""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import kerasish_core as core

from ... import autodiff, ops
from ...text_arrays import Text, holds_text
from ...utils.dataset import Dataset
from .tensor_array import TensorArray
from .values import TensorSpec, convert_to_tensor, plain

__all__ = ["Function", "cond", "function", "in_function", "map_fn", "while_loop"]

tree = core.tree


class _Mode:
    eager = False


class _Running(threading.local):
    functions = 0  # how many functions of `tf.function` are being called


_running = _Running()


def in_function() -> bool:
    """Whether a function of `tf.function` is traced, which may as well run eagerly."""
    return _running.functions > 0 and core.is_tracing()


@plain
def run_functions_eagerly(run_eagerly: bool) -> None:
    """Whether functions under `tf.function` run as they are written."""
    _Mode.eager = bool(run_eagerly)


@plain
def functions_run_eagerly() -> bool:
    """Whether functions under `tf.function` run as they are written."""
    return _Mode.eager


class Function:
    """What `tf.function` makes of a function: a compiled step.

    One that can't be traced, since a branch or loop depends on values, runs as it is written from
    then on, and says so once.
    """

    def __init__(
        self, python_function: Callable[..., Any], signature: Any = None, step: Any = None
    ) -> None:
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.input_signature = signature
        self._step = autodiff.function(python_function) if step is None else step
        self._eager = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.input_signature is not None:
            args, kwargs = self._signed(args, kwargs), {}
        found = self._run(args, kwargs)
        return found if isinstance(found, core.Tensor) else tree.map_structure(_result, found)

    def _signed(self, args: Any, kwargs: Any) -> tuple[Any, ...]:
        """The arguments as tensors of the dtypes of the signature.

        Raises:
            TypeError: Their number or a shape is another.
        """
        name = getattr(self, "__name__", "a function")
        if kwargs:
            names = list(inspect.signature(self.python_function).parameters)
            left = names[len(args) :]
            args = (*args, *(kwargs.pop(n) for n in left if n in kwargs))
        wanted = self.input_signature
        if kwargs or len(args) != len(wanted):
            raise TypeError(
                f"{name}: {len(args) + len(kwargs)} arguments for {len(wanted)} of the "
                "input_signature."
            )
        return tuple(_of_spec(x, spec, name) for x, spec in zip(args, wanted))

    def _run(self, args: Any, kwargs: Any) -> Any:
        function = self.python_function
        if self._eager or _Mode.eager:
            return function(*args, **kwargs)
        leaves = tree.flatten((args, kwargs))
        if any(isinstance(x, Dataset) for x in leaves) or holds_text(leaves):
            return function(*args, **kwargs)
        _running.functions += 1
        try:
            return self._step(*args, **kwargs)
        except core.TraceError as error:
            if core.is_tracing():
                raise
            self._eager = True
            name = getattr(function, "__name__", "a function")
            warnings.warn(
                f"tf.function: {name} can't be compiled and runs eagerly: {error}", stacklevel=3
            )
        finally:
            _running.functions -= 1
        return function(*args, **kwargs)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        if owner is None:
            return self
        step = self._step.__get__(owner, kind)  # the same for each object
        if not hasattr(step, "as_function"):
            step.as_function = Function(step.__wrapped__, self.input_signature, step)
        return step.as_function

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> Function:
        """The function itself, which is compiled for each signature when it is called."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_step" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._step, name)


def _result(x: Any) -> Any:
    return core.convert(x) if isinstance(x, bool | int | float) else x


def _of_spec(x: Any, spec: Any, name: str) -> Any:
    """An argument as its part of a signature says: a spec, or a structure of them."""
    if isinstance(spec, TensorSpec):
        if spec.dtype == "string":
            return x
        made = core.convert(x, str(spec.dtype))
        if spec.shape is not None and not spec.shape.is_compatible_with(made.shape):
            raise TypeError(
                f"{name}: an argument of shape {tuple(made.shape)} for TensorSpec(shape="
                f"{tuple(spec.shape)}, dtype={spec.dtype}) of the input_signature."
            )
        return made
    if isinstance(spec, dict):
        return {k: _of_spec(x[k], part, name) for k, part in spec.items()}
    if isinstance(spec, list | tuple):
        parts = [_of_spec(v, part, name) for v, part in zip(x, spec, strict=True)]
        return parts if isinstance(spec, list) else tuple(parts)
    return x


@plain
def function(func: Any = None, input_signature: Any = None, **kwargs: Any) -> Any:
    """Compile a function, as decorator with options or without.

    Args:
        func: The function.
        input_signature: A `TensorSpec` for each argument, or structures of them: arguments are
            converted to their dtypes, and must fit their shapes.
        **kwargs: Options that have no effect here.
    """
    if func is None:
        return lambda func: Function(func, input_signature)
    return Function(func, input_signature)


@plain
def py_function(func: Any = None, inp: Any = None, Tout: Any = None) -> Any:
    """A function of Python of the values of tensors: not in compiled functions."""
    if func is None:
        return _decorator(py_function, Tout)
    given = [convert_to_tensor(x) for x in inp or ()]
    _check_values(given)
    return _typed(func(*given), Tout)


@plain
def numpy_function(
    func: Any = None, inp: Any = None, Tout: Any = None, stateful: Any = True
) -> Any:
    """A function of NumPy's arrays of the values of tensors: not in compiled functions."""
    if func is None:
        return _decorator(numpy_function, Tout)
    given = [convert_to_tensor(x) for x in inp or ()]
    _check_values(given)
    return _typed(func(*[np.array(x.numpy()) for x in given]), Tout)


def _decorator(caller: Any, kinds: Any) -> Any:
    def decorate(func: Any) -> Any:
        return functools.wraps(func)(lambda *args: caller(func, list(args), kinds))

    return decorate


def _check_values(tensors: Any) -> None:
    if core.is_tracing():
        for x in tensors:
            np.asarray(x)  # says so, if it is traced


def _typed(found: Any, kinds: Any) -> Any:
    if kinds is None or (isinstance(kinds, list | tuple) and not kinds):
        return found
    if isinstance(kinds, list | tuple):
        if not isinstance(found, list | tuple):
            found = [found]
        return [_typed(x, kind) for x, kind in zip(found, kinds)]
    kind = getattr(kinds, "dtype", kinds)
    return convert_to_tensor(found) if kind == "string" else core.convert(found, str(kind))


def _tensors(structure: Any) -> Any:
    return tree.map_structure(convert_to_tensor, structure)


@plain
def cond(pred: Any, true_fn: Any = None, false_fn: Any = None) -> Any:
    """What one of two functions returns."""
    if isinstance(pred, bool | np.bool_):
        return true_fn() if pred else false_fn()
    return ops.cond(pred, true_fn, false_fn)


@plain
def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False
) -> Any:
    """What the function of the first condition that holds returns, else `default`."""
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    if default is None:
        if len(pairs) == 1:
            return pairs[0][1]()
        default, pairs = pairs[-1][1], pairs[:-1]
    if not pairs:
        return default()
    (pred, function), *rest = pairs
    return cond(pred, function, lambda: case(rest, default))


@plain
def switch_case(branch_index: Any, branch_fns: Any, default: Any = None) -> Any:
    """What the function with this number returns; `default`, or the last, for any other."""
    if isinstance(branch_fns, dict):
        branch_fns = list(branch_fns.items())
    if branch_fns and isinstance(branch_fns[0], list | tuple):
        last = max(number for number, _ in branch_fns)
        table = dict(branch_fns)
        rest = default or table[last]
        branch_fns = [table.get(i, rest) for i in range(last + 1)]
    functions = [*branch_fns, default or branch_fns[-1]]
    index = core.convert(branch_index)
    inside = core.ops.logical_and(index >= 0, index < len(branch_fns))
    return ops.switch(core.ops.where(inside, index, len(branch_fns)), functions)


def while_loop(
    cond: Any, body: Any, loop_vars: Any, shape_invariants: Any = None,
    parallel_iterations: Any = 10, back_prop: Any = True, swap_memory: Any = False,
    maximum_iterations: Any = None,
) -> Any:  # fmt: skip
    """`while cond(*loop_vars): loop_vars = body(*loop_vars)`."""
    kind = type(loop_vars)

    def step(*values: Any) -> Any:
        found = body(*values)
        return tuple(found) if isinstance(found, list | tuple) else (found,)

    limit = None if maximum_iterations is None else int(maximum_iterations)
    if any(isinstance(x, TensorArray) for x in tree.flatten(loop_vars)):
        state = tuple(loop_vars)
        state, count = tree.map_structure(_loop_variable, state), 0
        while count != limit and bool(np.asarray(cond(*state))):
            state, count = tree.map_structure(_loop_variable, step(*state)), count + 1
        return list(state) if kind is list else tuple(state)
    start = tuple(_tensors(list(loop_vars)))
    found = ops.while_loop(cond, step, start, limit)
    return list(found) if kind is list else tuple(found)


def _loop_variable(x: Any) -> Any:
    return x if isinstance(x, TensorArray) else convert_to_tensor(x)


def map_fn(
    fn: Any, elems: Any, dtype: Any = None, parallel_iterations: Any = None, back_prop: Any = True,
    swap_memory: Any = False, infer_shape: Any = True, fn_output_signature: Any = None,
) -> Any:  # fmt: skip
    """`fn` of each row, stacked."""
    elems = _tensors(elems)
    if not holds_text(elems):
        if core.is_tracing():
            return ops.map(fn, elems)
        count = len(tree.flatten(elems)[0])
        if count:
            return _stacked([fn(_row(elems, i)) for i in range(count)])
        return ops.map(fn, elems)
    count = len(tree.flatten(elems)[0])
    return _stacked([fn(_row(elems, i)) for i in range(count)])


def _row(structure: Any, i: int) -> Any:
    return tree.map_structure(lambda x: x[i], structure)


def _stacked(rows: Any) -> Any:
    def join(*leaves: Any) -> Any:
        if holds_text(leaves[0]) or isinstance(leaves[0], str | bytes):
            return Text(np.stack([np.asarray(x, object) for x in leaves]))
        return core.ops.stack([core.convert(x) for x in leaves], 0)

    return tree.map_structure(join, *rows)


def vectorized_map(fn: Any, elems: Any, fallback_to_while_loop: bool = True) -> Any:
    """`fn` of each row, stacked."""
    return map_fn(fn, elems)


def _fold(fn: Any, elems: Any, initializer: Any, reverse: bool) -> tuple[Any, Any]:
    elems = _tensors(elems)
    if reverse:
        elems = tree.map_structure(lambda x: core.ops.flip(x, 0), elems)
    first = None
    if initializer is None:
        first = initializer = _row(elems, 0)
        elems = tree.map_structure(lambda x: x[1:], elems)

    def step(state: Any, x: Any) -> Any:
        following = _tensors(fn(state, x))
        return following, following

    last, states = ops.scan(step, _tensors(initializer), elems)
    if first is not None:
        states = tree.map_structure(
            lambda a, rest: core.ops.concatenate([a[None], rest], 0), first, states
        )
    return last, states


def scan(
    fn: Any, elems: Any, initializer: Any = None, parallel_iterations: Any = 10,
    back_prop: Any = True, swap_memory: Any = False, infer_shape: Any = True,
    reverse: bool = False,
) -> Any:  # fmt: skip
    """All values of `state = fn(state, row)`; from the first row without an initializer."""
    _, states = _fold(fn, elems, initializer, reverse)
    if reverse:
        states = tree.map_structure(lambda x: core.ops.flip(x, 0), states)
    return states


def foldl(fn: Any, elems: Any, initializer: Any = None, **_: Any) -> Any:
    """What `state = fn(state, row)` ends with."""
    return _fold(fn, elems, initializer, False)[0]


def foldr(fn: Any, elems: Any, initializer: Any = None, **_: Any) -> Any:
    """`foldl` from the last row to the first."""
    return _fold(fn, elems, initializer, True)[0]


# -- contexts and what does nothing here


@contextlib.contextmanager
def scope(name: Any = None, *_: Any, **__: Any) -> Iterator[Any]:
    """A block with a name, which changes nothing."""
    yield name


class NameScope(contextlib.ContextDecorator):
    """A block with a name, which changes nothing."""

    def __init__(self, name: str, *_: Any, **__: Any) -> None:
        self.name = name

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *_: Any) -> None:
        """Nothing to undo."""


@plain
def device(device_name: Any) -> Any:
    """A block in which new arrays are made on a device ("/GPU:0"); one that is not there, or
    None, changes nothing."""
    kind = str(device_name or "").strip("/").lower().replace("device:", "").rpartition("/")[2]
    wanted = kind.partition(":")[0] or "cpu"
    current = core.current_device().partition(":")[0]
    if wanted == current or (wanted == "gpu" and not core.gpu_count()):
        return contextlib.nullcontext()
    return autodiff.device(kind) if wanted in ("cpu", "gpu") else contextlib.nullcontext()


@plain
def executing_eagerly() -> bool:
    """Whether operations run at once: not while a function is traced."""
    return not core.is_tracing()


@plain
def no_op() -> None:
    """Nothing."""


@plain
def group(*inputs: Any) -> None:
    """Nothing to do: what was to run has run."""


@plain
def recompute_grad(f: Any) -> Any:
    """`f`, whose inner values are computed again for gradients instead of kept."""
    return core.remat(f)


@plain
def unchanged(func: Any = None, *_: Any, **__: Any) -> Any:
    """The function itself, also as a decorator with options."""
    return func if func is not None else unchanged
