"""Densely connected layers of any number of axes, described by an equation."""

from __future__ import annotations

import copy
import math
import re
from typing import Any, NamedTuple

import kerasish_core as core

from ... import activations, constraints, initializers, ops, regularizers
from ...serialization import builtin, serialize_keras_object
from ..base import Layer
from ..input_spec import InputSpec
from ..quantization.calibrated import CalibratedMatrix
from ..quantization.low_rank import main_weight

__all__ = ["EinsumDense"]

_FORMS = tuple(
    re.compile(f"{left}([a-zA-Z]+){right},([a-zA-Z]+)->{left}([a-zA-Z]+){right}")
    for left, right in (("", ""), (r"\.\.\.", ""), ("", r"\.\.\."))
)


class Terms(NamedTuple):
    """The labels of an equation.

    Attributes:
        inputs, kernel, output: Of each tensor, without the ellipsis.
        ellipsis: None, "left" or "right".
    """

    inputs: str
    kernel: str
    output: str
    ellipsis: str | None


def parse_equation(equation: str) -> Terms:
    """The labels of an equation.

    Raises:
        ValueError: It has none of the three forms.
    """
    for form, ellipsis in zip(_FORMS, (None, "left", "right"), strict=True):
        match = form.fullmatch(equation)
        if match:
            return Terms(*match.groups(), ellipsis)
    raise ValueError(
        f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], "
        "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
    )


def plan_shapes(terms: Terms, input_shape: Any, output_shape: Any) -> tuple[Any, Any]:
    """The shapes of kernel and output.

    Args:
        terms: Of the equation.
        input_shape: With the batch axis.
        output_shape: Without the batch axis and those of the ellipsis.

    Raises:
        ValueError: Labels and shapes do not fit.
    """
    hidden = len(input_shape) - len(terms.inputs)
    if hidden < 0 or (hidden and terms.ellipsis is None):
        raise ValueError(
            f"The inputs of the equation {terms} have {len(terms.inputs)} labels, but "
            f"input_shape={tuple(input_shape)} has {len(input_shape)} axes."
        )
    start = hidden if terms.ellipsis == "left" else 0
    known = dict(zip(terms.inputs, input_shape[start:], strict=False))
    wanted = list(output_shape)
    elided = list(input_shape[:hidden])
    if terms.ellipsis != "left" or not hidden:
        wanted, elided = [input_shape[0], *wanted], []
    if terms.ellipsis == "right" and hidden:
        elided = list(input_shape[-hidden:])
    if len(wanted) < len(terms.output):
        raise ValueError(
            f"output_shape={tuple(output_shape)} must have a size for each label of the output "
            f"'{terms.output}' but the batch."
        )
    found = dict(zip(terms.output, wanted, strict=False))
    for label, size in found.items():
        if None not in (size, known.get(label)) and known[label] != size:
            raise ValueError(
                "Input shape and output shape do not match at shared dimension "
                f"'{label}'. Input shape is {known[label]}, and output shape is {size}."
            )
        if label not in known and label not in terms.kernel:
            raise ValueError(
                f"Dimension '{label}' was specified in the output '{terms.output}' but has no "
                f"corresponding dim in the input spec '{terms.inputs}' or weight spec "
                f"'{terms.output}'"
            )
    for label in terms.kernel:
        if label not in known and label not in found:
            raise ValueError(
                f"Weight dimension '{label}' did not have a match in either the input spec "
                f"'{terms.inputs}' or the output spec '{terms.output}'. For this layer, the "
                "weight must be fully specified."
            )
    kernel = tuple(known.get(label, found.get(label)) for label in terms.kernel)
    full = [*elided, *wanted] if terms.ellipsis == "left" else [*wanted, *elided]
    return kernel, tuple(full)


def plan_bias(terms: Terms, bias_axes: str, full: Any) -> tuple[Any, ...]:
    """The shape of the bias: from its first axis on, 1 where it is shared.

    Raises:
        ValueError: An axis is none of the output.
    """
    for label in bias_axes:
        if label not in terms.output:
            raise ValueError(
                f"Bias dimension '{label}' was requested, but is not part of the output spec "
                f"'{terms.output}'"
            )
    start = len(full) - len(terms.output) if terms.ellipsis == "left" else 0
    sizes = dict(zip(terms.output, full[start:], strict=False))
    first = min(terms.output.index(label) for label in bias_axes)
    shape = [sizes[c] if c in bias_axes else 1 for c in terms.output[first:]]
    if terms.ellipsis == "right":
        shape += [1] * (len(full) - len(terms.output))
    return tuple(shape)


