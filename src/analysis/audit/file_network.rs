//! The networks of ONNX files in an audit: which have one architecture, and which are the same.

use std::path::Path;

use crate::nets::graph::Graph;
use crate::nets::graph::structure::Structure;
use crate::nets::onnx_network::{OnnxNetwork, original};
use crate::session::Session;
use crate::session::config::WeightSource;
use crate::session::form::Form;
use crate::session::record::ReferenceArchitecture;

/// The network of an ONNX file, under study or a reference.
#[derive(Debug)]
pub struct FileNetwork {
    structure: Structure,
    weights: Vec<u8>,
    /// The checksum of the file, if it is known.
    file: Option<String>,
}

impl FileNetwork {
    /// The network with this graph, from the file with this checksum.
    pub(super) fn new(graph: &Graph, file: Option<String>) -> Self {
        Self {
            structure: graph.structure(),
            weights: graph.weights_sha256(),
            file,
        }
    }

    /// Whether it is the same network as another one, from one file or from two that differ in names.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let is_one_file = self.file.is_some() && self.file == other.file;
        is_one_file || (self.structure == other.structure && self.weights == other.weights)
    }

    /// The architecture of another one; `None` if it is the same network.
    pub(super) fn architecture_of(&self, other: &Self) -> Option<ReferenceArchitecture> {
        match other.structure == self.structure {
            _ if self.is_same_as(other) => None,
            true => Some(ReferenceArchitecture::Suspect),
            false => Some(ReferenceArchitecture::Other),
        }
    }
}

/// The graph of the ONNX file of a session, which is in the file `path`.
///
/// # Errors
/// A message: why the network's file cannot be read.
pub(super) fn graph_of(path: &Path, session: &Session, form: &Form) -> Result<Graph, String> {
    let network = &session.config.network;
    let WeightSource::File(weights) = &network.weights else {
        return Err("its network is not from a file".to_owned());
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let bundle = original::bundle(session.record.model.as_ref(), weights, folder);
    let bundle = bundle.map_err(|error| error.to_string())?;
    let size = Some((form.height, form.width));
    let opened = OnnxNetwork::open(&bundle, network.output.as_deref(), size);
    let graph = opened.map_err(|error| error.to_string())?.graph;
    let scaled = graph.with_input_scaling(&network.input);
    scaled.map_err(|error| error.to_string())
}
