"""Deep Q-learning on CartPole; the target of the loss in three ways.

The loss is mean((q_a - target)^2) with target = r + gamma max q'. The target is fed as data, cut
off by `stop_gradient` inside one model, or comes from a separate network: the gradients are equal
when the networks are, and none reaches the target network.

Reaches a mean return of 195 over 100 episodes (CartPole-v1) in about 20 seconds.

V. Mnih et al., "Human-level control through deep reinforcement learning", Nature 2015;
H. van Hasselt et al., "Deep Reinforcement Learning with Double Q-learning", AAAI 2016.

    python examples/dqn_targets.py
"""

import gymnasium
import numpy as np
from curves import draw_curve
from tqdm import tqdm

import kerasish as keras
from kerasish import layers, ops, rl

GAMMA, BATCH, TARGET, MOST = 0.99, 64, 195, 800


def build_q():
    """State to the value of both actions."""
    return keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(2),
        ]
    )


def chosen_value(q, actions):
    """The values of the actions taken."""
    return ops.sum(q * ops.one_hot(actions, 2), axis=-1)


def bellman(reward, done, next_q):
    """`r + gamma max q'`, nothing after the end."""
    return reward + GAMMA * (1.0 - done) * ops.max(next_q, axis=-1)


def compare_the_three_ways():
    """The largest difference of the gradients; they must be equal."""
    rng = np.random.default_rng(0)
    x, nx = rng.normal(size=(2, 32, 4)).astype("float32")
    actions, reward = rng.integers(0, 2, 32), rng.normal(size=32).astype("float32")
    done = (rng.random(32) < 0.2).astype("float32")
    keras.utils.set_random_seed(0)
    online, target = build_q(), build_q()
    target.set_weights(online.get_weights())
    fed = bellman(reward, done, online(nx)).numpy()
    found = []
    for way in ("data", "stop_gradient", "target network"):
        with keras.GradientTape(persistent=True) as tape:
            if way == "data":
                goal = fed
            elif way == "stop_gradient":
                goal = ops.stop_gradient(bellman(reward, done, online(nx)))
            else:
                goal = bellman(reward, done, target(nx))
            loss = ops.mean(ops.square(chosen_value(online(x), actions) - goal))
        found.append([g.numpy() for g in tape.gradient(loss, online.trainable_variables)])
        if way != "target network":
            # Nothing connects the loss with the other network.
            assert all(g is None for g in tape.gradient(loss, target.trainable_variables))
    return max(float(np.abs(a - b).max()) for other in found[1:] for a, b in zip(found[0], other))


class DQN(keras.Model):
    """A network with its slowly following copy; `train_step` takes whole transitions."""

    def __init__(self, rate=0.01):
        super().__init__()
        self.online, self.target, self.rate = build_q(), build_q(), rate
        self.target.set_weights(self.online.get_weights())
        self.target.trainable = False

    def call(self, x):
        return self.online(x)

    def train_step(self, data):
        batch, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        # Double Q-learning: one network chooses the next action, the other values it.
        best = ops.argmax(self.online(batch["next_state"]), axis=-1)
        value = chosen_value(self.target(batch["next_state"]), best)
        goal = batch["reward"] + GAMMA * (1.0 - batch["done"]) * value
        with keras.GradientTape() as tape:
            taken = chosen_value(self.online(batch["state"]), batch["action"])
            loss = keras.losses.huber(ops.stop_gradient(goal), taken)
        variables = self.online.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        for slow, fast in zip(self.target.variables, self.online.variables):
            slow.assign(slow + self.rate * (fast - slow))
        return {"loss": loss}


def main(path=None, seed=0):
    """Train until the target; the mean return of the last 100 episodes."""
    gap = compare_the_three_ways()
    print(f"data, stop_gradient, target network: largest difference of the gradients {gap:.1e}")
    assert gap < 1e-6
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    env, agent, memory = gymnasium.make("CartPole-v1"), DQN(), rl.ReplayBuffer(20000, seed=seed)
    agent.compile(keras.optimizers.Adam(1e-3))
    scores, steps = [], 0
    with tqdm(total=TARGET, desc="mean return") as bar:
        while len(scores) < MOST and (len(scores) < 100 or np.mean(scores[-100:]) < TARGET):
            state, _ = env.reset(seed=int(rng.integers(1 << 31)))
            score, over = 0.0, False
            while not over:
                explore = max(0.02, 1.0 - steps / 4000)
                if rng.random() < explore:
                    action = int(rng.integers(2))
                else:
                    action = int(agent.predict_on_batch(state[None])[0].argmax())
                after, reward, terminated, truncated, _ = env.step(action)
                memory.add(state=state, action=action, reward=reward, next_state=after,
                           done=float(terminated))  # fmt: skip
                state, over, score, steps = (
                    after,
                    terminated or truncated,
                    score + reward,
                    steps + 1,
                )
                if steps > 500:
                    agent.train_on_batch(memory.sample(BATCH))
            scores.append(score)
            bar.n = round(float(np.mean(scores[-100:])))
            bar.refresh()
    if path is not None:
        draw_curve(scores, path, "return", TARGET, window=100)
    print(f"mean return {np.mean(scores[-100:]):.0f} after {len(scores)} episodes, {steps} steps")
    return float(np.mean(scores[-100:]))


if __name__ == "__main__":
    main("dqn_targets.png")
