"""The base of all metrics: variables that a stream of batches updates, and their result."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import kerasish_core as core

from .. import dtype_policies, initializers, older, ops
from ..config import floatx
from ..naming import auto_name, name_scope
from ..serialization import builtin
from ..shard import current_shard, flush_metrics, note_update
from ..variable import Variable

__all__ = ["Metric"]


@builtin("keras.metrics")
class Metric:
    """Base class of metrics.

    A subclass makes its state by `add_variable` in `__init__`, changes it by `assign` in
    `update_state(y_true, y_pred, sample_weight=None)`, and computes `result()` from it. No
    Python branch may depend on values, so that training steps can be compiled.

    Args:
        dtype: Dtype or dtype policy of the result, `floatx()` if None.
        name: Name of the metric; made from the class name if None.

    Source: https://keras.io/api/metrics/base_metric/
    """

    __getattr__ = older.attribute

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self._variables: list[Variable] = []
        self._metrics: list[Metric] = []
        self.name = name or auto_name(type(self).__name__)
        self._dtype_policy = dtype_policies.get(dtype or floatx())
        self._dtype = self._dtype_policy.compute_dtype
        # Sums in half precision would stand still at 2048, in bfloat16 at 256.
        self._state_dtype = "float32" if self._dtype in ("float16", "bfloat16") else self._dtype

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, wrap in (("update_state", _noting), ("result", _of_whole)):
            if name in cls.__dict__:
                setattr(cls, name, wrap(cls.__dict__[name]))

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, core.Variable | Metric):
            kind = "_metrics" if isinstance(value, Metric) else "_variables"
            tracked = self._state(kind)
            if not any(value is t for t in tracked):
                tracked.append(value)
        super().__setattr__(name, value)

    def _state(self, kind: str) -> list[Any]:
        try:
            return self.__dict__[kind]
        except KeyError:
            raise RuntimeError(
                f"You forgot to call `super().__init__()` in the `__init__()` method of "
                f"{type(self).__name__}. Go add it!"
            ) from None

    @property
    def dtype(self) -> str:
        """Dtype of the result, and of the state if that is no half precision."""
        return self._dtype

    @property
    def variables(self) -> list[Any]:
        """The state: own variables, then those of metrics held as attributes."""
        found = list(self._state("_variables"))
        for metric in self._metrics:
            found.extend(metric.variables)
        return found

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Make a variable of the state.

        Args:
            shape: Its shape.
            initializer: An initializer or its name.
            dtype: Its dtype; if None, the metric's, but float32 for float16 and bfloat16.
            aggregation: How replicas are combined.
            name: Its name.
        """
        variables = self._state("_variables")
        with core.eager_scope(), name_scope(self.name.replace("/", ">")):
            variable = Variable(
                initializer=initializers.get(initializer or "zeros"),
                shape=tuple(shape),
                dtype=dtype or self._state_dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Make a variable of the state; another name of `add_variable`."""
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    def reset_state(self) -> None:
        """Set the whole state to zero."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch into the state, to be written by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state().")

    def result(self) -> Any:
        """The value of the metric, or a dict of values; to be written by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} must define result().")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state`, then `result()`."""
        self._state("_variables")
        self.update_state(*args, **kwargs)
        return self.result()

    # -- the same without side effects

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """The values of the variables after an update that started from `metric_variables`.

        Raises:
            ValueError: There are not as many values as variables.
        """
        variables = self.variables
        with core.StatelessScope(self._mapping(variables, metric_variables)) as scope:
            self.update_state(*args, **kwargs)
            return [_current(scope, v) for v in variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """The result for given values of the variables.

        Raises:
            ValueError: There are not as many values as variables.
        """
        with core.StatelessScope(self._mapping(self.variables, metric_variables)):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The values of the variables after a reset."""
        variables = self.variables
        with core.StatelessScope() as scope:
            self.reset_state()
            return [_current(scope, v) for v in variables]

    def _mapping(self, variables: list[Any], values: Any) -> list[tuple[Any, Any]]:
        if len(values) != len(variables):
            raise ValueError(
                "Argument `metric_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received list with length {len(values)}, "
                f"but expected {len(variables)} variables."
            )
        return list(zip(variables, values, strict=True))

    # -- config

    def get_config(self) -> dict[str, Any]:
        """Arguments that rebuild the metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A metric from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    __str__ = __repr__


def _noting(update_state: Callable[..., Any]) -> Callable[..., Any]:
    """An update by some rows of a batch, whose other rows other processes have."""

    @functools.wraps(update_state)
    def wrapper(self: Metric, *args: Any, **kwargs: Any) -> Any:
        if current_shard() is None:
            return update_state(self, *args, **kwargs)
        note_update(self.variables)
        result = update_state(self, *args, **kwargs)
        note_update(self.variables, born=True)
        return result

    return wrapper


def _of_whole(result: Callable[..., Any]) -> Callable[..., Any]:
    """A result of what all processes' rows gave."""

    @functools.wraps(result)
    def wrapper(self: Metric) -> Any:
        if current_shard() is not None:
            flush_metrics()
        return result(self)

    return wrapper


def _current(scope: Any, variable: Any) -> Any:
    value = scope.get_current_value(variable)
    return variable.value if value is None else value
