//! Fingerprints of a run's images and weights by content, to notice changes when it resumes.

use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use crate::data::{Dataset, Images};
use crate::files;
use crate::session::record::{Inputs, SplitFingerprint};

/// What to do if inputs differ from those a session began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnChangedInputs {
    /// Refuse to run.
    #[default]
    Refuse,
    /// Record the change and continue, since the user intends it.
    Accept,
}

/// Fingerprints of the images, with that of the weights' file if there is one.
pub fn fingerprints(dataset: &Dataset, weights: Option<String>) -> Inputs {
    Inputs {
        train: image_fingerprint(&dataset.train),
        test: image_fingerprint(&dataset.test),
        weights,
    }
}

fn image_fingerprint(images: &Images) -> SplitFingerprint {
    let mut sum = Sha256::new();
    let sizes = [
        images.len(),
        images.channels,
        images.height,
        images.width,
        images.classes,
    ];
    for size in sizes {
        sum.update((size as u64).to_le_bytes());
    }
    for labels in images.labels.chunks(1 << 12) {
        let bytes: Vec<u8> = labels
            .iter()
            .flat_map(|label| label.to_le_bytes())
            .collect();
        sum.update(&bytes);
    }
    sum.update(&images.pixels);
    SplitFingerprint {
        images: images.len() as u64,
        sha256: hexadecimal(&sum.finalize()),
    }
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// If it is not a regular file, or cannot be read.
pub fn file_sha256(path: &Path) -> io::Result<String> {
    let mut file = files::open(path)?;
    let mut sum = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hexadecimal(&sum.finalize())),
            length => sum.update(&piece[..length]),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// This program's version, with a checksum that identifies the build.
pub fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let version = env!("CARGO_PKG_VERSION");
        match checksum(Path::new("/proc/self/exe")).or_else(|_| checksum(&std::env::current_exe()?))
        {
            Ok(sum) => format!("{version} (build {sum:08x})"),
            Err(_) => version.to_owned(),
        }
    })
}

fn checksum(path: &Path) -> io::Result<u32> {
    let mut file = std::fs::File::open(path)?;
    let mut sum = crc32fast::Hasher::new();
    let mut piece = vec![0; 1 << 18];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(sum.finalize()),
            length => sum.update(&piece[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn images(pixels: Vec<u8>, labels: Vec<u16>, width: usize) -> Images {
        Images {
            height: pixels.len() / labels.len() / width,
            pixels: pixels.into(),
            labels: labels.into(),
            channels: 1,
            width,
            classes: 3,
        }
    }

    #[test]
    fn fingerprints_of_images_depend_on_pixels_labels_order_and_size() {
        let one = images((0..12).collect(), vec![2, 0], 3);
        assert_eq!(image_fingerprint(&one), image_fingerprint(&one.clone()));
        let mut pixel: Vec<u8> = (0..12).collect();
        pixel[7] ^= 1;
        let others = [
            images(pixel, vec![2, 0], 3),
            images((0..12).collect(), vec![2, 1], 3),
            images((6..12).chain(0..6).collect(), vec![0, 2], 3),
            images((0..12).collect(), vec![2, 0], 2),
            Images {
                classes: 4,
                ..one.clone()
            },
            Images {
                pixels: Arc::from([]),
                labels: Arc::from([]),
                ..one.clone()
            },
        ];
        for other in &others {
            assert_ne!(
                image_fingerprint(other).sha256,
                image_fingerprint(&one).sha256,
                "{other:?}"
            );
        }
    }

    #[test]
    fn a_program_names_its_version_and_its_build() {
        let text = program();
        assert!(text.starts_with(env!("CARGO_PKG_VERSION")), "{text}");
        assert!(text.contains("build "), "{text}");
    }
}
