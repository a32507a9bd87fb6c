"""What a feature space is made of: `kerasish.utils.FeatureSpace` puts it together."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...serialization import builtin, deserialize_keras_object, serialize_keras_object
from .data_layer import DataLayer

__all__ = ["Cross", "Feature", "TFDConcat", "TFDIdentity"]

# Where configs of Keras find these classes.
_MODULE = "keras.src.layers.preprocessing.feature_space"


def _check_mode(mode: str, known: tuple[str, ...]) -> None:
    if mode not in known:
        raise ValueError(
            f"Invalid value for argument `output_mode`. Expected one of {known}. Received: "
            f"output_mode={mode}"
        )


@builtin(_MODULE)
class Cross:
    """Features whose combinations are one more feature.

    Args:
        feature_names: Two or more names.
        crossing_dim: Number of bins that combinations are hashed to.
        output_mode: "one_hot" or "int".
    """

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> None:
        _check_mode(output_mode, ("int", "one_hot"))
        self.feature_names = tuple(feature_names)
        self.crossing_dim, self.output_mode = crossing_dim, output_mode

    @property
    def name(self) -> str:
        """The names of the features, joined by `_X_`."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            "feature_names": self.feature_names, "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A cross of a config."""
        return cls(**config)


@builtin(_MODULE)
class Feature:
    """A feature: its dtype, the layer that it goes through, and how that one's result is encoded.

    Args:
        dtype: Of the raw values.
        preprocessor: A layer.
        output_mode: "float", "int" or "one_hot".
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        _check_mode(output_mode, ("int", "one_hot", "float"))
        if isinstance(preprocessor, dict):
            preprocessor = deserialize_keras_object(preprocessor)
        self.dtype, self.preprocessor, self.output_mode = dtype, preprocessor, output_mode

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            "dtype": self.dtype, "preprocessor": serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A feature of a config."""
        return cls(**config)


@builtin(_MODULE)
class TFDConcat(DataLayer):
    """Encoded features in one tensor."""

    def __init__(self, axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, xs: Any) -> Any:
        return ops.concatenate(xs, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@builtin(_MODULE)
class TFDIdentity(DataLayer):
    """A feature as it is."""

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        return super().get_config()
