"""Weights in few bits and low-rank updates of them: what layers with a matrix share.

`quantizing` is what every layer knows of it; `low_rank` adds LoRA to a layer with one main weight;
`matrix` quantizes such a weight; `float8` trains with products in 8-bit floats.
"""
