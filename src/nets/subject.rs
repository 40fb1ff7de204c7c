//! [`Subject`], the network under study: a graph on a device, with its sites.
//!
//! Logits come from an equivalent graph rewritten for speed, activations from the original graph,
//! whose nodes the sites name. The original is loaded onto the device when first needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use burn::tensor::{Device, Tensor, TensorData};

use super::coalesce::{self, CallKey};
use super::graph::op::Op;
use super::graph::run::LoadedGraph;
use super::graph::site::Site;
use super::graph::{Graph, GraphError, NodeId};
use super::plan::triggered::{ActivationOffsets, SummedSite, TriggeredSums};
use super::plan::{Lanes, Plan, UnsupportedNode};
use super::{Network, NetworkShape, launch, read_back};
use crate::ids::SiteId;
use crate::session::config::NetworkKind;
use crate::session::record::NetworkWeights;

/// A network under study: its weights are fixed. Copies share them.
#[derive(Debug, Clone)]
pub struct Subject {
    graph: Graph,
    sites: Arc<[Site]>,
    /// The graph rewritten for speed, which computes the logits.
    fast: LoadedGraph,
    /// For every node of the graph, the node of the fast one with the same value.
    fast_ids: Arc<[Option<NodeId>]>,
    /// The plan for the processor, or why there is none; compiled on first use.
    plan: Arc<OnceLock<Result<Plan, UnsupportedNode>>>,
    /// The original graph on the device.
    whole: Arc<OnceLock<LoadedGraph>>,
    /// The plans for sets of sites whose activations were computed together; `None` if there is none.
    activation_plans: Looks,
    device: Device,
    /// Its pushes: sites and the offsets added there.
    pushes: Vec<(String, Vec<f32>)>,
}

/// Plans by the sites whose values they compute.
type Looks = Arc<Mutex<HashMap<Vec<SiteId>, Option<Plan>>>>;

impl Subject {
    /// A graph on a device.
    ///
    /// # Errors
    /// If the graph cannot be rewritten, which would be a bug in a rewrite.
    pub fn new(graph: Graph, device: &Device) -> Result<Self, GraphError> {
        let fast = graph.fast()?;
        Ok(Self {
            sites: graph.sites().into(),
            fast: fast.graph.load(device),
            fast_ids: fast.new_ids.into(),
            plan: Arc::default(),
            whole: Arc::default(),
            activation_plans: Arc::default(),
            device: device.clone(),
            graph,
            pushes: Vec::new(),
        })
    }

    /// A built-in kind with these weights.
    ///
    /// # Errors
    /// If a weight is missing or has another shape, or the images are too small for the kind.
    pub fn built_in(
        kind: NetworkKind,
        ports: NetworkShape,
        weights: &NetworkWeights,
        device: &Device,
    ) -> Result<Self, GraphError> {
        Self::new(Graph::for_kind(kind, ports, weights)?, device)
    }

    /// A built-in kind with weights drawn from `seed`, as before training.
    ///
    /// # Errors
    /// If the images are too small for the kind.
    pub fn untrained(
        kind: NetworkKind,
        ports: NetworkShape,
        seed: u64,
        device: &Device,
    ) -> Result<Self, GraphError> {
        let weights = Network::new(kind, ports, seed, device).weights();
        Self::built_in(kind, ports, &weights, device)
    }

    /// The same network on another device.
    pub fn on(&self, device: &Device) -> Self {
        // Burn considers devices equal that differ only in whether they record gradients.
        if self.device == *device && self.device.is_autodiff() == device.is_autodiff() {
            return self.clone();
        }
        let bare = Self {
            fast: self.fast.graph().load(device),
            plan: Arc::default(),
            whole: Arc::default(),
            activation_plans: Arc::default(),
            device: device.clone(),
            pushes: Vec::new(),
            ..self.clone()
        };
        // A site that can be pushed on one device can be pushed on the other.
        let pushes = self.pushes.iter();
        pushes.fold(bare, |subject, (site, delta)| {
            subject.pushed(site, delta).unwrap_or(subject)
        })
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The device that it computes on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The shape of its images and its number of classes.
    pub fn network_shape(&self) -> NetworkShape {
        NetworkShape {
            image: self.graph.image(),
            classes: self.graph.classes(),
        }
    }

    /// Its sites, in order from the image; the logits come last.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Logits \[N,K\] of images \[N,C,H,W\] in \[0,1\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.fast.forward(images)
    }

    /// Its plan for the processor.
    ///
    /// # Errors
    /// The node that cannot be planned.
    pub fn plan(&self) -> Result<&Plan, &UnsupportedNode> {
        self.plan
            .get_or_init(|| Plan::new(self.fast.graph()))
            .as_ref()
    }

    /// Logits, row-major \[N,K\], of `pixels`, row-major \[N,C,H,W\] in \[0,1\]: by its plan if this
    /// thread computes by plan and there is one, else on the device.
    pub fn logits(&self, pixels: Vec<f32>, device: &Device) -> Vec<f32> {
        if launch::is_by_plan()
            && let Ok(plan) = self.plan()
        {
            return plan.logits(&pixels);
        }
        if coalesce::is_in_launch() {
            let area = self.graph.image().iter().product();
            let (subject, device) = (self.clone(), device.clone());
            let run = move |pixels: Vec<f32>| vec![subject.logits_on_device(&pixels, &device)];
            let question = self.call_key(Vec::new());
            return coalesce::run_call(question, pixels, area, run).swap_remove(0);
        }
        self.logits_on_device(&pixels, device)
    }

