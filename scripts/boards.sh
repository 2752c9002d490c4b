#!/usr/bin/env bash
# Moves images into emulated boards and out of them with the command, over their UART: examples/firmware/uart and examples/firmware/async in QEMU, whose
# serial port is a pseudo terminal.
#
# usage: scripts/boards.sh [BOARD ...]
#        (all of them if none is named: lm3s6965evb mps2-an385 virt microbit async lm3s6965evb-lean microbit-lean measured; `-lean`: with the lean
#        engine)
#
# For each board: an image of 64 KiB; then one of 1 MiB, during which the command is killed, the board is reset, the command is killed again and the
# emulator is killed. Each time the transfer must go on from what was durable, the image before must be started at each boot, and in the end the flash must
# hold the new one. Then the firmware of both roles is started on that flash: it is listed, and gives the image back, during which the emulator and the
# command are killed. On virt, microbit and async the emulator is not killed. In the end the longest turn of
# the superloop is counted in instructions; async, which is an lm3s6965evb whose firmware runs in tasks of an executor, has none: there another task must
# have gone on meanwhile.
#
# measured is the very image that scripts/footprint.sh measures, with the lean engine: a microbit that keeps a file in the chip's own flash, first one that only
# receives and then one of both roles. 120 KiB are sent, during which the command is killed three times, the board is reset, and the emulator is killed; the flash must hold them in the
# end; and the second image gives them back.
#
# It takes eight minutes. It installs QEMU if that is missing (Debian), and ends only what it has started.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
boards=(lm3s6965evb mps2-an385 virt microbit async lm3s6965evb-lean microbit-lean measured)
# In thousands of instructions, which -icount makes microseconds of the board's clock: 50 to 60 for the erase of a sector, the pages of a frame or a
# record of the journal, and as many again for the interrupts of bytes that come meanwhile.
longest_turn_allowed=200
# In the same microseconds, for a task that is due ten times a second: a tick of the timers (10 ms), a turn of the session, and what the other tasks do.
latest_allowed=20000
name=boards
# shellcheck source=scripts/boards-common.sh
. "$root/scripts/boards-common.sh"

# What is to be known of a board: its emulator, how its firmware is built, and how large its image is.
choose() {
    local board=$1 features=()
    firmware=$root/examples/firmware/uart
    target=thumbv6m-none-eabi
    receiver=uart-receiver
    node=uart-node
    size=1048576
    interruptions=4
    case $board in
        *-lean)
            board=${board%-lean}
            features=(lean)
            ;;
    esac
    arguments=()
    emulate=(qemu-system-arm -M "$board")
    case $board in
        lm3s6965evb) ;;
        mps2-an385) features+=("$board") ;;
        virt)
            target=riscv32imac-unknown-none-elf
            arguments=(--target "$target")
            emulate=(qemu-system-riscv32 -M virt -bios none)
            interruptions=2
            ;;
        microbit)
            features+=("$board")
            interruptions=2
            ;;
        async)
            firmware=$root/examples/firmware/async
            target=thumbv7m-none-eabi
            emulate=(qemu-system-arm -M lm3s6965evb)
            receiver=async-node
            node=async-node
            interruptions=2
            ;;
        measured)
            firmware=$root/examples/firmware/receive-only
            emulate=(qemu-system-arm -M microbit)
            receiver=receive-only
            node=receive-only
            size=122880
            ;;
        *) fail "no board $1; there are: ${boards[*]}" ;;
    esac
    arguments+=(--features "${features[*]}")
}

# Builds its firmware.
build() {
    local image
    case ${emulate[0]} in
        *-arm) need qemu-system-arm qemu-system-arm ;;
        *) need "${emulate[0]}" qemu-system-misc ;;
    esac
    # From its folder: cargo finds the linker's arguments there. RUSTFLAGS would replace them.
    (cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        cargo +embedded build --locked --release "${arguments[@]}")
    for image in $receiver $node; do cp "${CARGO_TARGET_DIR:-$firmware/target}/$target/release/$image" "$scratch"; done
}

port_is_known() {
    port=$(sed -n 's|.*char device redirected to \(/dev/[^ ]*\).*|\1|p' "$scratch/said")
    [ -n "$port" ]
}

