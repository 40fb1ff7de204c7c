//! What is kept of a network: its images at several numbers of trials.

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use noisescope::stats::audit::Images;
use noisescope::stats::classification::Estimate;

/// A network.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Share of clean test images that are right.
    pub accuracy: f64,
    /// Share of the attacked ones that are called the target.
    pub success: Option<f64>,
    /// In the order of γ, then of trials.
    pub maps: Vec<Maps>,
}

/// The images at one γ and number of trials, by class.
#[derive(Debug, Clone, Default)]
pub struct Maps {
    /// Evidence images.
    pub evidence: Images,
    /// Classification images.
    pub decision: Images,
    /// Their z.
    pub z: Images,
}

impl Kept {
    /// The images of an estimate.
    pub fn maps_of(estimate: &Estimate) -> Maps {
        let classes = || estimate.classes.iter();
        Maps {
            evidence: classes()
                .map(|it| Some(it.evidence.as_ref()?.image.clone()))
                .collect(),
            decision: classes()
                .map(|it| Some(it.decision.as_ref()?.image.clone()))
                .collect(),
            z: classes()
                .map(|it| Some(it.decision.as_ref()?.z.clone()))
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
                    let own = image.clone().unwrap_or_default();
                    bytes.write_all(&(own.len() as u32).to_le_bytes())?;
                    for value in own {
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
        let success = Some(f64::from_le_bytes(number)).filter(|it| it.is_finite());
        let mut maps = Vec::new();
        while !from.is_empty() {
            let mut images = || -> Result<Images, Box<dyn Error>> {
                let mut all = Vec::new();
                for _ in 0..classes {
                    let mut word = [0; 4];
                    from.read_exact(&mut word)?;
                    let length = u32::from_le_bytes(word);
                    let mut own = Vec::new();
                    for _ in 0..length {
                        from.read_exact(&mut word)?;
                        own.push(f32::from_le_bytes(word));
                    }
                    all.push((length > 0).then_some(own));
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
