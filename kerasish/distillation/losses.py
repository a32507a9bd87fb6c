"""How far a student is from its teacher.

Source: Hinton et al. (2015), Distilling the Knowledge in a Neural Network; Romero et al. (2015),
FitNets.
"""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .. import losses, ops
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object

__all__ = ["DistillationLoss", "FeatureDistillation", "LogitsDistillation"]

tree = core.tree


@builtin("keras.distillation")
class DistillationLoss:
    """Base of such losses. Subclasses define `compute_loss`."""

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The loss, a scalar.

        Args:
            teacher_outputs, student_outputs: Tensors, or structures of them.
            **kwargs: For subclasses.
        """
        raise NotImplementedError("Subclasses must implement compute_loss")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Refuse outputs that can't be compared.

        Raises:
            ValueError: Their structures differ.
        """
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Refuse models that this loss can't compare."""


def _functions(loss: Any) -> Any:
    """Losses for names, in the same structure.

    Raises:
        ValueError: All are None.
    """
    found = tree.map_structure(lambda x: losses.get(x) if isinstance(x, str) else x, loss)
    if all(x is None for x in tree.flatten(found)):
        raise ValueError(
            f"The `loss` argument must contain at least one non-`None` value. Received: {loss}"
        )
    return found


def _total(one: Any, structure: Any, teacher: Any, student: Any) -> Any:
    """The sum of `one(loss, teacher, student)` over the losses that there are."""
    parts = tree.map_structure(
        lambda f, t, s: 0.0 if f is None else one(f, t, s), structure, teacher, student
    )
    return ops.sum(ops.stack([ops.cast(p, "float32") for p in tree.flatten(parts)]))


@builtin("keras.distillation")
class FeatureDistillation(DistillationLoss):
    """The loss between the outputs of a layer of the teacher and of one of the student.

    Args:
        loss: Name or loss; a structure of them, with None for outputs to leave out.
        teacher_layer_name, student_layer_name: Names of the layers; None for the models' outputs.

    Raises:
        ValueError: There is no loss.
    """

    def __init__(
        self, loss: Any = "mse", teacher_layer_name: str | None = None,
        student_layer_name: str | None = None,
    ) -> None:  # fmt: skip
        self.teacher_layer_name, self.student_layer_name = teacher_layer_name, student_layer_name
        self.loss = _functions(loss)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Refuse models without these layers.

        Raises:
            ValueError: A model has no such layer, or no graph to find its output in.
        """
        names = {"teacher": self.teacher_layer_name, "student": self.student_layer_name}
        models = {"teacher": teacher, "student": student}
        if any(name is not None for name in names.values()):
            plain = [k for k, m in models.items() if getattr(m, "inputs", None) is None]
            if plain:
                raise ValueError(
                    "FeatureDistillation with specific layer names requires Functional or "
                    f"Sequential models. The {' and '.join(plain)} model(s) appear to be "
                    "subclassed (no symbolic inputs/outputs). Either use Functional/Sequential "
                    "models, or FeatureDistillation without layer names (to distill final outputs "
                    "only), or LogitsDistillation."
                )
        for who, name in names.items():
            if name is not None:
                try:
                    models[who].get_layer(name=name)
                except ValueError as error:
                    raise ValueError(f"In {who} model: {error}") from error

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Refuse outputs that can't be compared.

        Raises:
            ValueError: Their structures differ, or differ from that of the losses.
        """
        super().validate_outputs(teacher_outputs, student_outputs)
        try:
            tree.assert_same_structure(self.loss, teacher_outputs)
        except ValueError as error:
            raise ValueError(f"Loss structure mismatch: {error}") from error

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The sum of the losses' means."""

        def one(loss: Any, teacher: Any, student: Any) -> Any:
            return ops.mean(loss(teacher, student))

        return _total(one, self.loss, teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            "loss": serialize_keras_object(self.loss),
            "teacher_layer_name": self.teacher_layer_name,
            "student_layer_name": self.student_layer_name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The loss of a config."""
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})


@builtin("keras.distillation")
class LogitsDistillation(DistillationLoss):
    """The loss between logits divided by a temperature T.

    For the divergence of Kullback and Leibler it is `T^2 KL(softmax(t / T), softmax(s / T))`.

    Args:
        temperature: T.
        loss: Name or loss; a structure of them, with None for outputs to leave out.

    Raises:
        ValueError: There is no loss, or `temperature` is no positive number.
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        self.loss = _functions(loss)
        if not isinstance(temperature, int | float):
            raise ValueError(f"temperature must be a number, got {type(temperature)}")
        if temperature <= 0:
            raise ValueError(f"temperature must be positive. Received: temperature={temperature}")
        self.temperature = temperature

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The sum of the losses' means."""

        def one(loss: Any, teacher: Any, student: Any) -> Any:
            teacher, student = teacher / self.temperature, student / self.temperature
            if not isinstance(loss, losses.KLDivergence):
                return ops.mean(loss(teacher, student))
            found = loss(ops.softmax(teacher, axis=-1), ops.softmax(student, axis=-1))
            return ops.mean(found) * self.temperature**2

        return _total(one, self.loss, teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"temperature": self.temperature, "loss": serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The loss of a config."""
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})
