#!/usr/bin/env bash
# What receiving takes of a processor, of a stack and of a UART, on emulated boards (examples/firmware/measure, and receive-only).
#
# usage: scripts/board-costs.sh [instructions | stack | uart]      (all if none is named)
#
# instructions: how many a receiver, by the lean engine and by the whole one, takes for each byte of a file of 64 KiB, all its frames included, counted by QEMU (`-icount shift=0`: SysTick, every count of which is
#   40 of them; the image counts two million first, to see that it does). Sender and receiver are in one image for a Cortex-M3, of Cortex-M0 code, and pass
#   bytes in memory; the receiver's turns are counted alone: engine, framing, driver and check, less what reading from that memory costs by itself. The check is
#   made without a table, with one of 64 bytes and with one of 1 KiB; once through the file costs what the last column says.
# stack: how much of it the firmware of scripts/footprint.sh has taken after transfers that were cut off, resumed, refused, disturbed by bytes that are no frames, and
#   unnecessary: all of RAM is zero when the emulator starts, so it is seen. It must not be more than the bound that the report finds for the whole firmware; and the
#   files must be there, which shows that what is measured there works.
# uart: the seconds that 128 or 64 KiB take into a board, from the start of the command to its end, over the UART to a receiver that keeps nothing, by either engine, and beside it, three times
#   each in turn, the same bytes without any protocol, read by the same driver. Medians.
#
# It takes four minutes, and more if nothing is built yet. It needs Python and LLVM's tools, installs QEMU if that is missing (Debian), and ends only what it has started.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
examples=$root/examples/firmware
step=65536
patience=60

scratch=$(mktemp -d)
emulator=

finish() {
    [ -z "$emulator" ] || kill -9 "$emulator" 2>/dev/null || true
    rm -rf "$scratch"
}
trap finish EXIT

fail() {
    echo "board-costs: $*" >&2
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
    local firmware=$examples/$1 name=$2 features=$3
    # From its folder: cargo finds the linker's arguments there. RUSTFLAGS would replace them.
    (cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        cargo +embedded build --locked --release --quiet --bin "$name" --features "$features")
    cp "${CARGO_TARGET_DIR:-$firmware/target}/thumbv6m-none-eabi/release/$name" "$scratch"
    image=$scratch/$name
}

emulate() {
    local board=$1
    shift
    exec qemu-system-arm -M "$board" -display none -semihosting-config enable=on,target=native \
        -kernel "$image" "$@"
}

count_instructions() {
    local engine framing check features
    printf '\n%-7s %-8s %-12s %8s %8s %12s %12s %15s\n' engine framing "check" "buffer" frames "a byte" "a frame" "check, a byte"
    for engine in lean whole; do
        for framing in stream cobs; do
            for check in no-table table-64 table-1024; do
                features=mps2-an385
                [ $engine = whole ] || features+=,lean
                [ $framing = stream ] || features+=,cobs
                case $check in
                    no-table) features+=,bitwise ;;
                    table-1024) features+=,bytewise ;;
                esac
                build measure instructions "$features"
                (emulate mps2-an385 -monitor none -serial none -icount shift=0) </dev/null >"$scratch/counted" 2>&1 &
                emulator=$!
                within $patience "the count" has_ended
                [ "$(grep -c "^$engine $framing $check " "$scratch/counted")" = 2 ] || fail "$(cat "$scratch/counted")"
                awk '{
                    each = $9 - $11
                    printf "%-7s %-8s %-12s %8d %8d %12.1f %12d %15.1f\n", $1, $2, $3, $5, $7, each, each * 65536 / $7, $13
                }' "$scratch/counted"
            done
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
    rm -f "$scratch/monitor"
    mkfifo "$scratch/monitor"
    (emulate "$1" -monitor stdio -serial pty) <"$scratch/monitor" >"$scratch/said" 2>&1 &
    emulator=$!
    # What comes into this pipe the emulator does.
    exec 8>"$scratch/monitor"
    within $patience "the emulator's serial port" port_is_known
}

switch_off() {
    kill -9 "$emulator"
    wait "$emulator" 2>/dev/null || true
    emulator=
    exec 8>&-
}

# Sends a file to a board without any protocol, and waits for its word that all has come.
send_raw() {
    exec 7<>"$port"
    stty -F "$port" raw -echo
    cat "$scratch/file" >&7
    # A byte for each step.
    [ "$(timeout $patience head -c $((size / step)) <&7 | wc -c)" = $((size / step)) ] || fail "the board has not said that all has come"
    exec 7>&-
}

send() {
    timeout $patience "$sampan" send --json "$1" --to "serial:$port" >"$scratch/sent" 2>&1 ||
        fail "the command ended with $?: $(cat "$scratch/sent")"
}

