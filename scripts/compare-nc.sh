#!/usr/bin/env bash
# Sends one file that nothing can compress from and to memory over loopback TCP, by `sampan send` and `sampan serve` with the
# default digest and by `nc -N` and `nc -l`, in turns, and prints medians, their ratio, processor time and peak memory. Then
# again with everything on reno, in a network namespace of its own; that part needs root.
#
# usage: scripts/compare-nc.sh [MIB [ROUNDS]]      (default: 2048 MiB, 7 rounds)
#
# It needs Debian's netcat-openbsd (installed if that is missing and one is root), and twice the file's size free in /dev/shm.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "compare-nc: $*" >&2
    exit 1
}

for number in "$@"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail "usage: scripts/compare-nc.sh [MIB [ROUNDS]]"
done
[ $# -le 2 ] || fail "usage: scripts/compare-nc.sh [MIB [ROUNDS]]"
[ "$(uname)" = Linux ] || fail "it measures by /proc, which only Linux has"

# Other programs called nc have other options.
openbsd_nc() {
    local candidate
    for candidate in nc.openbsd nc; do
        if "$candidate" -h 2>&1 | grep -q '^OpenBSD netcat'; then command -v "$candidate" && return; fi
    done
    return 1
}
if ! NC=$(openbsd_nc); then
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || fail "install netcat-openbsd (Debian: apt-get install netcat-openbsd)"
    apt-get -qq -o DPkg::Lock::Timeout=300 update || true
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends netcat-openbsd >/dev/null
    NC=$(openbsd_nc) || fail "netcat-openbsd is installed, but neither nc.openbsd nor nc is it"
fi
export NC

# Built first: what is measured runs alone, and needs no network in the namespace.
cargo bench --locked --package sampan --bench compare_nc --no-run
measure=(cargo bench --quiet --locked --offline --package sampan --bench compare_nc -- "$@")

"${measure[@]}"

echo
if [ "$(id -u)" != 0 ]; then
    echo "not measured: everything on reno needs a network namespace, and that needs root"
elif ! command -v unshare >/dev/null || ! command -v setpriv >/dev/null || ! command -v ip >/dev/null; then
    echo "not measured: everything on reno needs unshare and setpriv (Debian: util-linux) and ip (iproute2)"
elif ! unshare --net true; then
    echo "not measured: everything on reno needs a network namespace, and none may be made here"
else
    # Without the right to choose, no socket has another congestion control than reno.
    unshare --net bash -euc '
        ip link set lo up
        echo reno >/proc/sys/net/ipv4/tcp_congestion_control
        exec setpriv --bounding-set -net_admin --inh-caps -net_admin "$@"
    ' bash "${measure[@]}"
fi
