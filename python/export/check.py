"""Holds what was exported beside this file against what the program itself said: python check.py

Every number has to agree to five digits of the largest of its kind. ONNX is checked where onnxruntime is installed.
"""

import importlib.util
import sys
from pathlib import Path

from policy import Policy
from safetensors.numpy import load_file

TOLERANCE = 1e-5


def differences(said, wanted):
    """The largest difference of each kind of value, as a share of the largest value."""
    both = ((name, said[name], value) for name, value in wanted.items() if name in said)
    return {name: float(abs(found - value).max() / (abs(value).max() or 1)) for name, found, value in both}


def numpy_says(folder, asked):
    policy = Policy(folder / "policy.safetensors")
    observations = asked["observations"]
    return {"mean_pass": policy.mean_pass(observations)} | policy.noisy_passes(observations, asked["noise"])


def onnx_says(folder, asked):
    import onnxruntime

    def run(name):
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
        inputs = {input.name: asked[input.name] for input in session.get_inputs()}
        return dict(zip((output.name for output in session.get_outputs()), session.run(None, inputs)))

    said = run("noisy_passes")
    # The best of two actions that are as good as each other to the last digit may be either.
    del said["action"]
    return {"mean_pass": run("mean_pass")["q"]} | said


def main(folder):
    asked, failed = load_file(folder / "examples.safetensors"), False
    rows = len(asked["observations"])
    for name, package, says in (("NumPy", "numpy", numpy_says), ("ONNX", "onnxruntime", onnx_says)):
        if importlib.util.find_spec(package) is None:
            print(f"{name}: not checked, since {package} is not installed")
            continue
        found = differences(says(folder, asked), asked)
        worst = max(found, key=found.get)
        print(f"{name}: {len(found)} kinds of values at {rows} observations differ by {found[worst]:.1e} at most ({worst})")
        failed |= not found[worst] <= TOLERANCE
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parent))
