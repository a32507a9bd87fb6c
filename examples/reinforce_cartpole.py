"""REINFORCE on CartPole, with the return passed to the loss in three ways.

The policy's loss is the cross-entropy of the action taken times the return that followed. Keras's
losses receive `(y_true, y_pred)`: the return comes packed beside the action in `y_true`, as
`sample_weight`, or through a closure over a variable. All three have identical gradients.

Reaches a mean return of 195 over 100 episodes (CartPole-v1) after some 250 to 400 episodes, in
about five seconds.

R. Williams, "Simple statistical gradient-following algorithms", 1992.

    python examples/reinforce_cartpole.py
"""

import gymnasium
import numpy as np
from curves import draw_curve
from tqdm import tqdm

import kerasish as keras
from kerasish import layers, rl

GAMMA, EPISODES_A_STEP, TARGET, MOST = 0.99, 8, 195, 2000


def build_policy():
    """State to the probabilities of both actions."""
    return keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(64, activation="tanh"),
            layers.Dense(2, activation="softmax"),
        ]
    )


def packed_loss(y_true, y_pred):
    """The action and its return lie side by side in `y_true`."""
    action, value = rl.unpack(y_true, None, None)
    return value * keras.losses.sparse_categorical_crossentropy(action, y_pred)


def closure_loss(returns):
    """A loss that reads the returns from a variable."""

    def loss(y_true, y_pred):
        return returns * keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    return loss


def gradients(loss, y_true, x, **kwargs):
    """The gradient of a compiled loss by the weights of a policy of seed 0."""
    keras.utils.set_random_seed(0)
    model = build_policy()
    loss = keras.losses.get(loss)
    loss = loss if isinstance(loss, keras.Loss) else keras.losses.LossFunctionWrapper(loss)
    with keras.GradientTape() as tape:
        value = loss(y_true, model(x), **kwargs)
    return [np.asarray(g) for g in tape.gradient(value, model.trainable_variables)]


def compare_the_three_ways():
    """The largest difference of the three gradients."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 4)).astype("float32")
    actions, returns = rng.integers(0, 2, 32), rng.normal(size=32).astype("float32")
    packed = gradients(packed_loss, rl.pack(actions, returns), x)
    weighted = gradients("sparse_categorical_crossentropy", actions, x, sample_weight=returns)
    closed = gradients(closure_loss(keras.Variable(returns)), actions, x)
    return max(
        float(np.abs(a - b).max())
        for other in (weighted, closed)
        for a, b in zip(packed, other, strict=True)
    )


def play(env, model, rng):
    """One episode: states, actions, rewards."""
    state, _ = env.reset(seed=int(rng.integers(1 << 31)))
    states, actions, rewards, done = [], [], [], False
    while not done:
        p = model.predict_on_batch(state[None])[0]
        action = int(rng.random() < p[1])
        states.append(state)
        actions.append(action)
        state, reward, terminated, truncated, _ = env.step(action)
        rewards.append(reward)
        done = terminated or truncated
    return states, actions, rewards


def main(path=None, seed=0):
    """Train until the target; the mean return of the last 100 episodes."""
    gap = compare_the_three_ways()
    print(f"packed, weighted, closed over: largest difference of the gradients {gap:.1e}")
    assert gap < 1e-6
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    env, model = gymnasium.make("CartPole-v1"), build_policy()
    model.compile(keras.optimizers.Adam(0.01), packed_loss)
    scores = []
    with tqdm(total=TARGET, desc="mean return") as bar:
        while len(scores) < MOST and (len(scores) < 100 or np.mean(scores[-100:]) < TARGET):
            states, actions, returns = [], [], []
            for _ in range(EPISODES_A_STEP):
                s, a, r = play(env, model, rng)
                states += s
                actions += a
                returns.append(rl.discounted_returns(r, GAMMA))
                scores.append(sum(r))
            returns = np.concatenate(returns)
            returns = (returns - returns.mean()) / (returns.std() + 1e-8)
            # Lengths differ from batch to batch: weights of 0 fill up to a few lengths only, each
            # of which is compiled once.
            size = 1 << int(np.ceil(np.log2(len(states))))
            x = np.zeros((size, 4), "float32")
            x[: len(states)] = states
            y = np.zeros((size, 2), "float32")
            y[: len(states)] = rl.pack(actions, returns * size / len(states))
            model.train_on_batch(x, y)
            bar.n = round(float(np.mean(scores[-100:])))
            bar.refresh()
    if path is not None:
        draw_curve(scores, path, "return", TARGET, window=100)
    print(f"mean return {np.mean(scores[-100:]):.0f} after {len(scores)} episodes")
    return float(np.mean(scores[-100:]))


if __name__ == "__main__":
    main("reinforce_cartpole.png")
