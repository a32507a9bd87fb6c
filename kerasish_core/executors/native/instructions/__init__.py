"""Lowerings, a family a file."""
