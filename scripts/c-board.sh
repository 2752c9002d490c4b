#!/usr/bin/env bash
# Links the C library into firmware by arm-none-eabi-gcc (c/examples/board), and moves files between it and the command, over the UART that QEMU emulates.
#
# usage: scripts/c-board.sh
#
# It needs arm-none-eabi-gcc and qemu-system-arm, and ends only what it has started.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
library=$root/c
board=$library/examples/board
target=thumbv6m-none-eabi
patience=60

scratch=$(mktemp -d)
emulator=

finish() {
    local status=$?
    if [ -n "$emulator" ]; then
        kill -9 "$emulator" 2>/dev/null || true
        wait "$emulator" 2>/dev/null || true
    fi
    [ $status -eq 0 ] || cat "$scratch/said" >&2 || true
    rm -rf "$scratch"
}
trap finish EXIT

fail() {
    echo "c-board: $*" >&2
    exit 1
}

"$root/scripts/embedded-toolchain.sh"
cargo build --locked --quiet --manifest-path "$root/Cargo.toml" --package sampan
sampan=${CARGO_TARGET_DIR:-$root/target}/debug/sampan
(cd "$library" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS cargo +embedded build --locked --quiet --release --target $target)
archive=${CARGO_TARGET_DIR:-$library/target}/$target/release/libsampan.a
arm-none-eabi-gcc -std=c11 -Wall -Wextra -Werror -Os -g -mcpu=cortex-m0 -mthumb -ffreestanding -nostdlib -ffunction-sections -fdata-sections \
    -Wl,--gc-sections -T "$board/board.ld" -I "$library/include" "$board/board.c" "$archive" -lgcc -Wl,-z,noexecstack -o "$scratch/board.elf"
arm-none-eabi-size "$scratch/board.elf"
# The handler itself may be there, but nothing that formats what it would say.
if arm-none-eabi-nm -C "$scratch/board.elf" | grep -E 'panic_fmt|panic_bounds|core::fmt::'; then fail "there is a panic in the image"; fi

cd "$scratch"
qemu-system-arm -M lm3s6965evb -display none -monitor none -serial pty -semihosting-config enable=on,target=native -kernel board.elf \
    </dev/null >said 2>&1 &
emulator=$!
end=$((SECONDS + patience))
until port=$(sed -n 's|.*char device redirected to \(/dev/[^ ]*\).*|\1|p' said) && [ -n "$port" ]; do
    [ $SECONDS -lt $end ] || fail "the emulator has no serial port"
    sleep 0.05
done

for size in 24576 1000; do
    head -c $size /dev/urandom >"file-$size"
    "$sampan" send "file-$size" --to "serial:$port"
    "$sampan" ls --from "serial:$port" >listed
    grep -q "$size .*file-$size\$" listed || fail "the listing lacks the file"
    "$sampan" get "file-$size" --from "serial:$port" -o back
    cmp "file-$size" back || fail "the board gave something else back"
    rm back
done
head -c 24577 /dev/urandom >larger
if "$sampan" send larger --to "serial:$port" 2>/dev/null; then fail "the board took more than it has room for"; fi
echo "c-board: all is as it was sent"
