"""Matrix products: own kernels, which a library may replace."""

from __future__ import annotations

from ...native.instructions import gemm
from ..builder import lowers

__all__: list[str] = []

lowers("matmul")(gemm.matmul)
lowers("einsum")(gemm.einsum)
