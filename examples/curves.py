"""The learning curve of an example as a picture."""

import numpy as np


def draw_curve(values, path, ylabel, target=None, window=1):
    """Save `values` against their number, with their running mean and a line at the target."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 3.5))
    axis.plot(values, alpha=0.4 if window > 1 else 1.0, label="each")
    if window > 1 and len(values) >= window:
        mean = np.convolve(values, np.ones(window) / window, "valid")
        axis.plot(np.arange(window - 1, len(values)), mean, label=f"mean of {window}")
        axis.legend()
    if target is not None:
        axis.axhline(target, color="gray", linestyle="--")
    axis.set(xlabel="episode" if window > 1 else "step", ylabel=ylabel)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
