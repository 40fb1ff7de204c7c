//! Files of networks and of weights, as they are named on a command line.

use std::path::{Path, PathBuf};

use super::CommandError;
use crate::nets::import;
use crate::session::form::DEFAULT_IMAGE;

/// Extensions of weight files.
const WEIGHTS: [&str; 7] = ["pt", "pth", "safetensors", "ckpt", "bin", "pkl", "tar"];

/// Extension of a file that holds a whole network, not only weights.
const NETWORK: &str = "onnx";

/// A typed path with a leading `~/` expanded, since no shell has done so.
pub fn expand_home(typed: &str) -> String {
    match (typed.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => typed.to_owned(),
    }
}

/// Whether a file holds a whole network, judged by its extension.
pub fn is_network(path: &Path) -> bool {
    ends_in(path, &[NETWORK])
}

/// Whether a file holds only weights, judged by its extension.
pub fn is_weights(path: &Path) -> bool {
    ends_in(path, &WEIGHTS)
}

/// The absolute path of an existing network file.
///
/// # Errors
/// If it does not exist.
pub fn existing_file(typed: &str) -> Result<PathBuf, CommandError> {
    let path = std::path::absolute(typed).map_err(CommandError::failed)?;
    if path.is_file() {
        return Ok(path);
    }
    Err(CommandError::Usage(format!(
        "--network {typed}: {}",
        no_network_file(&path)
    )))
}

/// Why this path, which is no regular file, is not a network's.
pub fn no_network_file(path: &Path) -> String {
    let shown = path.display();
    let what = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => "a folder",
        Ok(_) => "not a regular file",
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return format!("there is no file {shown}");
        }
        Err(error) => return format!("{shown} cannot be read: {error}"),
    };
    format!(
        "{shown} is {what}; give a network file (.onnx, .pt, .pth, .safetensors), and images with --data"
    )
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| endings.iter().any(|known| ending == *known))
}

/// A hint, if the user probably meant a file of an unsupported kind.
pub fn hint(typed: &str) -> String {
    let path = Path::new(typed);
    if let Some(words) = import::foreign(path, DEFAULT_IMAGE) {
        return format!("; {words}");
    }
    let is_like_a_file = path.exists() || typed.contains(['/', '.']);
    match is_like_a_file {
        true => "; a network file ends in .onnx, a weight file in .pt, .pth or .safetensors".into(),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_or_a_device_is_not_a_missing_network_file() {
        let folder = tempfile::tempdir().unwrap();
        let said = no_network_file(folder.path());
        assert!(said.contains("is a folder; give a network file"), "{said}");
        let said = no_network_file(Path::new("/dev/null"));
        assert!(said.contains("is not a regular file"), "{said}");
        let said = no_network_file(&folder.path().join("none.onnx"));
        assert!(said.starts_with("there is no file "), "{said}");
    }
}
