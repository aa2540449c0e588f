"""Writes golden.json: a linear layer with three inputs, each with a p of its own, and its gradients.

Python's standard library only. The loss is written out from the equations (Gal, Hron & Kendall 2017, eqs. 2-5), with a sum
over the groups g, and its gradient is by central differences of it in float64:

    mean over rows of sum over outputs of (W (x keep / (1-p)) - y)^2
        + sum over g of  l^2/(tau N) ||W_g||^2 / (1-p_g)  -  2/(tau N) H(p_g)
"""

import json
import math
import pathlib
import random

random.seed(20)
ROWS, INPUTS, OUTPUTS = 5, 3, 2
LENGTH_SCALE, PRECISION, DATASET_SIZE, TEMPERATURE = 0.7, 1.3, 40.0, 0.3

x = [[random.gauss(0, 1) for _ in range(INPUTS)] for _ in range(ROWS)]
y = [[random.gauss(0, 1) for _ in range(OUTPUTS)] for _ in range(ROWS)]
uniforms = [[random.random() for _ in range(INPUTS)] for _ in range(ROWS)]
weight = [[random.gauss(0, 1) for _ in range(INPUTS)] for _ in range(OUTPUTS)]
logits = [-2.5, 0.4, -0.6]


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def output(weight, logits):
    rows = []
    for inputs, noise in zip(x, uniforms):
        masked = []
        for value, u, logit in zip(inputs, noise, logits):
            p = sigmoid(logit)
            drop = sigmoid((math.log(p) - math.log(1 - p) + math.log(u) - math.log(1 - u)) / TEMPERATURE)
            masked.append(value * (1 - drop) / (1 - p))
        rows.append([sum(w * value for w, value in zip(row, masked)) for row in weight])
    return rows


def regularizer(weight, logits):
    total = 0.0
    for group, logit in enumerate(logits):
        p = sigmoid(logit)
        squared_norm = sum(row[group] ** 2 for row in weight)
        entropy = -p * math.log(p) - (1 - p) * math.log(1 - p)
        total += LENGTH_SCALE**2 / (PRECISION * DATASET_SIZE) * squared_norm / (1 - p)
        total -= 2 / (PRECISION * DATASET_SIZE) * entropy
    return total


def loss(weight, logits):
    errors = [(f - t) ** 2 for fs, ts in zip(output(weight, logits), y) for f, t in zip(fs, ts)]
    return sum(errors) / ROWS + regularizer(weight, logits)


def slope(function):
    h = 1e-4
    # Richardson's extrapolation leaves an error of the order of h^4.
    central = lambda h: (function(h) - function(-h)) / (2 * h)
    return (4 * central(h / 2) - central(h)) / 3


def with_weight(row, column, by):
    return [[w + by * ((i, j) == (row, column)) for j, w in enumerate(ws)] for i, ws in enumerate(weight)]


golden = {
    "length_scale": LENGTH_SCALE,
    "precision": PRECISION,
    "dataset_size": DATASET_SIZE,
    "temperature": TEMPERATURE,
    "x": x,
    "y": y,
    "uniforms": uniforms,
    "weight": weight,
    "logits": logits,
    "output": output(weight, logits),
    "regularizer": regularizer(weight, logits),
    "loss": loss(weight, logits),
    "weight_gradient": [
        [slope(lambda by: loss(with_weight(i, j, by), logits)) for j in range(INPUTS)] for i in range(OUTPUTS)
    ],
    "logit_gradient": [
        slope(lambda by: loss(weight, [v + by * (k == g) for k, v in enumerate(logits)])) for g in range(INPUTS)
    ],
}
path = pathlib.Path(__file__).with_name("golden.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
