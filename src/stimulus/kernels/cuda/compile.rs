//! Compiling the CUDA kernels with NVRTC.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cudarc::nvrtc::{result as nvrtc, sys as nvrtc_sys};

use crate::stimulus::kernels::{KERNEL_SOURCE, OPTIONS};

/// The kernels compiled for a GPU architecture: zero-terminated PTX for one like `compute_75`, machine
/// code for one like `sm_90`.
///
/// # Errors
/// If there is no NVRTC, or it fails.
pub fn compile(libtorch: Option<&Path>, architecture: &str) -> Result<Vec<u8>, String> {
    find_nvrtc(libtorch)?;
    let message =
        |error: nvrtc::NvrtcError| format!("NVRTC cannot compile the kernels ({error:?})");
    let source = CString::new(KERNEL_SOURCE).map_err(|error| error.to_string())?;
    let program = nvrtc::create_program(&source, Some(c"kernels.cu")).map_err(message)?;
    let mut options: Vec<String> = OPTIONS.iter().map(|&option| option.to_owned()).collect();
    options.push(format!("--gpu-architecture={architecture}"));
    // SAFETY: NVRTC created the program, which is destroyed below.
    let code = unsafe { nvrtc::compile_program(program, &options) }
        .map_err(|error| {
            // SAFETY: as above.
            let log = unsafe { nvrtc::get_program_log(program) }.unwrap_or_default();
            let log: Vec<u8> = log.iter().map(|&letter| letter as u8).collect();
            let log = String::from_utf8_lossy(&log).into_owned();
            let line = log.lines().find(|line| line.contains("error"));
            let line = line.map_or_else(String::new, |line| format!(": {line}"));
            format!("NVRTC cannot compile the kernels for {architecture} ({error:?}{line})")
        })
        .and_then(|()| {
            if architecture.starts_with("sm_") {
                return machine_code(program).map_err(message);
            }
            // SAFETY: as above.
            let text = unsafe { nvrtc::get_ptx(program) }.map_err(message)?;
            Ok(text.into_iter().map(|letter| letter as u8).collect())
        });
    // SAFETY: as above.
    let _ = unsafe { nvrtc::destroy_program(program) };
    code
}

/// The machine code of a program compiled for a card.
fn machine_code(program: nvrtc_sys::nvrtcProgram) -> Result<Vec<u8>, nvrtc::NvrtcError> {
    let mut size = 0;
    // SAFETY: the program was compiled, and the buffer has the size given by NVRTC.
    unsafe {
        nvrtc_sys::nvrtcGetCUBINSize(program, &raw mut size).result()?;
        let mut code = vec![0_u8; size];
        nvrtc_sys::nvrtcGetCUBIN(program, code.as_mut_ptr().cast()).result()?;
        Ok(code)
    }
}

/// Loads NVRTC from where pip puts it, if it is there; otherwise the loader must find it.
fn find_nvrtc(libtorch: Option<&Path>) -> Result<(), String> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = *FOUND.get_or_init(|| {
        // A library that is already loaded is found by name.
        let mut candidates = places(libtorch).into_iter();
        if let Some(library) = candidates.find(|path| path.is_file()) {
            preload(&library);
        }
        // SAFETY: this only looks for the library.
        unsafe { nvrtc_sys::is_culib_present() }
    });
    match found {
        true => Ok(()),
        false => Err("NVRTC (libnvrtc) was not found; it comes with torch for GPUs, or with `pip install nvidia-cuda-nvrtc-cu12`: set NOISESCOPE_NVRTC to its path".into()),
    }
}

/// Where NVRTC may be: where NOISESCOPE_NVRTC says, and beside libtorch.
fn places(libtorch: Option<&Path>) -> Vec<PathBuf> {
    let named = std::env::var_os("NOISESCOPE_NVRTC").map(PathBuf::from);
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut all = Vec::new();
    match named {
        Some(named) if named.is_dir() => folders.push(named),
        Some(named) => all.push(named),
        None => {}
    }
    if let Some(libtorch) = libtorch {
        let packages = libtorch.join("../../nvidia");
        folders.push(libtorch.to_owned());
        folders.extend(["cu13/lib", "cuda_nvrtc/lib"].map(|folder| packages.join(folder)));
    }
    for folder in folders {
        let names = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];
        all.extend(names.map(|name| folder.join(name)));
    }
    all
}

/// Loads a library permanently, and NVRTC's companions beside it, which it looks up by name.
fn preload(library: &Path) {
    let beside = library
        .parent()
        .and_then(|folder| std::fs::read_dir(folder).ok());
    let files = beside.into_iter().flatten().filter_map(Result::ok);
    let builtins = files.map(|file| file.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libnvrtc-builtins.so") && !name.contains(".alt.")
    });
    for path in builtins.chain([library.to_owned()]) {
        // SAFETY: NVIDIA's library runs no code of ours while it is loaded. Failures are reported later.
        if let Ok(library) = unsafe { libloading::Library::new(path) } {
            std::mem::forget(library);
        }
    }
}
