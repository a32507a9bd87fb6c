"""Layers that earlier releases had."""
