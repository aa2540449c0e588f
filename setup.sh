#!/bin/sh
# Finds libtorch 2.13.0, or assembles one for the CPU from pip's wheels, and tells cargo where it lies.
set -eu

version=2.13.0 # what tch 0.26 is made for
config=.cargo/config.toml
marker='# Written by setup.sh; git ignores it.'
force=
partial=

usage() {
    cat <<EOF
Usage: ./setup.sh [--force]

Finds libtorch $version and records it in $config, so that plain cargo commands work from then on:
  1. LIBTORCH_USE_PYTORCH=1   the torch of your Python, CUDA included
  2. LIBTORCH=/its/folder     a libtorch of your own
  3. neither is set           what an earlier run recorded, else a torch that your Python has, else a libtorch
                              for the CPU, assembled in .libtorch from pip's wheels

  --force   assemble .libtorch anew, whatever is there
  --help    print this
EOF
}

say() { printf '%s\n' "$*"; }

fail() {
    printf 'setup.sh: %s\n' "$*" >&2
    exit 1
}

parse_arguments() {
    for argument; do
        case $argument in
        --help | -h) usage && exit 0 ;;
        --force) force=yes ;;
        *) usage >&2 && exit 2 ;;
        esac
    done
    if [ "$force" ] && [ "${LIBTORCH+set}${LIBTORCH_USE_PYTORCH+set}" ]; then
        say "setup.sh: --force assembles a libtorch, but LIBTORCH or LIBTORCH_USE_PYTORCH names another: unset it." >&2
        exit 2
    fi
}

# ---- Partial work: everything is made in $partial and renamed into place, so an interruption leaves nothing half done.

start_partial() {
    if [ "$partial" ]; then return; fi
    partial=$root/.libtorch.partial.$$
    trap 'rm -rf "$partial"' EXIT
    trap 'say "Interrupted: nothing is left half done, run ./setup.sh again." >&2; exit 130' INT TERM HUP
    mkdir -p "$partial/tmp" .cargo 2>/dev/null ||
        fail "The folder $root can't be written to: make it writable, or clone the project into one that is."
}

# What runs that were killed have left. One that is still going keeps its folder.
remove_stale_partials() {
    for folder in .libtorch.partial.*; do
        if [ -d "$folder" ] && ! kill -0 "${folder##*.}" 2>/dev/null; then rm -rf "$folder" 2>/dev/null || true; fi
    done
}

# ---- Judging a libtorch

# The version that libtorch's folder $1 claims, without a suffix such as +cu130; empty where nothing tells.
version_of() {
    if [ -f "$1/build-version" ]; then
        sed 1q "$1/build-version"
    elif [ -f "$1/version.py" ]; then
        sed -n "s/^__version__.*= *['\"]\(.*\)['\"].*/\1/p" "$1/version.py"
    else
        cat "$1/include/torch/headeronly/version.h" "$1/include/torch/csrc/api/include/torch/version.h" 2>/dev/null |
            awk '/^#define TORCH_VERSION_M(AJOR|INOR) [0-9]/ { printf "%s.", $3 }
                /^#define TORCH_VERSION_PATCH [0-9]/ { print $3 }'
    fi | sed 's/+.*//'
}

has_library() { [ -f "$1/lib/$2.so" ] || [ -f "$1/lib/$2.dylib" ]; }

# Says what is wrong with libtorch's folder $1; nothing if it will do.
fault_of() {
    [ -d "$1" ] || { say "there is no such folder" && return; }
    for library in libtorch libtorch_cpu libc10; do
        has_library "$1" "$library" || { say "it has no lib/$library" && return; }
    done
    [ -f "$1/include/torch/csrc/api/include/torch/torch.h" ] || { say "it has no C++ headers in include" && return; }
    found=$(version_of "$1")
    if [ "${found:-$version}" != "$version" ]; then say "its version is $found"; fi
}

is_good() { [ -z "$(fault_of "$1")" ]; }

