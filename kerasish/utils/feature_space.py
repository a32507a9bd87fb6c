"""Tables of raw features as tensors that a model can take."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from .. import layers, ops
from ..layers.preprocessing.data_layer import batches
from ..layers.preprocessing.features import Cross, Feature, TFDConcat, TFDIdentity
from ..layers.preprocessing.host import values_of
from ..naming import auto_name
from ..saving import save_model
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..text_arrays import is_text

__all__ = ["FeatureSpace"]

# Samples that `adapt` gives to a layer at once where the data is not in batches.
_BATCH = 32


@builtin("keras.utils")
class FeatureSpace(layers.Layer):
    """Each feature through a layer of its own, crosses of them, and all of it in one tensor.

    Args:
        features: Feature name to its kind: "float", "float_normalized", "float_rescaled",
            "float_discretized", "integer_categorical", "string_categorical", "integer_hashed",
            "string_hashed", or what the class methods of these names (or `feature`) return.
        output_mode: "concat": one tensor, features in alphabetical order, then crosses; "dict":
            a dictionary.
        crosses: Tuples of feature names, or what `cross` returns.
        crossing_dim, hashing_dim: Number of bins of crosses and hashed features that say none.
        num_discretization_bins: Likewise of discretized features.
        name: Of the layer.

    Call takes a dictionary of values, `(batch,)` or `(batch, size)`, or of single values.

    Raises:
        ValueError: A feature or mode is unknown, or a cross names no feature.

    >>> from kerasish.utils import FeatureSpace
    >>> data = {"age": [20.0, 30.0, 40.0], "pet": ["cat", "dog", "cat"]}
    >>> space = FeatureSpace({"age": "float", "pet": "string_categorical"})
    >>> space.adapt(data)
    >>> space(data).numpy().tolist()
    [[20.0, 0.0, 1.0, 0.0], [30.0, 0.0, 0.0, 1.0], [40.0, 0.0, 1.0, 0.0]]

    Source: https://keras.io/api/utils/feature_space/
    """

    # -- kinds of features
    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Any:
        """The combinations of two or more features, hashed to `crossing_dim` bins."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Any:
        """A feature of a layer of your own."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Any:
        """Numbers as they are."""
        name = _named(name, "float")
        return Feature("float32", TFDIdentity(dtype="float32", name=name), "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Any:
        """`x * scale + offset`."""
        name = _named(name, "float_rescaled")
        return Feature("float32", layers.Rescaling(scale, offset, name=name), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Any:
        """Numbers with mean 0 and variance 1."""
        name = _named(name, "float_normalized")
        return Feature("float32", layers.Normalization(axis=-1, name=name), "float")

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Any:  # fmt: skip
        """Numbers as the range that they fall into."""
        name = _named(name, "float_discretized")
        layer = layers.Discretization(bin_boundaries, num_bins, name=name)
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Any:  # fmt: skip
        """Integers by their place in a vocabulary."""
        name = _named(name, "integer_categorical")
        return Feature("int32", layers.IntegerLookup(max_tokens, num_oov_indices, name=name),
                       output_mode)  # fmt: skip

    @classmethod
    def string_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Any:  # fmt: skip
        """Strings by their place in a vocabulary."""
        name = _named(name, "string_categorical")
        return Feature("string", layers.StringLookup(max_tokens, num_oov_indices, name=name),
                       output_mode)  # fmt: skip

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Any:
        """Strings by their hash."""
        name = _named(name, "string_hashed")
        return Feature("string", layers.Hashing(num_bins, name=name), output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Any:
        """Integers by their hash."""
        name = _named(name, "integer_hashed")
        return Feature("int32", layers.Hashing(num_bins, name=name), output_mode)

    # -- making it
    def __init__(
        self, features: Any, output_mode: str = "concat", crosses: Any = None,
        crossing_dim: int = 32, hashing_dim: int = 32, num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name=name)
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        if output_mode not in ("dict", "concat"):
            raise ValueError(
                "Invalid value for argument `output_mode`. Expected one of ('dict', 'concat'). "
                f"Received: output_mode={output_mode}"
            )
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins, self.output_mode = num_discretization_bins, output_mode
        self.features = {n: self._as_feature(n, kind) for n, kind in features.items()}
        self.crosses = [self._as_cross(c) for c in crosses or ()]
        self.inputs = {
            n: layers.Input((1,), dtype=f.dtype, name=n) for n, f in self.features.items()
        }
        self.preprocessors = {n: f.preprocessor for n, f in self.features.items()}
        self.crossers = {
            c.name: layers.HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat: Any = None
        self.encoded_features: Any = None
        self._is_adapted = False

    def _as_feature(self, name: str, kind: Any) -> Any:
        if isinstance(kind, Feature):
            return kind
        if isinstance(kind, dict):
            return deserialize_keras_object(kind)
        sizes = {
            "float": (), "float_normalized": (), "float_rescaled": (),
            "float_discretized": (self.num_discretization_bins,), "integer_categorical": (),
            "string_categorical": (), "integer_hashed": (self.hashing_dim,),
            "string_hashed": (self.hashing_dim,),
        }  # fmt: skip
        if kind not in sizes:
            raise ValueError(
                f"Invalid feature type: {kind}. Expected one of {list(sizes)}, or a feature made "
                "by FeatureSpace.feature()."
            )
        return getattr(self, kind)(*sizes[kind], name=name)

    def _as_cross(self, cross: Any) -> Any:
        if isinstance(cross, dict):
            cross = deserialize_keras_object(cross)
        if isinstance(cross, Cross):
            return cross
        if not self.crossing_dim:
            raise ValueError(
                "When specifying `crosses`, the argument `crossing_dim` (dimensionality of the "
                "crossing space) should be specified as well."
            )
        if not set(cross) <= set(self.features):
            raise ValueError(
                "All features referenced in the `crosses` argument should be present in the "
                f"`features` dict. Received unknown features: {cross}"
            )
        return Cross(cross, self.crossing_dim)

    # -- learning
    def adapt(self, dataset: Any) -> None:
        """Let the layers learn from data.

        Args:
            dataset: A dictionary of arrays or lists, or a PyDataset or other iterable of such
                dictionaries (batches of rows, or single rows).

        Raises:
            ValueError: It is something else.
        """
        if isinstance(dataset, dict):
            parts = [dataset]
        else:
            iterable = hasattr(dataset, "__iter__") or hasattr(dataset, "__getitem__")
            parts = list(batches(dataset)) if iterable else []
        if not parts or not all(isinstance(part, dict) for part in parts):
            raise ValueError(
                "`adapt()` can only be called on a dict of arrays/lists or an iterable of such "
                f"dicts. Received instead: {dataset} (of type {type(dataset)})"
            )
        whole = isinstance(dataset, dict)
        for name in self._adaptable():
            values = [values_of(part[name]) for part in parts]
            self.preprocessors[name].adapt(_columns(values, whole))
        self._is_adapted = True
        self.get_encoded_features()
        self.built = True

    def _adaptable(self) -> list[str]:
        """The features whose layers learn, and were not told what to know."""
        found = []
        for name, layer in self.preprocessors.items():
            told = getattr(layer, "input_mean", None) is not None or (
                isinstance(layer, layers.TextVectorization) and layer._has_input_vocabulary
            )
            if hasattr(layer, "adapt") and not told:
                found.append(name)
        return found

    def _check_adapted(self) -> None:
        if not self._is_adapted and self._adaptable():
            raise ValueError(
                "You need to call `.adapt(dataset)` on the FeatureSpace before you can start "
                "using it."
            )
        self._is_adapted = True

    # -- symbolic
    def get_inputs(self) -> dict[str, Any]:
        """The inputs of a functional model: a KerasTensor for each feature."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """What the feature space makes of `get_inputs()`, symbolically."""
        self._check_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
        return self.encoded_features

    # -- running
    def _encoded(self, values: dict[str, Any]) -> Any:
        """Features and crosses of tensors, symbolic or not."""
        found = {n: self.preprocessors[n](x) for n, x in values.items()}
        crossed = {
            c.name: self.crossers[c.name]([found[n] for n in c.feature_names])
            for c in self.crosses
        }  # fmt: skip
        specs = {**self.features, **{c.name: c for c in self.crosses}}
        encoded = {}
        for part in (found, crossed):
            for name in sorted(part):
                encoded[name] = self._one_hot(name, part[name], specs[name].output_mode)
        if self.output_mode == "dict":
            return encoded
        for name, x in encoded.items():
            dtype = core.dtypes.name_of(x.dtype) if x.dtype != "string" else "string"
            if dtype == "string" or (dtype.startswith("int") and self.concat is None):
                raise ValueError(
                    f"Cannot concatenate features because feature '{name}' has not been encoded "
                    f"(it has dtype {dtype}). Consider using `output_mode='dict'`."
                )
        if self.concat is None:
            self.concat = TFDConcat(axis=-1)
        return self.concat(list(encoded.values()))

    def _one_hot(self, name: str, x: Any, mode: str) -> Any:
        if mode != "one_hot":
            return x
        encoder = self.one_hot_encoders.get(name)
        if encoder is None:
            if not core.dtypes.name_of(x.dtype).startswith("int"):
                raise ValueError(
                    f"Feature '{name}' has `output_mode='one_hot'`. Thus its preprocessor should "
                    f"return an integer dtype. Instead it returns a {x.dtype} dtype."
                )
            count = self._cardinality(name)
            encoder = layers.CategoryEncoding(count, output_mode="multi_hot")
            self.one_hot_encoders[name] = encoder
        return encoder(x)

    def _cardinality(self, name: str) -> int:
        """How many integers a feature can be."""
        layer = self.preprocessors.get(name) or self.crossers.get(name)
        if isinstance(layer, layers.IntegerLookup | layers.StringLookup):
            return layer.vocabulary_size()
        if isinstance(layer, layers.CategoryEncoding):
            return layer.num_tokens
        if isinstance(layer, layers.Discretization | layers.HashedCrossing | layers.Hashing):
            bins = layer.num_bins
            return len(layer.bin_boundaries) + 1 if bins is None else bins
        raise ValueError(
            f"Feature '{name}' has `output_mode='one_hot'`. However it isn't a standard feature "
            "and the dimensionality of its output space is not known, thus it cannot be one-hot "
            "encoded. Try using `output_mode='int'`."
        )

    def __call__(self, data: Any) -> Any:
        """Encode raw values; single ones give a result without the batch axis."""
        self.get_encoded_features()
        if not isinstance(data, dict):
            raise ValueError(
                f"A FeatureSpace can only be called with a dict. Received: data={data} (of type "
                f"{type(data)})"
            )
        values, single = {}, False
        for name, x in data.items():
            x = values_of(x)
            single = single or x.ndim == 0
            x = x.reshape(-1, 1) if x.ndim < 2 else x
            values[name] = x if is_text(x) else core.convert(x)
        found = self._encoded(values)
        if not single:
            return found
        return core.tree.map_structure(lambda y: ops.squeeze(y, 0), found)

    # -- files
    def get_config(self) -> dict[str, Any]:
        return {
            "features": serialize_keras_object(self.features), "output_mode": self.output_mode,
            "crosses": serialize_keras_object(self.crosses), "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A feature space of a config."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        """What each feature's layer was built for."""
        return {n: f.preprocessor.get_build_config() for n, f in self.features.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layers; what they learned is read afterwards."""
        for name, part in config.items():
            layer = self.preprocessors[name]
            if not layer.built and part:
                layer.build_from_config(part)
        self._is_adapted = True

    def save(self, filepath: Any) -> None:
        """Write it to a `.keras` file, which `kerasish.models.load_model` reads."""
        save_model(self, filepath)

    def save_own_variables(self, store: Any) -> None:
        """It has none: its layers have."""

    def load_own_variables(self, store: Any) -> None:
        """It has none: its layers have."""


def _named(name: str | None, kind: str) -> str:
    """The name of a feature's layer."""
    return f"{name or auto_name(kind)}_preprocessor"


def _columns(values: list[Any], whole: bool) -> Any:
    """A feature's values as batches `(batch, 1)` or `(batch, size)`.

    Args:
        values: An array of each part of the data.
        whole: Whether the only part is all rows; else parts are batches, or single rows.
    """
    if not whole and values[0].ndim:
        return (v[:, None] if v.ndim == 1 else v for v in values)
    rows = values[0] if whole else np.stack(values)
    rows = rows[:, None] if rows.ndim == 1 else rows
    return (rows[i : i + _BATCH] for i in range(0, len(rows), _BATCH))
