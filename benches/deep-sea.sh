#!/usr/bin/env bash
# Deep sea on ten seeds, each with a mapping of its own: episodes until 90 of the last 100 found the treasure.
#     cargo build --release && benches/deep-sea.sh [FOLDER] [ARGUMENT ...]
# Arguments are those of a training, such as --set local.prior=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${PROGRAM:-target/release/concrete-dqn}
folder=${1:-runs/deep-sea}
shift || true
# Episodes that each size is given.
sizes=${SIZES:-10:500 20:800 30:1000 50:1500 100:3000}
seeds=${SEEDS:-100 101 102 103 104 105 106 107 108 109}

for entry in $sizes; do
    size=${entry%:*} episodes=${entry#*:}
    for seed in $seeds; do
        "$program" --env deep-sea --env-arg size="$size" --env-arg mapping_seed="$seed" --seed "$seed" \
            --steps $((size * episodes)) --set evaluation.period=0 --set evaluation.episodes=20 \
            --set checkpoint.keep=0 --runs-dir "$folder/$size" -q "${@}"
    done
    python3 - "$size" "$folder/$size" <<'PYTHON'
import csv, glob, statistics, sys

size, folder = int(sys.argv[1]), sys.argv[2]
first, solved, last = [], [], []
for path in sorted(glob.glob(folder + "/*/episodes.csv")):
    with open(path) as rows:
        found = [float(row["episode_return"]) > 0.5 for row in csv.DictReader(rows)]
    windows = (end for end in range(100, len(found) + 1) if sum(found[end - 100 : end]) >= 90)
    first.append(found.index(True) + 1 if True in found else float("inf"))
    solved.append(next(windows, float("inf")))
    last.append(sum(found[-100:]))
print(f"size {size}: first treasure at episode {statistics.median(first):.0f} (median), "
      f"90 of 100 at {statistics.median(solved):.0f}, from {min(solved):.0f} to {max(solved):.0f}, "
      f"on {sum(s < float('inf') for s in solved)} of {len(solved)} seeds; in the last 100 at least {min(last)}")
PYTHON
done