# A broken libtorch is better told now than at the end of a build of three minutes. It runs a function of libtorch_cpu.
check_linking() {
    find_compiler
    say "Checking that a program links against it and runs ..."
    cat >"$partial/check.cpp" <<'EOF'
namespace at { int get_num_threads(); }
int main() { return at::get_num_threads() < 1; }
EOF
    # Unquoted, because CXX may hold options too.
    # shellcheck disable=SC2086
    if ! { $cxx -o "$partial/check" "$partial/check.cpp" "-L$1/lib" -ltorch -ltorch_cpu -lc10 "-Wl,-rpath,$1/lib" &&
        "$partial/check"; }; then
        fail "A C++ program can't be linked against $1 or doesn't run, as said above: mend that and run" \
            "./setup.sh again, or have ./setup.sh --force assemble another."
    fi
}

# ---- Tools

find_compiler() {
    cxx=${CXX:-}
    if [ "$cxx" ]; then
        command -v "${cxx%% *}" >/dev/null || fail "CXX is $cxx, but there is none: install it or unset CXX."
        return
    fi
    for cxx in c++ g++ clang++; do
        if command -v "$cxx" >/dev/null; then return; fi
    done
    fail "There is no C++ compiler: install one (Debian, Ubuntu: apt-get install g++; macOS: xcode-select --install)."
}

# As the build of tch does: `python` in a virtual environment, else `python3`.
find_python() {
    for python in ${VIRTUAL_ENV:+python} python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1; then return; fi
    done
    return 1
}

require_pip() {
    find_python ||
        fail "There is no python3: install it and its pip (Debian, Ubuntu: apt-get install python3-pip)."
    "$python" -m pip --version >/dev/null 2>&1 ||
        fail "$python has no pip: install it ($python -m ensurepip; Debian, Ubuntu: apt-get install python3-pip)."
}

# Prints the folder of Python's torch, if it has one. Importing torch would tell it too, but takes seconds.
torch_of_python() {
    find_python || return 0
    "$python" - 2>/dev/null <<'EOF' || true
import importlib.util, os
spec = importlib.util.find_spec("torch")
if spec and spec.origin:
    print(os.path.dirname(os.path.abspath(spec.origin)))
EOF
}

# ---- Assembling

# Sets what the download and the work on it take, in MB.
require_platform() {
    case $(uname -s)-$(uname -m) in
    Linux-x86_64) download=540 room=1200 ;;
    Linux-aarch64 | Linux-arm64) download=440 room=1000 ;;
    Darwin-arm64) download=110 room=600 ;;
    *)
        fail "There is no torch wheel for $(uname -s) on $(uname -m): install libtorch $version and set LIBTORCH to" \
            "its folder, or skip setup.sh and build with --features download-libtorch."
        ;;
    esac
}

require_room() {
    free=$(df -Pk . | awk 'END { print int($4 / 1024) }')
    if [ "$free" -lt "$room" ]; then
        fail "$root has $free MB free, but assembling libtorch takes $room MB: make room and run ./setup.sh again."
    fi
}

# Any Python's wheel will do, since only its C++ parts are used: naming a version makes too old and too new a Python
# work as well. The cache is left out because it would hold another copy, in memory too with older versions of pip.
download() {
    if [ -t 1 ]; then quiet=; else quiet=--quiet; fi
    TMPDIR=$partial/tmp "$python" -m pip download ${quiet:+"$quiet"} --disable-pip-version-check --no-cache-dir \
        --no-deps --only-binary=:all: --implementation cp --python-version 3.11 --dest "$partial/wheels" "$@" ||
        fail "pip could not download $*, as said above: check the network and pip's configuration, and that pip is" \
            "20.3.4 or newer ($python -m pip install --upgrade pip), then run ./setup.sh again; or install libtorch" \
            "$version yourself and set LIBTORCH to its folder."
}

