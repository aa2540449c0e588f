#!/bin/sh
# That .ci/circles finds circles, and only what is one.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() {
    printf 'tests/circles_test.sh: %s\n' "$*" >&2
    exit 1
}

mkdir -p "$tmp/src/b"
printf 'mod a;\nmod b;\nmod c;\npub use c::Error;\n' >"$tmp/src/lib.rs"
printf 'use crate::{b::{first, second}, Error};\n' >"$tmp/src/a.rs"
printf 'mod one;\nmod two;\npub use one::first;\n' >"$tmp/src/b/mod.rs"
printf 'use super::two;\n' >"$tmp/src/b/one.rs"
cat >"$tmp/src/b/two.rs" <<'RUST'
//! See [`crate::a`].
/* crate::a /* nested */ crate::a */
const TEXT: (&str, char) = ("crate::a \" crate::a", '"');
#[cfg(test)]
mod tests {
    use crate::a;
}
RUST
printf 'pub struct Error;\n' >"$tmp/src/c.rs"
.ci/circles "$tmp" >/dev/null || fail 'it finds a circle where there is none.'

finds() {
    said=$(.ci/circles "$tmp" 2>&1) && fail "it does not find that $1."
    case $said in
    *"$1"*) ;;
    *) fail "it does not say that $1, but: $said" ;;
    esac
}
printf 'fn f() -> crate::a::X {}\n' >"$tmp/src/c.rs"
finds 'a imports c (src/a.rs:1), c imports a (src/c.rs:1)'
printf 'pub struct Error;\n' >"$tmp/src/c.rs"
printf '\nuse super::first;\n' >>"$tmp/src/b/two.rs"
finds 'one imports two (src/b/one.rs:1), two imports one (src/b/two.rs:9)'
