//! The saved results of a network: its images at several numbers of trials.

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use noisescope::stats::audit::ClassImages;
use noisescope::stats::classification::GammaEstimate;

/// The results of a network.
#[derive(Debug, Clone, Default)]
pub struct CachedNetwork {
    /// Share of clean test images classified correctly.
    pub accuracy: f64,
    /// Share of attacked test images classified as the target.
    pub success: Option<f64>,
    /// By γ, then by number of trials.
    pub maps: Vec<Maps>,
}

/// The images at one γ and number of trials, by class.
#[derive(Debug, Clone, Default)]
pub struct Maps {
    /// Evidence images.
    pub evidence: ClassImages,
    /// Classification images.
    pub decision: ClassImages,
    /// z-scores of the classification images.
    pub z: ClassImages,
}

impl CachedNetwork {
    /// The images of an estimate.
    pub fn maps(estimate: &GammaEstimate) -> Maps {
        let classes = || estimate.classes.iter();
        Maps {
            evidence: classes()
                .map(|class| Some(class.evidence.as_ref()?.image.clone()))
                .collect(),
            decision: classes()
                .map(|class| Some(class.decision.as_ref()?.image.clone()))
                .collect(),
            z: classes()
                .map(|class| Some(class.decision.as_ref()?.z.clone()))
                .collect(),
        }
    }

    pub fn write(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let mut bytes = Vec::new();
        for number in [self.accuracy, self.success.unwrap_or(f64::NAN)] {
            bytes.write_all(&number.to_le_bytes())?;
        }
        for maps in &self.maps {
            for images in [&maps.evidence, &maps.decision, &maps.z] {
                for image in images {
                    let values = image.clone().unwrap_or_default();
                    bytes.write_all(&(values.len() as u32).to_le_bytes())?;
                    for value in values {
                        bytes.write_all(&value.to_le_bytes())?;
                    }
                }
            }
        }
        fs::write(file, bytes)?;
        Ok(())
    }

    pub fn read(file: &Path, classes: usize) -> Result<Self, Box<dyn Error>> {
        let bytes = fs::read(file)?;
        let mut from = bytes.as_slice();
        let mut number = [0; 8];
        from.read_exact(&mut number)?;
        let accuracy = f64::from_le_bytes(number);
        from.read_exact(&mut number)?;
        let success = Some(f64::from_le_bytes(number)).filter(|share| share.is_finite());
        let mut maps = Vec::new();
        while !from.is_empty() {
            let mut images = || -> Result<ClassImages, Box<dyn Error>> {
                let mut all = Vec::new();
                for _ in 0..classes {
                    let mut word = [0; 4];
                    from.read_exact(&mut word)?;
                    let length = u32::from_le_bytes(word);
                    let mut values = Vec::new();
                    for _ in 0..length {
                        from.read_exact(&mut word)?;
                        values.push(f32::from_le_bytes(word));
                    }
                    all.push((length > 0).then_some(values));
                }
                Ok(all)
            };
            maps.push(Maps {
                evidence: images()?,
                decision: images()?,
                z: images()?,
            });
        }
        Ok(Self {
            accuracy,
            success,
            maps,
        })
    }
}
