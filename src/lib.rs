//! Noisescope shows a network millions of noise images and averages the noise by the network's decisions,
//! which reveals its biases: classification images, live in the terminal.
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
pub mod inspect;
pub mod link;
pub mod nets;
pub mod report;
pub mod session;
pub mod stats;
pub mod stimulus;
pub mod tui;
