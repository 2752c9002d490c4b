#!/usr/bin/env bash
# What receiving takes of a processor, and of a UART, on emulated boards (examples/firmware/measure).
#
# usage: scripts/board-speed.sh [instructions | uart]      (both if none is named)
#
# instructions: how many a receiver takes for each byte of a file of 64 KiB, all its frames included, counted by QEMU (`-icount shift=0`: SysTick, every count of which is
#   40 of them; the image counts two million first, to see that it does). Sender and receiver are in one image for a Cortex-M3, of Cortex-M0 code, and pass
#   bytes in memory; the receiver's turns are counted alone: engine, framing, driver and check, less what reading from that memory costs by itself. The check is
#   made without a table, with one of 64 bytes and with one of 1 KiB; once through the file costs what the last column says.
# uart: the seconds that 128 KiB take into a board, from the start of the command to its end, over the UART to a receiver that keeps nothing, and beside it, three times
#   each in turn, the same bytes without any protocol, read by the same driver. Medians.
#
# It takes two minutes. It installs QEMU if that is missing (Debian), and ends only what it has started.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
firmware=$root/examples/firmware/measure
size=131072
patience=60

scratch=$(mktemp -d)
emulator=

finish() {
    [ -z "$emulator" ] || kill -9 "$emulator" 2>/dev/null || true
    rm -rf "$scratch"
}
trap finish EXIT

fail() {
    echo "board-speed: $*" >&2
    exit 1
}

# Waits until a command succeeds.
within() {
    local seconds=$1 what=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "not within $seconds s: $what"
        sleep 0.05
    done
}

if ! command -v qemu-system-arm >/dev/null; then
    command -v apt-get >/dev/null || fail "qemu-system-arm is missing (Debian: qemu-system-arm)"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes \
        --no-install-recommends qemu-system-arm </dev/null >/dev/null
fi

# Builds an image, whose name is then in `image`.
build() {
    local name=$1 features=$2
    # From its folder: cargo finds the linker's arguments there. RUSTFLAGS would replace them.
    (cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        cargo +embedded build --locked --release --quiet --bin "$name" --features "$features")
    cp "${CARGO_TARGET_DIR:-$firmware/target}/thumbv6m-none-eabi/release/$name" "$scratch"
    image=$scratch/$name
}

emulate() {
    local board=$1
    shift
    exec qemu-system-arm -M "$board" -display none -monitor none -semihosting-config enable=on,target=native \
        -kernel "$image" "$@" </dev/null
}

count_instructions() {
    local framing check line
    printf '\n%-10s %-12s %12s %8s %14s %14s %14s\n' framing "check" "buffer" frames "a byte" "a frame" "check, a byte"
    for framing in stream cobs; do
        for check in no-table table-64 table-1024; do
            features=mps2-an385
            [ $framing = stream ] || features+=,cobs
            case $check in
                no-table) features+=,bitwise ;;
                table-1024) features+=,bytewise ;;
            esac
            build instructions "$features"
            (emulate mps2-an385 -serial none -icount shift=0) >"$scratch/counted" 2>&1 &
            emulator=$!
            within $patience "the count" has_ended
            [ "$(grep -c "^$framing $check " "$scratch/counted")" = 2 ] || fail "$(cat "$scratch/counted")"
            awk '{
                each = $8 - $10
                printf "%-10s %-12s %12d %8d %14.1f %14d %14.1f\n", $1, $2, $4, $6, each, each * 65536 / $6, $12
            }' "$scratch/counted"
        done
    done
}

has_ended() {
    ! kill -0 "$emulator" 2>/dev/null || return 1
    wait "$emulator" 2>/dev/null || true
    emulator=
}

port_is_known() {
    port=$(sed -n 's|.*char device redirected to \(/dev/[^ ]*\).*|\1|p' "$scratch/said")
    [ -n "$port" ]
}

switch_on() {
    : >"$scratch/said"
    (emulate "$1" -serial pty) >"$scratch/said" 2>&1 &
    emulator=$!
    within $patience "the emulator's serial port" port_is_known
}

switch_off() {
    kill -9 "$emulator"
    wait "$emulator" 2>/dev/null || true
    emulator=
}

# Sends a file to a board without any protocol, and waits for its word that all has come.
send_raw() {
    exec 7<>"$port"
    stty -F "$port" raw -echo
    cat "$scratch/file" >&7
    [ "$(timeout $patience head -c 1 <&7)" = . ] || fail "the board has not said that all has come"
    exec 7>&-
}

send() {
    timeout $patience "$sampan" send --json "$scratch/file" --to "serial:$port" >"$scratch/sent" 2>&1 ||
        fail "the command ended with $?: $(cat "$scratch/sent")"
}

# Seconds that a command takes.
seconds_of() {
    local begun
    begun=$(date +%s.%N)
    "$@"
    echo "$begun $(date +%s.%N)" | awk '{ printf "%.2f\n", $2 - $1 }'
}

measure_uart() {
    local board features round raw received
    (cd "$root" && cargo build --locked --package sampan)
    sampan=${CARGO_TARGET_DIR:-$root/target}/debug/sampan
    head -c $size /dev/urandom >"$scratch/file"
    printf '\n%-14s %12s %14s %10s\n' "$((size / 1024)) KiB into" "raw bytes, s" "received, s" "of the raw"
    for board in lm3s6965evb mps2-an385; do
        features=
        [ $board = lm3s6965evb ] || features=$board
        : >"$scratch/raw" >"$scratch/received"
        for round in 1 2 3; do
            build uart-raw "$features"
            switch_on $board
            seconds_of send_raw >>"$scratch/raw"
            switch_off
            build uart-sink "$features"
            switch_on $board
            seconds_of send >>"$scratch/received"
            switch_off
        done
        raw=$(sort -n "$scratch/raw" | sed -n 2p)
        received=$(sort -n "$scratch/received" | sed -n 2p)
        echo "$board $raw $received" | awk '{ printf "%-14s %12.2f %14.2f %9.0f%%\n", $1, $2, $3, 100 * $2 / $3 }'
    done
}

"$root/scripts/embedded-toolchain.sh"
case "$*" in
    '')
        count_instructions
        measure_uart
        ;;
    instructions) count_instructions ;;
    uart) measure_uart ;;
    *) fail "usage: scripts/board-speed.sh [instructions | uart]" ;;
esac
