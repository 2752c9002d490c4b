#!/usr/bin/env bash
# Makes `cargo +embedded build --target TARGET` work for the targets below, without rustup downloading anything.
#
# usage: scripts/embedded-toolchain.sh [--packages]
#
# Where the active toolchain has the targets (`rustup target add ...`), `embedded` becomes another name for
# it. Elsewhere, on Debian, `embedded` is made of Debian's compiler and of a `core` and an `alloc` that are built once from Debian's
# copy of their sources; that takes a few minutes, and the result is kept in ${XDG_CACHE_HOME:-~/.cache}/sampan.
# --packages takes the second way even if the first would do.
set -euo pipefail

export RUSTUP_AUTO_INSTALL=0
# A build's own flags and wrappers must not get into the library that is built here.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR RUSTC RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER

die() {
    echo "embedded-toolchain: $*" >&2
    exit 1
}

# Cortex-M0, M3 and M4, RISC-V, and WebAssembly.
targets=(thumbv6m-none-eabi thumbv7m-none-eabi thumbv7em-none-eabi riscv32imac-unknown-none-elf wasm32-unknown-unknown)
case "$*" in
    '') way=any ;;
    --packages) way=packages ;;
    *) die "usage: scripts/embedded-toolchain.sh [--packages]" ;;
esac

command -v rustup >/dev/null || die "rustup is needed: only with it does cargo take +embedded"
toolchains=${RUSTUP_HOME:-$HOME/.rustup}/toolchains

# Whether a sysroot has the core library of every target.
has_targets() {
    local target
    for target in "${targets[@]}"; do
        compgen -G "$1/lib/rustlib/$target/lib/libcore-*.rlib" >/dev/null || return 1
    done
}

name_embedded() {
    local sysroot
    sysroot=$(readlink -f "$1")
    if [ "$(readlink -f "$toolchains/embedded")" != "$sysroot" ]; then
        rustup toolchain link embedded "$sysroot"
    fi
    echo "cargo +embedded: $("$sysroot/bin/rustc" --version) with ${targets[*]}"
}

# Installs those of the packages that are not there yet.
install_packages() {
    local package missing=() root=()
    for package in "$@"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || root=(sudo)
    echo "installing ${missing[*]}"
    # Another apt may be at work: wait for it.
    "${root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null || true
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes \
        --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

# Prints a linker for bare-metal targets: rustup's toolchains bring one.
find_linker() {
    local linker
    for linker in "$toolchains"/*/lib/rustlib/"$host"/bin/rust-lld; do
        # Not our own link to one.
        [ -L "$linker" ] || [ ! -x "$linker" ] || { echo "$linker"; return; }
    done
    install_packages lld-19 >&2
    echo /usr/bin/lld-19
}

# The compiler's sysroot with more targets: mostly links to what the packages installed.
assemble() {
    local into=$1 built=$2 tool target crate libraries
    mkdir -p "$into/bin" "$into/lib/rustlib/$host/bin"
    ln -s "$system/lib/rustlib/$host/lib" "$into/lib/rustlib/$host/lib"
    ln -s "$(find_linker)" "$into/lib/rustlib/$host/bin/rust-lld"
    ln -s /usr/bin/cargo "$into/bin/cargo"
    for tool in rustc rustdoc; do
        printf '#!/bin/sh\nexec /usr/bin/%s --sysroot "%s" "$@"\n' "$tool" "$sysroot" >"$into/bin/$tool"
        chmod +x "$into/bin/$tool"
    done
    for target in "${targets[@]}"; do
        mkdir -p "$into/lib/rustlib/$target/lib"
        for crate in core alloc compiler_builtins; do
            mapfile -t libraries < <(find "$built/$target/release/deps" -name "lib$crate-*.rlib")
            [ ${#libraries[@]} = 1 ] || die "$target: ${#libraries[@]} builds of $crate instead of one"
            cp "${libraries[0]}" "$into/lib/rustlib/$target/lib/"
        done
    done
}

build_libraries() {
    local into=$1 target arguments=()
    for target in "${targets[@]}"; do arguments+=(--target "$target"); done
    mkdir -p "$into/src"
    echo '#![no_std]' >"$into/src/lib.rs"
    printf '[package]\nname = "libraries"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$into/Cargo.toml"
    # build-std is unstable, hence the switch. Bitcode is what `lto` in a firmware's profile needs.
    (
        cd "$into"
        RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc \
            RUSTFLAGS="-C embed-bitcode=yes --remap-path-prefix=$source=/rustc/library" \
            /usr/bin/cargo build --quiet --release --target-dir "$into/target" "${arguments[@]}" \
            -Z build-std=core,alloc -Z build-std-features=compiler-builtins-mem </dev/null
    )
}

active=$(rustc --print sysroot 2>/dev/null || true)
if [ $way = any ] && [ -n "$active" ] && has_targets "$active"; then
    name_embedded "$active"
    exit
fi

command -v apt-get >/dev/null ||
    die "the active toolchain lacks a target, and this is no Debian: rustup target add ${targets[*]}"
install_packages rustc-web cargo-web rust-web-src

host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
system=$(/usr/bin/rustc --print sysroot)
source=$system/lib/rustlib/src/rust/library
[ -d "$source" ] || die "no sources of the library in $source"

# Another compiler, other targets, or another way of building (this file): another sysroot.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sampan
key=$({ /usr/bin/rustc -vV; echo "${targets[@]}"; cat "$0"; } | sha256sum | cut -c 1-16)
sysroot=$cache/embedded-$key
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if ! has_targets "$sysroot"; then
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    echo "building core and alloc for ${targets[*]}"
    build_libraries "$work/build"
    assemble "$work/sysroot" "$work/build/target"
    rm -rf "$cache"/embedded-*
    mv "$work/sysroot" "$sysroot"
fi
name_embedded "$sysroot"
