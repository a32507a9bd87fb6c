"""The intermediate representation: graphs in static single assignment, their text and checks."""

from .graph import Graph, Node
from .parser import parse
from .printer import to_text
from .verify import verify

__all__ = ["Graph", "Node", "parse", "to_text", "verify"]
