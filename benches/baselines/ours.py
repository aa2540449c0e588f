"""The Rust program of this repository: built, run, and its figures read."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Run(NamedTuple):
    summary: dict
    meta: dict
    process_seconds: float


def build():
    """Builds the program and returns the path of its binary."""
    finished = subprocess.run(["cargo", "build", "--release"], cwd=ROOT)
    if finished.returncode:
        sys.exit("The program could not be built, as said above: mend that, or name a binary with --binary.")
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=ROOT, check=True, capture_output=True
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release" / "concrete-dqn"


def train(binary, flags):
    with tempfile.TemporaryDirectory() as runs:
        command = [binary, *flags, "--quiet", "--runs-dir", runs]
        start = time.perf_counter()
        finished = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        if finished.returncode:
            sys.exit(f"{binary} {' '.join(flags)} ended with status {finished.returncode}, as said above.")
        (folder,) = Path(runs).iterdir()
        summary, meta = (json.loads((folder / name).read_text()) for name in ("summary.json", "meta.json"))
        return Run(summary, meta, seconds)


def bench_figures(path):
    """What `cargo bench` measured, in seconds by name; nothing where it has not been run."""
    try:
        return {name: nanoseconds / 1e9 for name, nanoseconds in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        command = f"cargo bench --bench steps -- --json {path}"
        print(f"There is no {path}, so single steps of ours are left out: `{command}` makes it.", file=sys.stderr)
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        sys.exit(f"{path} is not a JSON object of nanoseconds by name ({error}): make it again with cargo bench.")
