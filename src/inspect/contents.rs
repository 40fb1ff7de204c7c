//! Opens a network or weight file and finds out what it contains.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;

use super::Inspection;
use super::architecture::Architecture;
use super::scaling::{self, ScalingResults, ScalingTestError};
use crate::analysis::pilot;
use crate::analysis::{AnalysisError, DeviceData, Lab};
use crate::data::Dataset;
use crate::ids::Gamma;
use crate::nets::graph::{Graph, GraphError};
use crate::nets::import::onnx::{Bundle, OnnxError};
use crate::nets::import::{self, ImportError};
use crate::nets::onnx_network::{OnnxNetwork, OnnxNetworkError};
use crate::nets::subject::PROBABILITIES_NOTE;
use crate::nets::{NetworkShape, Subject};
use crate::session::config::{self, InputEncoding, NetworkKind};
use crate::session::form::{DEFAULT_IMAGE, Form};
use crate::stats::grain::GrainForecast;
use crate::stimulus::Pool;

/// A file to inspect, and how.
#[derive(Debug, Clone, Copy)]
pub struct InspectionRequest<'a> {
    /// The file.
    pub path: &'a Path,
    /// Whether it holds only weights and not an ONNX network.
    pub weights_only: bool,
    /// The network's config: its output, input and image size.
    pub network: &'a config::Network,
    /// The built-in kind that a weight file is for; `None`: any that fits.
    pub kind: Option<NetworkKind>,
    /// Images to show it.
    pub images: Option<&'a Dataset>,
    /// Most images to show.
    pub max_images: usize,
    /// Whether to show it noise too, to estimate how many trials its maps take.
    pub pilot: bool,
    /// Where to compute.
    pub device: &'a Device,
}

