#!/usr/bin/env bash
# Links the C library into firmware by arm-none-eabi-gcc (c/examples/board), and moves files between it and the command, over the UART that QEMU emulates:
# 1 MiB there and back; then half of it there and back, cut off by the end of the command, by a reset of the board and by the end of the emulator. Each time
# it must go on where it was. Then the same firmware with a library that only receives.
#
# usage: scripts/c-board.sh
#
# It needs arm-none-eabi-gcc and qemu-system-arm (the job `c` installs them), and ends only what it has started.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
library=$root/c
board=$library/examples/board
target=thumbv6m-none-eabi
large=1048576
size=524288
name=c-board
# shellcheck source=scripts/boards-common.sh
. "$root/scripts/boards-common.sh"
moment=60

say() {
    echo "$name: $*"
}

# Builds the library with these features and links NAME.elf with it; what else is said goes to the C compiler.
link() {
    local image=$1 features=$2
    shift 2
    (cd "$library" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS cargo +embedded build --locked --quiet --release --target $target \
        --no-default-features --features "panic-handler,$features")
    arm-none-eabi-gcc -std=c11 -Wall -Wextra -Werror -Os -g -mcpu=cortex-m0 -mthumb -ffreestanding -nostdlib -ffunction-sections \
        -fdata-sections -Wl,--gc-sections -T "$board/board.ld" -I "$library/include" "$@" "$board"/*.c \
        "${CARGO_TARGET_DIR:-$library/target}/$target/release/libsampan.a" -lgcc -Wl,-z,noexecstack -o "$scratch/$image.elf"
    # The handler itself may be there, but nothing that formats what it would say.
    if arm-none-eabi-nm -C "$scratch/$image.elf" | grep -E 'panic_fmt|panic_bounds|core::fmt::'; then fail "there is a panic in the image"; fi
    say "$image: $(arm-none-eabi-size "$scratch/$image.elf" | awk 'NR == 2 { print $1 " bytes of flash, " $2 + $3 " of RAM" }')"
}

port_is_known() {
    port=$(sed -n 's|.*char device redirected to \(/dev/[^ ]*\).*|\1|p' "$scratch/said")
    [ -n "$port" ]
}

# Starts the emulator; what comes into the pipe `monitor` it does.
switch_on() {
    : >"$scratch/said"
    rm -f "$scratch/monitor"
    mkfifo "$scratch/monitor"
    (cd "$scratch" && exec qemu-system-arm -M lm3s6965evb -display none -monitor stdio -serial pty \
        -semihosting-config enable=on,target=native -kernel "$1.elf") <"$scratch/monitor" >>"$scratch/said" 2>&1 &
    emulator=$!
    exec 7>"$scratch/monitor"
    within $moment "the emulator's serial port" port_is_known
}

succeed() {
    end
    [ $status -eq 0 ] || fail "the command ended with $status"
}

send() {
    begin send "$scratch/$1" --name "$1" --to "serial:$port" "${@:2}"
}

fetch() {
    begin get "$1" --from "serial:$port" -o "$scratch/fetched" "${@:2}"
}

# Fails unless the last command went on from no less than this.
went_on() {
    local from
    from=$(field "$1" resumed_from | tail -n 1)
    [ "${from:-0}" -ge "$2" ] || fail "it went on from ${from:-the start}, and not from $2"
    say "    went on from $from of $size"
}

"$root/scripts/embedded-toolchain.sh"
cargo build --locked --quiet --manifest-path "$root/Cargo.toml" --package sampan
sampan=${CARGO_TARGET_DIR:-$root/target}/debug/sampan
link both send,repair
link sends-all-again send
link receives '' -DRECEIVE_ONLY
head -c $large /dev/urandom >"$scratch/large"
head -c $size /dev/urandom >"$scratch/next"
head -c 1000 /dev/urandom >"$scratch/small"
head -c $((4 * large + 1)) /dev/zero >"$scratch/larger"

switch_on both
for file in small large; do
    send $file
    succeed
    seconds=$(field sent seconds)
    begin ls --from "serial:$port"
    succeed
    [ "$(field entry size)" = "$(stat -c %s "$scratch/$file")" ] || fail "the listing lacks the file"
    fetch $file
    succeed
    cmp "$scratch/$file" "$scratch/fetched" || fail "the board gave something else back"
    say "$file: there in $seconds s, and back"
    rm "$scratch/fetched"
done
send larger
end
[ $status -ne 0 ] || fail "the board took more than it has room for"

say "the command is killed, and the board is reset, while the board receives"
send next --retries 0
within $patience "a fifth" has_come_to $((size / 5))
kill_sender
send next
within $patience "two fifths" has_come_to $((size * 2 / 5))
echo system_reset >&7
within $patience "three fifths" has_come_to $((size * 3 / 5))
kill_sender
send next --retries 0
within $patience "four fifths" has_come_to $((size * 4 / 5))
switch_off
end
[ $status -ne 0 ] || fail "there was no board any more"
switch_on both
# Until it is whole, the file before is there.
begin ls --from "serial:$port"
succeed
grep -q '"large"' "$scratch/events" || fail "the file before is gone"
send next
succeed
went_on sent $((size * 3 / 5))

say "the command is killed, and the board is reset, while the board sends"
fetch next --retries 0
within $patience "a third" has_come_to $((size / 3))
kill_sender
fetch next
within $patience "two thirds" has_come_to $((size * 2 / 3))
echo system_reset >&7
succeed
went_on received $((size / 3))
cmp "$scratch/next" "$scratch/fetched" || fail "the board gave something else back"
switch_off

say "the firmware that only receives goes on with the store, and with what has come"
rm -f "$scratch/fetched"
switch_on receives
head -c $size /dev/urandom >"$scratch/last"
send last --retries 0
within $patience "half of it" has_come_to $((size / 2))
kill_sender
send last
succeed
went_on sent $((size / 4))
begin ls --from "serial:$port"
end
[ $status -ne 0 ] || fail "it gave a listing"
holds() {
    cmp -s -n $size "$scratch/last" "$scratch/$1"
}
holds slot0.bin || holds slot1.bin || fail "the store holds something else"
switch_off
say "all is as it was sent"
