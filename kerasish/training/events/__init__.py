"""TensorBoard's event files, written without TensorFlow.

`wire` encodes protocol buffers, `records` frames them with checksums, `summaries` builds what
TensorBoard shows, `writer` holds the file.
"""

from .writer import EventWriter

__all__ = ["EventWriter"]
