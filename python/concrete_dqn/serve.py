"""Serves Gymnasium environments over a socket; docs/gymnasium.md describes the protocol.

The file stands alone: the program runs it as `python3 -c SOURCE TIMEOUT`, the socket its standard input, and the
package calls `serve` for an environment of its user's process.
"""

import json
import math
import os
import platform
import socket
import struct
import sys
import threading
import time
import traceback

PROTOCOL = 2
REQUEST = struct.Struct("<IIQ")  # what, of which environment, and with what
MAKE, SEEDED_RESET, RESET, STEP, CLOSE = range(5)
REPLY = struct.Struct("<BBxxId")  # status, end of the episode, length of what follows, reward
DONE, REFUSED, RAISED = range(3)
TERMINATED, TRUNCATED, MASKED = 1, 2, 4


class Refused(Exception):
    """What can't be served, in a sentence that says what could."""


# ---- Environments


def make(name, arguments, checked=False):
    """An environment by its name among Gymnasium's, `module:Id` included."""
    import gymnasium

    try:
        return Served(gymnasium.make(name, disable_env_checker=checked or None, **arguments), name)
    except ImportError as error:
        raise Refused(f"{error} (asked of {interpreter()}; `{sys.executable} -m pip install` installs packages)") from None
    except gymnasium.error.Error as error:
        raise Refused(f"{error} (asked of {interpreter()})") from None
    except TypeError as error:
        if "unexpected keyword argument" in str(error):
            raise Refused(str(error)) from None
        raise


class Served:
    """An environment whose observations are numbers in a row and whose actions are counted from 0. One that is lent is
    not closed."""

    def __init__(self, env, name, lent=False):
        from gymnasium import spaces

        if not isinstance(env.action_space, spaces.Discrete):
            raise Refused(f"its actions are {env.action_space}, but this agent needs a Discrete space of actions")
        first, count, kind = env.action_space.start, env.action_space.n, env.action_space.dtype.type
        self.env, self.lent = env, lent
        self.actions = [kind(first + index) for index in range(count)]
        observed = without_text(env.observation_space)
        dimensions = list(described(observed))
        self.encode, image = encoder(observed)
        spec = env.spec
        # What Gymnasium resolves a name to, such as a version, but still in its module.
        module, colon, _ = name.rpartition(":")
        self.about = {
            "id": f"{module}{colon}{spec.id}" if spec else name,
            "dimensions": [[label, finite(low), finite(high)] for label, low, high in dimensions],
            "image": image,
            "one_hot": isinstance(env.observation_space, spaces.Discrete),
            "actions": [str(action) for action in self.actions],
            "max_episode_steps": spec and spec.max_episode_steps,
            "reward_threshold": spec and spec.reward_threshold,
        }

    def reset(self, seed):
        observation, info = self.env.reset(seed=seed)
        mask = self.mask(info)
        return self.encode(observation) + mask, MASKED * bool(mask)

    def step(self, action):
        observation, reward, terminated, truncated, info = self.env.step(self.actions[action])
        mask = self.mask(info)
        end = TERMINATED * bool(terminated) | TRUNCATED * bool(truncated) | MASKED * bool(mask)
        return self.encode(observation) + mask, float(reward), end

    def mask(self, info):
        """Which actions are valid, a byte an action, where `info["action_mask"]` says so; else nothing."""
        if info.get("action_mask") is None:
            return b""
        import numpy

        mask = numpy.asarray(info["action_mask"])
        if mask.shape != (len(self.actions),):
            raise ValueError(
                f"info['action_mask'] has the shape {mask.shape}, but there are {len(self.actions)} actions: it must have the "
                f"shape ({len(self.actions)},)"
            )
        return mask.astype(bool).tobytes()

    def close(self):
        if not self.lent:
            self.env.close()

    def drop_checker(self):
        """Gymnasium's checker has seen a reset and a step; from now on it would only cost time."""
        from gymnasium.wrappers import PassiveEnvChecker

        outer = self
        while hasattr(outer, "env"):
            if isinstance(outer.env, PassiveEnvChecker):
                outer.env = outer.env.env
                return
            outer = outer.env


