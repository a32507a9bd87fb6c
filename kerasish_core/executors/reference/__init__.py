"""The reference: every op by its generic kernel, over NumPy or CuPy. The judge of the others."""
