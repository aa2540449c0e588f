"""The agent."""

import json
import math
import re
import shutil
import subprocess
import threading
import tomllib
from pathlib import Path

import gymnasium

from . import program
from .on_ray import newest_step
from .serve import Connection, Served, make, serve


class ConcreteDQN:
    """An agent in an environment: one that Gymnasium knows by its id, a function that makes one, or one that is there.

    An environment that is there is the only one, so it is not evaluated in while it trains, and never closed.

    `config` is a file with settings, and `settings` are more of them, such as {"agent.gamma": 0.98, "network.hidden":
    [64, 64]}; `env_args` are the keyword arguments of an environment that is known by its id. Everything goes into a
    folder of its own below `runs`.
    """

    def __init__(self, env, *, seed=0, config=None, settings=None, env_args=None, runs="runs", verbose=True):
        self._name, self._make = source(env)
        self._is_lent = isinstance(env, gymnasium.Env)
        if env_args and not isinstance(env, str):
            raise TypeError("env_args are for an environment that is named by its id; this one is made already")
        self._arguments = env_args or {}
        self._settings = {"seed": seed, **(settings or {})}
        if self._is_lent:
            self._settings.setdefault("evaluation.period", 0)
        self._config, self._runs, self._verbose = config, Path(runs), verbose
        self._predictor, self.run = None, None

    def learn(self, steps):
        """Trains for so many more environment steps, and evaluates.

        Ctrl-C ends it within a second or two; like an exception of the environment it loses nothing. The next `learn`
        goes on from there, and at least to where the one that was cut short was to end.
        """
        self._forget()
        if self._is_lent:
            if (envs := self._setting("agent", "envs", 1)) != 1:
                raise ValueError(
                    f"agent.envs = {envs} takes as many environments, and this is one; give its id, or a function that "
                    "makes one"
                )
            if (period := self._setting("evaluation", "period", 0)) != 0:
                raise ValueError(
                    f"evaluation.period = {period} evaluates in another environment while it trains, and this is one; "
                    "give its id, or a function that makes one"
                )
        if self.run is None:
            arguments = ["--env", f"gym:{self._name}", *self._flags(steps)]
        else:
            total = max(steps_of(self.run) + steps, settings_of(self.run)["steps"])
            arguments = ["resume", str(self.run), "--steps", str(total)]
        report, error = program.run(arguments, self._make, self._verbose)
        if self._verbose:
            print(report, end="")
        if folder := re.search(r"^files +(.*)$", report, re.MULTILINE):
            self.run = Path(folder[1]).resolve()
        if error:
            raise error
        return self

    def evaluate(self, episodes=50):
        """Plays so many episodes; returns mean_return, std_return, min_return, max_return, mean_length and more."""
        arguments = ["evaluate", str(self._trained()), "--episodes", str(episodes), "--json"]
        report, error = program.run(arguments, self._make)
        if error:
            raise error
        return json.loads(report)

    def predict(self, observation, action_mask=None):
        """The best action at an observation, among the valid ones where a mask says which are, and the epistemic standard
        deviation of its value: what more experience would settle, in units of the return, and NaN where no reward was ever
        seen. Where frames are stacked (`wrappers.frame_stack`) it takes as many observations, the oldest first."""
        values = self.values(observation, action_mask)
        index = values["action"]
        return self._predictor.served.actions[index], values["epistemic_std"][index]

    def values(self, observation, action_mask=None):
        """For all actions, in their order, mean, epistemic_std and aleatoric_std of their values, and which is best."""
        if self._predictor is None:
            self._predictor = Predictor(self._trained(), self._make)
        try:
            return self._predictor.ask(observation, action_mask)
        except ValueError:
            raise
        except BaseException:
            # After Ctrl-C an answer may be on its way, which is not one to the next question.
            self._forget()
            raise

    @property
    def summary(self):
        """What the training has come to, as its summary.json says."""
        return json.loads((self._trained() / "summary.json").read_text())

    def save(self, folder):
        """Copies the run, with all that is needed to go on with it, into a new folder."""
        shutil.copytree(self._trained(), folder)

    @classmethod
    def load(cls, folder, env=None, *, verbose=True):
        """The agent of a run, to predict, to be evaluated, or to learn on in its folder, with the settings that it has.
        Without an environment it is in the one that its settings name."""
        folder = Path(folder).resolve()
        settings = settings_of(folder)
        if env is None:
            prefix, colon, env = settings["env"].partition(":")
            if prefix != "gym" or not colon:
                raise ValueError(f"{folder} is a run in {settings['env']}, which is not an environment of Gymnasium")
        agent = cls(env, verbose=verbose)
        agent.run = folder
        return agent

    def close(self):
        """Ends the process that predicts, where there is one; otherwise it ends with the agent."""
        self._forget()

    def __del__(self):
        if getattr(self, "_predictor", None):
            self._forget()

    def _flags(self, steps):
        given = {f"env_args.{name}": value for name, value in self._arguments.items()} | self._settings
        assignments = [flag for key, value in given.items() for flag in ("--set", f"{key}={written(key, value)}")]
        config = [] if self._config is None else ["--config", str(self._config)]
        return ["--steps", str(steps), "--runs-dir", str(self._runs), *config, *assignments]

    def _setting(self, section, key, default):
        """What a setting is that it is trained with."""
        if self.run is None and f"{section}.{key}" in self._settings:
            return self._settings[f"{section}.{key}"]
        if self.run is not None:
            settings = settings_of(self.run)
        else:
            settings = tomllib.loads(Path(self._config).read_text()) if self._config else {}
        return settings.get(section, {}).get(key, default)

    def _trained(self):
        if self.run is None:
            raise RuntimeError("nothing has been learned yet; call learn first, or load a run")
        return self.run

    def _forget(self):
        if self._predictor:
            self._predictor.close()
        self._predictor = None


