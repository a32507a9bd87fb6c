"""Mean-reverting noise for exploration: many actors at once, its long-run moments measured.

`x += theta (mu - x) dt + sigma sqrt(dt) N(0, 1)` tends to mean mu and variance sigma^2 / (2 theta).

    python examples/ornstein_uhlenbeck.py
"""

import numpy as np

from kerasish.rl import OrnsteinUhlenbeck


def main(path=None):
    """Run the noise; the relative errors of mean and variance."""
    mu, theta, sigma = 0.4, 0.7, 0.5
    noise = OrnsteinUhlenbeck((500, 2), mu, theta, sigma, dt=0.02, start=0.0, seed=0)
    start = np.stack([noise() for _ in range(1000)])  # 20 time constants and more
    run = np.stack([noise() for _ in range(4000)])
    mean, variance = run.mean(), run.var()
    expected = sigma**2 / (2 * theta)
    print(f"mean {mean:.4f} (expected {mu}), variance {variance:.4f} (expected {expected:.4f})")

    noise.reset()
    assert np.all(noise.value == 0.0)
    twin = OrnsteinUhlenbeck((500, 2), mu, theta, sigma, dt=0.02, start=0.0, seed=0)
    assert np.array_equal(np.stack([twin() for _ in range(10)]), start[:10])
    if path is not None:
        from curves import draw_curve

        draw_curve(start[:400, 0, 0], path, "noise", mu)
    return abs(mean / mu - 1), abs(variance / expected - 1)


if __name__ == "__main__":
    errors = main("ornstein_uhlenbeck.png")
    assert max(errors) < 0.05
