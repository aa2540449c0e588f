"""Time to solve: until the mean return of 100 training episodes reaches the threshold of the environment."""

import csv
import math
import os
import random
import statistics
import sys
import time
from collections import deque

import gymnasium as gym
import stable_baselines3
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import ours

AGENTS = ["ours", "stable-baselines3"]
EVALUATION_EPISODES = 50

# The tuned settings of RL Baselines3 Zoo, hyperparams/dqn.yml at commit 22e3ff2
# (https://github.com/DLR-RM/rl-baselines3-zoo). `steps` is its n_timesteps.
ZOO = {
    "CartPole-v1": dict(
        steps=50_000,
        learning_rate=2.3e-3,
        batch_size=64,
        buffer_size=100_000,
        learning_starts=1_000,
        gamma=0.99,
        target_update_interval=10,
        train_freq=256,
        gradient_steps=128,
        exploration_fraction=0.16,
        exploration_final_eps=0.04,
        policy_kwargs=dict(net_arch=[256, 256]),
    ),
    "MountainCar-v0": dict(
        steps=120_000,
        learning_rate=4e-3,
        batch_size=128,
        buffer_size=10_000,
        learning_starts=1_000,
        gamma=0.98,
        target_update_interval=600,
        train_freq=16,
        gradient_steps=8,
        exploration_fraction=0.2,
        exploration_final_eps=0.07,
        policy_kwargs=dict(net_arch=[256, 256]),
    ),
    "Acrobot-v1": dict(
        steps=100_000,
        learning_rate=6.3e-4,
        batch_size=128,
        buffer_size=50_000,
        learning_starts=0,
        gamma=0.99,
        target_update_interval=250,
        train_freq=4,
        gradient_steps=-1,
        exploration_fraction=0.12,
        exploration_final_eps=0.1,
        policy_kwargs=dict(net_arch=[256, 256]),
    ),
}


class Threshold(BaseCallback):
    """Notes when the mean return of 100 episodes first reaches the threshold; the training goes on."""

    def __init__(self, threshold):
        super().__init__()
        self.threshold = threshold
        self.returns = deque(maxlen=100)
        self.best_mean = None
        self.solved_at_step = None
        self.solved_at_seconds = None

    def _on_training_start(self):
        self.start = time.perf_counter()

    def _on_step(self):
        for info in self.locals["infos"]:
            if "episode" in info:
                self.returns.append(info["episode"]["r"])
                self.judge()
        return True

    def judge(self):
        if len(self.returns) < 100:
            return
        mean = statistics.fmean(self.returns)
        self.best_mean = mean if self.best_mean is None else max(self.best_mean, mean)
        if mean >= self.threshold and self.solved_at_step is None:
            self.solved_at_step = self.num_timesteps
            self.solved_at_seconds = time.perf_counter() - self.start


def train_stable_baselines3(env, seed):
    settings = dict(ZOO[env])
    steps = settings.pop("steps")
    threshold = Threshold(gym.spec(env).reward_threshold)
    model = DQN("MlpPolicy", env, seed=seed, device="cpu", **settings)
    start = time.perf_counter()
    model.learn(steps, callback=threshold)
    seconds = time.perf_counter() - start
    # Starts that the training has not seen.
    starts = DummyVecEnv([lambda: Monitor(gym.make(env))])
    starts.seed(1_000_000 + seed)
    mean, std = evaluate_policy(model, starts, n_eval_episodes=EVALUATION_EPISODES, deterministic=True)
    return dict(
        version=stable_baselines3.__version__,
        steps=steps,
        training_seconds=seconds,
        solved_at_step=threshold.solved_at_step,
        solved_at_seconds=threshold.solved_at_seconds,
        best_mean_of_100=threshold.best_mean,
        evaluation_mean=mean,
        evaluation_std=std,
    )


