"""Keras 2's form of configs, under Keras's public path."""

from ..serialization.legacy import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
