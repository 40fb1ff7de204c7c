//! The errors that end a run.

use crate::analysis::AnalysisError;
use crate::data::DataError;
use crate::engine::device::DeviceError;
use crate::engine::fault::Fault;
use crate::engine::kept::KeptError;
use crate::engine::workers::StartError;
use crate::nets::ScalingError;
use crate::nets::foreign::{ForeignError, Misfit, MixesImages};
use crate::nets::graph::GraphError;
use crate::nets::import::ImportError;
use crate::nets::import::onnx::OnnxError;
use crate::nets::ports::PortsError;
use crate::nets::train::TrainError;
use crate::session::store::StoreError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("dataset: {0}")]
    Ports(#[from] PortsError),
    #[error(
        "dataset: the images are {found} in {found_classes} classes, but this session began with {began} in {began_classes}; restore those, or start a new session"
    )]
    OtherForm {
        found: String,
        found_classes: usize,
        began: String,
        began_classes: usize,
    },
    #[error(
        "{what}; restore what the session began with, or start a new one. If the change is intended, continue and record it: noisescope run {name} --accept-inputs"
    )]
    OtherInputs { what: String, name: String },
    #[error("network.weights: {path} cannot be read: {error}")]
    Unreadable { path: String, error: std::io::Error },
    #[error(
        "network.weights: training needs images, and the plan has none (dataset: None); load weights from a file: network.weights=File(\"model.pt\")"
    )]
    NothingToTrainOn,
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error(transparent)]
    Scaling(#[from] ScalingError),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    #[error("network: {0}")]
    Misfit(#[from] Misfit),
    #[error(transparent)]
    MixesImages(#[from] MixesImages),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("the results could not be saved: {0}")]
    Save(#[from] StoreError),
}
