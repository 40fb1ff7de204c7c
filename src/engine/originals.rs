//! Opening a session's original images and its network, which is in its record or in a file.

use std::path::{Path, PathBuf};

use super::inputs;
use crate::nets::graph::{Graph, GraphError};
use crate::nets::import::onnx::{Bundle, OnnxError};
use crate::nets::onnx_network::original::{self, OriginalFileError, candidates};
use crate::nets::onnx_network::{OnnxNetwork, OnnxNetworkError};
use crate::nets::state_dict::state_dict;
use crate::nets::{NetworkShape, ScalingError};
use crate::session::config::{Dataset, DatasetSource, NetworkKind, WeightSource};
use crate::session::form::Form;
use crate::session::record::Model;
use crate::session::{Array, Session};

/// A session's record of its images if they are the built-in ones.
pub const EMBEDDED: &str = "embedded subset";
/// A session's record of its images if they are the whole set.
pub const FULL: &str = "full set";

/// The data set of a plan; a run that began with one variant (`began_on`, as recorded) continues with it,
/// even if the full set has been fetched since.
pub fn images(plan: &Dataset, began_on: Option<&str>) -> Dataset {
    let source = match (&plan.source, began_on) {
        (DatasetSource::Auto, Some(EMBEDDED)) => DatasetSource::Embedded,
        (DatasetSource::Auto, Some(FULL)) => DatasetSource::Full,
        (source, _) => source.clone(),
    };
    Dataset {
        source,
        ..plan.clone()
    }
}

/// Why a session's network cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OriginalsError {
    /// It is not trained yet.
    #[error("{0} has no trained network yet; run it first: noisescope run {0}")]
    Untrained(String),
    /// Its weights do not fit the network.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Its file cannot be read.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// Its file contains no network that can be studied.
    #[error(transparent)]
    Foreign(#[from] OnnxNetworkError),
    /// Its images cannot be scaled as configured.
    #[error(transparent)]
    Scaling(#[from] ScalingError),
    /// Its file is missing or has changed.
    #[error(transparent)]
    File(#[from] OriginalFileError),
}

/// The network of a session, for images of a form. `folder` is the sessions' folder, which may contain
/// the network's file.
///
/// # Errors
/// If it is not trained yet, or its file is gone.
pub fn graph(session: &Session, form: &Form, folder: &Path) -> Result<Graph, OriginalsError> {
    let (config, record) = (&session.config, &session.record);
    let network = &config.network;
    let training = record
        .training
        .as_ref()
        .filter(|training| training.finished);
    let training = training.ok_or_else(|| OriginalsError::Untrained(session.name.clone()))?;
    let graph = match (&network.weights, network.kind) {
        (WeightSource::File(path), NetworkKind::Onnx) => {
            let bundle = original::bundle(record.model.as_ref(), path, folder)?;
            let size = Some((form.height, form.width));
            OnnxNetwork::open(&bundle, network.output.as_deref(), size)?.graph
        }
        (_, kind) => Graph::for_kind(kind, NetworkShape::from(form), &training.best)?,
    };
    Ok(graph.with_input_scaling(&network.input)?)
}

/// The weights of a session's network by name: for a built-in kind with PyTorch's names and layout, for an ONNX file
/// its arrays of real numbers. `folder` is the sessions' folder, which may contain the network's file.
///
/// # Errors
/// If it is not trained yet, or its file is gone.
pub fn tensors(
    session: &Session,
    folder: &Path,
) -> Result<Vec<(String, Array<f32>)>, OriginalsError> {
    let (network, record) = (&session.config.network, &session.record);
    let training = record
        .training
        .as_ref()
        .filter(|training| training.finished);
    let training = training.ok_or_else(|| OriginalsError::Untrained(session.name.clone()))?;
    let (WeightSource::File(path), NetworkKind::Onnx) = (&network.weights, network.kind) else {
        return Ok(state_dict(&training.best));
    };
    let all = original::bundle(record.model.as_ref(), path, folder)?.reals()?;
    match all.is_empty() {
        false => Ok(all),
        true => Err(OriginalFileError::Changed(format!(
            "{} names no weights: they are stored inside its nodes, and only in that file",
            path.display()
        ))
        .into()),
    }
}

/// The current fingerprint of a network's file: the original one if that file is still there or no file is.
pub fn fingerprint(began: &Model, path: &Path, folder: &Path) -> String {
    let fingerprint = |place: PathBuf| match Bundle::open(&place) {
        Ok(bundle) => bundle.sha256().to_owned(),
        // It is no longer a network.
        Err(_) => inputs::file_sha256(&place).unwrap_or_default(),
    };
    let all: Vec<String> = candidates(path, folder).map(fingerprint).collect();
    match all.contains(&began.sha256) {
        true => began.sha256.clone(),
        false => all
            .into_iter()
            .next()
            .unwrap_or_else(|| began.sha256.clone()),
    }
}
