//! With feature `libtorch`: the program finds libtorch again where it was built against it, without
//! a variable set, since the folder is written into the program (`rpath`). Without it, nothing.

use std::env;
use std::fs;
use std::path::Path;

/// What tch 0.22 is written against.
const VERSION: &str = "2.9.0";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Told by torch-sys, which is a dependency only with the feature.
    println!("cargo::rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let Ok(folder) = env::var("DEP_TCH_LIBTORCH_LIB") else {
        return;
    };
    println!("cargo::rerun-if-env-changed=LIBTORCH_BYPASS_VERSION_CHECK");
    let found = version(Path::new(&folder)).unwrap_or_else(|| VERSION.into());
    if found != VERSION && env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_none() {
        println!(
            "cargo::error=the libtorch in {folder} is {found}, and this program needs {VERSION}; build with scripts/with-libtorch, which finds or installs it"
        );
        return;
    }
    println!("cargo::rustc-env=NOISESCOPE_LIBTORCH={folder}");
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // Comes before LD_LIBRARY_PATH, which on servers often names another libtorch.
        println!("cargo::rustc-link-arg=-Wl,--disable-new-dtags");
        // libtorch's operators register themselves when it is loaded; no symbol refers to them.
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed");
        println!("cargo::rustc-link-arg=-ltorch");
    }
}

/// The version that the headers beside the libraries are of.
fn version(libraries: &Path) -> Option<String> {
    let headers = "../include/torch/csrc/api/include/torch/version.h";
    let text = fs::read_to_string(libraries.join(headers)).ok()?;
    let number = |name| {
        let line = text.lines().find(|line| line.contains(name))?;
        Some(line.split_whitespace().last()?.to_owned())
    };
    let parts = ["VERSION_MAJOR", "VERSION_MINOR", "VERSION_PATCH"].map(number);
    let parts: Option<Vec<String>> = parts.into_iter().collect();
    Some(parts?.join("."))
}
