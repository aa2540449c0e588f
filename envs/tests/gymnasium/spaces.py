"""Environments with all kinds of spaces, made for the tests; importing the module registers them."""

import sys
import time

import gymnasium
import numpy
from gymnasium import spaces


class Fixed(gymnasium.Env):
    """Returns the same observation always, and its action as the reward."""

    def __init__(self, space, observation, actions=spaces.Discrete(2)):
        self.observation_space, self.action_space, self.observation = space, actions, observation

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation, {}

    def step(self, action):
        if not self.action_space.contains(action):
            raise ValueError(f"{action!r} is no action")
        return self.observation, float(action), False, False, {}


class Masked(Fixed):
    """Says after a step which of its three actions is not valid: the one that was taken. The first mask is all."""

    def __init__(self, shape=3):
        super().__init__(spaces.Box(-1, 1, (1,)), numpy.zeros(1, "f4"), spaces.Discrete(3, start=5))
        self.shape, self.taken = shape, None

    def info(self):
        return {"action_mask": numpy.array([5 + index != self.taken for index in range(self.shape)], "i1")}

    def reset(self, **keywords):
        self.taken = None
        return super().reset(**keywords)[0], self.info()

    def step(self, action):
        if action == self.taken:
            raise ValueError(f"{action} is not valid")
        observation, *rest, _ = super().step(action)
        self.taken = action
        return observation, *rest, self.info()


class Noisy(Fixed):
    """Prints, and reads what is not there."""

    def __init__(self):
        super().__init__(spaces.Box(-1, 1, (1,)), numpy.zeros(1, "f4"))

    def step(self, action):
        print("a line on the standard output", flush=True)
        if sys.stdin.read():
            raise ValueError("there was something to read")
        return super().step(action)


class Wrong(Fixed):
    """Goes wrong in its third step."""

    def __init__(self, how="raises"):
        super().__init__(spaces.Box(-1, 1, (1,)), numpy.zeros(1, "f4"))
        self.how, self.steps = how, 0

    def step(self, action):
        self.steps += 1
        if self.steps == 3:
            getattr(self, self.how)()
        return super().step(action)

    def raises(self):
        raise ValueError("the third step is one too many")

    def exits(self):
        sys.exit("enough")

    def hangs(self):
        time.sleep(1000)


class Random(Fixed):
    """Observes whether it was seeded and a number drawn from its generator; the checker is seen on the way."""

    def __init__(self, scale=1.0):
        super().__init__(spaces.Box(-numpy.inf, numpy.inf, (3,)), None)
        self.scale = scale

    def reset(self, *, seed=None, options=None):
        gymnasium.Env.reset(self, seed=seed)
        return self.look(seed is not None), {}

    def step(self, action):
        return self.look(False), 0.0, False, False, {}

    def look(self, is_seeded):
        frames, frame = [], sys._getframe()
        while frame := frame.f_back:
            frames.append(frame.f_code.co_filename)
        is_checked = any("env_checker" in name for name in frames)
        return numpy.array([is_seeded, self.np_random.random() * self.scale, is_checked], "f4")


class CartPoleFrom(gymnasium.Wrapper):
    """CartPole that starts at a given state."""

    def __init__(self, **state):
        super().__init__(gymnasium.make("CartPole-v1", disable_env_checker=True).unwrapped)
        self.state = [state.get(name, 0.0) for name in ("x", "v", "angle", "w")]

    def reset(self, **keywords):
        super().reset(**keywords)
        self.env.state = tuple(self.state)
        return numpy.array(self.state, "f4"), {}


grid = numpy.arange(24, dtype="u1")
pixels = {"low": 0, "high": 255, "dtype": numpy.uint8}
FIXED = {
    "Late": lambda: Fixed(spaces.Discrete(3, start=-1), 1, spaces.Discrete(3, start=5)),
    "Bits": lambda: Fixed(spaces.MultiBinary(3), numpy.array([1, 0, 1], "i1")),
    "Dials": lambda: Fixed(spaces.MultiDiscrete([2, 3]), numpy.array([1, 0])),
    "Last": lambda: Fixed(spaces.Box(shape=(4, 2, 3), **pixels), grid.reshape(4, 2, 3)),
    "First": lambda: Fixed(spaces.Box(shape=(1, 4, 6), **pixels), grid.reshape(1, 4, 6)),
    "Grey": lambda: Fixed(spaces.Box(shape=(4, 6), **pixels), grid.reshape(4, 6)),
    "Scalar": lambda: Fixed(spaces.Box(0, 9, ()), numpy.float32(4)),
    "Flat": lambda: Fixed(spaces.Box(numpy.array([0, 0.0]), numpy.array([0, 1])), numpy.array([0, 0.5])),
    "Nested": lambda: Fixed(
        spaces.Dict(
            {"where": spaces.Box(-1, 1, (2,)), "what": spaces.Tuple((spaces.Discrete(2), spaces.MultiBinary(1)))}
        ),
        {"where": numpy.array([0.25, -1], "f4"), "what": (1, numpy.array([1], "i1"))},
    ),
    "Part": lambda: Fixed(
        spaces.Dict({"seen": spaces.Box(grid.reshape(4, 2, 3) - 0.5, grid.reshape(4, 2, 3) + 0.5)}),
        {"seen": grid.reshape(4, 2, 3)},
    ),
    "Words": lambda: Fixed(
        spaces.Dict({"heard": spaces.Text(9), "seen": spaces.Discrete(2)}), {"heard": "no", "seen": 1}
    ),
    "Line": lambda: Fixed(spaces.Sequence(spaces.Discrete(2)), (1,)),
    "Push": lambda: Fixed(spaces.Box(0, 9, ()), numpy.float32(4), spaces.Box(-1, 1, (1,))),
    "Masked": Masked,
    "Noisy": Noisy,
    "Wrong": Wrong,
    "Random": Random,
    "CartPoleFrom": CartPoleFrom,
}
for name, entry_point in FIXED.items():
    gymnasium.register(f"{name}-v0", entry_point, order_enforce=name != "CartPoleFrom")
gymnasium.register("Limited-v3", FIXED["Bits"], max_episode_steps=7, reward_threshold=4.5)
