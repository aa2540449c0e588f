"""Microseconds of a step in Gymnasium: one environment, eight in a SyncVectorEnv, eight in an AsyncVectorEnv."""

import random
import sys
import time

import gymnasium

COPIES, ROUNDS, STEPS = 8, 5, 4_000


def fastest(work, steps):
    def seconds():
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return min(seconds() for _ in range(ROUNDS)) / steps * 1e6


def alone(env):
    def work():
        env.reset()
        for _ in range(STEPS):
            _, _, terminated, truncated, _ = env.step(random.randrange(env.action_space.n))
            if terminated or truncated:
                env.reset()

    return fastest(work, STEPS)


def vector(envs):
    envs.reset()
    rounds = STEPS // COPIES
    actions = [envs.action_space.sample() for _ in range(rounds)]

    def work():
        for action in actions:
            envs.step(action)

    return fastest(work, rounds * COPIES)


if __name__ == "__main__":
    name = sys.argv[1]

    def make():
        return gymnasium.make(name, disable_env_checker=True)

    times = [
        alone(make()),
        vector(gymnasium.vector.SyncVectorEnv([make] * COPIES)),
        vector(gymnasium.vector.AsyncVectorEnv([make] * COPIES)),
    ]
    print(" | ".join(f"{microseconds:.1f} us" for microseconds in times))
