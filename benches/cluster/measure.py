#!/usr/bin/env python3
"""Measures `experiment --on ray` on a cluster of processes on this machine, by a Python that has
python/requirements-cluster.txt:

    benches/cluster/measure.py cost          short runs with and without Ray
    benches/cluster/measure.py scale 1000    so many runs that only wait: memory and load of the driver and the head node

The program is the one that CONCRETE_DQN names, else that of target/release.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("CONCRETE_DQN", ROOT / "target" / "release" / "concrete-dqn")
TICK = os.sysconf("SC_CLK_TCK")

EXPERIMENT = """
environments = ["cartpole"]
seeds = "0-{last}"
[settings]
steps = {steps}
network.hidden = [16, 16]
agent.learning_starts = 100
agent.batch_size = 16
evaluation.episodes = 2
[variants.it]
"""

# Stands in for a training that takes {seconds} s.
WAITS = """#!/bin/sh
mkdir -p "$4/runs/it/$$"
echo "$4/runs/it/$$"
exec sleep {seconds}
"""


class Cluster:
    """A head that trains nothing and nodes with some CPUs, processes with addresses of their own."""

    def __init__(self, folder, nodes, cpus, environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.2", 0))
            port = probe.getsockname()[1]
        self.address, self.processes, self.environment = f"127.0.0.2:{port}", [], environment
        self.folder = folder
        self.start(2, "--head", "--num-cpus=0", "--include-dashboard=false", f"--port={port}")
        self.wait(1)
        for number in range(nodes):
            self.start(3 + number, f"--address={self.address}", f"--num-cpus={cpus}")
        self.wait(1 + nodes)

    def start(self, number, *flags):
        common = ["--block", "--disable-usage-stats", "--include-log-monitor=false", "--object-store-memory=80000000"]
        place = [f"--node-ip-address=127.0.0.{number}", f"--temp-dir={self.folder}/{number}"]
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *common, *place, *flags]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True, env=self.environment)
        self.processes.append(process)

    def wait(self, nodes):
        count = f"import ray; ray.init('{self.address}', logging_level='error'); print(sum(n['Alive'] for n in ray.nodes()))"
        while True:
            done = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True)
            if done.stdout.strip() == str(nodes):
                return
            time.sleep(0.5)

    def end(self):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def experiment(folder, file, name, *flags):
    command = [PROGRAM, "experiment", file, "--output", folder / name, *flags]
    environment = {**os.environ, "CONCRETE_DQN_PYTHON": sys.executable}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def timed(*arguments):
    start = time.monotonic()
    assert experiment(*arguments).wait() == 0
    return time.monotonic() - start


def cost(folder):
    runs, cpus = 20, os.cpu_count()
    cluster = Cluster(folder, 1, cpus, os.environ)
    try:
        for steps in (600, 3000):
            file = folder / f"{steps}.toml"
            file.write_text(EXPERIMENT.format(last=runs - 1, steps=steps))
            local = timed(folder, file, f"local-{steps}", f"--jobs={cpus}")
            seen = timed(folder, file, f"ray-{steps}", "--on=ray", f"--address={cluster.address}")
            scratch = folder / "scratch"
            scratch.mkdir(exist_ok=True)
            flags = ["--on=ray", f"--address={cluster.address}", f"--scratch={scratch}"]
            sent = timed(folder, file, f"sent-{steps}", *flags)
            more = [(seconds - local) * cpus / runs for seconds in (seen, sent)]
            print(
                f"{runs} runs of {steps} steps, {cpus} at once: {local:.1f} s without Ray, {seen:.1f} s with it, "
                f"{sent:.1f} s sent back; a run costs {more[0]:.2f} s more, {more[1]:.2f} s sent back",
                flush=True,
            )
    finally:
        cluster.end()


def processes():
    """Parent, name, resident kB and CPU seconds of every process."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            status = dict(line.split(":", 1) for line in (entry / "status").read_text().splitlines())
            resident = int(status.get("VmRSS", "0 kB").split()[0])
            cpu = (int(fields[11]) + int(fields[12])) / TICK
            found[int(entry.name)] = (int(fields[1]), status["Name"].strip(), resident, cpu)
        except (OSError, ValueError):
            pass
    return found


def scale(folder, cells, seconds=5, nodes=5, cpus=10):
    waits = folder / "waits"
    waits.write_text(WAITS.format(seconds=seconds))
    waits.chmod(0o755)
    file = folder / "scale.toml"
    file.write_text(EXPERIMENT.format(last=cells - 1, steps=600))
    cluster = Cluster(folder, nodes, cpus, {**os.environ, "CONCRETE_DQN": str(waits)})
    try:
        before = processes()
        start = time.monotonic()
        program = experiment(folder, file, "out", "--on=ray", f"--address={cluster.address}")
        most, used = {}, {}
        while program.poll() is None:
            now = processes()
            for number, (parent, name, resident, cpu) in now.items():
                if parent == program.pid:
                    role = "driver"
                elif parent == cluster.processes[0].pid and name in ("gcs_server", "raylet"):
                    role = f"head's {name}"
                elif number == program.pid:
                    role = "program"
                else:
                    continue
                most[role] = max(most.get(role, 0), resident)
                used[role] = cpu - before.get(number, (0, "", 0, 0.0))[3]
            time.sleep(0.5)
        took = time.monotonic() - start
        least = cells * seconds / (nodes * cpus)
        print(f"{cells} runs of {seconds} s on {nodes * cpus} CPUs: {took:.0f} s, of which they need {least:.0f}")
        for role in sorted(most):
            share = 100 * used[role] / took
            print(f"  {role}: {most[role] / 1024:.0f} MB at most, {used[role]:.1f} s of CPU, {share:.0f}% of a core")
    finally:
        cluster.end()


if __name__ == "__main__":
    # Whatever token there is for other clusters of this user.
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    if sys.argv[1:2] not in (["cost"], ["scale"]):
        sys.exit(__doc__)
    # Sockets lie in it, whose names may not be long.
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        if sys.argv[1] == "cost":
            cost(Path(folder))
        else:
            scale(Path(folder), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
