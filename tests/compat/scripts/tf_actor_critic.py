"""TensorFlow 2: an actor and a critic walk a corridor; tf.numpy_function, tf.scan, tf.gather."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(42)
eps = np.finfo(np.float32).eps.item()
SIZE, LIMIT = 8, 40


class Corridor:
    def reset(self):
        self.place, self.steps = 2, 0
        return self.state()

    def state(self):
        return np.array([self.place / SIZE, self.steps / LIMIT, 1.0], np.float32)

    def step(self, action):
        self.place = max(0, self.place + (1 if action == 1 else -1))
        self.steps += 1
        done = self.place >= SIZE or self.steps >= LIMIT
        return self.state(), np.array(1.0 if self.place >= SIZE else -0.05, np.float32), done


env = Corridor()


class ActorCritic(tf.keras.Model):
    def __init__(self, num_actions, num_hidden_units):
        super().__init__()
        self.common = layers.Dense(num_hidden_units, activation="relu")
        self.actor = layers.Dense(num_actions)
        self.critic = layers.Dense(1)

    def call(self, inputs):
        x = self.common(inputs)
        return self.actor(x), self.critic(x)


model = ActorCritic(2, 32)
optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)
huber_loss = tf.keras.losses.Huber(reduction="sum")


def run_episode():
    states, actions, rewards, done = [], [], [], False
    state = env.reset()
    while not done:
        logits, _ = model(tf.expand_dims(state, 0))
        action = tf.random.categorical(logits, 1)[0, 0]
        states.append(state)
        actions.append(action)
        state, reward, done = env.step(int(action))
        rewards.append(reward)
    return tf.stack(states), tf.stack(actions), tf.constant(np.array(rewards))


def get_expected_return(rewards, gamma=0.97, standardize=True):
    returns = tf.scan(lambda total, r: r + gamma * total, tf.reverse(rewards, [0]))
    returns = tf.reverse(returns, axis=[0])
    if standardize:
        returns = (returns - tf.math.reduce_mean(returns)) / (tf.math.reduce_std(returns) + eps)
    return returns


@tf.function
def train_step(states, actions, returns, mask):
    with tf.GradientTape() as tape:
        logits, values = model(states)
        values = tf.squeeze(values, axis=1)
        probs = tf.gather(tf.nn.softmax(logits), actions, batch_dims=1)
        advantage = tf.stop_gradient(returns - values) * mask
        actor_loss = -tf.math.reduce_sum(tf.math.log(probs + 1e-8) * advantage)
        critic_loss = huber_loss(returns * mask, values * mask)
        loss = actor_loss + critic_loss
    grads = tape.gradient(loss, model.trainable_variables)
    grads = [tf.clip_by_norm(g, 2.0) for g in grads]
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


lengths = []
for episode in range(120):
    states, actions, rewards = run_episode()
    returns = get_expected_return(rewards)
    count = tf.shape(rewards)[0]
    missing = LIMIT - int(count)
    mask = tf.sequence_mask(count, LIMIT, dtype=tf.float32)
    states, actions = tf.pad(states, [[0, missing], [0, 0]]), tf.pad(actions, [[0, missing]])
    train_step(states, actions, tf.pad(returns, [[0, missing]]), mask)
    lengths.append(int(count))
print("figure", float(np.mean(lengths[-20:])))
