#!/usr/bin/env bash
# Sends one file that nothing can compress from and to memory over loopback, by `sampan send` to one `sampan serve`, over UDP and over TCP in turns,
# compares what has arrived, and prints medians and their ratio.
#
# usage: scripts/compare-udp.sh [MIB [ROUNDS]]      (default: 2048 MiB, 3 rounds)
#
# It needs twice the file's size free in /dev/shm.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "compare-udp: $*" >&2
    exit 1
}

for number in "$@"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail "usage: scripts/compare-udp.sh [MIB [ROUNDS]]"
done
[ $# -le 2 ] || fail "usage: scripts/compare-udp.sh [MIB [ROUNDS]]"
mib=${1:-2048} rounds=${2:-3}

sampan=${SAMPAN:-}
if [ -z "$sampan" ]; then
    cargo build --locked --release --package sampan
    sampan=${CARGO_TARGET_DIR:-target}/release/sampan
fi

memory=/dev/shm
[ -d "$memory" ] || memory=${TMPDIR:-/tmp}
place=$(mktemp -d "$memory/sampan-compare-XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$place"' EXIT
mkdir "$place/root"
"$sampan" --version >/dev/null || fail "$sampan does not run"
head -c "${mib}M" /dev/urandom >"$place/file"

"$sampan" serve --json --control none --listen udp://127.0.0.1:0 --listen tcp://127.0.0.1:0 "$place/root" >"$place/events" &
server=$!
url() {
    sed -n "s|.*\"listening\",\"url\":\"\($1:[^\"]*\)\".*|\1|p" "$place/events"
}
for _ in $(seq 100); do
    [ -n "$(url udp)" ] && [ -n "$(url tcp)" ] && break
    sleep 0.1
done
[ -n "$(url udp)" ] && [ -n "$(url tcp)" ] || fail "the server does not listen"

for _ in $(seq "$rounds"); do
    for scheme in udp tcp; do
        # One whose time differs is sent again.
        touch "$place/file"
        "$sampan" send --json --to "$(url "$scheme")" "$place/file" >"$place/sent"
        cmp "$place/file" "$place/root/file" || fail "what has arrived over $scheme differs"
        rm "$place/root/file"
        sed -n 's/.*"event":"summary".*"seconds":\([0-9.e-]*\).*/\1/p' "$place/sent" >>"$place/$scheme"
    done
done

median() {
    sort -g "$place/$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}
awk -v mib="$mib" -v rounds="$rounds" -v udp="$(median udp)" -v tcp="$(median tcp)" 'BEGIN {
    printf "%d MiB, %d rounds, medians; what arrived is identical\n", mib, rounds
    printf "%-4s %8s %8s %8s\n", "link", "s", "MB/s", "ratio"
    printf "%-4s %8.2f %8.0f %8.3f\n", "udp", udp, mib * 1048576 / 1e6 / udp, tcp / udp
    printf "%-4s %8.2f %8.0f %8.3f\n", "tcp", tcp, mib * 1048576 / 1e6 / tcp, 1
}'