# Starts the emulator with a firmware; its flash is the file flash.bin in the scratch folder. What comes into the pipe `monitor` it does.
switch_on() {
    local image=$1
    shift
    : >"$scratch/said"
    rm -f "$scratch/monitor"
    mkfifo "$scratch/monitor"
    (cd "$scratch" && exec "${emulate[@]}" -display none -monitor stdio -serial pty \
        -semihosting-config enable=on,target=native -kernel "$scratch/$image" "$@") \
        <"$scratch/monitor" >>"$scratch/said" 2>&1 &
    emulator=$!
    exec 7>"$scratch/monitor"
    within $moment "the emulator's serial port" port_is_known
}

send() {
    local file=$1
    shift
    begin send "$scratch/$file" --name image.bin --to "serial:$port" "$@"
}

fetch() {
    begin get image.bin --from "serial:$port" -o "$scratch/fetched" "$@"
}

console() {
    grep -q "\"event\":\"console\".*$1" "$scratch/events"
}

# Sends a file to its end.
deliver() {
    send "$1"
    end
    [ $status -eq 0 ] || fail "the command ended with $status"
}

# Asks the board, by sending what it has, where that is; fails unless the flash holds it there.
compare() {
    local file=$1 bytes at=
    bytes=$(stat -c %s "$scratch/$file")
    # What a board says between frames may be lost.
    for _ in 1 2 3; do
        send "$file"
        end
        [ "$status $(field sent resumed_from)" = "0 $bytes" ] || fail "the board has the image, and was sent it again"
        at=$(sed -n "s/.*has the image at \([0-9]*\), $bytes bytes.*/\1/p" "$scratch/events")
        [ -z "$at" ] || break
    done
    [ -n "$at" ] || fail "the board speaks of another image"
    cmp -n "$bytes" -i "$at:0" "$scratch/flash.bin" "$scratch/$file" || fail "the flash holds something else"
}

# Fetches the larger image, which the flash holds, and replaces it.
give_back() {
    local board=$1 resumed
    rm -rf "$scratch/fetched"
    switch_on $node
    begin ls --from "serial:$port"
    end
    [ "$status $(field entry size)" = "0 $size" ] || fail "the listing has something else than the image"
    if [ $interruptions = 4 ]; then
        fetch --retries 0
        within $patience "a third of the image" has_come_to $((size / 3))
        switch_off
        end
        [ $status -eq 7 ] || fail "without a board the command ended with $status"
        switch_on $node
    fi
    # What has come the command makes durable about once a second.
    fetch
    within $patience "two thirds of the image" has_come_to $((size * 2 / 3))
    kill_sender
    fetch
    end
    [ $status -eq 0 ] || fail "the command ended with $status"
    resumed=$(field received resumed_from)
    [ "$resumed" -gt 0 ] || fail "what had come was fetched again"
    cmp "$scratch/new" "$scratch/fetched" || fail "something else came back"
    echo "$board: $((size / 1024)) KiB have come back; the last interruption went on from $resumed"

    deliver old
    fetch
    end
    [ $status -eq 0 ] || fail "the command ended with $status"
    cmp "$scratch/old" "$scratch/fetched" || fail "something else came back"
    switch_off
}

# Kills the command once more, and then the emulator.
interrupt_again() {
    local resumed
    within $patience "three fifths" has_come_to $((size * 3 / 5))
    kill_sender

    # Whoever opens a pseudo terminal next may get the same name: nothing is dialled again.
    send new --retries 0
    within $moment "word of what has come" console "has [1-9][0-9]* bytes of another image"
    resumed=$(sed -n 's/.*has \([0-9]*\) bytes of another image.*/\1/p' "$scratch/events" | head -n 1)
    [ "$resumed" -ge $((size / 2)) ] || fail "after the command was killed the board had $resumed bytes only"
    within $patience "four fifths" has_come_to $((size * 4 / 5))
    switch_off
    end
    [ $status -eq 7 ] || fail "without a board the command ended with $status"

    switch_on $receiver
    deliver new
}

try() {
    local board=$1 resumed began
    head -c 65536 /dev/urandom >"$scratch/old"
    head -c $size /dev/urandom >"$scratch/new"
    rm -f "$scratch/flash.bin"
    switch_on $receiver
    deliver old
    echo "$board: 64 KiB in $(field sent seconds) s"
    compare old

    began=$SECONDS
    send new --retries 0
    within $patience "a fifth" has_come_to $((size / 5))
    kill_sender

    send new
    within $patience "two fifths" has_come_to $((size * 2 / 5))
    echo system_reset >&7
    within $moment "the image before to be started" console "starts the image at [0-9]*, 65536 bytes"
    within $moment "word of what has come" console "has [1-9][0-9]* bytes of another image"
    if [ $interruptions = 2 ]; then
        end
        [ $status -eq 0 ] || fail "the command ended with $status"
    else
        interrupt_again
    fi
    resumed=$(field sent resumed_from)
    [ "$resumed" -ge $((size * (interruptions - 1) / 5)) ] || fail "it went on from $resumed only"
    echo "$board: $((size / 1024)) KiB are there after $((SECONDS - began)) s and $interruptions interruptions; the last went on from $resumed"
    compare new
    switch_off

    give_back "$board"

    rm "$scratch/flash.bin"
    switch_on $receiver -icount shift=0
    deliver old
    compare old
    case $board in
        async) other_tasks ;;
        *) longest_turn ;;
    esac
    switch_off
}

