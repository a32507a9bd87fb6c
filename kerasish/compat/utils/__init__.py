"""What the modules of `keras.utils` held in Keras 1 and 2, one file for each of theirs."""
