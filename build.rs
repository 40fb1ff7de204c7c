//! With feature `libtorch`: the program finds libtorch again where it was built against it, without
//! a variable set, since the folder is written into the program (`rpath`), and it knows the version
//! of the headers that it was built against. Without it, nothing.

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
    let found = version(Path::new(&folder));
    if let Some(found) = &found {
        if found != VERSION && env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_none() {
            println!(
                "cargo::error=the libtorch in {folder} is {found}, and this program is written against {VERSION}; build with scripts/with-libtorch, which finds one that fits or installs it, or set LIBTORCH_BYPASS_VERSION_CHECK=1 to try this one"
            );
            return;
        }
        println!("cargo::rustc-env=NOISESCOPE_LIBTORCH_VERSION={found}");
    }
    println!("cargo::rustc-env=NOISESCOPE_LIBTORCH_WRITTEN_AGAINST={VERSION}");
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

/// The version that the headers beside the libraries are of. Since 2.10 the numbers are in the first
/// of the two files, before in the second.
fn version(libraries: &Path) -> Option<String> {
    let headers = ["torch/headeronly", "torch/csrc/api/include/torch"];
    headers.iter().find_map(|folder| {
        let header = Path::new("../include").join(folder).join("version.h");
        let text = fs::read_to_string(libraries.join(header)).ok()?;
        let number = |name| {
            let mut defined = text.lines().filter_map(|line| {
                let line = line.trim().strip_prefix("#define TORCH_VERSION_")?;
                line.strip_prefix(name)
            });
            Some(defined.next()?.trim().to_owned())
        };
        let parts: Option<Vec<String>> = ["MAJOR ", "MINOR ", "PATCH "]
            .into_iter()
            .map(number)
            .collect();
        Some(parts?.join("."))
    })
}
