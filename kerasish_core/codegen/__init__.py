"""Source code generated from the ops' scalar expressions."""
