"""Models for serving by other programs."""

from .archive import ExportArchive
from .onnx import export_onnx

__all__ = ["ExportArchive", "export_onnx"]
