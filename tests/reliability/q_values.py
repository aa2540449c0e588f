"""The Q-values of a dense network in a checkpoint, by NumPy: the mean pass, every unit kept.

    python q_values.py RUN/checkpoints/step-000000030000/tensors.safetensors "[[0.1, -0.5, 0.02, 0.3]]"
"""

import json
import sys

import numpy as np
from safetensors.numpy import load_file

tensors = load_file(sys.argv[1])
observations = np.array(json.loads(sys.argv[2]), dtype=np.float32)

x = (observations - tensors["features.centre"]) / tensors["features.half_width"]
if "features.frequencies" in tensors:
    angles = x @ tensors["features.frequencies"]
    x = np.concatenate([x, np.sin(angles), np.cos(angles)], axis=-1)
layer = 0
while f"online.layers.{layer}.weight" in tensors:
    if layer > 0:
        x = np.maximum(x, 0.0)
    x = x @ tensors[f"online.layers.{layer}.weight"].T + tensors.get(f"online.layers.{layer}.bias", 0.0)
    layer += 1
print(json.dumps(x.tolist()))
