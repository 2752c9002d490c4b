#!/usr/bin/env bash
# Builds the firmware of examples/firmware/receive-only in several profiles, and prints what the engine, its framing and its driver take of flash and of
# static RAM. Fails if an image that only receives has an allocator, a panic or formatting in it.
#
# Flash and static RAM are what the image has of them, less the symbols of the rest of the firmware: the start-up code and the
# packages' own, where nothing that the engine calls or is called by is inlined.
#
# usage: scripts/footprint.sh [--map PROFILE] [--packages]      (see scripts/embedded-toolchain.sh)
#        --map: every symbol, of the engine and of the rest; a profile is a list of features, as "" or both,cobs
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
firmware=$root/examples/firmware/receive-only
target=thumbv6m-none-eabi
image=${CARGO_TARGET_DIR:-$firmware/target}/$target/release/receive-only

# From its folder: cargo finds the linker's arguments there. RUSTFLAGS would replace them.
build() {
    (cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        cargo +embedded build --locked --release --quiet --features "$1")
}

map=
if [ "${1:-}" = --map ]; then
    map=yes features=$2
    shift 2
fi
"$root/scripts/embedded-toolchain.sh" "$@"
if [ -n "$map" ]; then
    build "$features"
    exec python3 "$root/scripts/footprint.py" "$image" --map
fi

unwanted='panic|rust_begin_unwind|rust_eh|core::fmt|core::(option|result|slice|str|cell)::.*_fail|__rust_|__rg_|__rdl_|(^|[ <])alloc::|handle_alloc'
profile() {
    local what=$1 features=$2 found
    build "$features"
    printf '%-36s ' "$what"
    python3 "$root/scripts/footprint.py" "$image"
    if found=$(nm -C "$image" | grep -E "$unwanted"); then
        printf '\nfootprint: the image should have none of these:\n%s\n' "$found" >&2
        exit 1
    fi
}

printf '\n%s\n' "bytes of the engine, $target"
profile "receives, nothing is lost" ""
profile "receives, COBS" cobs
profile "both roles, nothing is lost" both
profile "both roles, COBS" both,cobs
profile "the classic handshake" classic
