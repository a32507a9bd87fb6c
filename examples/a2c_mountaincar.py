"""Actor-critic with continuous actions on MountainCarContinuous, one step at a time.

The actor's output is a `Normal` distribution object, which the loss receives as it is:

    -log(y_pred.prob(action) + 1e-5) * advantage

with the action and the TD error joined into one `y_true`. The critic learns by mean squared error.
Both train by `train_on_batch` after every step.

A push is held for four steps of the environment. Reaches a return of at least 90 as the mean of ten
episodes in a row after 25 to 90 episodes, in about five seconds.

    python examples/a2c_mountaincar.py
"""

import gymnasium
import numpy as np
from curves import draw_curve
from tqdm import tqdm

import kerasish as keras
from kerasish import layers, ops
from kerasish.distributions import Normal

GAMMA, HELD, TARGET, MOST, WINDOW = 0.99, 4, 90.0, 300, 10


def make_normal(parameters):
    """Mean and standard deviation of the push."""
    return Normal(parameters[..., :1], ops.softplus(parameters[..., 1:]) + 1e-5)


def build_actor():
    """State to a distribution over actions."""
    return keras.Sequential(
        [
            layers.Input((2,)),
            layers.Dense(40, activation="elu"),
            layers.Dense(40, activation="elu"),
            layers.Dense(2),
            layers.DistributionLambda(make_normal),
        ]
    )


def build_critic():
    """State to its value."""
    return keras.Sequential(
        [
            layers.Input((2,)),
            layers.Dense(400, activation="elu"),
            layers.Dense(400, activation="elu"),
            layers.Dense(1),
        ]
    )


def actor_loss(y_true, y_pred):
    """`-log(p(action) + 1e-5) * TD error`, both columns of `y_true`."""
    action, advantage = y_true[:, :1], y_true[:, 1:]
    return -ops.log(y_pred.prob(action) + 1e-5) * advantage


def check_the_gradient():
    """The largest relative difference of the loss's gradient from the one by hand."""
    rng = np.random.default_rng(0)
    raw = ops.convert_to_tensor(rng.normal(size=(6, 2)).astype("float32"))
    y_true = rng.normal(size=(6, 2)).astype("float32")
    with keras.GradientTape() as tape:
        tape.watch(raw)
        loss = ops.sum(actor_loss(y_true, make_normal(raw)))
    found = tape.gradient(loss, raw).numpy().astype("float64")
    r, action, advantage = raw.numpy().astype("float64"), y_true[:, 0], y_true[:, 1]
    mu, sigma = r[:, 0], np.log1p(np.exp(r[:, 1])) + 1e-5
    p = np.exp(-0.5 * ((action - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    outer = -advantage * p / (p + 1e-5)  # d loss / d ln p
    by_mu = outer * (action - mu) / sigma**2
    by_sigma = outer * ((action - mu) ** 2 - sigma**2) / sigma**3
    expected = np.stack([by_mu, by_sigma / (1 + np.exp(-r[:, 1]))], axis=1)
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def hold(env, action):
    """Push for several steps: pushes that change at every step would cancel each other out."""
    total = 0.0
    for _ in range(HELD):
        state, reward, terminated, truncated, _ = env.step(action)
        total += reward
        if terminated or truncated:
            break
    return state, total, terminated, truncated


def main(path=None, seed=0):
    """Train until the target; the mean return of the last ten episodes."""
    assert check_the_gradient() < 1e-5
    keras.utils.set_random_seed(seed)
    env, actor, critic = gymnasium.make("MountainCarContinuous-v0"), build_actor(), build_critic()
    actor.compile(keras.optimizers.Adam(2e-5), actor_loss)
    critic.compile(keras.optimizers.Adam(1e-3), "mse")
    # States at rest scale: position and speed have very different sizes.
    env.observation_space.seed(seed)
    seen = np.stack([env.observation_space.sample() for _ in range(10_000)])
    middle, spread = seen.mean(axis=0), seen.std(axis=0)
    scores = []
    bar = tqdm(range(MOST), desc="return")
    for episode in bar:
        state, _ = env.reset(seed=seed + episode)
        score, over = 0.0, False
        state = ((state - middle) / spread).astype("float32")[None]
        while not over:
            action = np.clip(actor.predict_on_batch(state)[0], -1.0, 1.0)
            after, reward, terminated, truncated = hold(env, action)
            after = ((after - middle) / spread).astype("float32")[None]
            now, later = critic.predict_on_batch(np.concatenate([state, after]))[:, 0]
            goal = reward + (0.0 if terminated else GAMMA * later)
            packed = np.array([[action[0], goal - now]], "float32")
            actor.train_on_batch(state, packed)
            critic.train_on_batch(state, np.array([[goal]], "float32"))
            state, score, over = after, score + reward, terminated or truncated
        scores.append(score)
        bar.set_postfix_str(f"mean of {WINDOW}: {np.mean(scores[-WINDOW:]):.1f}")
        if len(scores) >= WINDOW and np.mean(scores[-WINDOW:]) >= TARGET:
            break
    if path is not None:
        draw_curve(scores, path, "return", TARGET, window=WINDOW)
    print(f"mean return {np.mean(scores[-WINDOW:]):.1f} after {len(scores)} episodes")
    return float(np.mean(scores[-WINDOW:]))


if __name__ == "__main__":
    main("a2c_mountaincar.png")
