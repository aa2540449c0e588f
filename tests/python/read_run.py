"""Prints as JSON what TensorBoard and Stable-Baselines3 read of a run: read_run.py RUN"""

import importlib.util
import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.util.tensor_util import make_ndarray


def events(run):
    """As scripts read it."""
    accumulator = event_accumulator.EventAccumulator(run, size_guidance={"scalars": 0, "histograms": 0})
    accumulator.Reload()
    tags = accumulator.Tags()
    scalars = {tag: [[e.step, e.value] for e in accumulator.Scalars(tag)] for tag in tags["scalars"]}
    counts = {
        tag: [[e.step, e.histogram_value.num, sum(e.histogram_value.bucket)] for e in accumulator.Histograms(tag)]
        for tag in tags["histograms"]
    }
    return {"scalars": scalars, "histograms": counts}


def served(run):
    """As TensorBoard's own server reads it, which minds restarts in another way."""
    accumulator = plugin_event_accumulator.EventAccumulator(run, size_guidance={"tensors": 0})
    accumulator.Reload()
    series = lambda tag: [[e.step, make_ndarray(e.tensor_proto).tolist()] for e in accumulator.Tensors(tag)]
    content = accumulator.PluginTagToContent("scalars")
    return {"served": {tag: series(tag) for tag in content}}


def monitor(run):
    # By its path, since the package itself imports torch.
    package = importlib.util.find_spec("stable_baselines3").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("monitor", Path(package) / "common" / "monitor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = module.load_results(run)
    return {"r": rows.r.tolist(), "l": rows.l.tolist(), "t": rows.t.tolist()}


if __name__ == "__main__":
    print(json.dumps({**events(sys.argv[1]), **served(sys.argv[1]), "monitor": monitor(sys.argv[1])}))
