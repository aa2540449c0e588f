"""Times the Python baselines beside our program on this machine, one thread each, and prints Markdown tables.

    benches/baselines/setup.sh
    cargo bench --bench steps -- --json target/steps.json
    benches/baselines/.venv/bin/python benches/baselines/compare.py

With --solve it measures how long ours and Stable-Baselines3 take to solve the environments instead. See README.md.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import DQN

import dqn
import ours
import solve

HIDDEN_SIZES = [(128, 128), (64, 64)]
ENVS = ["CartPole-v1", "MountainCar-v0", "Acrobot-v1"]
REPLAY = 20_000
BATCH = 64
TRAINING_STEPS = 40_000
LEARNING_STARTS = 64

# The network of the baselines, 4-128-128-2, and one learner step a transition as they make it. The rule is the default,
# upper confidence bounds over ten passes.
OUR_TRAINING = [
    *("--env", "CartPole-v1", "--steps", str(TRAINING_STEPS)),
    *("--set", "network.hidden=[128,128]"),
    *("--set", "network.fourier_features=0"),
    *("--set", "network.biases=true"),
    *("--set", "agent.targets=double-q"),
    *("--set", f"agent.batch_size={BATCH}"),
    *("--set", f"agent.learning_starts={LEARNING_STARTS}"),
]


@dataclass
class Row:
    """Seconds that the same thing takes ours (None where it was not measured) and each baseline."""

    what: str
    ours: float | None
    baselines: dict[str, float]


def agents_row(what, our_seconds, sb3, cleanrl):
    return Row(what, our_seconds, {"Stable-Baselines3": sb3, "CleanRL-style": cleanrl})


# ---- Single steps


def medians(subjects, rounds=40, block_seconds=0.02):
    """Median seconds of one repetition of each subject, a function that repeats its work n times.

    The subjects take turns, a block each a round, so that what else the machine does meets all of them.
    """
    sizes = {name: block_size(subject, block_seconds) for name, subject in subjects.items()}
    times = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            times[name].append(seconds_of(subject, sizes[name]) / sizes[name])
    return {name: statistics.median(of_subject) for name, of_subject in times.items()}


def block_size(subject, block_seconds):
    """Repetitions that fill a block. Finding it warms the subject up."""
    size = 1
    while seconds_of(subject, size) < block_seconds:
        size *= 2
    return size


def seconds_of(subject, repetitions):
    start = time.perf_counter()
    subject(repetitions)
    return time.perf_counter() - start


def sb3_with_full_replay(hidden):
    """A DQN of Stable-Baselines3 that has acted at random until its replay is full, and has learned nothing yet."""
    model = DQN(
        "MlpPolicy",
        "CartPole-v1",
        policy_kwargs=dict(net_arch=list(hidden)),
        batch_size=BATCH,
        buffer_size=REPLAY,
        learning_starts=REPLAY,
        device="cpu",
        seed=0,
    )
    return model.learn(REPLAY)


def cleanrl_with_full_replay(hidden):
    settings = dqn.Settings(steps=REPLAY, hidden=hidden, replay_capacity=REPLAY, learning_starts=REPLAY)
    return dqn.train(settings)


def measure_learner_and_actions(our_figures):
    observation, _ = gym.make("CartPole-v1").reset(seed=0)
    subjects = {}
    for hidden in HIDDEN_SIZES:
        sb3, cleanrl = sb3_with_full_replay(hidden), cleanrl_with_full_replay(hidden)
        subjects |= {
            ("learner", "sb3", hidden): repeat(lambda sb3=sb3: sb3.train(gradient_steps=1, batch_size=BATCH)),
            ("learner", "cleanrl", hidden): repeat(lambda cleanrl=cleanrl: cleanrl.learner.step(cleanrl.replay)),
            ("act", "sb3", hidden): repeat(lambda sb3=sb3: sb3.predict(observation, deterministic=True)),
            ("act", "cleanrl", hidden): repeat(lambda cleanrl=cleanrl: cleanrl.learner.greedy_action(observation)),
        }
    seconds = medians(subjects)

    def row(what, our_name, kind, hidden):
        our_seconds = our_figures.get(our_name)
        return agents_row(what, our_seconds, seconds[kind, "sb3", hidden], seconds[kind, "cleanrl", hidden])

    wide, narrow = HIDDEN_SIZES
    return [
        row("learner step, hidden 128-128; ours fused, double-Q", "learner_step/double-q/fused", "learner", wide),
        row("the same, ours with autograd", "learner_step/double-q/autograd", "learner", wide),
        row("learner step, hidden 64-64; ours fused, double-Q", "learner_step/double-q/fused-64", "learner", narrow),
        row("greedy action, hidden 128-128; ours on the mean pass", "act/epsilon-greedy", "act", wide),
        row("the same, ours `ucb` with 10 passes", "act/ucb", "act", wide),
        row("greedy action, hidden 64-64; ours on the mean pass", "act/epsilon-greedy-64", "act", narrow),
    ]


def repeat(work):
    def repeated(n):
        for _ in range(n):
            work()

    return repeated


def environment_steps(env):
    """Actions 0 and 1 in turns, as in our own benchmark, and a new episode wherever one ends."""
    env.reset(seed=0)

    def steps(n):
        action = 0
        for _ in range(n):
            action = 1 - action
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return steps


def measure_environments(our_figures):
    subjects = {}
    for env in ENVS:
        subjects[env, "made"] = environment_steps(gym.make(env))
        subjects[env, "unwrapped"] = environment_steps(gym.make(env).unwrapped)
    seconds = medians(subjects)

    def row(env):
        our_name = "environment_step/" + env.split("-")[0].lower()
        baselines = {"`gym.make`": seconds[env, "made"], "its `.unwrapped`": seconds[env, "unwrapped"]}
        return Row(f"step of {env}", our_figures.get(our_name), baselines)

    return [row(env) for env in ENVS]


# ---- Whole trainings


def train_sb3(seed):
    model = DQN(
        "MlpPolicy",
        "CartPole-v1",
        policy_kwargs=dict(net_arch=[128, 128]),
        batch_size=BATCH,
        buffer_size=100_000,
        learning_starts=LEARNING_STARTS,
        train_freq=1,
        gradient_steps=1,
        device="cpu",
        seed=seed,
    )
    return seconds_of(lambda steps: model.learn(steps), TRAINING_STEPS)


def train_cleanrl(seed):
    return dqn.train(dqn.Settings(steps=TRAINING_STEPS, learning_starts=LEARNING_STARTS, seed=seed)).seconds


def measure_trainings(rounds, binary):
    times = {"ours": [], "our process": [], "sb3": [], "cleanrl": []}
    for seed in range(rounds):
        print(f"Training with seed {seed}: ours, Stable-Baselines3, CleanRL-style ...", file=sys.stderr)
        run = ours.train(binary, [*OUR_TRAINING, "--seed", str(seed)])
        times["ours"].append(run.summary["training_seconds"])
        times["our process"].append(run.process_seconds)
        times["sb3"].append(train_sb3(seed))
        times["cleanrl"].append(train_cleanrl(seed))
    middle = {name: statistics.median(seconds) for name, seconds in times.items()}
    baselines = (middle["sb3"], middle["cleanrl"])
    return [
        agents_row(f"training of {TRAINING_STEPS:,} steps, a learner step each", middle["ours"], *baselines),
        agents_row("the same, ours with start, evaluation and plots", middle["our process"], *baselines),
    ]


# ---- Printing


def machine():
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "stable-baselines3": stable_baselines3.__version__,
        "gymnasium": gym.__version__,
        "numpy": np.__version__,
    }


def cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def print_table(rows):
    columns = ["what", "ours", *rows[0].baselines, "ratio to ours"]
    print(f"\n| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    for row in rows:
        cells = [row.what, *map(duration, [row.ours, *row.baselines.values()]), ratios(row)]
        print(f"| {' | '.join(cells)} |")


def duration(seconds):
    if seconds is None:
        return "-"
    unit, scale = next((unit, scale) for unit, scale in UNITS if seconds < 1000 * scale)
    return f"{seconds / scale:.3g} {unit}"


UNITS = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)]


def ratios(row):
    if row.ours is None:
        return "-"
    return ", ".join(f"{seconds / row.ours:.3g}" for seconds in row.baselines.values())


def compare(arguments):
    our_figures = ours.bench_figures(arguments.ours)
    print("Timing single steps ...", file=sys.stderr)
    agent = measure_learner_and_actions(our_figures)
    environments = measure_environments(our_figures)
    if arguments.trainings:
        agent += measure_trainings(arguments.trainings, arguments.binary or ours.build())

    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print_table(agent)
    print_table(environments)
    if arguments.json:
        seconds = [{"what": row.what, "ours": row.ours, **row.baselines} for row in agent + environments]
        arguments.json.write_text(json.dumps({"machine": about, "seconds": seconds}, indent=2) + "\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, help="our program, instead of building it (`cargo build --release`)")
    timing = parser.add_argument_group("timing")
    timing.add_argument(
        "--ours",
        type=Path,
        default=ours.ROOT / "target" / "steps.json",
        help="what `cargo bench` wrote of ours (default: target/steps.json)",
    )
    timing.add_argument(
        "--trainings", type=int, default=3, help="whole trainings of each (default: 3; 0 leaves them out)"
    )
    timing.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    solving = parser.add_argument_group("time to solve")
    solving.add_argument("--solve", action="store_true", help="train until it is known when the environment was solved")
    solving.add_argument("--env", nargs="+", choices=list(solve.ZOO), default=list(solve.ZOO), help="(default: all)")
    solving.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102], help="(default: 100 101 102)")
    solving.add_argument("--agents", nargs="+", choices=solve.AGENTS, default=solve.AGENTS, help="(default: both)")
    solving.add_argument(
        "--csv",
        type=Path,
        default=Path(__file__).with_name("solve.csv"),
        help="where each run goes as it ends; what it has is not run again (default: solve.csv beside this file)",
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    if not arguments.solve:
        return compare(arguments)
    binary = (arguments.binary or ours.build()) if "ours" in arguments.agents else None
    solve.solve(arguments.env, arguments.seeds, arguments.agents, arguments.csv, binary)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
