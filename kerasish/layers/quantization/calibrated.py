"""A layer's kernel in few bits, rounded by what flows into the layer.

`quantize` makes the variables and leaves the kernel as it is; inputs are watched between
`start_calibration` and `finish_calibration`, which rounds the kernel and drops it.
"""

from __future__ import annotations

import math
from typing import Any

from ... import dtype_policies, ops
from ...quantizers.calibration import Gram, Peaks, awq, gptq
from ...quantizers.int4 import pack_int4, unpack_int4
from ...quantizers.quantizer import dequantize_groups
from .matrix import QuantizedMatrix
from .quantizing import checked

__all__ = ["CALIBRATED", "CalibratedMatrix"]

CALIBRATED = ("gptq", "awq")


class CalibratedMatrix(QuantizedMatrix):
    """A layer whose main weight, seen as a matrix (inputs, outputs), GPTQ and AWQ can round."""

    _modes = (*QuantizedMatrix._modes, *CALIBRATED)
    _zero_name = "kernel_zero"
    _statistic: Any = None

    # -- how the kernel lies
    def _calibrated_shape(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Of the matrix (rows, columns) that is rounded."""
        return shape

    def _summed(self, shape: tuple[int, ...]) -> int:
        """How many inputs the product sums over; the rows are these, or a multiple.

        Raises:
            NotImplementedError: They are not the first axes of the kernel.
        """
        return shape[0]

    @property
    def _is_calibrated_mode(self) -> bool:
        return self.quantization_mode in CALIBRATED

    @property
    def _has_kernel(self) -> bool:
        return f"_{self._main}" in self.__dict__

    @property
    def is_gptq_calibrated(self) -> bool:
        """Whether GPTQ has rounded the kernel."""
        return self.quantization_mode == "gptq" and not self._has_kernel

    @property
    def is_awq_calibrated(self) -> bool:
        """Whether AWQ has rounded the kernel."""
        return self.quantization_mode == "awq" and not self._has_kernel

    @property
    def awaits_calibration(self) -> bool:
        """Whether the kernel is still to be rounded."""
        return self._is_calibrated_mode and self._has_kernel

    def _setting(self, config: Any, name: str) -> int:
        source = config if getattr(config, "mode", None) in CALIBRATED else self._own_policy()
        return int(getattr(source, name))

    # -- variables
    def quantized_build(self, shape: Any, mode: str, config: Any = None) -> None:
        """Make the variables of a quantized layer; see `QuantizedMatrix`."""
        if mode not in CALIBRATED:
            super().quantized_build(shape, mode, config)
            return
        self._original_shape = tuple(shape)
        rows, columns = self._calibrated_shape(self._original_shape)
        bits, size = self._setting(config, "weight_bits"), self._setting(config, "group_size")
        self._packed = bits == 4
        stored = ((columns + 1) // 2 if self._packed else columns, rows)
        self.quantized_kernel = self._frozen("kernel", stored, "uint8", "zeros")
        scales = (columns, 1 if size == -1 else math.ceil(rows / size))
        self.kernel_scale = self._frozen("kernel_scale", scales)
        self.kernel_zero = self._frozen(self._zero_name, scales, "uint8", "zeros")
        if mode == "awq":
            self.awq_scales = self._frozen("awq_scales", (rows,))
        self.g_idx = self._frozen("g_idx", (rows,), "float32", "zeros")
        self._is_quantized = True

    @checked
    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Put the layer's weights into few bits; see `Layer.quantize`."""
        if mode not in CALIBRATED:
            super().quantize(mode, type_check=type_check, config=config)
            return
        if type_check and type(self) is not self._quantizable:
            raise self._without("quantize")
        shape = self._main_variable().shape
        self._calibrated_shape(shape), self._summed(shape)  # refuse before anything changes
        self.quantization_config = config
        self.quantized_build(shape, mode, config)
        if self._dtype_policy.quantization_mode is None:
            name = f"{config.dtype_policy_string()}_from_{self._dtype_policy.name}"
            self.dtype_policy = dtype_policies.get(name)

    # -- calibration
    def start_calibration(self) -> None:
        """Watch the inputs of calls from now on."""
        kind = Gram if self.quantization_mode == "gptq" else Peaks
        self._set_statistic(kind(self._summed(self._original_shape)))

    def stop_calibration(self) -> None:
        """Watch no more."""
        self._set_statistic(None)

    def _set_statistic(self, value: Any) -> None:
        object.__setattr__(self, "_statistic", value)  # no state of the layer

    def finish_calibration(self, config: Any) -> None:
        """Round the kernel by what has been seen; drop it, and a low-rank update with it.

        Args:
            config: The `GPTQConfig` or `AWQConfig`.
        """
        rows, columns = self._calibrated_shape(self._original_shape)
        statistic = self._statistic.value(rows // self._statistic.size)
        self.stop_calibration()
        kernel = ops.convert_to_numpy(self._main_value()).astype("float32")
        run = gptq if self.quantization_mode == "gptq" else awq
        found = run(kernel.reshape(rows, columns).T, statistic, config)
        q = found.q.astype("uint8")
        self.quantized_kernel.assign(pack_int4(q, 0, "uint8")[0] if self._packed else q)
        self.kernel_scale.assign(found.scale)
        self.kernel_zero.assign(found.zero.astype("uint8"))
        self.g_idx.assign(found.groups)
        if found.input_scales is not None:
            self.awq_scales.assign(found.input_scales)
        self._drop_kernel()

    def _drop_kernel(self) -> None:
        names = [f"_{self._main}"]
        if self.lora_enabled:
            names += [f"lora_{self._main}_{part}" for part in "ab"]
            self.lora_enabled, self.lora_rank, self.lora_alpha = False, None, None
        self._tracker.locked = False
        for name in names:
            delattr(self, name)
        self._tracker.locked = self._locks

    # -- computing
    def _integers(self) -> Any:
        """(columns, rows)."""
        columns = self._calibrated_shape(self._original_shape)[1]
        stored = self.quantized_kernel.value
        return unpack_int4(stored, columns, 0, "uint8") if self._packed else stored

    def _main_value(self) -> Any:
        if not self._is_calibrated_mode:
            return super()._main_value()
        if not self._has_kernel:
            return self._integers()  # as in Keras
        weight = self._main_variable()
        if not self.lora_enabled:
            return weight
        return ops.cast(ops.add(weight, self._update()), self.compute_dtype)

    def _plain_weight(self) -> Any:
        if not self._is_calibrated_mode:
            return super()._plain_weight()
        if self._has_kernel:
            return self._main_value()
        scale, zero = self.kernel_scale.value, self.kernel_zero.value
        weight = ops.transpose(dequantize_groups(self._integers(), scale, zero, self.g_idx, -1))
        if self.quantization_mode == "awq":
            weight = ops.divide(weight, ops.expand_dims(self.awq_scales, -1))
        return ops.cast(self._shaped(weight), self.compute_dtype)

    def quantized_call(self, inputs: Any, training: Any = None) -> Any:
        """The computation with quantized weights; with the kernel until it is rounded."""
        if not self._is_calibrated_mode:
            return super().quantized_call(inputs, training)
        if self._statistic is not None:
            self._statistic.add(ops.convert_to_numpy(inputs))
        x = self._product(inputs, self._plain_weight())
        bias = self.bias
        return self.activation(x if bias is None else ops.add(x, bias))

    # -- files
    @property
    def variable_serialization_spec(self) -> dict[Any, list[str]]:
        """Quantization mode to the names of variables, in the order in which files hold them."""
        first = ["bias", "quantized_kernel", "kernel_scale", "kernel_zero"]
        return {
            **super().variable_serialization_spec,
            "gptq": [*first, "g_idx"],
            "awq": [*first, "awq_scales", "g_idx"],
        }

    def _stored(self) -> dict[str, Any]:
        if not self._is_calibrated_mode:
            return super()._stored()
        if self._has_kernel:
            mode = self.quantization_mode
            raise ValueError(
                f"Layer '{self.name}' is of mode '{mode}' but no calibration has rounded its "
                "kernel, which files of this mode do not hold: name a block with the layer in "
                "'sequential_blocks' of the structure, or leave the layer out by "
                f"`model.quantize('{mode}', config, filters=...)`."
            )
        return {}

    def load_own_variables(self, store: Any) -> None:
        """Read them back; the file of a calibrated mode holds rounded weights.

        Raises:
            ValueError: As for other layers, and if Keras wrote the file: it leaves the zeros out.
        """
        calibrated = self.built and self._is_calibrated_mode
        if calibrated and len(store.keys()) == len(self._names()) - 1:
            raise ValueError(
                f"Layer '{self.name}' of mode '{self.quantization_mode}': the file has no "
                "zero points of the rounded kernel. Keras 3.15 leaves them out when it writes, and "
                "nobody can do without them. Load the model as it was before, and quantize it."
            )
        super().load_own_variables(store)
        if self.awaits_calibration:
            self._drop_kernel()
