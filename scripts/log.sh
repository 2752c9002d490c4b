#!/usr/bin/env bash
# Shows what an engineer sees who builds the core with its feature `defmt`: runs examples/firmware/log in QEMU, where two ends of a line log transfers
# that go well and everything else, and decodes the log. Fails if it is not the one that is committed, or if something is logged twice.
#
# usage: scripts/log.sh [--update]      (writes examples/firmware/log/log.txt anew)
#
# It needs defmt-print (cargo install defmt-print --locked; DEFMT_PRINT says where it is), and installs QEMU if that is missing (Debian).
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
firmware=$root/examples/firmware/log
expected=$firmware/log.txt

fail() {
    echo "log: $*" >&2
    exit 1
}

print=${DEFMT_PRINT:-defmt-print}
command -v "$print" >/dev/null || fail "defmt-print is missing: cargo install defmt-print --locked"
if ! command -v qemu-system-arm >/dev/null; then
    command -v apt-get >/dev/null || fail "qemu-system-arm is missing (Debian: qemu-system-arm)"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes \
        --no-install-recommends qemu-system-arm </dev/null >/dev/null
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$root/scripts/embedded-toolchain.sh"
# From its folder: cargo finds the linker's arguments there. RUSTFLAGS would replace them.
(cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u DEFMT_LOG cargo +embedded build --locked --release)
image=${CARGO_TARGET_DIR:-$firmware/target}/thumbv6m-none-eabi/release/log

(cd "$scratch" && timeout 60 qemu-system-arm -M lm3s6965evb -display none -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$image" </dev/null) || fail "the firmware has ended badly"
[ -s "$scratch/log.defmt" ] || fail "nothing was logged"
"$print" -e "$image" --log-format '{t} {L} {s}' <"$scratch/log.defmt" | sed 's/ *$//' >"$scratch/log.txt"
twice=$(sort "$scratch/log.txt" | uniq -d)
[ -z "$twice" ] || fail "logged twice: $twice"
if [ "${1:-}" = --update ]; then
    cp "$scratch/log.txt" "$expected"
else
    cat "$scratch/log.txt"
    diff -u "$expected" "$scratch/log.txt" || fail "the log is another one: scripts/log.sh --update"
fi
