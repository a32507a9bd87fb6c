"""CUDA C++ from the ops' scalar expressions: kernels of one program as one translation unit."""
