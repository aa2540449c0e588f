"""The program concrete-dqn, and how it is run with environments of this process."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from .serve import Connection, serve

NAME = "concrete-dqn"


class ProgramNotFound(RuntimeError):
    """The program is nowhere to be found."""


class ProgramFailed(RuntimeError):
    """The program ended with an error."""


def find():
    """The program: what CONCRETE_DQN names, else what PATH has, else what was built in a checkout that the working
    directory or this file is in."""
    named = os.environ.get("CONCRETE_DQN")
    if named:
        if not os.access(named, os.X_OK):
            raise ProgramNotFound(f"CONCRETE_DQN is {named}, but there is no program there")
        return named
    found = shutil.which(NAME)
    if found:
        return found
    for start in (Path.cwd(), Path(__file__).resolve().parent):
        for folder in (start, *start.parents):
            built = folder / "target" / "release" / NAME
            if os.access(built, os.X_OK):
                return str(built)
    raise ProgramNotFound(
        f"{NAME} is not on the PATH, CONCRETE_DQN does not name it, and it was not built in the checkout; in the folder of "
        "the project, `./setup.sh && cargo build --release` builds it"
    )


def start(arguments, **streams):
    """The running program and the socket to it, its environments being here."""
    ours, theirs = socket.socketpair()
    with theirs:
        # In a session of its own, so that Ctrl-C is for this process, which passes it on.
        process = subprocess.Popen(
            [find(), "--gymnasium-on-stdin", *arguments], stdin=theirs, start_new_session=True, text=True, errors="replace",
            **streams
        )
    return process, ours


def run(arguments, make, watched=False):
    """Runs the program to its end, its environments those that `make` makes here. Where it is watched, what it tells of
    its progress is seen on the standard error.

    Returns what it printed, and what has to be raised: an exception of an environment, which the program has told of
    when it had saved what was learned before, KeyboardInterrupt, or ProgramFailed.
    """
    at_terminal = watched and sys.stderr.isatty()
    process, connection = start(arguments, stdout=subprocess.PIPE, stderr=None if at_terminal else subprocess.PIPE)
    printed, told = [], []
    readers = [threading.Thread(target=lambda: printed.append(process.stdout.read()))]
    if not at_terminal:
        readers.append(threading.Thread(target=relay, args=(process.stderr, told, watched)))
    for reader in readers:
        reader.start()
    failure = None
    with passed_on(process) as interrupted:
        try:
            failure = serve(Connection(connection), make)
        except OSError:
            # The program has gone, and its exit code says how.
            pass
        finally:
            hang_up(connection)
            code = process.wait()
            for reader in readers:
                reader.join()
    if code == 0:
        return printed[0], None
    if interrupted:
        return printed[0], KeyboardInterrupt()
    said = "".join(told).strip() or f"{NAME} ended with exit code {code}; it has said why"
    return printed[0], failure or ProgramFailed(said)


def hang_up(connection):
    """Ends a connection that others still hold."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # The other side was faster.
    connection.close()


def relay(stream, told, watched):
    for line in stream:
        told.append(line)
        if watched:
            print(line, end="", file=sys.stderr, flush=True)


@contextmanager
def passed_on(process):
    """Passes Ctrl-C on to the program, which saves and ends, instead of interrupting a step of an environment. What is
    returned is empty until then."""
    interrupted = []

    def handle(number, frame):
        interrupted.append(number)
        process.send_signal(signal.SIGINT)

    try:
        before = signal.signal(signal.SIGINT, handle)
    except ValueError:
        # Only the main thread can be interrupted.
        yield interrupted
        return
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
