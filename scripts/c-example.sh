#!/usr/bin/env bash
# Builds the C library and its examples under AddressSanitizer, and moves files between c/examples/boat.c and the command, both ways.
#
# usage: scripts/c-example.sh              over TCP, a Unix socket, UDP and a pseudo terminal; with ends that are killed in the middle
#        scripts/c-example.sh --header     makes c/include/sampan.h anew
#        scripts/c-example.sh --check      compares it with what would be made
#
# It needs a C compiler, for the header cbindgen (CBINDGEN says where it is). It ends only what it has started.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
library=$root/c
patience=60
size=33554432

scratch=$(mktemp -d)

end() {
    kill -9 "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

finish() {
    local status=$? process
    for process in $(jobs -p); do end "$process"; done
    [ $status -eq 0 ] || tail -n 20 "$scratch"/*.said >&2 || true
    rm -rf "$scratch"
}
trap finish EXIT

fail() {
    echo "c-example: $*" >&2
    exit 1
}

make_header() {
    "${CBINDGEN:-cbindgen}" --quiet --config "$library/cbindgen.toml" --output "$1" "$library"
}

case ${1:-} in
    --header)
        make_header "$library/include/sampan.h"
        exit
        ;;
    --check)
        make_header "$scratch/sampan.h"
        diff -u "$library/include/sampan.h" "$scratch/sampan.h" || fail "the header is not what cbindgen makes: scripts/c-example.sh --header"
        exit
        ;;
    '') ;;
    *) fail "unknown option $1" ;;
esac

# Waits until a command succeeds.
within() {
    local what=$1 end=$((SECONDS + patience))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "not within $patience s: $what"
        sleep 0.01
    done
}

has_line() {
    line=$(head -n 1 "$1")
    [ -n "$line" ]
}

# Starts something, whose process is then `process`; what it prints goes to NAME.out, what it says to NAME.said.
begin() {
    local name=$1
    shift
    # Here, not by what begins some time later: somebody may look for it before.
    : >"$scratch/$name.out"
    "$@" >"$scratch/$name.out" 2>"$scratch/$name.said" &
    process=$!
}

same() {
    cmp "$1" "$2" || fail "$2 is not what was sent"
}

# Fails unless the boat has gone on in the middle.
resumed() {
    local from
    from=$(sed -n 's/^boat: takes it from //p' "$scratch/$1.said" | tail -n 1)
    [ "${from:-0}" -gt 0 ] || fail "$1 has begun anew"
    echo "    went on from $from of $size"
}

say() {
    echo "c-example: $*"
}

cargo build --locked --quiet --manifest-path "$root/Cargo.toml" --package sampan
sampan=${CARGO_TARGET_DIR:-$root/target}/debug/sampan
cargo build --locked --quiet --release --manifest-path "$library/Cargo.toml"
archive=${CARGO_TARGET_DIR:-$library/target}/release/libsampan.a
for example in boat faults lossy; do
    cc -std=c11 -Wall -Wextra -Werror -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -I "$library/include" \
        "$library/examples/$example.c" "$archive" -o "$scratch/$example"
done
boat=$scratch/boat
# The header in C++, too.
echo '#include "sampan.h"' >"$scratch/header.cpp"
c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I "$library/include" "$scratch/header.cpp"

say "memory that is too small or misaligned, and answers to nothing"
"$scratch/faults" || fail "the library does not say what the header does"
say "datagrams of which one in ten is lost"
"$scratch/lossy" || fail "losses are not made good as they should be"

cd "$scratch"
mkdir box inbox
head -c $size /dev/urandom >file
: >empty

# The command sends to a boat and fetches from it.
visit() {
    local url=$1 name=$2
    say "$url: the command sends to the boat and fetches from it"
    "$sampan" send file empty --to "$url" 2>/dev/null
    same file box/file
    same empty box/empty
    "$sampan" ls --from "$url" >listed
    grep -q "$size .*file$" listed && grep -q 'empty$' listed || fail "the listing lacks a file"
    "$sampan" get file --from "$url" -o "fetched-$name" 2>/dev/null
    same file "fetched-$name"
    if "$sampan" get missing --from "$url" -o nothing 2>/dev/null; then fail "what is not there was fetched"; fi
    if "$sampan" send file --name a/b --to "$url" 2>/dev/null; then fail "a name with a directory was taken"; fi
    rm box/*
}

# A boat sends to the command's server and fetches from it.
dial() {
    local link=$1 name=$2
    say "$link: the boat sends to the command and fetches from it"
    "$boat" send "$link" file "$name" 2>"$name.said"
    same file "inbox/$name"
    "$boat" get "$link" "$name" "fetched-$name" 2>>"$name.said"
    same file "fetched-$name"
    if "$boat" get "$link" missing nothing 2>>"$name.said"; then fail "what is not there was fetched"; fi
    [ ! -e nothing ] || fail "what is not there has left something"
}

is_durable_in_part() {
    [ -e "$1.journal" ]
}

begin boat-tcp "$boat" serve tcp:127.0.0.1:0 box
served=$process
within "the boat's port" has_line boat-tcp.out
visit "tcp://127.0.0.1:$line" tcp
say "killed in the middle, both ends"
begin sender "$sampan" send file --limit-rate 4M --to "tcp://127.0.0.1:$line"
sending=$process
within "the journal of what comes" is_durable_in_part box/file
end "$served"
end "$sending"
[ ! -e box/file ] || fail "it was too fast to be killed"
begin boat-again "$boat" serve tcp:127.0.0.1:0 box
served=$process
within "the boat's port" has_line boat-again.out
"$sampan" send file --to "tcp://127.0.0.1:$line" 2>/dev/null
same file box/file
resumed boat-again
end "$served"
rm box/*

begin boat-unix "$boat" serve "unix:$scratch/socket" box
served=$process
within "the boat's socket" test -S socket
visit "unix:$scratch/socket" unix
end "$served"

begin boat-pty "$boat" serve pty box
served=$process
within "the boat's terminal" has_line boat-pty.out
visit "serial:$line" pty
say "the command is killed in the middle, and the boat stays on the line"
begin sender "$sampan" send file --limit-rate 4M --to "serial:$line"
sending=$process
within "the journal of what comes" is_durable_in_part box/file
end "$sending"
[ ! -e box/file ] || fail "it was too fast to be killed"
"$sampan" send file --to "serial:$line" 2>/dev/null
same file box/file
resumed boat-pty
end "$served"

begin server "$sampan" serve --json --listen tcp://127.0.0.1:0 --listen udp://127.0.0.1:0 --listen "unix:$scratch/host" inbox
server=$process
listens() {
    [ "$(cat server.out server.said | grep -c '"listening"')" = 3 ]
}
within "the command's addresses" listens
port() {
    cat server.out server.said | sed -n "s|.*\"listening\".*$1://127.0.0.1:\([0-9]*\).*|\1|p"
}
dial "tcp:127.0.0.1:$(port tcp)" over-tcp
dial "udp:127.0.0.1:$(port udp)" over-udp
dial "unix:$scratch/host" over-unix
say "the boat is killed while it fetches"
begin getter "$boat" get "tcp:127.0.0.1:$(port tcp)" over-tcp again
getting=$process
within "the journal of what comes" is_durable_in_part again
end "$getting"
[ ! -e again ] || fail "it was too fast to be killed"
"$boat" get "tcp:127.0.0.1:$(port tcp)" over-tcp again 2>again.said
same file again
resumed again
end "$server"
say "all is as it was sent"