def without_text(space):
    """The same space without the texts among its parts, which say what to do or what is seen in words."""
    from gymnasium import spaces

    if not isinstance(space, spaces.Dict):
        return space
    texts = [key for key, inner in space.spaces.items() if inner.dtype is not None and inner.dtype.kind == "U"]
    if texts:
        print(f"text is left out of the observations: {', '.join(map(str, texts))}", file=sys.stderr)
    return spaces.Dict({key: without_text(inner) for key, inner in space.spaces.items() if key not in texts})


def described(space, part=None):
    """Name, least and greatest value of every number that `encoder` makes of an observation, or of a part of one, in
    its order."""
    import numpy
    from gymnasium import spaces

    name = "observation" if part is None else part

    def at(index):
        return f"{name}[{','.join(map(str, index))}]" if index else name

    if isinstance(space, spaces.Box):
        low, high = (picture(space, bound) if part is None else bound for bound in (space.low, space.high))
        for index in numpy.ndindex(low.shape):
            yield at(index), float(low[index]), float(high[index])
    elif isinstance(space, spaces.Discrete):
        for value in range(space.n):
            yield f"{name} = {space.start + value}", 0.0, 1.0
    elif isinstance(space, spaces.MultiDiscrete):
        for index in numpy.ndindex(space.nvec.shape):
            for value in range(space.nvec[index]):
                yield f"{at(index)} = {space.start[index] + value}", 0.0, 1.0
    elif isinstance(space, spaces.MultiBinary):
        for index in numpy.ndindex(*space.shape):
            yield at(index), 0.0, 1.0
    elif isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from described(inner, str(key) if part is None else f"{part}.{key}")
    elif isinstance(space, spaces.Tuple):
        for index, inner in enumerate(space.spaces):
            yield from described(inner, f"{name}[{index}]")
    else:
        raise Refused(
            f"`{name}` is {space}, but observations have to be made of Box, Discrete, MultiDiscrete, MultiBinary, Dict and "
            "Tuple spaces; a wrapper can leave it out"
        )


def encoder(space):
    """What turns an observation into bytes, and the shape of the image that it is: channels, rows, columns."""
    import numpy
    from gymnasium import spaces

    if isinstance(space, spaces.Box):
        shape = picture(space, space.low).shape
        image = {2: (1, *shape), 3: shape}.get(len(shape))
        return lambda observation: picture(space, numpy.asarray(observation, "<f4")).tobytes(), image
    return lambda observation: spaces.flatten(space, observation).astype("<f4").tobytes(), None


def picture(space, values):
    """Values of a box; channels come first where it is an image with channels, the shorter of its outer sides."""
    shape = space.shape
    return values.transpose(2, 0, 1) if len(shape) == 3 and shape[2] <= shape[0] else values


def finite(bound):
    """JSON has no infinity."""
    return bound + 0.0 if math.isfinite(bound) else None  # and no -0.0 is needed


# ---- The connection