def train_ours(binary, env, seed):
    """Our program as its presets have it."""
    flags = ["--env", env, "--seed", str(seed), "--set", f"evaluation.episodes={EVALUATION_EPISODES}"]
    run = ours.train(binary, flags)
    summary = run.summary
    solved = summary["solved_at_step"]
    return dict(
        version=run.meta["git_revision"],
        steps=summary["total_steps"],
        training_seconds=summary["training_seconds"],
        solved_at_step=solved,
        # A run doesn't note the time of every episode, but its steps take much the same time from first to last.
        solved_at_seconds=solved and solved / summary["steps_per_second"],
        best_mean_of_100=summary["best_mean_return_100"],
        evaluation_mean=summary["evaluation"]["mean_return"],
        evaluation_std=summary["evaluation"]["std_return"],
    )


COLUMNS = [
    "env",
    "agent",
    "seed",
    "version",
    "steps",
    "training_seconds",
    "solved_at_step",
    "solved_at_seconds",
    "best_mean_of_100",
    "evaluation_mean",
    "evaluation_std",
]


def solve(envs, seeds, agents, results, binary):
    """Makes the runs that the CSV file `results` lacks, each written as it ends, and prints what all came to."""
    finished = {(row["env"], row["agent"], int(row["seed"])) for row in read(results)}
    trainers = {
        "ours": lambda env, seed: train_ours(binary, env, seed),
        "stable-baselines3": train_stable_baselines3,
    }
    # The agents take turns, so that what else the machine does meets both.
    for env in envs:
        for seed in seeds:
            for agent in agents:
                if (env, agent, seed) in finished:
                    continue
                print(f"{agent} trains {env} with seed {seed} ...", file=sys.stderr)
                append(results, dict(env=env, agent=agent, seed=seed, **trainers[agent](env, seed)))
    rows = [row for row in read(results) if row["agent"] in agents and int(row["seed"]) in seeds]
    print_summary(rows, envs, agents)


def read(results):
    try:
        with results.open(newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return []


def append(results, row):
    is_new = not results.exists()
    with results.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
        file.flush()
        os.fsync(file.fileno())


def print_summary(rows, envs, agents):
    """A Markdown table over seeds. A run that is never solved counts as solved later than all others."""
    print(
        "| environment | agent | solved | median steps | median seconds | evaluation, IQM [95%] "
        "| mean ± std over seeds | lowest |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for env in envs:
        for agent in agents:
            of_agent = [row for row in rows if (row["env"], row["agent"]) == (env, agent)]
            if not of_agent:
                continue
            solved = sum(bool(row["solved_at_step"]) for row in of_agent)
            steps, seconds = (
                statistics.median(float(row[column] or math.inf) for row in of_agent)
                for column in ("solved_at_step", "solved_at_seconds")
            )
            evaluations = [float(row["evaluation_mean"]) for row in of_agent]
            spread = f" ± {statistics.stdev(evaluations):.1f}" if len(evaluations) > 1 else ""
            print(
                f"| {env} | {agent} | {solved} of {len(of_agent)} "
                f"| {'never' if math.isinf(steps) else f'{steps:,.0f}'} "
                f"| {'never' if math.isinf(seconds) else f'{seconds:.1f}'} "
                f"| {interquartile(evaluations)} | {statistics.fmean(evaluations):.1f}{spread} | "
                f"{min(evaluations):.1f} |"
            )


def interquartile(values):
    """The mean of the middle half, with a 95% interval of 2,000 bootstrap samples (Agarwal et al. 2021)."""

    def of(sample):
        cut = len(sample) // 4
        return statistics.fmean(sorted(sample)[cut : len(sample) - cut])

    if len(values) < 2:
        return f"{of(values):.1f}"
    generator = random.Random(0)
    drawn = sorted(of(generator.choices(values, k=len(values))) for _ in range(2000))
    return f"{of(values):.1f} [{drawn[50]:.1f}, {drawn[1949]:.1f}]"
