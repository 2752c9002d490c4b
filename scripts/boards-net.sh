#!/usr/bin/env bash
# Moves files into emulated boards and out of them with the command, over their Ethernet: examples/firmware/net in QEMU, whose network is this computer's
# loopback.
#
# usage: scripts/boards-net.sh [BOARD ...]      (lm3s6965evb and mps2-an385 if none is named)
#
# For each board, over TCP and over UDP: a file of 1 MiB there and back; once more each way, during which the command is killed, and the emulator is killed
# (its flash is a file). Then: a client that comes while another is served, and one that says nothing; a server that the board is attached to, which pushes to it, and is
# started anew. What it refuses. In the end the longest turn of the superloop, counted in instructions, and what a transfer reaches, beside what the same link does without a protocol of ours.
#
# It takes two minutes. It installs QEMU if that is missing (Debian), and ends only what it has started.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
firmware=$root/examples/firmware/net
name=boards-net
# shellcheck source=scripts/boards-common.sh
. "$root/scripts/boards-common.sh"
patience=60
size=1048576
# Bytes a second, of a client that others come beside.
slowly=400k
# Milliseconds from one frame to the next: so that there is a middle to be interrupted in, and not all is on its way before anything can be cut.
pace=4
# In thousands of instructions, which -icount makes microseconds of the board's clock.
longest_turn_allowed=200
# Files that a board keeps.
places=8
control=unix:$scratch/control
server=

# Builds the firmware of a board.
build() {
    local board=$1 features=()
    [ "$board" = lm3s6965evb ] || features=(--features "$board")
    # From its folder: cargo finds the linker's arguments there. RUSTFLAGS would replace them.
    (cd "$firmware" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        cargo +embedded build --locked --release "${features[@]}")
    cp "${CARGO_TARGET_DIR:-$firmware/target}"/thumbv7m-none-eabi/release/{net-node,raw-link} "$scratch"
}

is_on() {
    grep -q "$board: $1" "$scratch/said" || { ! kill -0 "$emulator" 2>/dev/null && fail "the emulator has ended"; }
}

has_ports() {
    : >"$scratch/said"
    port=$((20000 + RANDOM % 10000))
    local forward=hostfwd=tcp:127.0.0.1:$port-:7000,hostfwd=udp:127.0.0.1:$port-:7000
    forward+=,hostfwd=tcp:127.0.0.1:$((port + 10000))-:9,hostfwd=tcp:127.0.0.1:$((port + 20000))-:19
    (cd "$scratch" && exec qemu-system-arm -M "$board" -display none -monitor none -serial none \
        -semihosting-config "enable=on,target=native,arg=$image${arguments:+,$arguments}" \
        -nic "user,model=$controller,$forward" -kernel "$image" "${emulated[@]}") >>"$scratch/said" 2>&1 &
    emulator=$!
    until grep -q "$board: " "$scratch/said"; do
        if ! kill -0 "$emulator" 2>/dev/null; then
            # Another program has one of the ports.
            grep -q "host forwarding rule" "$scratch/said" || fail "the emulator has ended"
            return 1
        fi
        sleep 0.02
    done
}

# Starts the emulator with a firmware, a setting for it if there is one, and further arguments; its flash is the file flash.bin in the scratch folder.
switch_on() {
    image=$1 arguments=${2:-}
    emulated=("${@:3}")
    controller=stellaris
    [ "$board" = lm3s6965evb ] || controller=lan9118
    within $moment "the board's ports" has_ports
    there=127.0.0.1:$port
}

send() {
    local link=$1 file=$2
    shift 2
    begin send "$scratch/$file" --name "$file" --to "$link://$there" --timeout 4s "$@"
}

fetch() {
    local link=$1 file=$2
    shift 2
    begin get "$file" --from "$link://$there" -o "$scratch/fetched" --timeout 4s "$@"
}

must() {
    end
    [ $status -eq 0 ] || fail "$1: the command ended with $status"
}

# There and back.
move() {
    local link=$1 file=$2 sent
    rm -f "$scratch/fetched"
    send "$link" "$file"
    must "sending over $link"
    sent=$(field sent seconds)
    fetch "$link" "$file"
    must "fetching over $link"
    cmp "$scratch/$file" "$scratch/fetched" || fail "something else came back over $link"
    echo "$board: 1 MiB over $link in $sent s, and back in $(field received seconds) s"
}

