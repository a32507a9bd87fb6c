"""Attention layers."""

from .multi_head_attention import MultiHeadAttention as MultiHeadAttention

__all__ = ["MultiHeadAttention"]