# Seconds that a command takes.
seconds_of() {
    local begun
    begun=$(date +%s.%N)
    "$@"
    echo "$begun $(date +%s.%N)" | awk '{ printf "%.2f\n", $2 - $1 }'
}

# What is in RAM, into a file.
save_ram() {
    rm -f "$scratch/ram"
    echo "memsave 0x20000000 $ram \"$scratch/ram\"" >&8
    within $patience "the contents of RAM" ram_is_saved
}

ram_is_saved() {
    [ "$(stat -c %s "$scratch/ram" 2>/dev/null)" = $ram ]
}

# Uses every part of the firmware.
exercise() {
    # The store has no room for this.
    head -c 200000 /dev/zero >"$scratch/long"
    ! "$sampan" send "$scratch/long" --retries 0 --to "serial:$port" >"$scratch/sent" 2>&1 || fail "the board took a file that is too long"
    head -c 60000 /dev/urandom >"$scratch/short"
    timeout 1 "$sampan" send "$scratch/short" --to "serial:$port" >"$scratch/sent" 2>&1 || true
    exec 7<>"$port"
    stty -F "$port" raw -echo
    head -c 2000 /dev/urandom >&7
    exec 7>&-
    send "$scratch/short"
    send "$scratch/short"
    "$sampan" ping --count 2 "serial:$port" >"$scratch/sent" 2>&1 || fail "no answer: $(cat "$scratch/sent")"
    case $features in
        *both*)
            timeout $patience "$sampan" get file --from "serial:$port" -o "$scratch/back" >"$scratch/sent" 2>&1 || fail "$(cat "$scratch/sent")"
            cmp "$scratch/short" "$scratch/back" || fail "something else came back"
            ;;
        *) ! "$sampan" get file --retries 0 --from "serial:$port" -o "$scratch/back" >"$scratch/sent" 2>&1 || fail "it does not send, and has sent" ;;
    esac
}

# The memory of a micro:bit.
ram=16384

watch_stack() {
    local board=microbit features bound end taken
    make_sampan
    printf '\n%-34s %10s %10s\n' "stack of the whole firmware, bytes" "seen" "bound"
    for features in lean,cobs lean,both,cobs cobs both,cobs; do
        build receive-only receive-only $features
        read -r bound end < <(python3 -B "$root/scripts/footprint" --bound "$image")
        switch_on $board
        exercise
        save_ram
        switch_off
        # From the end of the variables up, the first byte that is not zero any more.
        taken=$(python3 -c '
import sys
ram, end = open(sys.argv[1], "rb").read(), int(sys.argv[2]) - 0x2000_0000
print(len(ram[end:].lstrip(bytes(1))))' "$scratch/ram" "$end")
        printf '%-34s %10d %10d\n' "$features" "$taken" "$bound"
        [ "$taken" -gt 0 ] && [ "$taken" -le "$bound" ] || fail "the stack was $taken bytes deep, and can be $bound"
    done
}

make_sampan() {
    (cd "$root" && cargo build --locked --package sampan)
    sampan=${CARGO_TARGET_DIR:-$root/target}/debug/sampan
}

measure_uart() {
    local board size features engine round raw
    make_sampan
    printf '\n%-14s %8s %14s %16s %10s %16s %10s\n' "UART of" KiB "raw bytes, s" "lean engine, s" "of the raw" "whole engine, s" "of the raw"
    for board in lm3s6965evb mps2-an385; do
        features= size=$((2 * step))
        [ $board = lm3s6965evb ] || features=,$board size=$step
        head -c $size /dev/urandom >"$scratch/file"
        : >"$scratch/raw" >"$scratch/lean" >"$scratch/whole"
        for round in 1 2 3; do
            build measure uart-raw "$features"
            switch_on $board
            seconds_of send_raw >>"$scratch/raw"
            switch_off
            for engine in lean whole; do
                build measure uart-sink "$([ $engine = whole ] || echo lean)$features"
                switch_on $board
                seconds_of send "$scratch/file" >>"$scratch/$engine"
                switch_off
            done
        done
        raw=$(median raw)
        echo "$board $((size / 1024)) $raw $(median lean) $(median whole)" |
            awk '{ printf "%-14s %8d %14.2f %16.2f %9.0f%% %16.2f %9.0f%%\n", $1, $2, $3, $4, 100 * $3 / $4, $5, 100 * $3 / $5 }'
    done
}

# The middle one of three seconds.
median() {
    sort -n "$scratch/$1" | sed -n 2p
}

"$root/scripts/embedded-toolchain.sh"
case "$*" in
    '')
        count_instructions
        watch_stack
        measure_uart
        ;;
    instructions) count_instructions ;;
    stack) watch_stack ;;
    uart) measure_uart ;;
    *) fail "usage: scripts/board-costs.sh [instructions | stack | uart]" ;;
esac
