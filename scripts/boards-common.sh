# What scripts that drive emulated boards with the command share; to be sourced. They set `name` (their own, for messages), and `sampan` (the command).
#
# What it starts are the emulator and one command at a time; whatever of these is left is ended when the script ends, by its id.

# Seconds that one transfer may take, and that anything else may.
patience=300
moment=30

scratch=$(mktemp -d)
emulator=
sender=
# Others that are to be ended.
others=()

finish() {
    local status=$?
    for process in $sender $emulator "${others[@]}"; do kill -9 "$process" 2>/dev/null || true; done
    [ $status -eq 0 ] || { tail -n 20 "$scratch"/events "$scratch"/said >&2 || true; }
    rm -rf "$scratch"
}
trap finish EXIT

fail() {
    echo "$name: $*" >&2
    exit 1
}

# Waits until a command succeeds.
within() {
    local seconds=$1 what=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "not within $seconds s: $what"
        sleep 0.02
    done
}

# Makes sure of an emulator; where it is missing, of the package that brings it.
need() {
    local command=$1 package=$2 as_root=()
    ! command -v "$command" >/dev/null || return 0
    command -v apt-get >/dev/null || fail "$command is missing (Debian: $package)"
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes \
        --no-install-recommends "$package" </dev/null >/dev/null
}

switch_off() {
    kill -9 "$emulator"
    wait "$emulator" 2>/dev/null || true
    emulator=
    # The pipe to its monitor, where there is one.
    exec 7>&-
}

# Begins a command.
begin() {
    # Here, not by the command that begins some time later: nobody may read the events of the one before.
    : >"$scratch/events"
    "$sampan" "$@" --json >>"$scratch/events" 2>&1 &
    sender=$!
}

has_gone() {
    ! kill -0 "$sender" 2>/dev/null
}

# Waits for the command to end, and leaves its status in `status`.
end() {
    within $patience "the end of the command" has_gone
    status=0
    wait "$sender" 2>/dev/null || status=$?
    sender=
}

# The numbers in a field of an event, one a line.
field() {
    sed -n "/\"event\":\"$1\"/s/.*\"$2\":\([0-9.]*\).*/\1/p" "$scratch/events"
}

has_come_to() {
    local bytes
    bytes=$(field progress bytes | tail -n 1)
    [ "${bytes:-0}" -ge "$1" ] || { has_gone && fail "the command ended before $1 bytes were sent"; }
}

kill_sender() {
    kill -9 "$sender"
    wait "$sender" 2>/dev/null || true
    sender=
}
