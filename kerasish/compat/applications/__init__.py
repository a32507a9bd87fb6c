"""Architectures of Keras 2.6 to 2.15 that later releases do not have."""
