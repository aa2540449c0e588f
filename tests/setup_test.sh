#!/bin/sh
# Tests setup.sh in seconds and without a network: with wheels of a few bytes, and a compiler that compiles nothing.
# Run as `sh tests/setup_test.sh`; needs python3 with pip.
set -eu

project=$(cd -- "$(dirname -- "$0")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin"
python=$(python3 -c 'import sys; print(sys.executable)')
path=$PATH
passed=0
failed=0

unset CXX LIBTORCH LIBTORCH_USE_PYTORCH VIRTUAL_ENV PYTHONPATH CDPATH
export PIP_NO_INDEX=1 PIP_FIND_LINKS="$tmp/wheels" PIP_CONFIG_FILE=/dev/null PATH="$tmp/bin:$path"

# ---- Helpers

# Starts a case in a folder of its own, whose name is hard on quoting.
checkout() {
    name=$1
    wheels cpu
    compiler 'exit 0'
    here="$tmp/$((passed + failed)) 'it\"s\\ü"
    mkdir "$here"
    cp "$project/setup.sh" "$project/Cargo.toml" "$here"
    cd "$here"
}

fails() {
    failed=$((failed + 1))
    printf 'FAILED: %s: %s\n%s\n' "$name" "$1" "$output"
}

check() { if "$@"; then passed=$((passed + 1)); else fails "$*"; fi; }

# expect STATUS TEXT COMMAND...: the command exits with the status and its output holds the text.
expect() {
    wanted=$1 text=$2
    shift 2
    status=0
    output=$("$@" 2>&1 </dev/null) || status=$?
    case $status:$output in
    "$wanted:"*"$text"*) passed=$((passed + 1)) ;;
    *) fails "exit status $status, wanted $wanted and '$text'" ;;
    esac
}

no_leftovers() { [ -z "$(find . -name '.libtorch.*' -o -name '*.partial*')" ]; }

points_to() { grep -Fqxe "LIBTORCH = $1" .cargo/config.toml; }

# A stub of a tool: stub NAME SCRIPT.
stub() {
    printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin/$1"
    chmod +x "$tmp/bin/$1"
}

# A compiler that writes a program made of the given command.
compiler() {
    # shellcheck disable=SC2016
    stub c++ 'while [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\n'"$1"'\n" >"$2"; chmod +x "$2"'
}