/// Why a file cannot be inspected any further.
#[derive(Debug, thiserror::Error)]
enum InspectionError {
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error(transparent)]
    Foreign(#[from] OnnxNetworkError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(transparent)]
    Trial(#[from] ScalingTestError),
    #[error(transparent)]
    Pilot(#[from] AnalysisError),
    #[error("the weights fit no built-in network:\n{0}")]
    NoKind(String),
}

impl InspectionRequest<'_> {
    /// Inspects the file. Failures are listed among the inspection's problems.
    pub fn inspect(&self) -> Inspection {
        let bytes = self.path.metadata().map_or(0, |file| file.len());
        let mut found = Inspection::new(self.path, bytes);
        if let Some(images) = self.images {
            found
                .notes
                .extend(images.notes.iter().map(|note| note.text.clone()));
        }
        let opened = match self.weights_only {
            true => self.weights(&mut found),
            false => self.onnx(&mut found),
        };
        let shown = opened.and_then(|(graph, form)| self.show(&mut found, &graph, form));
        if let Err(problem) = shown {
            found.problems.push(problem.to_string());
        }
        found
    }

    /// Rows and columns of the images, if given by the images or the config.
    fn size(&self) -> Option<(usize, usize)> {
        let images = self.images.map(|images| images.form().shape());
        let shape = images.or(self.network.image);
        shape.map(|[_, height, width]| (height, width))
    }

    fn onnx(&self, found: &mut Inspection) -> Result<(Graph, Form), InspectionError> {
        let bundle = Bundle::open(self.path)?;
        found.bytes = bundle.size();
        found.sha256 = bundle.sha256().to_owned();
        found.onnx = Some(bundle.survey()?);
        let foreign = OnnxNetwork::open(&bundle, self.network.output.as_deref(), self.size())?;
        found.notes.extend(foreign.notes.iter().cloned());
        let form = match self.images {
            Some(images) => {
                if let Err(misfit) = foreign.check_fits(&images.form()) {
                    found
                        .problems
                        .push(format!("the images do not fit: {misfit}"));
                    foreign.form()
                } else {
                    foreign.with_class_names(images.form())
                }
            }
            None => foreign.form(),
        };
        Ok((foreign.graph, form))
    }

    fn weights(&self, found: &mut Inspection) -> Result<(Graph, Form), InspectionError> {
        let form = match self.images {
            Some(images) => images.form(),
            None => {
                let image = self.network.image.unwrap_or(DEFAULT_IMAGE);
                Form::numbered(image, import::classes(self.path, image)?)
            }
        };
        let ports = NetworkShape::from(&form);
        let kinds = match self.kind {
            Some(kind) => vec![kind],
            None => NetworkKind::ALL.to_vec(),
        };
        let is_only_kind = kinds.len() == 1;
        let (mut near, mut far) = (Vec::new(), Vec::new());
        // The file's own layers, which are the same for every kind.
        let mut layers = None;
        for kind in kinds {
            if let Err(error) = ports.check(kind) {
                far.push((kind.label(), error.to_string()));
                continue;
            }
            let error = match import::read(self.path, kind, ports, &self.network.input) {
                Ok(read) => {
                    found.kind = Some(kind.label());
                    found.notes.extend(read.notes);
                    return Ok((Graph::for_kind(kind, ports, &read.weights)?, form));
                }
                Err(error) => error,
            };
            // A file that is not a weight file is reported only once.
            if !error.is_misfit() {
                return Err(error.into());
            }
            match error.layers() {
                Some((own, needed)) if !is_only_kind => {
                    layers = Some(own.to_owned());
                    far.push((kind.label(), format!("needs {needed}")));
                }
                Some(_) => far.push((kind.label(), error.fault.to_string())),
                None => near.push((kind.label(), error.fault.to_string())),
            }
        }
        // If one nearly fits, list only such.
        let (layers, faults) = match near.is_empty() {
            true => (layers, far),
            false => (None, near),
        };
        let layers = layers.map(|own| {
            format!("  the file has the layers {own}; it was made for another architecture")
        });
        let faults = faults.iter();
        let faults = faults.map(|(kind, fault)| format!("  {kind}: {fault}"));
        let lines = layers.into_iter().chain(faults);
        let size = form.size_in_words();
        let images = format!(
            "  tried for images of {size}; for others, use --set 'network.image=Some((CHANNELS, ROWS, COLUMNS))' or --data"
        );
        let remedy = import::onnx_export_advice(form.shape());
        let remedy = format!("To use a network of another architecture, {remedy}");
        let lines: Vec<String> = lines.chain([images, remedy]).collect();
        Err(InspectionError::NoKind(lines.join("\n")))
    }

    /// Shows the network noise at several grains, with its input scaled as given.
    fn pilot(
        &self,
        graph: &Graph,
        input: &InputEncoding,
        images: &Dataset,
        form: Form,
    ) -> Result<Vec<GrainForecast>, InspectionError> {
        let lab = Lab {
            network: Subject::new(
                graph
                    .with_input_scaling(input)
                    .map_err(ScalingTestError::from)?,
                self.device,
            )?,
            kind: self.kind.unwrap_or(NetworkKind::Onnx),
            device: self.device.clone(),
            pool: Pool::new(&images.train),
            form: Arc::new(form),
            dataset: Arc::new(images.clone()),
            resident: DeviceData::default(),
        };
        Ok(pilot::run_pilot(&lab, Gamma::NOISE, 1)?)
    }

    /// Inspects an opened network, and shows it the images if they fit.
    fn show(
        &self,
        found: &mut Inspection,
        graph: &Graph,
        form: Form,
    ) -> Result<(), InspectionError> {
        found.network = Some(Architecture::of(graph, &form));
        if found.onnx.is_some() {
            let subject = Subject::new(graph.clone(), self.device)?;
            if let Err(problem) = subject.check_outputs() {
                found.problems.push(problem.to_string());
                return Ok(());
            }
            if subject.gives_probabilities() {
                found.notes.push(PROBABILITIES_NOTE.to_owned());
            }
        }
        let fitting = found.problems.is_empty();
        if let Some(images) = self
            .images
            .filter(|images| fitting && !images.test.is_empty())
        {
            found.scaling = Some(scaling::test_scalings(
                graph,
                &self.network.input,
                &images.train,
                &images.test,
                self.max_images,
                self.device,
            )?);
        }
        let noise = Dataset::none(form.clone());
        let images = self.images.unwrap_or(&noise);
        if fitting && self.pilot {
            let better = found.scaling.as_ref().and_then(ScalingResults::better);
            let input = better.map_or(&self.network.input, |trial| &trial.input);
            found.pilot = self.pilot(graph, input, images, form)?;
        }
        Ok(())
    }
}