def with_fans(initializer: Any, terms: Terms) -> Any:
    """The initializer with the kernel's axes told apart: those summed over are inputs.

    Without it a kernel of more than two axes would be taken for one of a convolution.
    """
    if getattr(initializer, "input_axes", 0) is not None:
        return initializer
    twin = copy.copy(initializer)
    axes: tuple[list[int], list[int]] = ([], [])
    for i, label in enumerate(terms.kernel):
        axes[label in terms.output].append(i)
    twin.input_axes, twin.output_axes = axes
    return twin


def product_axes(terms: Terms) -> int | None:
    """How many last axes of the input meet the first of the kernel, if that is one matrix product.

    None where axes would have to move, or are shared by all three.
    """
    if terms.ellipsis == "right":
        return None
    inner = sum(c in terms.inputs for c in terms.kernel)
    free, summed = terms.inputs[: len(terms.inputs) - inner], terms.inputs[-inner:]
    columns = terms.kernel[inner:]
    fits = inner and terms.kernel[:inner] == summed and terms.output == free + columns
    distinct = len(set(free + summed + columns)) == len(free + summed + columns)
    return inner if fits and distinct else None


@builtin("keras.layers")
class EinsumDense(CalibratedMatrix, Layer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: Like `"abc,cd->abd"`: labels of input, kernel and output; an ellipsis may stand
            at the same end of input and output.
        output_shape: Sizes of the output without the batch axis and those of the ellipsis; None
            for one that the input tells.
        activation: Name or function.
        bias_axes: Labels of the output along which the bias differs; None for no bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        kernel_constraint, bias_constraint: See their modules.
        lora_rank, lora_alpha: As for `enable_lora`, which is called once the layer is built.
        gptq_unpacked_column_size: Outputs of a kernel that GPTQ has rounded; `quantize` sets it.
        quantization_config: How the layer is quantized, if its dtype policy says that it is.

    Raises:
        ValueError: The equation has another form, or does not fit the shapes.

    Source: https://keras.io/api/layers/core_layers/einsum_dense/
    """

    kernel = main_weight("kernel")
    _zero_name = "zero_point"

    def __init__(
        self, equation: str, output_shape: Any, activation: Any = None, bias_axes: Any = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None,
        lora_rank: int | None = None, lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None, quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.equation = equation
        shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self.partial_output_shape = tuple(shape)
        self.bias_axes = bias_axes
        self._set_lora(lora_rank, lora_alpha)
        self.gptq_unpacked_column_size = gptq_unpacked_column_size
        self.quantization_config = quantization_config
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        terms = parse_equation(self.equation)
        shape, full = plan_shapes(terms, input_shape, self.partial_output_shape)
        self.full_output_shape = full
        self._terms, mode = terms, self.quantization_mode
        self.input_spec = InputSpec(ndim=len(input_shape))
        if mode:
            self.quantized_build(shape, mode, self.quantization_config)
        if mode in (None, "float8"):
            self.kernel = self.add_weight(
                shape, with_fans(self.kernel_initializer, terms),
                regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
                name="kernel",
            )  # fmt: skip
        self.bias = None
        if self.bias_axes:
            self.bias = self.add_weight(
                plan_bias(terms, self.bias_axes, full), self.bias_initializer,
                regularizer=self.bias_regularizer, constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self._inner = product_axes(terms)
        # Whether the bias has exactly the axes that the kernel brings.
        columns = terms.kernel[self._inner :] if self._inner else ""
        self._bias_of_columns = bool(columns) and set(self.bias_axes or "") == set(columns)
        self.built = True
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def call(self, inputs: Any, training: Any = None) -> Any:
        if self._is_quantized:
            return self.quantized_call(inputs, training)
        return self.activation(self._project(inputs) if self._inner else self._einsum(inputs))

    def _einsum(self, inputs: Any) -> Any:
        x = self._product(inputs, self._main_value())
        return x if self.bias is None else ops.add(x, self.bias)

    def _project(self, inputs: Any) -> Any:
        """The same as one matrix product of two axes each, as `Dense` computes it."""
        o = core.ops
        x, kernel, inner = inputs, core.convert(self._main_value()), self._inner
        free, columns = x.shape[: x.ndim - inner], kernel.shape[inner:]
        rows = math.prod(kernel.shape[:inner])
        if x.ndim != 2 or inner != 1:
            x = o.reshape(x, (math.prod(free), rows))
        y = o.matmul(x, _matrix(kernel, rows, math.prod(columns)))
        if self._bias_of_columns:
            bias = self.bias.value
            y = o.add(y, bias if bias.ndim == 1 else o.reshape(bias, (-1,)))
        if len(free) != 1 or len(columns) != 1:
            y = o.reshape(y, (*free, *columns))
        if self.bias is not None and not self._bias_of_columns:
            y = o.add(y, self.bias.value)
        return y

    def _product(self, inputs: Any, weight: Any) -> Any:
        return ops.einsum(self.equation, inputs, weight)

    # -- how a quantized kernel lies
    def _reduced_axes(self) -> Any:
        terms = self._terms
        return tuple(i for i, c in enumerate(terms.kernel) if c not in terms.output)

    def _inputs_axis(self) -> Any:
        terms = self._terms
        hidden = self.input_spec.ndim - len(terms.inputs) if terms.ellipsis == "left" else 0
        return tuple(hidden + i for i, c in enumerate(terms.inputs) if c not in terms.output)

    def _matrix_shape(self, shape: tuple[int, ...]) -> tuple[int, int]:
        rows = math.prod(shape[i] for i in self._reduced_axes())
        return rows, math.prod(shape) // rows

    def _kept(self) -> list[int]:
        """The other axes of the kernel, in the order of the output."""
        return [self._terms.kernel.index(c) for c in self._terms.output if c in self._terms.kernel]

    def _scale_as_stored(self, scale: Any) -> Any:
        # As the output lies, with 1 where the kernel has no such axis.
        terms = self._terms
        sizes = [scale.shape[terms.kernel.index(c)] if c in terms.kernel else 1
                 for c in terms.output]  # fmt: skip
        hidden = [1] * (self.input_spec.ndim - len(terms.inputs))
        sizes = [*hidden, *sizes] if terms.ellipsis == "left" else [*sizes, *hidden]
        scale = ops.transpose(scale, [*self._reduced_axes(), *self._kept()])
        return ops.reshape(scale, sizes)

    def _scale_as_kept(self, scale: Any) -> Any:
        axes = [*self._reduced_axes(), *self._kept()]
        sizes = [1] * len(self._reduced_axes()) + [self._original_shape[i] for i in self._kept()]
        inverse = sorted(range(len(axes)), key=axes.__getitem__)
        return ops.transpose(ops.reshape(scale, sizes), inverse)

    def _calibrated_shape(self, shape: tuple[int, ...]) -> tuple[int, int]:
        # As Keras's files have it: the largest of three axes tells which of them are rows.
        if len(shape) not in (2, 3):
            raise NotImplementedError(
                f"Layer '{self.name}': GPTQ and AWQ need a kernel of 2 or 3 axes, not {shape}."
            )
        rows = math.prod(shape[:1] if len(shape) == 2 or shape[0] == max(shape) else shape[:2])
        return rows, math.prod(shape) // rows

    def _summed(self, shape: tuple[int, ...]) -> int:
        inner = product_axes(self._terms)
        summed = math.prod(shape[:inner]) if inner else 0
        if not summed or self._calibrated_shape(shape)[0] % summed:
            raise NotImplementedError(
                f"Layer '{self.name}': GPTQ and AWQ need an equation that sums the last axes of "
                f"the inputs with the first of the kernel, not '{self.equation}' with a kernel of "
                f"shape {shape}."
            )
        return summed

    def quantized_build(self, shape: Any, mode: str, config: Any = None) -> None:
        super().quantized_build(shape, mode, config)
        if mode == "gptq":
            self.gptq_unpacked_column_size = self._calibrated_shape(tuple(shape))[1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        terms = parse_equation(self.equation)
        return plan_shapes(terms, input_shape, self.partial_output_shape)[1]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": serialize_keras_object(self.quantization_config),
            **self._lora_config(),
            **self._gptq_config(),
        }

    def _gptq_config(self) -> dict[str, Any]:
        size = self.gptq_unpacked_column_size
        return {"gptq_unpacked_column_size": size} if size else {}


EinsumDense._quantizable = EinsumDense


def _matrix(kernel: Any, rows: int, columns: int) -> Any:
    return kernel if kernel.ndim == 2 else core.ops.reshape(kernel, (rows, columns))