# wheels KIND: what pip finds; kind is cpu, cuda or damaged.
wheels() {
    rm -rf "$tmp/wheels"
    mkdir "$tmp/wheels"
    python3 - "$tmp/wheels" "$1" <<'PYTHON'
import base64, hashlib, os, sys, zipfile

folder, kind = sys.argv[1:]


def wheel(name, version, members):
    info = "%s-%s.dist-info/" % (name, version)
    members[info + "METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    members[info + "WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = []
    with zipfile.ZipFile(os.path.join(folder, "%s-%s-py3-none-any.whl" % (name, version)), "w") as file:
        for member, text in members.items():
            said = text + "!" if kind == "damaged" and member.endswith("torch_cpu.so") else text
            digest = base64.urlsafe_b64encode(hashlib.sha256(said.encode()).digest()).decode().rstrip("=")
            rows.append("%s,sha256=%s,%d\n" % (member, digest, len(text)))
            file.writestr(member, text)
        file.writestr(info + "RECORD", "".join(rows) + info + "RECORD,,\n")


libraries = ["torch", "torch_cpu", "c10", "torch_python", "shm"] + ["torch_cuda", "c10_cuda"] * (kind == "cuda")
members = {"torch/lib/lib%s.so" % name: "wheel's " + name for name in libraries}
members["torch/include/torch/csrc/api/include/torch/torch.h"] = "//"
cuda = "'13.0'" if kind == "cuda" else None
members["torch/version.py"] = "__version__ = '2.13.0'\ncuda: Optional[str] = %s\n" % cuda
wheel("torch", "2.13.0", members)
wheel("nvidia_cuda_runtime", "13.0.1", {"nvidia/cu13/lib/libcudart.so.13": "cudart", "nvidia/cu13/lib/other.so": ""})
wheel("nvidia_cuda_cupti", "13.0.2", {"nvidia/cu13/lib/libcupti.so.13": "cupti"})
PYTHON
}

# libtorch FOLDER VERSION: what setup.sh takes for a libtorch.
libtorch() {
    headers="$1/include/torch/csrc/api/include/torch"
    mkdir -p "$1/lib" "$headers"
    touch "$1/lib/libtorch.so" "$1/lib/libtorch_cpu.so" "$1/lib/libc10.so" "$headers/torch.h"
    printf '%s\n' "$2" >"$1/build-version"
}

# A PATH with what setup.sh uses, but for the named tool.
without() {
    rm -rf "$tmp/tools"
    mkdir "$tmp/tools"
    for tool in sh sed awk cat grep mkdir rm mv df uname dirname; do
        ln -s "$(PATH=$path command -v $tool)" "$tmp/tools/$tool"
    done
    cp "$tmp/bin/c++" "$tmp/tools"
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >"$tmp/tools/python3"
    chmod +x "$tmp/tools/python3"
    rm -f "$tmp/tools/$1"
    printf '%s' "$tmp/tools"
}

# ---- Arguments

checkout arguments
expect 0 Usage: ./setup.sh --help
expect 2 Usage: ./setup.sh --nonsense
expect 2 'unset it' env LIBTORCH=/x ./setup.sh --force

# ---- Assembling (with --force, because the Python at hand may have torch)

checkout 'a wheel for the CPU'
expect 0 'is set up' ./setup.sh --force
check points_to '{ value = ".libtorch", relative = true }'
check grep -Fqx "wheel's torch" .libtorch/lib/libtorch.so
check test ! -e .libtorch/lib/libtorch_python.so
check grep -Fqx 2.13.0 .libtorch/build-version
check no_leftovers

checkout 'nothing to do'
libtorch .libtorch 2.13.0
expect 0 'is set up: ' ./setup.sh
cp -p .cargo/config.toml before
stub python3 'exit 1'
cd /
expect 0 'set up already' "$here/setup.sh"
cd "$here"
rm "$tmp/bin/python3"
check test ! .cargo/config.toml -nt before

checkout 'a wheel for CUDA'
wheels cuda
expect 0 'is set up' ./setup.sh --force
check grep -q 'exit 0' .libtorch/lib/libtorch.so
check grep -q cudart .libtorch/lib/libcudart.so.13
check grep -q cupti .libtorch/lib/libcupti.so.13
check test ! -e .libtorch/lib/libtorch_cuda.so

checkout 'an older one is replaced'
libtorch .libtorch 2.12.0
expect 0 'is set up' ./setup.sh --force
check grep -Fqx 2.13.0 .libtorch/build-version
check no_leftovers

checkout 'a damaged wheel'
wheels damaged
expect 1 'could not be unpacked' ./setup.sh --force
check no_leftovers
check test ! -e .libtorch

checkout 'no wheel'
rm "$tmp/wheels/"torch-*
expect 1 'pip could not download torch==2.13.0' ./setup.sh --force

checkout 'a libtorch that does not run'
compiler 'exit 1'
expect 1 "can't be linked" ./setup.sh --force
check test ! -e .libtorch

checkout 'two at a time'
./setup.sh --force >first 2>&1 &
expect 0 'is set up' ./setup.sh --force
status=0
wait $! || status=$?
check test $status = 0
check no_leftovers

# ---- Interruptions

checkout killed
# shellcheck disable=SC2016
stub c++ 'kill -9 $PPID'
# shellcheck disable=SC2016
expect 137 Checking sh -c './setup.sh --force; exit $?'
check test ! -e .libtorch
compiler 'exit 0'
expect 0 'is set up' ./setup.sh --force
check no_leftovers

# TERM, since a shell started in the background ignores INT for good.
checkout interrupted
# shellcheck disable=SC2016
stub c++ 'kill -TERM $PPID'
expect 130 'run ./setup.sh again' ./setup.sh --force
check no_leftovers

# ---- What is missing

checkout 'missing tools'
expect 1 'no C++ compiler' env PATH="$(without c++)" ./setup.sh --force
expect 1 'no python3' env PATH="$(without python3)" ./setup.sh --force
libtorch .libtorch 2.13.0
rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
expect 0 "if $rust or newer" env PATH="$(without cargo)" ./setup.sh
check grep -Fq "Rust ($rust or later)" "$project/README.md"
sed 's/^rust-version = .*/rust-version = "7.65"/' "$project/Cargo.toml" >Cargo.toml
expect 0 'no cargo: install Rust with rustup, or from your system'"'"'s packages if 7.65 or newer' \
    env PATH="$(without cargo)" ./setup.sh

checkout 'missing things'
expect 1 'but there is none' env CXX='nonsense -O2' ./setup.sh --force
# shellcheck disable=SC2016
stub python3 'case $2 in pip) exit 1 ;; esac'
expect 1 'has no pip' ./setup.sh --force
rm "$tmp/bin/python3"
stub df 'echo x 0 0 1024 0 /'
expect 1 '1 MB free' ./setup.sh --force
rm "$tmp/bin/df"
stub uname 'echo Plan9'
expect 1 'no torch wheel for Plan9' ./setup.sh --force
rm "$tmp/bin/uname"

# ---- A libtorch of one's own

checkout LIBTORCH
own="$here own"
libtorch "$own" 2.13.0+cpu
expect 0 'is set up' env LIBTORCH="$own/" ./setup.sh
quoted=$(printf '%s' "$own" | sed 's/[\\"]/\\&/g')
check points_to "\"$quoted\""
expect 0 "set up already: $own" ./setup.sh
rm -r "$own"
libtorch .libtorch 2.13.0
expect 0 "is set up: $here/.libtorch" ./setup.sh

checkout 'a LIBTORCH that will not do'
expect 1 'no such folder' env LIBTORCH=/nonexistent ./setup.sh
expect 1 'absolute path' env LIBTORCH=.libtorch ./setup.sh
expect 1 'absolute path' env LIBTORCH= ./setup.sh
libtorch "$own" 2.12.1
expect 1 'version is 2.12.1' env LIBTORCH="$own" ./setup.sh
rm "$own/lib/libc10.so"
expect 1 'no lib/libc10' env LIBTORCH="$own" ./setup.sh

checkout "Python's torch"
libtorch site/torch x
rm site/torch/build-version
touch site/torch/__init__.py
printf "__all__ = ['__version__']\n__version__ = '2.13.0+cu130'\n" >site/torch/version.py
expect 0 "$here/site/torch, recorded" env PYTHONPATH="$here/site" ./setup.sh
rm -r .cargo
expect 0 "$here/site/torch, recorded" env PYTHONPATH="$here/site" LIBTORCH_USE_PYTORCH=1 ./setup.sh
echo "__version__ = '2.9.1'" >site/torch/version.py
expect 1 'version is 2.9.1' env PYTHONPATH="$here/site" LIBTORCH_USE_PYTORCH=1 ./setup.sh
stub python3 ''
expect 1 'has no torch' env LIBTORCH_USE_PYTORCH=1 ./setup.sh
rm "$tmp/bin/python3"

checkout 'a configuration written by hand'
libtorch .libtorch 2.13.0
mkdir .cargo
echo '# mine' >.cargo/config.toml
expect 1 'put these lines into it' ./setup.sh
check grep -Fqx '# mine' .cargo/config.toml
printf '%s\n' "$output" | sed '1,/^\[env]/d' | grep -v '^\[' >>.cargo/config.toml
expect 0 'set up already' ./setup.sh

echo "$passed passed, $failed failed"
test $failed = 0
