//! Opening the network under study: built in and trained, or from a file.

use std::path::Path;

use super::{Conductor, RunError, on_device};
use crate::engine::device::OpenDevices;
use crate::engine::originals::OriginalsError;
use crate::format::thousands;
use crate::nets::graph::Graph;
use crate::nets::import::onnx::Bundle;
use crate::nets::import::{self};
use crate::nets::onnx_network::{OnnxNetwork, original};
use crate::nets::{Network, NetworkShape, Subject, graph_parameter_count};
use crate::session::Array;
use crate::session::config::{Config, NetworkKind, WeightSource};
use crate::session::form::{DEFAULT_IMAGE, Form};
use crate::session::record::{Model, TrainingRecord};

impl Conductor {
    /// The session's network, on this run's device.
    pub(super) fn subject(
        &self,
        config: &Config,
        form: &Form,
        opened: &OpenDevices,
    ) -> Result<Subject, RunError> {
        let graph = match &self.foreign {
            Some(graph) => graph.clone(),
            None => {
                let training = self.active.session.record.training.as_ref();
                let best = training
                    .map(|record| record.best.clone())
                    .unwrap_or_default();
                let graph = Graph::for_kind(config.network.kind, NetworkShape::from(form), &best)?;
                graph.with_input_scaling(&config.network.input)?
            }
        };
        Ok(on_device(&opened.name, || {
            Subject::new(graph, &opened.device)
        })??)
    }

    /// The network's graph as it will be computed, with its initial weights, before training.
    pub(super) fn untrained(&self, config: &Config, form: &Form) -> Result<Graph, RunError> {
        if let Some(graph) = &self.foreign {
            return Ok(graph.clone());
        }
        let (kind, ports) = (config.network.kind, NetworkShape::from(form));
        let device = burn::tensor::Device::flex();
        let weights = Network::new(kind, ports, 0, &device).weights();
        let graph = Graph::for_kind(kind, ports, &weights)?;
        Ok(graph.with_input_scaling(&config.network.input)?)
    }

    /// The form of the images of a network that is shown noise only.
    pub(super) fn form_of_network(&self, config: &Config, path: &Path) -> Result<Form, RunError> {
        config.network.check_image()?;
        let image = config.network.image.unwrap_or(DEFAULT_IMAGE);
        if config.network.kind != NetworkKind::Onnx {
            return Ok(Form::numbered(image, import::classes(path, image)?));
        }
        let size = config
            .network
            .image
            .map(|[_, height, width]| (height, width));
        let output = config.network.output.as_deref();
        Ok(OnnxNetwork::open(&self.bundle(config, path)?, output, size)?.form())
    }

    /// Opens the network if its file holds more than weights, and returns the form with the class names
    /// found in the file.
    pub(super) fn open_network(&mut self, config: &Config, form: Form) -> Result<Form, RunError> {
        let network = (&config.network.weights, config.network.kind);
        let (WeightSource::File(path), NetworkKind::Onnx) = network else {
            // The plan may have named such a file before it was edited.
            self.active.session.record.model = None;
            return Ok(form);
        };
        let bundle = self.bundle(config, path)?;
        // The size of the images, in case the file does not fix it.
        let size = Some((form.height, form.width));
        let foreign = OnnxNetwork::open(&bundle, config.network.output.as_deref(), size)?;
        foreign.check_fits(&form).map_err(|misfit| {
            match config.dataset == Config::default().dataset {
                true => RunError::MisfitOfDefault(misfit),
                false => RunError::Misfit(misfit),
            }
        })?;
        let graph = foreign.graph.with_input_scaling(&config.network.input)?;
        for note in &foreign.notes {
            self.active.note(format!("network: {note}"));
        }
        self.active.log(format!(
            "network: {}, {}, {} nodes",
            path.display(),
            bundle.survey()?.origin(),
            thousands(graph.nodes().len() as u64)
        ));
        let small = bundle
            .single_file()
            .filter(|bytes| bytes.len() <= Model::MAX_BYTES);
        let record = &mut self.active.session.record;
        if !record.has_begun(config) {
            record.model = None;
        }
        record.model.get_or_insert_with(|| Model {
            path: path.display().to_string(),
            sha256: bundle.sha256().to_owned(),
            file: small.map_or_else(Array::default, |bytes| {
                Array::new(&[bytes.len()], bytes.to_vec())
            }),
        });
        self.foreign = Some(graph);
        Ok(foreign.with_class_names(form))
    }

    /// The network file that the session began with. Until something has been done, the file that the plan names now takes
    /// the place of one that was only opened.
    fn bundle(&self, config: &Config, path: &Path) -> Result<Bundle, RunError> {
        let record = &self.active.session.record;
        let has_begun = record.has_begun(config);
        let is_gone = |model: &Model| !path.is_file() && model.path == path.display().to_string();
        let opened = record.model.as_ref();
        let began = opened.filter(|model| has_begun || is_gone(model));
        let folder = self.options.store.folder();
        Ok(original::bundle(began, path, folder).map_err(OriginalsError::from)?)
    }

    /// Uses the network from a file unchanged.
    pub(super) fn take_graph(&mut self, graph: Graph) {
        let parameters = graph_parameter_count(&graph);
        self.active.run.parameters = parameters;
        self.active.session.record.training = Some(TrainingRecord {
            parameters,
            ..TrainingRecord::default()
        });
    }
}
