"""Dense, Embedding and other basic layers."""
