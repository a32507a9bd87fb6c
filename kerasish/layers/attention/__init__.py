"""Attention layers."""

from .dot_product import AdditiveAttention as AdditiveAttention
from .dot_product import Attention as Attention
from .group_query_attention import GroupQueryAttention as GroupQueryAttention
from .multi_head_attention import MultiHeadAttention as MultiHeadAttention

__all__ = ["AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention"]
