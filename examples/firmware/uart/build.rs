//! Puts the `memory.x` of the board where the linker finds it.

use std::env::{var, var_os};
use std::fs::copy;
use std::path::PathBuf;

fn main() {
    let memory = if var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "riscv32") {
        "memory/virt.x"
    } else if var_os("CARGO_FEATURE_MICROBIT").is_some() {
        "memory/microbit.x"
    } else {
        "memory/arm.x"
    };
    let out = PathBuf::from(var_os("OUT_DIR").unwrap());
    copy(memory, out.join("memory.x")).unwrap();
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rerun-if-changed={memory}");
}
