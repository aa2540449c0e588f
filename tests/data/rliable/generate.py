"""Writes golden.json: what rliable 1.2.0 computes of fixed scores.

    python -m venv venv && venv/bin/pip install rliable==1.2.0 'pandas<3' && venv/bin/python generate.py > golden.json
"""

import importlib.metadata
import json

import numpy as np
from rliable import library, metrics

REPLICATES = 50_000


def interval(scores, statistic):
    _, intervals = library.get_interval_estimates(
        {"x": scores}, lambda *x: np.array([statistic(*x)]), reps=REPLICATES
    )
    return intervals["x"][:, 0].tolist()


def case(name, x, y, taus):
    """Scores are runs x tasks here, as rliable has them, and tasks x runs in the file."""
    profile, band = library.create_performance_profile({"x": x}, np.array(taus), reps=REPLICATES)
    return {
        "name": name,
        "x": x.T.tolist(),
        "y": y.T.tolist(),
        "interquartile_mean": float(metrics.aggregate_iqm(x)),
        "interquartile_mean_interval": interval(x, metrics.aggregate_iqm),
        "taus": taus,
        "profile": profile["x"].tolist(),
        "profile_low": band["x"][0].tolist(),
        "profile_high": band["x"][1].tolist(),
        "improvement": float(metrics.probability_of_improvement(x, y)),
        "improvement_interval": interval([x, y], metrics.probability_of_improvement),
    }


np.random.seed(0)  # rliable draws from numpy's global generator
draw = np.random.default_rng(0)
cases = [
    case("one task, ten runs", draw.normal(-110, 15, (10, 1)), draw.normal(-120, 25, (10, 1)), [-140, -120, -110, -90]),
    case("three tasks, seven runs", draw.gamma(2, 1, (7, 3)), draw.gamma(2, 0.8, (7, 3)), [0.5, 1, 2, 4]),
    case("ties at a ceiling, and unequal numbers of runs", np.minimum(draw.normal(490, 40, (9, 2)).round(), 500),
         np.minimum(draw.normal(470, 60, (5, 2)).round(), 500), [400, 450, 499, 500]),
    case("two runs", draw.normal(0, 1, (2, 1)), draw.normal(0, 1, (3, 1)), [-1, 0, 1]),
]
versions = {name: importlib.metadata.version(name) for name in ("rliable", "arch", "numpy", "scipy")}
print(json.dumps({"versions": versions, "replicates": REPLICATES, "cases": cases}, indent=1))