# What the measured image keeps lies here in the chip's flash, to its end: a page that says how far the file has come, and the file
# (examples/firmware/receive-only/src/board/flash.rs).
record=$((0x20000)) contents=$((0x20400)) flash_end=$((0x40000))

# What the flash has from an address on, into a file.
save() {
    local from=$1 bytes=$2 into=$3
    rm -f "$scratch/$into"
    echo "memsave $from $bytes \"$scratch/$into\"" >&7
    within $moment "the contents of the flash" is_saved "$into" "$bytes"
}

is_saved() {
    [ "$(stat -c %s "$scratch/$1" 2>/dev/null)" = "$2" ]
}

# Kills the command, when so much of the file has come.
interrupt_at() {
    send new --retries 0
    within $patience "$1 bytes" has_come_to "$1"
    kill_sender
}

try_measured() {
    local roles=$1 began=$SECONDS resumed
    head -c $size /dev/urandom >"$scratch/new"
    switch_on receive-only
    interrupt_at $((size / 5))
    interrupt_at $((size * 2 / 5))
    echo system_reset >&7
    interrupt_at $((size * 3 / 5))
    # Its flash is no file: what it has at this moment the next emulator begins with.
    save $record $((flash_end - record)) flash
    switch_off
    switch_on receive-only -device "loader,file=$scratch/flash,addr=$record,force-raw=on"
    send new
    end
    [ $status -eq 0 ] || fail "the command ended with $status"
    resumed=$(field sent resumed_from)
    # What has come is noted every 2 KiB.
    [ "$resumed" -ge $((size * 3 / 5 - 4096)) ] || fail "it went on from $resumed only"
    save $contents $size held
    cmp "$scratch/held" "$scratch/new" || fail "the flash holds something else"
    send new
    end
    [ "$status $(field sent resumed_from)" = "0 $size" ] || fail "the board has the file, and was sent it again"
    echo "measured, $roles: $((size / 1024)) KiB are in the flash after $((SECONDS - began)) s and 5 interruptions; the last went on from $resumed"
    if [[ $roles = *both* ]]; then
        rm -rf "$scratch/fetched"
        begin get file --from "serial:$port" -o "$scratch/fetched"
        end
        [ $status -eq 0 ] || fail "the command ended with $status"
        cmp "$scratch/new" "$scratch/fetched" || fail "something else came back"
        echo "measured, $roles: they have come back"
    fi
    switch_off
}

# What the superloop has said of its turns.
longest_turn() {
    local longest
    longest=$(sed -n 's/.*longest turn \([0-9]*\) us.*/\1/p' "$scratch/events")
    echo "$board: longest turn of the superloop: $longest thousand instructions"
    [ "$longest" -le $longest_turn_allowed ] || fail "more than $longest_turn_allowed thousand"
}

# What the task beside the session has said, between the frames of a file.
other_tasks() {
    local latest
    send new
    within $moment "word of the other task" console "other work done"
    end
    [ $status -eq 0 ] || fail "the command ended with $status"
    latest=$(sed -n 's/.*late by at most \([0-9]*\) us.*/\1/p' "$scratch/events" | tail -n 1)
    echo "$board: the other task was late by at most $latest us"
    [ "$latest" -le $latest_allowed ] || fail "more than $latest_allowed us"
}

[ $# -gt 0 ] || set -- "${boards[@]}"
"$root/scripts/embedded-toolchain.sh"
(cd "$root" && cargo build --locked --package sampan)
sampan=${CARGO_TARGET_DIR:-$root/target}/debug/sampan
for board in "$@"; do
    choose "$board"
    case $board in
        measured)
            for profile in lean,cobs lean,both,cobs; do
                arguments=(--features "$profile")
                build
                try_measured "$profile"
            done
            ;;
        *)
            build
            try "$board"
            ;;
    esac
done