class Predictor:
    """A process that holds a network and is asked what it would do."""

    def __init__(self, run, make):
        self.served, self.lock = None, threading.Lock()
        self.frames = settings_of(run).get("wrappers", {}).get("frame_stack", 1)

        def observed(*asked):
            self.served = make(*asked)
            return self.served

        self.process, self.socket = program.start(
            ["predict", str(run)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        # It asks what the environment is, and then only listens.
        threading.Thread(target=serve, args=(Connection(self.socket), observed), daemon=True).start()
        try:
            if not self.process.stdout.readline():
                raise program.ProgramFailed(self.process.stderr.read().strip())
        except BaseException:
            self.close()
            raise

    def ask(self, observation, action_mask):
        frames = [observation] if self.frames == 1 else list(observation)
        if len(frames) != self.frames:
            raise ValueError(f"{len(frames)} observations are no stack of wrappers.frame_stack = {self.frames}")
        space = self.served.env.observation_space
        if isinstance(space, gymnasium.spaces.Discrete):
            for frame in frames:
                if not space.contains(frame):
                    raise ValueError(f"{frame!r} is no observation of {space}")
        numbers = [number for frame in frames for number in memoryview(self.served.encode(frame)).cast("f").tolist()]
        mask = None if action_mask is None else [bool(valid) for valid in action_mask]
        request = json.dumps({"observation": numbers, "action_mask": mask}).encode() + b"\n"
        # One question and its answer at a time.
        with self.lock:
            try:
                self.socket.sendall(request)
                line = self.process.stdout.readline()
            except OSError:
                line = ""
        if not line.endswith("\n"):
            raise program.ProgramFailed("the process that predicts has ended; the next prediction starts another")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return {key: [told(one) for one in value] if isinstance(value, list) else value for key, value in answer.items()}

    def close(self):
        program.hang_up(self.socket)
        self.process.communicate()


def told(value):
    """JSON has no NaN, which a value is that has no unit yet."""
    return math.nan if value is None else value


def written(key, value):
    """A value of a setting as TOML."""
    if value is None:
        raise TypeError(f"{key} = None: a setting has no such value; leave it out")
    # NumPy's numbers and arrays are Python's to a setting; and TOML has no surrogates.
    return json.dumps(value, ensure_ascii=False, default=lambda other: other.tolist())


def settings_of(run):
    try:
        return tomllib.loads((run / "config.toml").read_text())
    except FileNotFoundError:
        raise FileNotFoundError(f"{run} is no folder of a run: it has no config.toml") from None


def steps_of(run):
    """How many steps a run has taken that it can go on from: one that was killed has no summary, or an earlier one."""
    told = 0
    if (summary := run / "summary.json").exists():
        told = json.loads(summary.read_text())["total_steps"]
    return max(told, newest_step(run) or 0)


def source(env):
    """The name of an environment, and what makes one."""
    if isinstance(env, str):
        return env.removeprefix("gym:"), make
    if isinstance(env, gymnasium.Env):
        name = env.spec.id if env.spec else type(env.unwrapped).__name__
        return name, lambda *_: Served(env, name, lent=True)
    if callable(env):
        first = env()
        name = first.spec.id if first.spec else type(first.unwrapped).__name__
        first.close()
        return name, lambda *_: Served(env(), name)
    raise TypeError(f"an environment is an id, a gymnasium.Env or a function that makes one, but this is {env!r}")
