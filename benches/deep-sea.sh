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
done
cargo run --release --example deep_sea -- "$folder"
