"""Prints what an exported network says in NumPy and in ONNX at the examples that lie beside it, as JSON, and how far the
two are from each other at other observations, under other noise and at other sizes: read_export.py FOLDER"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
from policy import Policy  # noqa: E402

policy = Policy(folder / "policy.safetensors")
examples = load_file(folder / "examples.safetensors")


def onnx_says(name, observations, noise):
    onnx.checker.check_model(folder / f"{name}.onnx", full_check=True)
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    given = {"observations": observations, "noise": noise}
    values = session.run(None, {input.name: given[input.name] for input in session.get_inputs()})
    return dict(zip((output.name for output in session.get_outputs()), values))


def both(observations, noise):
    ours = policy.noisy_passes(observations, noise) | {"mean_pass": policy.mean_pass(observations)}
    noisy, mean = (onnx_says(name, observations, noise) for name in ("noisy_passes", "mean_pass"))
    assert (noisy.pop("action") == noisy["mean"].argmax(axis=1)).all()
    assert (mean["action"] == mean["q"].argmax(axis=1)).all()
    return ours, noisy | {"mean_pass": mean["q"]}


def apart(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name].shape == theirs[name].shape, name
    return max(float(abs(ours[name] - theirs[name]).max() / (abs(ours[name]).max() or 1)) for name in ours)


generator = np.random.default_rng(1)
differences = {}
for passes, rows in ((1, 1), (2, 7), (30, 5)):
    which = generator.integers(len(examples["observations"]), size=rows)
    # Between examples, where these are no places of a one-hot observation.
    mixed = examples["observations"][which] + examples["observations"][which - 1]
    is_one_hot = policy.local is not None and policy.local["one_hot"]
    observations = examples["observations"][which] if is_one_hot else (mixed / 2).astype(np.float32)
    differences[f"{passes}x{rows}"] = apart(*both(observations, policy.noise(rows, passes, generator)))
if policy.local is not None and policy.local["one_hot"]:
    # Where no number is 1 there is a place too.
    nowhere = np.zeros((1, policy.about["observation"]), np.float32)
    differences["nowhere"] = apart(*both(nowhere, policy.noise(1, 3, generator)))

ours, theirs = both(examples["observations"], examples["noise"])
named = lambda values: {name: value.tolist() for name, value in values.items()}
print(
    json.dumps(
        {
            "actions": policy.actions,
            "observations": examples["observations"].tolist(),
            "numpy": named(ours),
            "onnx": named(theirs),
            "differences": differences,
        }
    )
)
