"""A model that trains a student by its teacher."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .. import losses, metrics, ops
from ..models import Model, Sequential
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object

__all__ = ["Distiller"]

tree = core.tree


@builtin("keras.distillation")
class Distiller(Model):
    """`weight * loss of the student + (1 - weight) * sum of distillation losses`.

    Called, it is the student. The teacher is not trained.

    Args:
        teacher, student: Models with inputs and outputs of the same shapes and types.
        distillation_losses: One loss or a list of them.
        distillation_loss_weights: Of a list; 1 each by default.
        student_loss_weight: From 0 to 1.
        name: Of the model.

    Raises:
        ValueError: Models, losses or weights do not fit.

    Source: https://keras.io/api/distillation/
    """

    def __init__(
        self, teacher: Any, student: Any, distillation_losses: Any,
        distillation_loss_weights: Any = None, student_loss_weight: float = 0.5,
        name: str = "distiller", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        self.teacher, self.student = teacher, student
        if not isinstance(student_loss_weight, int | float):
            raise ValueError(
                f"student_loss_weight must be a number, got {type(student_loss_weight)}"
            )
        if not 0 <= student_loss_weight <= 1:
            raise ValueError(
                f"student_loss_weight must be between 0.0 and 1.0, got {student_loss_weight}"
            )
        self.student_loss_weight = student_loss_weight
        found, weights = _with_weights(distillation_losses, distillation_loss_weights)
        for loss in found:
            loss.validate_model_compatibility(teacher, student)
        self._keep(distillation_losses=found, distillation_loss_weights=weights)
        self._teacher_feature_extractor = _extractor(teacher, found, "teacher_layer_name")
        self._student_feature_extractor = _extractor(student, found, "student_layer_name")
        self.teacher.trainable = False
        self.student_loss_tracker = metrics.Mean(name="student_loss")
        self.distillation_loss_tracker = metrics.Mean(name="distillation_loss")
        self.total_loss_tracker = metrics.Mean(name="total_loss")

    def compile(
        self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Set how the student is trained.

        Args:
            optimizer: As for `Model.compile`.
            loss: Of the student: name or loss, or a structure of them.
            metrics: A list.
            **kwargs: As for `Model.compile`.

        Raises:
            ValueError: There is no loss, or metrics are no list.
        """
        if loss is None:
            raise ValueError("'loss' cannot be `None`.")
        if metrics is not None and not isinstance(metrics, list | tuple):
            raise ValueError(f"metrics must be a list or tuple, got {type(metrics)}")
        functions = tree.map_structure(lambda x: losses.get(x) if isinstance(x, str) else x, loss)
        self._keep(_student_loss=functions)
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> Any:
        """The student's outputs."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
        training: bool = True,
    ) -> Any:  # fmt: skip
        """The combined loss; its parts go to metrics."""
        if y_pred is None:
            y_pred = self(x, training=training)
        weight = self.student_loss_weight
        own: Any = 0.0
        if weight > 0 and y is not None:
            parts = tree.map_structure(
                lambda f, t, p: ops.mean(f(t, p)), self._student_loss, y, y_pred
            )
            own = sum(tree.flatten(parts)[1:], start=tree.flatten(parts)[0])
        distilled = self._distilled(x, y_pred) if weight < 1 else 0.0
        total = weight * own + (1.0 - weight) * distilled
        self.student_loss_tracker.update_state(own)
        self.distillation_loss_tracker.update_state(distilled)
        self.total_loss_tracker.update_state(total)
        return total

    def _distilled(self, x: Any, y_pred: Any) -> Any:
        teacher, student = self._teacher_feature_extractor, self._student_feature_extractor
        if teacher is None:
            theirs = {"final_output": self.teacher(x, training=False)}
        else:
            theirs = teacher(x, training=False)
        ours = {} if student is None else student(x, training=True)
        total: Any = 0.0
        pairs = zip(self.distillation_losses, self.distillation_loss_weights, strict=True)
        for loss, weight in pairs:
            name = getattr(loss, "teacher_layer_name", None)
            expected, found = theirs["final_output"], y_pred
            if name is not None:
                expected = theirs[name]
                found = ours.get(getattr(loss, "student_layer_name", None), y_pred)
            loss.validate_outputs(expected, found)
            value = loss.compute_loss(expected, found)
            if getattr(value, "shape", ()):
                raise ValueError(
                    f"Distillation loss {type(loss).__name__} returned a non-scalar loss with "
                    f"shape {value.shape}. The compute_loss method must return a scalar tensor."
                )
            total = total + weight * value
        return total

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            **super().get_config(),
            "teacher": serialize_keras_object(self.teacher),
            "student": serialize_keras_object(self.student),
            "distillation_losses": [serialize_keras_object(x) for x in self.distillation_losses],
            "distillation_loss_weights": self.distillation_loss_weights,
            "student_loss_weight": self.student_loss_weight,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The distiller of a config."""
        found = dict(config)
        for key in ("teacher", "student"):
            found[key] = deserialize_keras_object(found[key], custom_objects)
        found["distillation_losses"] = [
            deserialize_keras_object(x, custom_objects) for x in found["distillation_losses"]
        ]
        return cls(**found)


def _with_weights(given: Any, weights: Any) -> tuple[list[Any], list[float]]:
    """A list of losses and one of their weights.

    Raises:
        ValueError: There is no loss, or not one weight for each.
    """
    if given is None:
        raise ValueError(
            "'distillation_losses' cannot be `None`. Provide a distillation loss (e.g., "
            "LogitsDistillation or FeatureDistillation) or a list of distillation losses."
        )
    if not isinstance(given, list | tuple):
        return [given], [1.0]
    weights = [1.0] * len(given) if weights is None else list(weights)
    if len(weights) != len(given):
        raise ValueError(
            f"Number of distillation_loss_weights ({len(weights)}) must match number of "
            f"distillation_losses ({len(given)})"
        )
    return list(given), weights


def _check_models(teacher: Any, student: Any) -> None:
    for who, model in (("Teacher", teacher), ("Student", student)):
        if not isinstance(model, Model):
            raise ValueError(f"{who} must be a keras.Model, got {type(model)}")
    for side in ("inputs", "outputs"):
        theirs, ours = getattr(teacher, side, None), getattr(student, side, None)
        if theirs is None or ours is None:
            continue
        tree.assert_same_structure(list(theirs), list(ours))
        for t, s in zip(theirs, ours, strict=True):
            fits = len(t.shape) == len(s.shape) and all(
                a == b or None in (a, b) for a, b in zip(t.shape, s.shape, strict=True)
            )
            if not fits or t.dtype != s.dtype:
                raise ValueError(
                    f"Teacher and student {side[:-1]} shapes and dtypes must match. Teacher: "
                    f"{t.shape}, {t.dtype}. Student: {s.shape}, {s.dtype}."
                )


def _extractor(model: Any, given: list[Any], attribute: str) -> Any:
    """A model of the outputs of named layers and of the model itself; None without names."""
    names = [n for n in (getattr(x, attribute, None) for x in given) if n]
    if not names:
        return None
    output = model.layers[-1].output if isinstance(model, Sequential) else model.output
    outputs = {"final_output": output, **{n: model.get_layer(name=n).output for n in names}}
    return Model(model.inputs, outputs, name=f"{model.name}_multi_feature_extractor")
