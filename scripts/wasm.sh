#!/usr/bin/env bash
# Builds the engine for WebAssembly, and sends a file between two instances of it in Node: over a stream, cut off and resumed, and over links
# that damage and lose.
#
# usage: scripts/wasm.sh [FILE]        by default 1 MiB of random bytes
#
# It needs Node 16 or newer; where there is none, Debian's.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
package=$root/examples/wasm
target=wasm32-unknown-unknown

die() {
    echo "wasm: $*" >&2
    exit 1
}

install_node() {
    local root=()
    command -v apt-get >/dev/null || die "node is missing"
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null || true
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes \
        --no-install-recommends nodejs </dev/null >/dev/null
}

command -v node >/dev/null || install_node
[ "$(node --print 'process.versions.node.split(".")[0]')" -ge 16 ] || die "node $(node --version) is too old; 16 is needed"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
file=${1:-$scratch/file}
[ $# -gt 0 ] || head -c 1048576 /dev/urandom >"$file"

"$root/scripts/embedded-toolchain.sh"
cargo +embedded build --locked --release --target $target --manifest-path "$package/Cargo.toml"
node "$package/transfer.mjs" "${CARGO_TARGET_DIR:-$package/target}/$target/release/wasm.wasm" "$file" | tee "$scratch/said"
grep -qE '^[1-9][0-9]* transfers, 0 failures$' "$scratch/said" || die "no transfer has run"
