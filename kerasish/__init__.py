"""The Keras API on its own autodiff core."""
