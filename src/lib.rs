//! Noisescope shows a network millions of noise images and averages the noise by the network's decisions,
//! which reveals its biases: classification images, live in the terminal.
//!
//! This library is the whole program. A [`Lab`](analysis::Lab) holds a network and images; a plan, the
//! [`Config`](session::Config), lists experiments; an experiment computes blocks of trials and adds their sums to a
//! [`Record`](session::Record), from which its maps are estimated:
//!
//! ```
//! use std::ops::ControlFlow;
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use burn::tensor::Device;
//! use noisescope::analysis::{DeviceData, Job, Lab, build};
//! use noisescope::data::{DatasetRequest, load};
//! use noisescope::ids::{BlockIndex, ClassId, Gamma};
//! use noisescope::nets::{NetworkShape, Subject};
//! use noisescope::session::config::{
//!     Analysis, ClassificationImages, Dataset, DatasetSource, NetworkKind, Response,
//! };
//! use noisescope::session::{Config, Record};
//! use noisescope::stimulus::Pool;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The built-in part of MNIST.
//! let dataset = Dataset {
//!     source: DatasetSource::Embedded,
//!     ..Dataset::default()
//! };
//! let request = DatasetRequest {
//!     config: &dataset,
//!     seed: 1,
//!     data: Path::new("data"),
//!     cache: None,
//! };
//! let images = load(&request, &mut |_, _| ControlFlow::Continue(()))?;
//!
//! // A network with random weights, on the processor.
//! let (kind, device) = (NetworkKind::Logistic, Device::flex());
//! let shape = NetworkShape::from(&images.form());
//! let lab = Lab {
//!     network: Subject::untrained(kind, shape, 1, &device)?,
//!     kind,
//!     form: Arc::new(images.form()),
//!     device,
//!     pool: Pool::new(&images.train),
//!     dataset: Arc::new(images),
//!     resident: DeviceData::default(),
//! };
//!
//! // Two blocks of noise alone: reliability compares the even blocks with the odd ones.
//! let config = Config {
//!     analyses: vec![Analysis::ClassificationImages(ClassificationImages {
//!         gammas: vec![Gamma::NOISE],
//!         trials: 8192,
//!         block: 4096,
//!         responses: vec![Response::Decision, Response::Evidence],
//!         ..ClassificationImages::default()
//!     })],
//!     ..Config::default()
//! };
//! config.validate()?;
//! let mut record = Record::new(&config);
//! let mut experiment = build(&config, 0, &lab);
//! experiment.begin(0, &lab, &record.clone(), &mut record.analyses[0])?;
//! for block in BlockIndex::first(2) {
//!     let job = Job::single_block(0, block);
//!     let sums = experiment.step(&lab, job)?;
//!     experiment.merge(&mut record.analyses[0], job, sums);
//! }
//!
//! // What the network takes as evidence for a 3.
//! let measured = record.classification_images().ok_or("no classification images")?;
//! let estimate = measured.gammas[0].estimate();
//! let map = estimate.classes[ClassId(3)].image(Response::Evidence).ok_or("too few trials")?;
//! let reliability = map.reliability.ok_or("a constant map")?;
//! println!("a map of {} pixels with reliability {reliability:.2}", map.image.len());
//! assert!(reliability > 0.8);
//! # Ok(())
//! # }
//! ```
//!
//! An [`Engine`](engine::Engine) does this for all experiments of a [`Session`](session::Session), on every core or on
//! GPUs, and saves the results.
#![warn(missing_docs)]

pub mod analysis;
pub mod commands;
pub mod comparison;
pub mod data;
pub mod drawing;
pub mod engine;
pub mod export;
pub mod figure;
mod files;
pub mod format;
mod host;
pub mod ids;
pub mod inspect;
pub mod link;
pub mod nets;
pub mod report;
pub mod session;
pub mod stats;
pub mod stimulus;
pub mod tui;
mod typing;
