"""Prints as JSON what TensorBoard and Stable-Baselines3 read of a run: read_run.py RUN"""

import importlib.util
import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def events(run):
    accumulator = EventAccumulator(run, size_guidance={"scalars": 0, "histograms": 0})
    accumulator.Reload()
    tags = accumulator.Tags()
    scalars = {tag: [[e.step, e.value] for e in accumulator.Scalars(tag)] for tag in tags["scalars"]}
    counts = {
        tag: [[e.step, e.histogram_value.num, sum(e.histogram_value.bucket)] for e in accumulator.Histograms(tag)]
        for tag in tags["histograms"]
    }
    return {"scalars": scalars, "histograms": counts}


def monitor(run):
    # By its path, since the package itself imports torch.
    package = importlib.util.find_spec("stable_baselines3").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("monitor", Path(package) / "common" / "monitor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = module.load_results(run)
    return {"r": rows.r.tolist(), "l": rows.l.tolist(), "t": rows.t.tolist()}


if __name__ == "__main__":
    print(json.dumps({**events(sys.argv[1]), "monitor": monitor(sys.argv[1])}))