# One way, with the command killed and then the emulator.
interrupt() {
    local link=$1 file=$2 what=$3 event=$4 resumed
    rm -f "$scratch/fetched"
    switch_on net-node arg=pace=$pace
    "$what" "$link" "$file"
    within $patience "a fifth of the file" has_come_to $((size / 5))
    kill_sender
    # Over UDP nobody says that the command has gone: whoever comes next is heard once it has been quiet for a while.
    timeout $patience "$sampan" ls --from "$link://$there" >/dev/null || fail "after one was killed nobody else is served"
    "$what" "$link" "$file" --retries 0
    within $patience "half of the file" has_come_to $((size / 2))
    switch_off
    end
    [ $status -eq 7 ] || fail "without a board the command ended with $status"
    switch_on net-node
    "$what" "$link" "$file"
    must "$what over $link"
    switch_off
    resumed=$(field "$event" resumed_from)
    [ "$resumed" -ge $((size * 2 / 5)) ] || fail "$what over $link went on from $resumed only"
    [ "$resumed" -lt $size ] || fail "$what over $link had nothing left to do"
    echo "$board: $what over $link went on from $resumed after the command and the emulator were killed"
}

# The ways of a file there and back, each interrupted.
resume() {
    local link=$1 file=$2
    interrupt "$link" "$file" send sent
    interrupt "$link" "$file" fetch received
    cmp "$scratch/$file" "$scratch/fetched" || fail "something else came back over $link"
}

# Somebody who comes while another is served waits; who says nothing is let go.
others_come() {
    local first
    send tcp slow --limit-rate $slowly
    within $patience "the beginning of the file" has_come_to 1
    first=$sender
    timeout $patience "$sampan" ls --from "tcp://$there" >"$scratch/listed" || fail "who waits is not served"
    sender=$first
    end
    [ $status -eq 0 ] || fail "who was served first was disturbed: $status"
    grep -q "$size .* slow" "$scratch/listed" || fail "who waits is served too early"
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    timeout $patience "$sampan" ls --from "tcp://$there" >"$scratch/listed" || fail "a client that says nothing holds the board up"
    exec 5<&-
    echo "$board: one at a time is served, the next one waits, and who says nothing is let go"
}

# What is no session, and what the board does not take.
refuse() {
    local n
    for n in 1 2 3 4; do
        head -c 20000 /dev/urandom >"/dev/tcp/127.0.0.1/$port" 2>/dev/null || true
        head -c 1000 /dev/urandom >"/dev/udp/127.0.0.1/$port"
    done
    for link in tcp udp; do
        fetch $link no-such-file
        end
        [ "$status $(cause)" = "5 not-found" ] || fail "over $link: a file that is not there: $status $(cause)"
        send $link long
        end
        [ "$status $(cause)" = "5 too-large" ] || fail "over $link: a file that is too large: $status $(cause)"
    done
    for n in $(seq $places); do
        begin send "$scratch/short" --name "short-$n" --to "tcp://$there"
        end
        [ $status -eq 0 ] || break
    done
    [ "$status $(cause)" = "5 no-space" ] || fail "there is always room: $status $(cause)"
    timeout $patience "$sampan" ls --from "udp://$there" >"$scratch/listed" || fail "the board does not answer"
    [ "$(wc -l <"$scratch/listed")" = $places ] || fail "the listing has not $places files"
    echo "$board: refuses what it cannot take, and goes on after what is no session"
}

# The error that a command ended with.
cause() {
    sed -n 's/.*"event":"failed".*"error":"\([^"]*\)".*/\1/p' "$scratch/events" | head -n 1
}

server_listens() {
    address=$(sed -n 's|.*"url":"tcp://\([^"]*\)".*|\1|p' "$scratch/served")
    [ -n "$address" ]
}

start_server() {
    # Here, so that nobody reads what the server before has said.
    : >"$scratch/served"
    "$sampan" serve --listen "tcp://$1" --control "$control" "$scratch/server" --json >>"$scratch/served" 2>&1 &
    server=$!
    others+=("$server")
    within $moment "the server" server_listens
}

stop_server() {
    kill -9 "$server"
    wait "$server" 2>/dev/null || true
    others=()
}

is_attached() {
    grep -q '"event":"attached".*"node":"'"$board"'"' "$scratch/served"
}

attach() {
    start_server 127.0.0.1:0
    switch_on net-node "arg=dial=10.0.2.2:${address##*:},arg=name=$board"
    within $moment "the board to attach itself" is_attached
    "$sampan" ctl push "$scratch/pushed" --control "$control" >/dev/null || fail "the push failed"
    "$sampan" ctl get "$board:pushed" -o "$scratch/fetched" --control "$control" 2>/dev/null || fail "the server cannot fetch"
    cmp "$scratch/pushed" "$scratch/fetched" || fail "the board has something else than was pushed"
    # At the same time as others send and fetch.
    local process processes=()
    for link in tcp udp; do
        "$sampan" send "$scratch/file-$link" --to "$link://$there" 2>/dev/null &
        processes+=($!)
    done
    "$sampan" ctl push "$scratch/slow" --control "$control" >/dev/null &
    processes+=($!)
    others+=("${processes[@]}")
    for process in "${processes[@]}"; do wait "$process" || fail "three files at once do not all come"; done
    for file in file-tcp file-udp slow; do
        "$sampan" get "$file" --from "tcp://$there" -o "$scratch/fetched" 2>/dev/null || fail "the board has not $file"
        cmp "$scratch/$file" "$scratch/fetched" || fail "something else came back of three files that came at once"
    done
    stop_server
    start_server "$address"
    within $moment "the board to attach itself again" is_attached
    "$sampan" ctl notify "well done" --control "$control" >/dev/null || fail "the board is not told"
    grep -q "is told: well done" "$scratch/said" || fail "the board does not say what it is told"
    stop_server
    switch_off
    echo "$board: took what a server pushed, and came back to it when it was started anew"
}

