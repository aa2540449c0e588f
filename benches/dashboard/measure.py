#!/usr/bin/env python3
"""What the live page costs a training: its seconds with a page that listens, beside those without a dashboard.

    cargo build --release && benches/dashboard/measure.py [--rounds 9] [--steps 15000]

The two take turns, so that what else the machine does meets both. Needs no package.
"""

import argparse
import json
import re
import statistics
import subprocess
import tempfile
import threading
import urllib.request
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "target/release/concrete-dqn"


def listen(url):
    """Reads the page and then its events to their end, as a browser does. Returns how many there were."""
    data = json.load(urllib.request.urlopen(url + "data.json"))
    query = f"events?token={data['live']['token']}&after={data['live']['after']}"
    with urllib.request.urlopen(url + query) as events:
        return sum(line.startswith(b"event: ") for line in events)


def seconds(steps, has_dashboard):
    """The seconds of a training, and the events that a page was sent."""
    with tempfile.TemporaryDirectory() as runs:
        command = [PROGRAM, "--env=cartpole", f"--steps={steps}", "--set=evaluation.episodes=0", "--runs-dir", runs]
        command += ["--dashboard=127.0.0.1:0"] * has_dashboard
        training = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        counts = []
        for line in training.stderr:
            if url := re.search(r"the dashboard is at (http://\S+)", line):
                threading.Thread(target=lambda url: counts.append(listen(url)), args=url.groups()).start()
        if training.wait() != 0:
            raise SystemExit(f"the training failed with exit status {training.returncode}")
        [summary] = Path(runs).glob("*/summary.json")
        return json.loads(summary.read_text())["training_seconds"], sum(counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=15_000)
    arguments = parser.parse_args()
    ratios, events = [], 0
    for _ in range(arguments.rounds):
        without, _ = seconds(arguments.steps, False)
        listened, sent = seconds(arguments.steps, True)
        ratios.append(listened / without)
        events += sent
        print(f"{without:.2f} s without, {listened:.2f} s with a dashboard, {sent} events: {ratios[-1]:.3f}")
    low, middle, high = (sorted(ratios)[0], statistics.median(ratios), sorted(ratios)[-1])
    print(f"ratio {middle:.3f} (median of {arguments.rounds}; {low:.3f} to {high:.3f}), {events} events")


if __name__ == "__main__":
    main()
