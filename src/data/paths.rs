//! Paths of data sets on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::DataError;
use super::catalog::SetSpec;
use super::readers;

/// Environment variable that names the data folder.
pub const DATA_VARIABLE: &str = "NOISESCOPE_DATA";

/// The data folder: `flag`, else the variable `NOISESCOPE_DATA`, else `noisescope/data` in the platform's data
/// folder (`~/.local/share` on Linux). It need not exist.
///
/// # Errors
/// [`DataError::NoDataFolder`] if neither is given and there is no home folder.
pub fn data_dir(flag: Option<&Path>) -> Result<PathBuf, DataError> {
    resolve(flag, std::env::var_os(DATA_VARIABLE), platform_data_folder)
}

/// The folder of one set inside the data folder.
pub fn set_dir(data_dir: &Path, spec: &SetSpec) -> PathBuf {
    data_dir.join(spec.slug)
}

fn resolve(
    flag: Option<&Path>,
    variable: Option<OsString>,
    platform: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf, DataError> {
    let given = flag.map(Path::to_owned).or_else(|| {
        variable
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    });
    given
        .or_else(|| platform().map(|folder| folder.join("noisescope").join("data")))
        .ok_or(DataError::NoDataFolder)
}

fn platform_data_folder() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.data_dir())
}

/// The folder that holds the files of a full set; for a set copied by hand, this may be below the set's folder.
pub(super) fn full_dir(data_dir: &Path, spec: &SetSpec) -> PathBuf {
    let folder = set_dir(data_dir, spec);
    match spec.by_hand {
        Some(_) => readers::find(&folder).map_or(folder, |found| found.folder),
        None => folder,
    }
}

/// Path of the file `name` in `folder`: plain if it exists, else with `.gz` if that exists, else plain.
pub(super) fn locate(folder: &Path, name: &str) -> PathBuf {
    let plain = folder.join(name);
    let packed = folder.join(format!("{name}.gz"));
    if !plain.exists() && packed.exists() {
        packed
    } else {
        plain
    }
}

/// Names of the files of a set that are missing from `folder`, both plain and gzipped.
pub(super) fn missing_files(spec: &SetSpec, folder: &Path) -> Vec<&'static str> {
    spec.files
        .iter()
        .map(|file| file.name)
        .filter(|name| !locate(folder, name).exists())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        flag: Option<&str>,
        variable: Option<&str>,
        platform: Option<&str>,
    ) -> Option<PathBuf> {
        resolve(flag.map(Path::new), variable.map(OsString::from), || {
            platform.map(PathBuf::from)
        })
        .ok()
    }

    #[test]
    fn the_flag_comes_before_the_variable() {
        assert_eq!(chosen(Some("a"), Some("b"), Some("c")), Some("a".into()));
    }

    #[test]
    fn the_variable_comes_before_the_platform() {
        assert_eq!(chosen(None, Some("b"), Some("c")), Some("b".into()));
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(
            chosen(None, Some(""), Some("c")),
            Some("c/noisescope/data".into())
        );
    }

    #[test]
    fn without_any_location_there_is_an_error_and_no_guess() {
        assert_eq!(chosen(None, None, None), None);
    }

    #[test]
    fn a_plain_file_is_preferred_to_a_gzipped_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(locate(folder.path(), "x"), path("x"));
        std::fs::write(path("x.gz"), "").unwrap();
        assert_eq!(locate(folder.path(), "x"), path("x.gz"));
        std::fs::write(path("x"), "").unwrap();
        assert_eq!(locate(folder.path(), "x"), path("x"));
    }
}