# The middle one of three numbers.
median() {
    printf '%s\n' "$@" | sort -g | sed -n 2p
}

# MB/s, of the bytes and the seconds.
rate() {
    awk -v bytes="$1" -v seconds="$2" 'BEGIN { printf "%.1f", bytes / seconds / 1e6 }'
}

# Leaves in `seconds` how long the median of three transfers took, of this file.
time_transfers() {
    local what=$1 link=$2 event=$3 file=$4 all=()
    for _ in 1 2 3; do
        rm -f "$scratch/fetched"
        # Another file each time, which is not there yet.
        [ "$what" = fetch ] || head -c $size /dev/urandom >"$scratch/$file"
        "$what" "$link" "$file"
        must "$what over $link"
        all+=("$(field "$event" seconds)")
    done
    seconds=$(median "${all[@]}")
}

# The same of what goes over a connection without a protocol.
time_raw() {
    local way=$1 all=() began
    for _ in 1 2 3; do
        exec 6<>"/dev/tcp/127.0.0.1/$2"
        began=$EPOCHREALTIME
        if [ "$way" = in ]; then
            head -c $size /dev/zero >&6
            timeout $patience head -c 1 <&6 >/dev/null || fail "the raw link does not answer"
        else
            timeout $patience head -c $size <&6 >/dev/null || fail "the raw link brings nothing"
        fi
        all+=("$(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }')")
        exec 6<&- 6>&-
        # Until the connection is closed at the board too.
        sleep 0.2
    done
    seconds=$(median "${all[@]}")
}

# How long a turn of the superloop takes, counted in instructions.
count() {
    local longest
    switch_on net-node "" -icount shift=0
    for link in tcp udp; do
        send $link counted
        must "sending over $link"
        fetch $link counted
        must "fetching over $link"
    done
    timeout $patience "$sampan" ls --from "tcp://$there" >/dev/null || fail "the board does not answer"
    longest=$(sed -n 's/.*longest turn \([0-9]*\) us.*/\1/p' "$scratch/said" | tail -n 1)
    echo "$board: longest turn of the superloop: $longest thousand instructions"
    [ "$longest" -le $longest_turn_allowed ] || fail "more than $longest_turn_allowed thousand"
    switch_off
}

measure() {
    local lines=()
    switch_on net-node
    for link in tcp udp; do
        time_transfers send $link sent timed
        lines+=("$link to the board $(rate $size "$seconds")")
        time_transfers fetch $link received timed
        lines+=("from it $(rate $size "$seconds")")
    done
    switch_off
    switch_on raw-link
    time_transfers send tcp sent timed
    lines+=("tcp to a board that keeps nothing $(rate $size "$seconds")")
    time_transfers fetch tcp received zeros
    lines+=("from it $(rate $size "$seconds")")
    time_raw in $((port + 10000))
    lines+=("a bare TCP connection to the board $(rate $size "$seconds")")
    time_raw out $((port + 20000))
    lines+=("from it $(rate $size "$seconds")")
    switch_off
    printf '%s: MB/s, median of three times 1 MiB:' "$board"
    printf ' %s;' "${lines[@]}"
    printf '\n'
}

try() {
    rm -f "$scratch/flash.bin"
    switch_on net-node
    for link in tcp udp; do move $link "file-$link"; done
    others_come
    refuse
    switch_off
    rm "$scratch/flash.bin"
    for link in tcp udp; do resume $link "again-$link"; done
    rm "$scratch/flash.bin"
    attach
    count
    measure
}

[ $# -gt 0 ] || set -- lm3s6965evb mps2-an385
need qemu-system-arm qemu-system-arm
"$root/scripts/embedded-toolchain.sh"
(cd "$root" && cargo build --locked --package sampan)
sampan=${CARGO_TARGET_DIR:-$root/target}/debug/sampan
mkdir "$scratch/server"
for file in file-tcp file-udp again-tcp again-udp slow pushed counted; do head -c $size /dev/urandom >"$scratch/$file"; done
head -c 3000000 /dev/zero >"$scratch/long"
echo short >"$scratch/short"
for board in "$@"; do
    build "$board"
    try
done
