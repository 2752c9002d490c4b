#!/usr/bin/env bash
# Builds the receive-only firmware and prints what it takes of flash and of static RAM: the whole image, the same board
# without the engine, and so the engine alone. Fails if the image has an allocator, a panic or formatting in it. Then the same of other
# sessions: in COBS, and in both roles.
#
# usage: scripts/footprint.sh [--packages]      (see scripts/embedded-toolchain.sh)
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
firmware=$root/examples/firmware/receive-only
target=thumbv6m-none-eabi

"$root/scripts/embedded-toolchain.sh" "$@"
# From its folder: cargo finds the linker's arguments there. RUSTFLAGS would replace them.
(cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS cargo +embedded build --locked --release)
images=${CARGO_TARGET_DIR:-$firmware/target}/$target/release
image=$images/receive-only
baseline=$images/baseline

# Bytes of the named sections of an image.
bytes_of() {
    local file=$1
    shift
    size -A "$file" | awk -v names=" $* " '$1 != "" && index(names, " " $1 " ") { n += $2 } END { print n + 0 }'
}

row() {
    local what=$1 whole without
    shift
    whole=$(bytes_of "$image" "$@")
    without=$(bytes_of "$baseline" "$@")
    printf '%-28s %8d %10d %8d\n' "$what" "$whole" "$without" $((whole - without))
}

# An image that is empty, or not linked where the vectors belong, would pass every check.
[ "$(bytes_of "$image" .vector_table)" -gt 0 ] || { echo "footprint: $image has no vector table" >&2; exit 1; }

printf '\n%-28s %8s %10s %8s\n' "bytes" "image" "baseline" "engine"
row "flash: code" .vector_table .text
row "flash: constants" .rodata
row "flash: initial values" .data
row "flash in all" .vector_table .text .rodata .data
row "static RAM in all" .data .bss .uninit

printf '\nstatic RAM by symbol\n'
nm -S --size-sort -r -C "$image" | awk '$3 ~ /^[bBdD]$/ { n = $2; $1 = $2 = $3 = ""; sub(/^ +/, ""); print n, $0 }' |
    while read -r bytes name; do printf '%6d  %s\n' "$((16#$bytes))" "$name"; done

printf '\nflash by symbol, the 25 largest\n'
nm -S --size-sort -r -C "$image" | awk '$3 ~ /^[tTrRwWvV]$/ { n = $2; $1 = $2 = $3 = ""; sub(/^ +/, ""); print n, $0 }' |
    sed -n 1,25p | while read -r bytes name; do printf '%6d  %s\n' "$((16#$bytes))" "$name"; done

unwanted='panic|rust_begin_unwind|rust_eh|core::fmt|core::(option|result|slice|str|cell)::.*_fail|__rust_|__rg_|__rdl_|(^|[ <])alloc::|handle_alloc'
if found=$(nm -C "$image" | grep -E "$unwanted"); then
    printf '\nfootprint: the image should have none of these:\n%s\n' "$found" >&2
    exit 1
fi
printf '\nno allocator, no panic, no formatting in the image\n'

# The engine alone, in an image of these features.
profile() {
    local what=$1 features=$2
    (cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        cargo +embedded build --locked --release --quiet --features "$features")
    printf '%-36s %8d %8d\n' "$what" \
        $(($(bytes_of "$image" .vector_table .text .rodata .data) - $(bytes_of "$baseline" .vector_table .text .rodata .data))) \
        $(($(bytes_of "$image" .data .bss .uninit) - $(bytes_of "$baseline" .data .bss .uninit)))
}

printf '\n%-36s %8s %8s\n' "bytes of the engine, $target" "flash" "RAM"
profile "receives, nothing is lost" ""
profile "receives, COBS" cobs
profile "both roles, nothing is lost" both
profile "both roles, COBS" both,cobs
