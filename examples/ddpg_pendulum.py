"""Deep deterministic policy gradient on Pendulum.

The actor is trained by the critic's gradient with respect to the action; both have target networks
that follow slowly; exploration is Ornstein-Uhlenbeck noise.

Reaches a mean return of -250 over 20 episodes in about half a minute.

T. Lillicrap et al., "Continuous control with deep reinforcement learning", ICLR 2016.

    python examples/ddpg_pendulum.py
"""

import gymnasium
import numpy as np
from curves import draw_curve
from tqdm import tqdm

import kerasish as keras
from kerasish import layers, ops, rl

GAMMA, BATCH, FOLLOW = 0.99, 64, 0.005
TARGET, MOST, WINDOW = -250.0, 250, 20


def network(inputs, activation=None):
    """Two hidden layers, one output with small first values."""
    small = keras.initializers.RandomUniform(-3e-3, 3e-3)
    return keras.Sequential(
        [
            layers.Input((inputs,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(1, activation=activation, kernel_initializer=small),
        ]
    )


class DDPG(keras.Model):
    """Actor, critic and their targets, with both updates in one step."""

    def __init__(self):
        super().__init__()
        self.actor, self.critic = network(3, "tanh"), network(4)
        self.late_actor, self.late_critic = network(3, "tanh"), network(4)
        self.late_actor.set_weights(self.actor.get_weights())
        self.late_critic.set_weights(self.critic.get_weights())
        self.critic_optimizer = keras.optimizers.Adam(2e-3)

    def call(self, state):
        return self.actor(state)

    def train_step(self, data):
        batch, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        state, action, after = batch["state"], batch["action"], batch["next_state"]
        best = self.late_actor(after)
        value = self.late_critic(ops.concatenate([after, best], axis=-1))
        goal = batch["reward"][:, None] + GAMMA * value  # Pendulum never terminates.
        with keras.GradientTape() as tape:
            q = self.critic(ops.concatenate([state, action], axis=-1))
            critic_loss = ops.mean(ops.square(q - ops.stop_gradient(goal)))
        weights = self.critic.trainable_variables
        self.critic_optimizer.apply(tape.gradient(critic_loss, weights), weights)

        # By the chain rule: the critic's gradient by the action, then the actor's by its weights.
        with keras.GradientTape() as tape:
            chosen = self.actor(state)
            q = self.critic(ops.concatenate([state, chosen], axis=-1))
            actor_loss = -ops.mean(q)
        weights = self.actor.trainable_variables
        self.optimizer.apply(tape.gradient(actor_loss, weights), weights)

        for late, now in ((self.late_actor, self.actor), (self.late_critic, self.critic)):
            for slow, fast in zip(late.variables, now.variables):
                slow.assign(slow + FOLLOW * (fast - slow))
        return {"critic": critic_loss, "actor": actor_loss}


def check_the_gradient():
    """The actor's gradient through the critic equals dq/da times da/dw, put together by hand."""
    keras.utils.set_random_seed(0)
    actor, critic = network(3, "tanh"), network(4)
    state = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    with keras.GradientTape(persistent=True) as tape:
        action = actor(state)
        tape.watch(action)
        total = ops.sum(critic(ops.concatenate([ops.convert_to_tensor(state), action], axis=-1)))
    slope = tape.gradient(total, action)
    with keras.GradientTape() as own:
        product = ops.sum(actor(state) * ops.stop_gradient(slope))
    pairs = zip(
        tape.gradient(total, actor.trainable_variables),
        own.gradient(product, actor.trainable_variables),
    )
    return max(float(ops.max(ops.abs(a - b))) for a, b in pairs)


def main(path=None, seed=0):
    """Train until the target; the mean return of the last 20 episodes."""
    assert check_the_gradient() < 1e-6
    keras.utils.set_random_seed(seed)
    env, agent = gymnasium.make("Pendulum-v1"), DDPG()
    agent.compile(keras.optimizers.Adam(1e-3))
    memory = rl.ReplayBuffer(50_000, seed=seed)
    noise = rl.OrnsteinUhlenbeck((1,), theta=0.15, sigma=0.1, dt=1.0, seed=seed)
    scores = []
    bar = tqdm(range(MOST), desc="episodes")
    for episode in bar:
        state, _ = env.reset(seed=seed * 1000 + episode)
        noise.reset()
        score, over = 0.0, False
        while not over:
            action = np.clip(agent.predict_on_batch(state[None])[0] + noise(), -1.0, 1.0)
            after, reward, _, over, _ = env.step(2.0 * action)
            memory.add(state=state, action=action, reward=reward / 8.0, next_state=after)
            state, score = after, score + reward
            if len(memory) >= 500:
                agent.train_on_batch(memory.sample(BATCH))
        scores.append(score)
        bar.set_postfix_str(f"mean return {np.mean(scores[-WINDOW:]):.0f}")
        if len(scores) >= WINDOW and np.mean(scores[-WINDOW:]) >= TARGET:
            break
    if path is not None:
        draw_curve(scores, path, "return", TARGET, window=WINDOW)
    print(f"mean return {np.mean(scores[-WINDOW:]):.0f} after {len(scores)} episodes")
    return float(np.mean(scores[-WINDOW:]))


if __name__ == "__main__":
    main("ddpg_pendulum.png")