    /// Logits of all images on the device, in as few launches as its memory allows.
    fn logits_on_device(&self, pixels: &[f32], device: &Device) -> Vec<f32> {
        let [channels, height, width] = self.graph.image();
        let area = channels * height * width;
        launch::in_pieces(0..pixels.len() / area, &|rows| {
            let values = pixels[rows.start * area..rows.end * area].to_vec();
            let data = TensorData::new(values, [rows.len(), channels, height, width]);
            read_back(self.forward(Tensor::from_data(data, device)))
        })
    }

    /// The key of a call of this network, for merging the calls of a launch.
    fn call_key(&self, sites: Vec<SiteId>) -> CallKey {
        CallKey {
            network: Arc::as_ptr(&self.sites).addr(),
            pushes: self.pushes.clone(),
            sites,
        }
    }

    /// Splits logits \[N,K\] into one row of K per image.
    pub fn rows<'a>(&self, logits: &'a [f32]) -> std::slice::ChunksExact<'a, f32> {
        logits.chunks_exact(self.graph.classes())
    }

    fn whole(&self) -> &LoadedGraph {
        self.whole.get_or_init(|| self.graph.load(&self.device))
    }

    /// Activations \[N,units,rows,columns\] of sites, in that order, on images \[N,C,H,W\] in \[0,1\].
    pub fn activations(&self, images: Tensor<4>, sites: &[SiteId]) -> Vec<Tensor<4>> {
        let chosen: Vec<Site> = sites.iter().map(|&site| self.sites[site].clone()).collect();
        self.whole().activations(images, &chosen)
    }

    /// The plan that computes the images and the values of these sites, if this thread computes by plan
    /// and the network, unpushed, has one.
    fn activation_plan(&self, sites: &[SiteId]) -> Option<Plan> {
        if !launch::is_by_plan() || !self.pushes.is_empty() || sites.is_empty() {
            return None;
        }
        let mut looks = self.activation_plans.lock().ok()?;
        let make = || {
            let input = self
                .graph
                .ids()
                .find(|id| self.graph.node(*id).op == Op::Input)?;
            let nodes = sites.iter().map(|&site| self.sites[site].node);
            let outputs: Vec<NodeId> = [input].into_iter().chain(nodes).collect();
            Plan::for_nodes(
                &self.graph,
                &outputs,
                Lanes::from_env_or_widest(),
                launch::is_winograd_disabled(),
            )
            .ok()
        };
        looks.entry(sites.to_vec()).or_insert_with(make).clone()
    }

    /// The locations of a site's activations in its node's value, at some of its positions or all.
    fn activation_layout(&self, site: SiteId, positions: Option<&[usize]>) -> ActivationOffsets {
        let (units, all) = self.graph.activation_offsets(&self.sites[site]);
        let positions = match positions {
            Some(chosen) => chosen.iter().map(|&position| all[position]).collect(),
            None => all,
        };
        ActivationOffsets { units, positions }
    }

    /// Activations of `pixels`, row-major \[N,C,H,W\] in \[0,1\], at sites, each row-major
    /// \[N,units,rows,columns\]; `None` if there is no plan for them.
    pub fn planned_activations(&self, pixels: &[f32], sites: &[SiteId]) -> Option<Vec<Vec<f32>>> {
        let answers = |&site: &SiteId| self.activation_layout(site, None);
        let answers: Vec<ActivationOffsets> = sites.iter().map(answers).collect();
        Some(self.activation_plan(sites)?.activations(pixels, &answers))
    }

    /// The same, by plan if this thread computes by plan and there is one, else on the device.
    pub fn responses(&self, pixels: &[f32], sites: &[SiteId]) -> Vec<Vec<f32>> {
        if let Some(all) = self.planned_activations(pixels, sites) {
            return all;
        }
        if coalesce::is_in_launch() {
            let area = self.graph.image().iter().product();
            let (subject, wanted) = (self.clone(), sites.to_vec());
            let run = move |pixels: Vec<f32>| subject.responses_on_device(&pixels, &wanted);
            return coalesce::run_call(self.call_key(sites.to_vec()), pixels.to_vec(), area, run);
        }
        self.responses_on_device(pixels, sites)
    }

    fn responses_on_device(&self, pixels: &[f32], sites: &[SiteId]) -> Vec<Vec<f32>> {
        let [channels, height, width] = self.graph.image();
        let images = pixels.len() / (channels * height * width).max(1);
        let data = TensorData::new(pixels.to_vec(), [images, channels, height, width]);
        let all = self.activations(Tensor::from_data(data, &self.device), sites);
        all.into_iter().map(read_back).collect()
    }

    /// Adds the receptive fields of sites on `pixels`, row-major \[N,C,H,W\] in \[0,1\], weighted by their
    /// activations, to `sums`; returns false and adds nothing if there is no plan for this.
    pub fn add_triggered(
        &self,
        pixels: &[f32],
        sites: &[SiteId],
        sums: &mut [TriggeredSums],
    ) -> bool {
        let Some(plan) = self.activation_plan(sites) else {
            return false;
        };
        let looked = |&site: &SiteId| {
            let chosen = &self.sites[site];
            let fields = chosen.inner_positions();
            let columns = chosen.positions.1;
            let positions = fields
                .iter()
                .map(|place| place.row * columns + place.column);
            SummedSite {
                activations: self.activation_layout(site, Some(&positions.collect::<Vec<_>>())),
                corners: fields.iter().map(|place| (place.top, place.left)).collect(),
                field: chosen.field_shape(),
            }
        };
        let looked: Vec<SummedSite> = sites.iter().map(looked).collect();
        plan.triggered(pixels, &looked, sums);
        true
    }
}

mod kernel;
mod outputs;
mod pushed;

pub use outputs::{PROBABILITIES_NOTE, UndecidedImages, UnusableOutputs};
pub use pushed::{PushedNetworks, SiteError};

#[cfg(test)]
mod tests;
