#!/bin/sh
# Makes a virtual environment with what the Python baselines need. Run it again at any time.
#
#   benches/baselines/setup.sh
#   PYTHON=python3.12 VENV=/its/folder benches/baselines/setup.sh
set -eu

fail() {
    printf 'setup.sh: %s\n' "$*" >&2
    exit 1
}

unset CDPATH
here=$(cd -- "$(dirname -- "$0")" && pwd -P)
python=${PYTHON:-python3}
venv=${VENV:-$here/.venv}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "$python is not there or older than Python 3.11: set PYTHON to another."
"$python" -m venv "$venv" ||
    fail "The virtual environment could not be made, as said above (Debian, Ubuntu: apt-get install python3-venv)."
# The cache would hold another copy of torch.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --requirement "$here/requirements.txt" ||
    fail "pip could not install everything, as said above: check the network and pip's configuration, and run it again."

printf 'Next: %s %s\n' "$venv/bin/python" "$here/compare.py"