class Connection:
    """The socket, and since when a request has been waiting for its answer."""

    def __init__(self, connection):
        self.connection, self.reader = connection, connection.makefile("rb")
        self.lock, self.busy_since = threading.Lock(), None

    def receive(self):
        """The next request, or None where the other side has gone."""
        request = self.reader.read(REQUEST.size)
        if len(request) < REQUEST.size:
            return None
        what, which, argument = REQUEST.unpack(request)
        content = self.reader.read(argument) if what == MAKE else b""
        self.busy_since = time.monotonic()
        return what, which, argument, content

    def rest(self):
        """There is no answer to the last request, so nothing is waited for."""
        self.busy_since = None

    def send(self, status, content=b"", reward=0.0, end=0):
        with self.lock:
            self.busy_since = None
            self.connection.sendall(REPLY.pack(status, end, len(content), reward) + content)

    def watch(self, seconds):
        """Ends the process where an answer takes longer, and says where it is."""
        main = threading.main_thread().ident

        def watch():
            while True:
                time.sleep(min(seconds / 10, 1))
                since = self.busy_since
                if since is None or time.monotonic() - since < seconds:
                    continue
                stack = traceback.extract_stack(sys._current_frames()[main])
                text = f"it has not come back for {seconds:g} s. It is here:\n{listed(stack)}".encode()
                with self.lock:
                    if self.busy_since == since:
                        try:
                            self.connection.sendall(REPLY.pack(RAISED, 0, len(text), 0.0) + text)
                        finally:
                            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def serve(connection, make):
    """Answers until the other side goes, and returns the last exception that an environment raised. `make` is given a
    name and keyword arguments, and whether Gymnasium's checker has seen that environment already."""
    environments, unchecked, checked, failure = {}, {}, set(), None
    connection.send(DONE, json.dumps(hello()).encode())
    try:
        while request := connection.receive():
            what, which, argument, content = request
            # Sent below, so that a connection that breaks is not taken for an error of the environment.
            reply = None
            try:
                if what == STEP:
                    reply = (DONE, *environments[which].step(argument))
                elif what in (RESET, SEEDED_RESET):
                    seed = argument if what == SEEDED_RESET else None
                    observation, end = environments[which].reset(seed)
                    reply = (DONE, observation, 0.0, end)
                elif what == MAKE:
                    asked = json.loads(content)
                    name = asked["name"]
                    served = make(name, asked["arguments"], name in checked)
                    environments[which], unchecked[which] = served, name
                    reply = (DONE, json.dumps(served.about).encode())
                elif what == CLOSE and which in environments:
                    unchecked.pop(which, None)
                    environments.pop(which).close()
            except Refused as refusal:
                reply = (REFUSED, str(refusal).encode())
            except (Exception, SystemExit) as error:
                if what == CLOSE:
                    traceback.print_exc()
                else:
                    failure = error
                    reply = (RAISED, raised(error).encode())
            if reply is None:
                connection.rest()
                continue
            connection.send(*reply)
            if what == STEP and reply[0] == DONE and which in unchecked:
                environments[which].drop_checker()
                checked.add(unchecked.pop(which))
        return failure
    except ConnectionError:
        # The program has gone, as it may while a step is under way.
        return failure
    finally:
        for served in environments.values():
            served.close()


def raised(error):
    """The error in a sentence, and its traceback without the frames of this file."""
    stack = traceback.extract_tb(error.__traceback__)
    words = "".join(traceback.format_exception_only(type(error), error)).strip()
    return f"it raised {words}\nTraceback, the last call at its end:\n{listed(stack)}"


def listed(stack):
    own = serve.__code__.co_filename
    return "".join(traceback.format_list([frame for frame in stack if frame.filename != own])).rstrip()


def hello():
    import gymnasium

    return {"protocol": PROTOCOL, "python": platform.python_version(), "gymnasium": gymnasium.__version__}


def interpreter():
    return f"{sys.executable}, Python {platform.python_version()}"


def main(seconds):
    connection = Connection(socket.socket(fileno=os.dup(0)))
    # An environment that reads its standard input must not read requests.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        import gymnasium
    except ImportError as error:
        connection.send(
            REFUSED,
            f"{interpreter()}, cannot import Gymnasium ({error}); install it with `{sys.executable} -m pip install "
            "gymnasium`, or name another interpreter in CONCRETE_DQN_PYTHON".encode(),
        )
        return
    if int(gymnasium.__version__.split(".")[0]) < 1:
        connection.send(
            REFUSED,
            f"{interpreter()}, has Gymnasium {gymnasium.__version__}, and 1.0 or later is needed; `{sys.executable} -m pip "
            "install --upgrade gymnasium` installs it".encode(),
        )
        return
    connection.watch(seconds)
    serve(connection, make)


if __name__ == "__main__":
    main(float(sys.argv[1]))
