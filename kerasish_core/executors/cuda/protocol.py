"""What a program asks of a device.

`backend.py` answers by CuPy. Tests put the host in its place, which runs the same kernels' text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ...codegen.cuda.source import Kernel, Source

__all__ = ["Arguments", "Backend"]

Arguments = Sequence[int | float]


class Backend(Protocol):
    """The device under a program.

    Attributes:
        xp: The module of its arrays.
        number: Of the device among those of its kind.
        captures: Whether launches can be captured, to be replayed at once.
        tensor_cores: Whether it multiplies tiles of half types, as PTX has it for 8.0 and later.
    """

    xp: Any
    number: int
    captures: bool
    tensor_cores: bool

    def active(self) -> contextlib.AbstractContextManager[Any]: ...

    def address(self, array: Any) -> int: ...

    def compile(self, source: Source) -> Any: ...

    def launch(self, module: Any, kernel: Kernel, blocks: int, arguments: Arguments) -> None: ...

    def capture(self, run: Callable[[], None]) -> Callable[[], None]: ...

    def library(
        self, kind: str, facts: dict[str, Any], addresses: Sequence[int]
    ) -> Callable[[], None] | None: ...

    def load(self, target: Any, source: Any) -> None: ...

    def put(self, target: Any, source: Any) -> None: ...

    def pace(self) -> None: ...
