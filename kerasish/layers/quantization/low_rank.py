"""Low-rank updates of a layer's main weight.

Source: Hu et al. (2021), LoRA: Low-Rank Adaptation of Large Language Models.
"""

from __future__ import annotations

from typing import Any

from ... import initializers, ops
from ...variable import Variable

__all__ = ["LowRank", "main_weight"]


def main_weight(name: str) -> property:
    """The attribute of a layer's main weight: the variable, or its value with its update."""

    def read(self: Any) -> Any:
        if f"_{name}" not in self.__dict__ and not self._is_quantized:
            raise AttributeError(f"You must build the layer before accessing `{name}`.")
        return self._main_value()

    def write(self: Any, value: Any) -> None:
        setattr(self, f"_{name}", value)

    return property(read, write, doc=f"The {name}, with its low-rank update if there is one.")


class LowRank:
    """A layer whose main weight, the attribute `_main`, may be held fixed and get an update.

    The update is `lora_alpha / lora_rank * a @ b`, where a has `lora_rank` columns.
    """

    _main = "kernel"
    lora_rank: int | None
    lora_alpha: float | None
    lora_enabled = False

    def _set_lora(self, rank: int | None, alpha: float | None) -> None:
        self.lora_rank, self.lora_alpha = rank, rank if alpha is None else alpha

    def _main_variable(self) -> Variable:
        return self.__dict__[f"_{self._main}"]

    def _main_shape(self) -> tuple[int, ...]:
        """The shape of the weight, however it is stored."""
        return self._main_variable().shape

    def _main_value(self) -> Any:
        weight: Any = self._main_variable()
        if not self.lora_enabled:
            return weight
        return ops.cast(ops.add(weight, self._update()), self.compute_dtype)

    def _factors(self) -> tuple[Any, Any]:
        return getattr(self, f"lora_{self._main}_a"), getattr(self, f"lora_{self._main}_b")

    def _lora_scale(self) -> float:
        return self.lora_alpha / self.lora_rank

    def _update(self) -> Any:
        return ops.multiply(ops.matmul(*self._factors()), self._lora_scale())

    def enable_lora(
        self, rank: int, lora_alpha: float | None = None, a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:  # fmt: skip
        """Hold the main weight fixed and train a low-rank update of it.

        Args:
            rank: Of the update.
            lora_alpha: The update's factor is `lora_alpha / rank`; 1 if None.
            a_initializer, b_initializer: Of the update's two factors.

        Raises:
            ValueError: The weight has a constraint, the layer is not built, or has an update.
            NotImplementedError: The layer is quantized by GPTQ or AWQ.
        """
        main, layer = self._main, self
        plain = "embedding" if main == "embeddings" else main
        if getattr(self, f"{main}_constraint"):
            raise ValueError(
                f"Lora is incompatible with {plain} constraints. In order to enable lora on this "
                f"layer, remove the `{main}_constraint` argument."
            )
        if not layer.built:
            raise ValueError("Cannot enable lora on a layer that isn't yet built.")
        if self.lora_enabled:
            raise ValueError("lora is already enabled. This can only be done once per layer.")
        if (mode := self.quantization_mode) in ("gptq", "awq"):
            name = mode.upper()
            raise NotImplementedError(f"lora is not currently supported with {name} quantization.")
        *rows, columns = self._main_shape()
        shapes = {"a": (*rows, rank), "b": (rank, columns)}
        self._tracker.locked = False
        for part, initializer in (("a", a_initializer), ("b", b_initializer)):
            # float32 whatever the layer's dtype is: updates are small.
            weight = layer.add_weight(
                name=f"lora_{main}_{part}", shape=shapes[part],
                initializer=initializers.get(initializer), dtype="float32",
                regularizer=getattr(self, f"{main}_regularizer"),
            )  # fmt: skip
            setattr(self, f"lora_{main}_{part}", weight)
        self._main_variable().trainable = False
        self._tracker.locked = self._locks
        self.lora_enabled = True
        self._set_lora(rank, lora_alpha)

    # -- files: the update is added to the weight
    @property
    def variable_serialization_spec(self) -> dict[Any, list[str]]:
        """Quantization mode to the names of variables, in the order in which files hold them."""
        return {None: [self._main, "bias"]}

    def _stored(self) -> dict[str, Any]:
        """What files hold, by name, where it is not the variable itself."""
        return {self._main: self._main_value()}

    def _names(self) -> list[str]:
        spec = self.variable_serialization_spec
        mode = self.quantization_mode
        if mode not in spec:
            raise self._mode_error(mode)
        return [n for n in spec[mode] if n == self._main or getattr(self, n, None) is not None]

    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own variables into a mapping, the update added to its weight."""
        if not self.built:
            return
        merged = self._stored()
        for i, name in enumerate(self._names()):
            value = merged.get(name)
            value = getattr(self, name) if value is None else value
            store[f"{i}"] = ops.convert_to_numpy(value)

    def load_own_variables(self, store: Any) -> None:
        """Read them back; an update becomes zero.

        Raises:
            ValueError: Their number or a shape differs; then nothing has changed.
        """
        if not self.built:
            super().load_own_variables(store)
            return
        names = self._names()
        variables = [self._main_variable() if n == self._main else getattr(self, n) for n in names]
        self._load_into(variables, store)
        if self.lora_enabled:
            for factor in self._factors():
                factor.assign(ops.zeros(factor.shape))

    def _lora_config(self) -> dict[str, Any]:
        if not self.lora_rank:
            return {}
        return {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha}
