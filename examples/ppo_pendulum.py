"""Proximal policy optimization on Pendulum with 16 environments at once.

The surrogate loss is -mean(min(rho A, clip(rho, 0.8, 1.2) A)) with rho = exp(logp - logp_old);
actions, advantages and old log-densities come to it as a dictionary, without packing. Advantages
are generalized (lambda 0.95).

Reaches a mean return of -300 over 32 episodes in about a minute.

J. Schulman et al., "Proximal Policy Optimization Algorithms", 2017.

    python examples/ppo_pendulum.py
"""

import gymnasium
import numpy as np
from curves import draw_curve
from tqdm import tqdm

import kerasish as keras
from kerasish import layers, ops, rl
from kerasish.distributions import Normal

GAMMA, LAM, ACTORS, STEPS, EPOCHS, BATCH = 0.95, 0.95, 16, 100, 10, 200
TARGET, MOST_ROUNDS, WINDOW = -300.0, 300, 32


class LogScale(layers.Layer):
    """A standard deviation that does not depend on the state, beside the mean."""

    def build(self, input_shape):
        self.log_scale = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", name="log_scale"
        )

    def call(self, mean):
        return Normal(mean, ops.exp(self.log_scale) + ops.zeros_like(mean))


def build_model():
    """State to a distribution over torques (in units of 2 Nm) and the state's value."""
    state = layers.Input((3,))

    def tower(name):
        x = layers.Dense(64, activation="tanh")(state)
        x = layers.Dense(64, activation="tanh")(x)
        return layers.Dense(1, name=name)(x)

    policy = LogScale(name="policy")(tower("mean"))
    return keras.Model(state, {"policy": policy, "value": tower("value")})


def surrogate(y_true, policy):
    """The clipped objective; `y_true` is a dictionary of arrays."""
    ratio = ops.exp(policy.log_prob(y_true["action"]) - y_true["log_prob"])
    clipped = ops.clip(ratio, 0.8, 1.2)
    advantage = y_true["advantage"]
    return -ops.minimum(ratio * advantage, clipped * advantage)


def check_the_loss():
    """The surrogate against its formula in NumPy."""
    rng = np.random.default_rng(0)
    mean, action, advantage, old = rng.normal(size=(4, 50, 1)).astype("float32")
    y = {"action": action, "advantage": advantage, "log_prob": old}
    found = surrogate({k: ops.convert_to_tensor(v) for k, v in y.items()}, Normal(mean, 0.7))
    logs = -0.5 * ((action - mean) / 0.7) ** 2 - np.log(0.7 * np.sqrt(2 * np.pi))
    ratio = np.exp(logs - old)
    expected = -np.minimum(ratio * advantage, np.clip(ratio, 0.8, 1.2) * advantage)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def main(path=None, seed=0):
    """Train until the target; the mean return of the last 32 episodes."""
    check_the_loss()
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    envs = [gymnasium.make("Pendulum-v1") for _ in range(ACTORS)]
    model = build_model()
    model.compile(
        keras.optimizers.Adam(1e-3), loss={"policy": surrogate, "value": "mse"},
        loss_weights={"policy": 1.0, "value": 0.5},
    )  # fmt: skip
    state = np.stack([e.reset(seed=seed * 1000 + i)[0] for i, e in enumerate(envs)])
    scores, running = [], np.zeros(ACTORS)
    bar = tqdm(range(MOST_ROUNDS), desc="rounds")
    for _ in bar:
        states, after = np.empty((2, STEPS, ACTORS, 3), "float32")
        actions, logs, rewards, cut = np.empty((4, STEPS, ACTORS), "float32")
        for t in range(STEPS):
            policy = model(state)["policy"]
            mean, scale = policy.loc.numpy(), policy.scale.numpy()
            action = mean + scale * rng.standard_normal(mean.shape).astype("float32")
            logs[t] = (-0.5 * ((action - mean) / scale) ** 2 - np.log(scale))[:, 0]
            logs[t] -= 0.5 * np.log(2 * np.pi)
            states[t], actions[t] = state, action[:, 0]
            for i, env in enumerate(envs):
                state[i], reward, _, truncated, _ = env.step(2.0 * np.clip(action[i], -1, 1))
                running[i] += reward
                rewards[t, i], cut[t, i], after[t, i] = reward / 8.0, truncated, state[i]
                if truncated:  # Pendulum never terminates: the last state keeps its value.
                    scores.append(running[i])
                    running[i], (state[i], _) = 0.0, env.reset()
        flat = np.concatenate([states.reshape(-1, 3), after.reshape(-1, 3)])
        values = model(flat)["value"].numpy().reshape(2, STEPS, ACTORS)
        advantages, returns = rl.generalized_advantages(
            rewards, values[0], values[1], GAMMA, LAM, np.zeros_like(cut), cut
        )
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        columns = {
            "action": actions, "advantage": advantages, "log_prob": logs,
        }  # fmt: skip
        targets = {
            "policy": {k: v.reshape(-1, 1) for k, v in columns.items()},
            "value": returns.reshape(-1, 1),
        }
        model.fit(states.reshape(-1, 3), targets, batch_size=BATCH, epochs=EPOCHS, verbose=0)
        if scores:
            bar.set_postfix_str(f"mean return {np.mean(scores[-WINDOW:]):.0f}")
        if len(scores) >= WINDOW and np.mean(scores[-WINDOW:]) >= TARGET:
            break
    if path is not None:
        draw_curve(scores, path, "return", TARGET, window=WINDOW)
    print(f"mean return {np.mean(scores[-WINDOW:]):.0f} after {len(scores)} episodes")
    return float(np.mean(scores[-WINDOW:]))


if __name__ == "__main__":
    main("ppo_pendulum.png")
