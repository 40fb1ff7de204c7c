//! Opening a session's original images and its network, which is in its record or in a file.

use std::path::{Path, PathBuf};

use super::inputs;
use crate::nets::graph::{Graph, GraphError};
use crate::nets::import::onnx::{Bundle, OnnxError};
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
    #[error("network.weights: {0}")]
    FileChanged(String),
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
            let bundle = bundle(record.model.as_ref(), path, folder)?;
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
    let all = bundle(record.model.as_ref(), path, folder)?.reals()?;
    match all.is_empty() {
        false => Ok(all),
        true => Err(OriginalsError::FileChanged(format!(
            "{} names no weights: they are stored inside its nodes, and only in that file",
            path.display()
        ))),
    }
}

/// The existing files that may be the network's: at the path in the plan, and beside the session.
fn candidates(path: &Path, folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let beside = path.file_name().map(|name| folder.join(name));
    let places = std::iter::once(path.to_owned()).chain(beside);
    places.filter(|place| place.is_file())
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

/// Opens a network's file: at the path in the plan, beside the session, or stored in it. It must be the one
/// that the session began with.
///
/// # Errors
/// If the file is missing or has changed.
pub fn bundle(began: Option<&Model>, path: &Path, folder: &Path) -> Result<Bundle, OriginalsError> {
    let Some(began) = began else {
        return Ok(Bundle::open(path)?);
    };
    let is_kept = !began.file.values().is_empty();
    let mut others = Vec::new();
    for place in candidates(path, folder) {
        match Bundle::open(&place) {
            Ok(bundle) if bundle.sha256() == began.sha256 => return Ok(bundle),
            Err(error) if !is_kept => return Err(error.into()),
            _ => others.push(place.display().to_string()),
        }
    }
    if is_kept {
        return Ok(Bundle::from_bytes(path, began.file.values().to_vec())?);
    }
    let began = &began.sha256[..12.min(began.sha256.len())];
    Err(OriginalsError::FileChanged(match others.is_empty() {
        true => format!(
            "{} is gone; restore the file that this session began with (SHA-256 {began}…), here or in {}",
            path.display(),
            folder.display()
        ),
        false => format!(
            "{} is not the file that this session began with (SHA-256 {began}…); restore that file, or start a new session",
            others.join(" and ")
        ),
    }))
}
