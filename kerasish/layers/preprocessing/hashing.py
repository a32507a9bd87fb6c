"""Values as the number of a bin that their hash falls into."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ...config import floatx
from ...ops.symbolic import KerasTensor
from ...serialization import builtin
from ...text_arrays import is_text
from .data_layer import refuse_sparse
from .encoding import encode_now
from .hashes import fingerprint, siphash
from .host import HostLayer, as_text, values_of

__all__ = ["Hashing", "bins_of", "standard_salt", "written"]


@builtin("keras.layers")
class Hashing(HostLayer):
    """The remainder of a 64-bit hash by `num_bins`: FarmHash, or SipHash with a salt.

    Integers (and floats, cut to integers) are hashed as their decimal text.

    Args:
        num_bins: Number of bins.
        mask_value: What goes to bin 0; all else then goes to the others.
        salt: One or two integers, the key of SipHash.
        output_mode: "int", "one_hot", "multi_hot" or "count": see `CategoryEncoding`.
        sparse: Not supported.

    Raises:
        ValueError: An argument out of range or unknown.

    >>> from kerasish import layers
    >>> layers.Hashing(3)([["A"], ["B"], ["C"]]).numpy().tolist()
    [[1], [0], [1]]

    Source: https://keras.io/api/layers/preprocessing_layers/categorical/hashing/
    """

    def __init__(
        self, num_bins: int, mask_value: Any = None, salt: Any = None, output_mode: str = "int",
        sparse: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else floatx()
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                "The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: "
                f"num_bins={num_bins}."
            )
        if output_mode == "int" and self.dtype_policy.name not in ("int32", "int64"):
            raise ValueError(
                "When `output_mode=\"int\"`, `dtype` should be an integer type, 'int32' or "
                f"'int64'. Received: dtype={kwargs['dtype']}"
            )
        if output_mode not in ("int", "one_hot", "multi_hot", "count"):
            raise ValueError(
                "Invalid value for argument `output_mode`. Expected one of ('int', 'one_hot', "
                f"'multi_hot', 'count'). Received: output_mode={output_mode}"
            )
        if sparse and output_mode == "int":
            raise ValueError(
                '`sparse` may only be true if `output_mode` is `"one_hot"`, `"multi_hot"`, or '
                f'`"count"`. Received: sparse={sparse} and output_mode={output_mode}'
            )
        refuse_sparse("Hashing", sparse)
        self.num_bins, self.mask_value = num_bins, mask_value
        self.salt = standard_salt(salt, "Hashing")
        self.output_mode, self.sparse = output_mode, False

    def call(self, inputs: Any) -> Any:
        x = values_of(inputs)
        bins, mask = self.num_bins, None
        if self.mask_value is not None and bins > 1:
            bins -= 1
            mask = (as_text(x) if is_text(x) else x) == self.mask_value
        found = bins_of(written(x), bins, self.salt).reshape(x.shape)
        if mask is not None:
            found = np.where(mask, 0, found + 1)
        return core.constant(encode_now(found, self.output_mode, self.num_bins, self.dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.output_mode == "int":
            return tuple(input_shape)
        return (*tuple(input_shape)[:-1], self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "num_bins": self.num_bins, "salt": self.salt,
            "mask_value": self.mask_value, "output_mode": self.output_mode, "sparse": self.sparse,
        }  # fmt: skip


def standard_salt(salt: Any, layer: str) -> list[int] | None:
    """A salt as two integers.

    Raises:
        ValueError: It is something else than one or two integers.
    """
    if salt is None:
        return None
    if isinstance(salt, tuple | list) and len(salt) == 2:
        return list(salt)
    if isinstance(salt, int):
        return [salt, salt]
    raise ValueError(
        f"The `salt` argument for `{layer}` can only be a tuple of size 2 integers, or a single "
        f"integer. Received: salt={salt}."
    )


def written(x: Any) -> list[bytes]:
    """The values of an array, flat, as the text that is hashed."""
    if is_text(x):
        return [v.encode() for v in as_text(x).flat]
    if x.dtype.kind == "b":
        return [b"true" if v else b"false" for v in x.flat]
    return [b"%d" % v for v in x.astype("int64").reshape(-1).tolist()]


def bins_of(strings: list[bytes], num_bins: int, salt: Any = None) -> Any:
    """The bin of each string, int64 `(n,)`."""
    hashes = fingerprint(strings) if salt is None else siphash(strings, tuple(salt))
    return (hashes % np.uint64(num_bins)).astype("int64")
