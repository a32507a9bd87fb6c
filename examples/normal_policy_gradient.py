"""The gradient of a Gaussian policy, by hand and by automatic differentiation.

A layer with 4 outputs gives means and standard deviations of two action dimensions. By hand

    d ln pi / d mu = (a - mu) / sigma^2,    d ln pi / d sigma = ((a - mu)^2 - sigma^2) / sigma^3.

R. Williams, "Simple statistical gradient-following algorithms", 1992.

    python examples/normal_policy_gradient.py
"""

import numpy as np

import kerasish as keras
from kerasish import layers, ops
from kerasish.distributions import Normal


@keras.custom_gradient
def log_density(mu, sigma, action):
    """`ln pi(action)` with the rule written by hand."""
    value = -0.5 * ops.square((action - mu) / sigma) - ops.log(sigma) - 0.5 * np.log(2 * np.pi)

    def gradient(upstream):
        by_mu = (action - mu) / ops.square(sigma)
        by_sigma = (ops.square(action - mu) - ops.square(sigma)) / sigma**3
        return upstream * by_mu, upstream * by_sigma, None

    return value, gradient


def main():
    """Both gradients by the layer's output and by the variables; their largest difference."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    states = rng.normal(size=(8, 3)).astype("float32")
    policy = keras.Sequential(
        [layers.Input((3,)), layers.Dense(16, activation="tanh"), layers.Dense(4)]
    )

    def parts(output):
        return output[:, :2], ops.softplus(output[:, 2:]) + 0.1

    mu, sigma = parts(policy(states))
    actions = Normal(mu, sigma).sample(seed=1)
    gap = 0.0
    with keras.GradientTape(persistent=True) as tape:
        output = policy(states)
        tape.watch(output)
        mu, sigma = parts(output)
        by_hand = ops.sum(log_density(mu, sigma, actions))
        automatic = ops.sum(Normal(mu, sigma).log_prob(actions))
    for targets in (output, [mu, sigma], policy.trainable_variables):
        first = tape.gradient(by_hand, targets)
        second = tape.gradient(automatic, targets)
        if not isinstance(first, list):
            first, second = [first], [second]
        gap = max(gap, *(float(ops.max(ops.abs(a - b))) for a, b in zip(first, second)))
    pairs = list(zip(tape.gradient(by_hand, policy.trainable_variables),
                     policy.trainable_variables))  # fmt: skip
    for gradient, variable in pairs:
        print(f"{variable.path:24} norm of the gradient {float(ops.norm(gradient)):.4f}")
    # Along its gradient the log-density of the actions rises.
    keras.optimizers.SGD(0.001).apply_gradients([(-g, v) for g, v in pairs])
    mu, sigma = parts(policy(states))
    after = float(ops.sum(Normal(mu, sigma).log_prob(actions)))
    print(f"log-density {float(automatic):.4f} -> {after:.4f}; largest difference {gap:.1e}")
    assert after > float(automatic) and gap < 1e-5
    return gap


if __name__ == "__main__":
    main()
