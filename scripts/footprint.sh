#!/usr/bin/env bash
# What the engine takes of a microcontroller: builds the firmware of examples/firmware/receive-only in every profile for three processors, and prints the flash,
# the static RAM and the worst stack of each. Fails if one passes its budget (examples/firmware/budgets.txt), or has a panic, formatting, an allocator or floating
# point in it.
#
# usage: scripts/footprint.sh [--check | --write] [--packages]
#        --check: fails, too, if the table in README.md says something else, but for rounding (one of another compiler's is not
#        compared); --write: makes that table, and lowers the budgets to what is needed
#        scripts/footprint.sh --map TARGET FEATURES
#        every symbol of one image, of the engine and of the rest, and the calls that take the most stack; FEATURES as "" or lean,cobs
#        --packages: see scripts/embedded-toolchain.sh
#
# The images are optimised for size ("z", with LTO) and differ by what the firmware's session is made of. How each number comes about:
#
# - Flash: all code, constants and initial values of the image, less the symbols of the rest of the firmware: start-up code, the main loop, and the package
#   `board`, which has the drivers of the chip, the store and its flash writer. The engine, the framing, the nb driver, and whatever of `core` and of the
#   compiler's library comes with them is left (scripts/footprint/image.py). Nothing that the engine calls, or is called by, is inlined, so that no byte lies
#   between. As with any firmware, what it never makes use of is not linked: this one looks at no event.
# - Static RAM: all variables, less those of the rest of the firmware. There are the session, its slots, 128 bytes to receive into and 64 to transmit from (the classic
#   handshake: 128 each). What the main loop keeps in its frame is not among them.
# - Worst stack: the deepest path of calls from the engine's entries, by the frames of all functions on it, as their instructions have them
#   (scripts/footprint/stack.py). It is a bound: no run takes more (scripts/board-costs.sh sees how much a run does take). What the engine calls of the firmware takes its own on top, and so do interrupts.
# - With `defmt`: all log points of the engine, and what they call to put a frame together, but not the logger, which is the firmware's. The words of the log take no flash:
#   they stay in the file of the image, in a section that is not loaded.
# - Names: the image of a store that looks whether a name is valid, less that of one that does not.
#
# For RISC-V there is no board here: those images are linked, and never run.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
firmware=$root/examples/firmware/receive-only

usage() {
    echo "usage: scripts/footprint.sh [--check | --write | --map TARGET FEATURES] [--packages]" >&2
    exit 1
}

report() {
    python3 -B "$root/scripts/footprint" "$@"
}

# Builds an image, whose name is then in `image`.
build() {
    local target=$1 features=$2
    # From its folder: cargo finds the linker's arguments there. RUSTFLAGS would replace them.
    (cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        DEFMT_LOG=trace cargo +embedded build --locked --release --quiet --target "$target" --features "$features")
    image=${CARGO_TARGET_DIR:-$firmware/target}/$target/release/receive-only
}

mode=() map=()
while [ $# -gt 0 ]; do
    case "$1" in
        --check | --write) mode=("$1") ;;
        --packages) packages=$1 ;;
        --map) [ $# -gt 2 ] || usage; map=("$2" "$3"); shift 2 ;;
        *) usage ;;
    esac
    shift
done
"$root/scripts/embedded-toolchain.sh" ${packages:+"$packages"}

if [ ${#map[@]} -gt 0 ]; then
    build "${map[@]}"
    report --map "$image"
    exit
fi

images=$(mktemp -d)
trap 'rm -rf "$images"' EXIT

# An image that has all that is looked for: that it is not found elsewhere says something.
build thumbv6m-none-eabi spoilt
report --look "$image"

PYTHONPATH=$root/scripts/footprint python3 -B - >"$images/list" <<'PYTHON'
from profiles import NAMES, PROFILES, TARGETS
for target in TARGETS:
    for profile, (features, *_) in [*PROFILES.items(), (NAMES[1], NAMES[2:])]:
        print(target, profile, features)
PYTHON
while read -r target profile features; do
    build "$target" "$features"
    mkdir -p "$images/$target"
    cp "$image" "$images/$target/$profile"
done <"$images/list"
compiler=$(rustc +embedded --version | cut -d ' ' -f 1-2)
report --images "$images" --compiler "$compiler" --budgets "$root/examples/firmware/budgets.txt" --readme "$root/README.md" "${mode[@]}"