# Unpacks what a CPU libtorch needs of the wheels in folder $1 into folder $2, checks every file against its wheel's
# RECORD, removes the wheels, and prints the version of CUDA if torch is built for it.
unpack() {
    "$python" - "$1" "$2" <<'EOF'
import base64, csv, glob, hashlib, io, os, re, signal, sys, zipfile

signal.signal(signal.SIGINT, signal.SIG_DFL)  # The shell says what is to be said.


def cuda_version(wheel):
    """The version of CUDA that the wheel's torch is built for, None if it is built for the CPU alone."""
    if "torch/lib/libtorch_cuda.so" in wheel.namelist():
        return re.search(r"^cuda.*= *'(.+)'", wheel.read("torch/version.py").decode(), re.MULTILINE).group(1)


def destination(member, cuda):
    """Where a wheel's member belongs in libtorch's folder, None if a CPU libtorch does without it."""
    folder, name = os.path.split(member)
    if folder.startswith("torch/include"):
        return member[len("torch/"):]
    if folder in ("torch/lib", "torch.libs"):
        unwanted = "python|shm|global_deps|cuda|nvrtc" + (r"|^libtorch\.so$" if cuda else "")
        return None if re.search(unwanted, name) else "lib/" + name
    # libtorch_cpu is linked against these two even so, wherever torch is built for CUDA.
    return "lib/" + name if re.match(r"lib(cudart|cupti)\.so", name) else None


def digests(wheel):
    """What the wheel's RECORD says of each member."""
    record = next(name for name in wheel.namelist() if re.match(r"[^/]+\.dist-info/RECORD$", name))
    rows = csv.reader(io.StringIO(wheel.read(record).decode()))
    return {row[0]: row[1] for row in rows if row}


def extract(wheel, member, target):
    """Writes the member to the target and returns its digest, written as in RECORD."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    digest = hashlib.sha256()
    with wheel.open(member) as source, open(target, "wb") as copy:
        for block in iter(lambda: source.read(1 << 20), b""):
            digest.update(block)
            copy.write(block)
    return "sha256=" + base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def unpack(path, folder):
    with zipfile.ZipFile(path) as wheel:
        cuda, expected = cuda_version(wheel), digests(wheel)
        for member in wheel.namelist():
            place = None if member.endswith("/") else destination(member, cuda)
            if place and extract(wheel, member, os.path.join(folder, place)) != expected.get(member):
                raise ValueError(member + " is not what the wheel's RECORD says")
    return cuda


for path in glob.glob(os.path.join(glob.escape(sys.argv[1]), "*.whl")):
    try:
        cuda = unpack(path, sys.argv[2])
    except Exception as error:
        name = os.path.basename(path)
        sys.exit("setup.sh: %s could not be unpacked (%s): run ./setup.sh again." % (name, error))
    os.remove(path)
    if cuda:
        print(cuda)
EOF
}

# The libraries of CUDA that libtorch_cpu of a CUDA build refers to. Up to CUDA 12 their wheels are named after it.
add_cuda_stubs() {
    case $1 in 1[0-2].*) suffix=-cu${1%%.*} ;; *) suffix= ;; esac
    download "nvidia-cuda-runtime$suffix==$1.*" "nvidia-cuda-cupti$suffix==$1.*"
    unpack "$partial/wheels" "$partial/libtorch" >/dev/null || exit 1
}

# The wheel's own wants all of CUDA. Nothing is in it: who links against libtorch means the libraries behind it.
make_empty_libtorch() {
    # shellcheck disable=SC2016,SC2086
    $cxx -shared -o "$1/libtorch.so" -Wl,-soname,libtorch.so -Wl,-rpath,'$ORIGIN' "-L$1" -Wl,--no-as-needed \
        -ltorch_cpu -lc10 ||
        fail "The C++ compiler ($cxx) could not link libtorch.so, as said above: mend that, or set CXX to another."
}

# Python renames, because mv would move the folder into one that another run has put there meanwhile.
put_in_place() {
    if [ -z "$force" ] && is_good .libtorch; then return; fi
    if [ -e .libtorch ]; then mv .libtorch "$partial/old" 2>/dev/null || true; fi
    "$python" -c 'import os, sys; os.rename(*sys.argv[1:])' "$partial/libtorch" .libtorch 2>/dev/null ||
        is_good .libtorch || fail "$root/.libtorch could not be put in place: remove it and run ./setup.sh again."
}

assemble() {
    require_platform
    require_pip
    find_compiler
    require_room
    start_partial
    say "Assembling libtorch $version for the CPU in .libtorch."
    say "Downloading up to $download MB with pip; about 0.5 GB stays in .libtorch ..."
    download "torch==$version"
    say "Unpacking and checking every file's digest ..."
    cuda=$(unpack "$partial/wheels" "$partial/libtorch") || exit 1
    if [ "$cuda" ]; then
        add_cuda_stubs "$cuda"
        make_empty_libtorch "$partial/libtorch/lib"
    fi
    say "$version" >"$partial/libtorch/build-version"
    check_linking "$partial/libtorch"
    put_in_place
}

# ---- Recording

toml_string() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

# A relative path lets the checkout be moved.
env_line() {
    if [ "$1" = "$root/.libtorch" ]; then
        say 'LIBTORCH = { value = ".libtorch", relative = true }'
    else
        say "LIBTORCH = $(toml_string "$1")"
    fi
}

rustdoc_line() { say "rustdocflags = [\"-C\", $(toml_string "link-arg=-Wl,-rpath,$1/lib")]"; }

config_text() {
    cat <<EOF
$marker
[env]
$(env_line "$1")

[build]
# Documentation tests are linked by rustdoc, which takes no notice of build.rs.
$(rustdoc_line "$1")
EOF
}

# The folder of libtorch that the configuration names, if any.
recorded() {
    value=$(sed -n 's/^LIBTORCH = //p' "$config" 2>/dev/null) || return 0
    case $value in
    '{ value = ".libtorch", relative = true }') say "$root/.libtorch" ;;
    '"'*'"') say "$value" | sed 's/^"//; s/"$//; s/\\\(.\)/\1/g' ;;
    esac
}

is_recorded() {
    grep -Fxqe "$(env_line "$1")" "$config" 2>/dev/null && grep -Fxqe "$(rustdoc_line "$1")" "$config"
}

record() {
    if [ -f "$config" ] && [ "$(sed 1q "$config")" != "$marker" ]; then
        fail "$config was not written by setup.sh and is left alone: put these lines into it, or move it away and run" \
            "./setup.sh again.
$(config_text "$1" | sed 1d)"
    fi
    start_partial
    # What lies in .libtorch was checked before it was put there.
    if [ "$1" != "$root/.libtorch" ]; then check_linking "$1"; fi
    config_text "$1" >"$partial/config.toml"
    mv "$partial/config.toml" "$config" ||
        fail "$root/$config can't be written: make it writable and run ./setup.sh again."
}

# ---- Choosing

# Sets $libtorch. LIBTORCH_USE_PYTORCH comes first because it does so in the build of tch too.
choose_libtorch() {
    if [ "${LIBTORCH_USE_PYTORCH+set}" ]; then
        libtorch=$(torch_of_python)
        [ "$libtorch" ] ||
            fail "LIBTORCH_USE_PYTORCH is set, but Python has no torch: pip install torch==$version, or unset it."
        require_good "LIBTORCH_USE_PYTORCH is set, but Python's torch in $libtorch"
    elif [ "${LIBTORCH+set}" ]; then
        libtorch=${LIBTORCH%/}
        case $libtorch in
        /*) ;;
        *) fail "LIBTORCH is '$LIBTORCH', but has to be an absolute path for cargo: make it one, or unset it." ;;
        esac
        require_good "LIBTORCH is set, but $libtorch"
    elif [ "$force" ] || ! find_libtorch; then
        libtorch=$root/.libtorch
        assemble
    fi
}

require_good() {
    is_good "$libtorch" || fail "$1 will not do ($(fault_of "$libtorch")): it has to be a whole libtorch $version."
}

find_libtorch() {
    libtorch=$(recorded)
    if is_good "$libtorch"; then return; fi
    libtorch=$root/.libtorch
    if is_good "$libtorch"; then return; fi
    libtorch=$(torch_of_python)
    is_good "$libtorch"
}

main() {
    parse_arguments "$@"
    unset CDPATH
    cd -- "$(dirname -- "$0")"
    root=$(pwd -P)
    remove_stale_partials
    choose_libtorch
    if is_recorded "$libtorch"; then
        say "libtorch $version is set up already: $libtorch"
    else
        record "$libtorch"
        say "libtorch $version is set up: $libtorch, recorded in $config"
    fi
    if ! command -v cargo >/dev/null; then
        rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
        say "Warning: there is no cargo: install Rust with rustup, or from your system's packages if $rust or newer." >&2
    fi
    say "Next: cargo run --release -- --env cartpole"
}

main "$@"
