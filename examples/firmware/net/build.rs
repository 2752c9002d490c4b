//! Tells the linker what memory the board has.

use std::env::var;
use std::fs::copy;
use std::path::Path;

fn main() {
    let is_mps2 = var("CARGO_FEATURE_MPS2_AN385").is_ok();
    let memory = if is_mps2 { "memory/mps2-an385.x" } else { "memory/lm3s6965evb.x" };
    let out = var("OUT_DIR").unwrap();
    copy(memory, Path::new(&out).join("memory.x")).unwrap();
    println!("cargo::rustc-link-search={out}");
    println!("cargo::rerun-if-changed=memory");
}
