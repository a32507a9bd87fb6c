"""Figures sent to a server."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np

from .callback import Callback

__all__ = ["RemoteMonitor"]

_SECONDS = 10  # a server that does not answer must not hold up training


class RemoteMonitor(Callback):
    """POST each epoch's figures to `root + path`.

    Args:
        root: Address of the server.
        path: Added to it.
        field: Name of the form's field that holds the JSON.
        headers: Of the request.
        send_as_json: Whether the JSON is the request's body, of type `application/json`, instead
            of a form.

    Source: https://keras.io/api/callbacks/remote_monitor/
    """

    def __init__(
        self, root: str = "http://localhost:9000", path: str = "/publish/epoch/end/",
        field: str = "data", headers: dict[str, str] | None = None, send_as_json: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        # As slow to import as NumPy: only for those who use it.
        import urllib.parse
        import urllib.request

        figures = {"epoch": epoch}
        for name, value in (logs or {}).items():
            figures[name] = value.item() if isinstance(value, np.ndarray | np.generic) else value
        body, kind = json.dumps(figures), "application/json"
        if not self.send_as_json:
            body, kind = urllib.parse.urlencode({self.field: body}), ""
        headers = {"Content-Type": kind} if kind else {}
        request = urllib.request.Request(
            self.root + self.path, body.encode(), {**headers, **(self.headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):
                pass
        except OSError as error:  # that of urllib, too
            warnings.warn(
                f"Could not reach RemoteMonitor root server at {self.root}: {error}", stacklevel=2
            )
