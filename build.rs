//! With feature `libtorch`, the program finds libtorch again where it was built against it, without
//! a variable set: the folder is written into the program (`rpath`). Without it, nothing.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Told by torch-sys, which is a dependency only with the feature.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let Ok(folder) = env::var("DEP_TCH_LIBTORCH_LIB") else {
        return;
    };
    println!("cargo:rustc-env=NOISESCOPE_LIBTORCH={folder}");
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // Older than what LD_LIBRARY_PATH says, which on servers often names another libtorch.
        println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags");
        // The GPU's part of libtorch registers itself when it is loaded, and nothing refers to it.
        println!("cargo:rustc-link-arg=-Wl,--no-as-needed");
        println!("cargo:rustc-link-arg=-ltorch");
    }
}
