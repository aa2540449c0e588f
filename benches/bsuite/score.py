"""Has bsuite compute its scores from the tables of `cargo run --release --example bsuite`.

    python3 -m venv runs/bsuite-python && runs/bsuite-python/bin/pip install -r benches/bsuite/requirements.txt
    runs/bsuite-python/bin/python benches/bsuite/score.py [FOLDER]
"""

import sys

from bsuite.experiments.cartpole_swingup import analysis as cartpole_swingup
from bsuite.experiments.deep_sea import analysis as deep_sea
from bsuite.experiments.deep_sea_stochastic import analysis as deep_sea_stochastic
from bsuite.logging import csv_load

EXPERIMENTS = {
    "deep_sea": deep_sea,
    "deep_sea_stochastic": deep_sea_stochastic,
    "cartpole_swingup": cartpole_swingup,
}


def main() -> None:
    folder = sys.argv[1] if len(sys.argv) > 1 else "runs/bsuite"
    results, _ = csv_load.load_bsuite(folder)
    for name, analysis in EXPERIMENTS.items():
        rows = results[results.bsuite_env == name]
        if len(rows):
            settings, episodes = rows.bsuite_id.nunique(), rows.groupby("bsuite_id").episode.max().min()
            print(f"{name}: score {analysis.score(rows):.3f} over {settings} settings of at least {episodes} episodes")


if __name__ == "__main__":
    main()
