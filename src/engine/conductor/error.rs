//! The errors that end a run.

use crate::analysis::AnalysisError;
use crate::data::DataError;
use crate::engine::device::DeviceError;
use crate::engine::fault::ComputeFault;
use crate::engine::originals::OriginalsError;
use crate::engine::workers::StartError;
use crate::nets::ScalingError;
use crate::nets::graph::GraphError;
use crate::nets::import::ImportError;
use crate::nets::import::onnx::OnnxError;
use crate::nets::network_shape::NetworkShapeError;
use crate::nets::onnx_network::{NetworkMismatch, OnnxNetworkError};
use crate::nets::subject::UnusableOutputs;
use crate::nets::train::TrainError;
use crate::session::config::ConfigError;
use crate::session::store::StoreError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Plan(#[from] ConfigError),
    #[error("dataset: {0}")]
    Ports(#[from] NetworkShapeError),
    #[error(
        "dataset: the images are {found} in {found_classes} classes, but this session began with {began} in {began_classes}; restore those, or start a new session"
    )]
    FormChanged {
        found: String,
        found_classes: usize,
        began: String,
        began_classes: usize,
    },
    #[error(
        "{what}; restore what the session began with, or start a new one. If the change is intended, continue and record it: noisescope run {name} --accept-inputs"
    )]
    InputsChanged { what: String, name: String },
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
    Kept(#[from] OriginalsError),
    #[error(transparent)]
    Foreign(#[from] OnnxNetworkError),
    #[error("network: {0}")]
    Misfit(#[from] NetworkMismatch),
    #[error("network: {0}. The images are MNIST, unless --data FOLDER names others")]
    MisfitOfDefault(NetworkMismatch),
    #[error(transparent)]
    Outputs(#[from] UnusableOutputs),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Fault(#[from] ComputeFault),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("the results could not be saved: {0}")]
    Save(#[from] StoreError),
}
