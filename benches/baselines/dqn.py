"""DQN in one file, the way CleanRL writes it: a network, a replay buffer and one loop, with nothing in between.

Written from the algorithm as https://docs.cleanrl.dev/rl-algorithms/dqn/ describes it, with its defaults where the
comparison does not set others. It does without the vector environment and the TensorBoard log of CleanRL's own file, so
it is about the least that a DQN in PyTorch costs.

    python benches/baselines/dqn.py --env CartPole-v1 --steps 40000
"""

import argparse
import time
from dataclasses import dataclass, field

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.nn import functional


@dataclass
class Settings:
    env: str = "CartPole-v1"
    steps: int = 40_000
    seed: int = 0
    hidden: tuple[int, ...] = (128, 128)
    learning_rate: float = 2.5e-4
    gamma: float = 0.99
    batch_size: int = 64
    replay_capacity: int = 100_000
    learning_starts: int = 64
    target_period: int = 500
    epsilon_initial: float = 1.0
    epsilon_final: float = 0.05
    epsilon_fraction: float = 0.5

    def epsilon(self, step):
        progress = min(step / (self.epsilon_fraction * self.steps), 1.0)
        return self.epsilon_initial + progress * (self.epsilon_final - self.epsilon_initial)


class Replay:
    """A ring of transitions."""

    def __init__(self, capacity, observation_size, generator):
        self.observations = np.zeros((capacity, observation_size), np.float32)
        self.next_observations = np.zeros((capacity, observation_size), np.float32)
        self.actions = np.zeros((capacity, 1), np.int64)
        self.rewards = np.zeros(capacity, np.float32)
        self.terminated = np.zeros(capacity, np.float32)
        self.generator = generator
        self.added = 0

    def add(self, observation, action, reward, next_observation, terminated):
        place = self.added % len(self.rewards)
        self.observations[place] = observation
        self.actions[place] = action
        self.rewards[place] = reward
        self.next_observations[place] = next_observation
        self.terminated[place] = terminated
        self.added += 1

    def sample(self, size):
        chosen = self.generator.integers(min(self.added, len(self.rewards)), size=size)
        columns = (self.observations, self.actions, self.rewards, self.next_observations, self.terminated)
        return [torch.from_numpy(column[chosen]) for column in columns]


class Learner:
    def __init__(self, settings, observation_size, action_count):
        self.settings = settings
        self.online = network(observation_size, settings.hidden, action_count)
        self.target = network(observation_size, settings.hidden, action_count)
        self.update_target()
        self.optimizer = torch.optim.Adam(self.online.parameters(), lr=settings.learning_rate)

    def step(self, replay):
        observations, actions, rewards, next_observations, terminated = replay.sample(self.settings.batch_size)
        with torch.no_grad():
            next_values = self.target(next_observations).max(dim=1).values
            targets = rewards + self.settings.gamma * (1.0 - terminated) * next_values
        values = self.online(observations).gather(1, actions).squeeze(1)
        loss = functional.mse_loss(values, targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def update_target(self):
        self.target.load_state_dict(self.online.state_dict())

    @torch.no_grad()
    def greedy_action(self, observation):
        return int(self.online(torch.from_numpy(observation)).argmax())


def network(inputs, hidden, outputs):
    layers, width = [], inputs
    for units in hidden:
        layers += [nn.Linear(width, units), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, outputs))


@dataclass
class Training:
    learner: Learner
    replay: Replay
    returns: list[float] = field(default_factory=list)
    seconds: float = 0.0


def train(settings):
    torch.manual_seed(settings.seed)
    generator = np.random.default_rng(settings.seed)
    env = gym.make(settings.env)
    observation_size, action_count = env.observation_space.shape[0], int(env.action_space.n)
    learner = Learner(settings, observation_size, action_count)
    replay = Replay(settings.replay_capacity, observation_size, generator)
    training = Training(learner, replay)

    start = time.perf_counter()
    observation, _ = env.reset(seed=settings.seed)
    episode_return = 0.0
    for step in range(settings.steps):
        if generator.random() < settings.epsilon(step):
            action = int(generator.integers(action_count))
        else:
            action = learner.greedy_action(observation)
        next_observation, reward, terminated, truncated, _ = env.step(action)
        # A truncated episode would have gone on, so its last transition keeps the value of what comes after.
        replay.add(observation, action, reward, next_observation, terminated)
        observation = next_observation
        episode_return += float(reward)
        if terminated or truncated:
            training.returns.append(episode_return)
            observation, _ = env.reset()
            episode_return = 0.0
        if step >= settings.learning_starts:
            learner.step(replay)
            if step % settings.target_period == 0:
                learner.update_target()
    training.seconds = time.perf_counter() - start
    return training


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default=Settings.env)
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    training = train(Settings(env=arguments.env, steps=arguments.steps, seed=arguments.seed))
    last = training.returns[-100:]
    print(
        f"{arguments.steps / training.seconds:.0f} steps a second, "
        f"mean return {np.mean(last):.1f} over the last {len(last)} of {len(training.returns)} episodes"
    )


if __name__ == "__main__":
    main()
