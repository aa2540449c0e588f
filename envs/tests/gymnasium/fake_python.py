#!/usr/bin/env python3
"""Stands for a Python with Gymnasium: speaks the protocol, and goes wrong when it is told to. It needs no package.

The name of an environment is what happens and at which of its steps, such as `kill@7`; `fine` goes on for ever.
"""

import json
import os
import signal
import socket
import struct
import sys
import time

REPLY = struct.Struct("<BBxxId")
connection = socket.socket(fileno=os.dup(0))
reader = connection.makefile("rb")


def send(status, content=b"", reward=0.0, end=0):
    try:
        connection.sendall(REPLY.pack(status, end, len(content), reward) + content)
    except BrokenPipeError:
        sys.exit()


def go_wrong(how):
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "exit":
        os._exit(7)
    elif how == "hang":
        time.sleep(1000)
    elif how == "half":
        connection.sendall(b"\0\0\0\0")
        os._exit(0)
    elif how == "garbage":
        connection.sendall(b"\xff" * 64)
    elif how == "raise":
        send(2, b"it raised ValueError: boom")
        return True
    elif how.startswith("meet"):
        # Does not answer before three have come to the folder that its name ends with.
        open(os.path.join(how[4:], str(os.getpid())), "w").close()
        while len(os.listdir(how[4:])) < 3:
            time.sleep(0.001)


send(0, json.dumps({"protocol": 2, "python": sys.version.split()[0], "gymnasium": "none"}).encode())
script, how, at, steps = sys.argv[2], {}, {}, {}
while len(request := reader.read(16)) == 16:
    what, which, argument = struct.unpack("<IIQ", request)
    if what == 0:
        name = json.loads(reader.read(argument))["name"]
        how[which], _, moment = name.partition("@")
        at[which], steps[which] = int(moment or -1), 0
        about = {
            "id": name,
            "dimensions": [["step", 0.0, 10.0], ["seed", None, None]],
            "image": None,
            "one_hot": False,
            "actions": ["wait", "go"],
            "max_episode_steps": 10,
            "reward_threshold": None,
        }
        send(0, json.dumps(about).encode())
    elif what in (1, 2):
        # The seed is seen in the observation; -1 is none.
        send(0, struct.pack("<2f", 0.0, argument % 1000 if what == 1 else -1.0))
    elif what == 3:
        steps[which] += 1
        if steps[which] != at[which] or not go_wrong(how[which]):
            length = (steps[which] - 1) % 10 + 1
            send(0, struct.pack("<2f", length, argument), 1.0, 2 * (length == 10))
