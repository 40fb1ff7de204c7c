//! The network under study: a graph on a device, with its sites.
//!
//! Logits come from the fastest graph that gives the same ones, activations from the graph as it
//! is, whose nodes the sites name. That one is brought to the device when it is first needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use burn::tensor::{Device, Tensor, TensorData};

use super::gather::{self, Question};
use super::graph::op::{Binary, Op, Unary};
use super::graph::run::Loaded;
use super::graph::site::Site;
use super::graph::{Graph, GraphError, Input, NodeId};
use super::plan::triggered::{Answers, Looked, Sums};
use super::plan::{Lanes, Plan, Unplanned};
use super::{Network, Ports, launch, read_back};
use crate::session::config::NetworkKind;
use crate::session::record::Weights;

/// A network under study: its weights are fixed. Copies share them.
#[derive(Debug, Clone)]
pub struct Subject {
    graph: Graph,
    sites: Arc<[Site]>,
    /// The graph that gives the logits.
    fast: Loaded,
    /// For every node of the graph, the node of the fast one that gives the same.
    kept: Arc<[Option<NodeId>]>,
    /// The plan for a plain processor, or why there is none; made when it is first asked for.
    plan: Arc<OnceLock<Result<Plan, Unplanned>>>,
    /// The graph itself on the device.
    whole: Arc<OnceLock<Loaded>>,
    /// The plans of the image and the sites that were looked at together; `None` where there is none.
    looks: Looks,
    device: Device,
    /// What it is pushed by: sites and their offsets.
    pushes: Vec<(String, Vec<f32>)>,
}

/// Plans by the places of the sites whose values they give.
type Looks = Arc<Mutex<HashMap<Vec<usize>, Option<Plan>>>>;

impl Subject {
    /// A graph on a device.
    ///
    /// # Errors
    /// Where the graph cannot be rewritten, which would be a mistake in the rewriting.
    pub fn new(graph: Graph, device: &Device) -> Result<Self, GraphError> {
        let fast = graph.fast()?;
        Ok(Self {
            sites: graph.sites().into(),
            fast: fast.graph.load(device),
            kept: fast.kept.into(),
            plan: Arc::default(),
            whole: Arc::default(),
            looks: Arc::default(),
            device: device.clone(),
            graph,
            pushes: Vec::new(),
        })
    }

    /// A built-in kind with these weights.
    ///
    /// # Errors
    /// Where a weight is missing or has another shape, or the images are too small for the kind.
    pub fn built_in(
        kind: NetworkKind,
        ports: Ports,
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, GraphError> {
        Self::new(Graph::of_kind(kind, ports, weights)?, device)
    }

    /// A built-in kind with weights drawn from `seed`, as before training.
    ///
    /// # Errors
    /// Where the images are too small for the kind.
    pub fn untrained(
        kind: NetworkKind,
        ports: Ports,
        seed: u64,
        device: &Device,
    ) -> Result<Self, GraphError> {
        let weights = Network::new(kind, ports, seed, device).weights();
        Self::built_in(kind, ports, &weights, device)
    }

    /// The same network on another device.
    pub fn on(&self, device: &Device) -> Self {
        // Devices that only differ in whether they record gradients are equal to Burn.
        if self.device == *device && self.device.is_autodiff() == device.is_autodiff() {
            return self.clone();
        }
        let bare = Self {
            fast: self.fast.graph().load(device),
            plan: Arc::default(),
            whole: Arc::default(),
            looks: Arc::default(),
            device: device.clone(),
            pushes: Vec::new(),
            ..self.clone()
        };
        // What could be pushed there can be pushed here.
        let pushes = self.pushes.iter();
        pushes.fold(bare, |subject, (site, delta)| {
            subject.pushed(site, delta).unwrap_or(subject)
        })
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What it takes and gives.
    pub fn ports(&self) -> Ports {
        Ports {
            image: self.graph.image(),
            classes: self.graph.classes(),
        }
    }

    /// Its sites, from the image on; the logits come last.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Logits \[N,K\] of images \[N,C,H,W\] in \[0,1\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.fast.forward(images)
    }

    /// Its plan for a plain processor.
    ///
    /// # Errors
    /// The node that no plan is made for.
    pub fn plan(&self) -> Result<&Plan, &Unplanned> {
        self.plan
            .get_or_init(|| Plan::new(self.fast.graph()))
            .as_ref()
    }

    /// Logits, row-major \[N,K\], of `pixels`, row-major \[N,C,H,W\] in \[0,1\]: by its plan where this
    /// thread computes so and there is one, else on the device.
    pub fn logits(&self, pixels: Vec<f32>, device: &Device) -> Vec<f32> {
        if launch::is_by_plan()
            && let Ok(plan) = self.plan()
        {
            return plan.logits(&pixels);
        }
        if gather::is_gathering() {
            let area = self.graph.image().iter().product();
            let (own, device) = (self.clone(), device.clone());
            let ask = move |pixels: Vec<f32>| vec![own.logits_at_once(&pixels, &device)];
            let question = self.question(Vec::new());
            return gather::ask(question, pixels, area, ask).swap_remove(0);
        }
        self.logits_at_once(&pixels, device)
    }

    /// Logits by the device, of all images in as few launches as it has memory for.
    fn logits_at_once(&self, pixels: &[f32], device: &Device) -> Vec<f32> {
        let [channels, height, width] = self.graph.image();
        let area = channels * height * width;
        launch::in_pieces(0..pixels.len() / area, &|rows| {
            let own = pixels[rows.start * area..rows.end * area].to_vec();
            let data = TensorData::new(own, [rows.len(), channels, height, width]);
            read_back(self.forward(Tensor::from_data(data, device)))
        })
    }

    /// What is asked of this network where blocks are gathered.
    fn question(&self, sites: Vec<usize>) -> Question {
        Question {
            network: Arc::as_ptr(&self.sites).addr(),
            pushes: self.pushes.clone(),
            sites,
        }
    }

    /// Whether it says of two different images together what it says of each alone, to 10⁻³ of the
    /// spread of its logits. A file made for one image at a time may be taken for more wrongly.
    pub fn answers_images_apart(&self) -> bool {
        let area: usize = self.graph.image().iter().product();
        // Two images that have nothing in common.
        let images: Vec<f32> = (0..2 * area)
            .map(|at| ((at * 7919 + at / area * 104_729) % 251) as f32 / 250.0)
            .collect();
        let together = self.logits(images.clone(), &self.device);
        let mut apart = self.logits(images[..area].to_vec(), &self.device);
        apart.extend(self.logits(images[area..].to_vec(), &self.device));
        let most = apart.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        together.len() == apart.len()
            && together
                .iter()
                .zip(&apart)
                .all(|(a, b)| (a - b).abs() <= 1e-3 * most.max(f32::MIN_POSITIVE))
    }

    /// The logits of every image, one row of K each, of those of many.
    pub fn rows<'a>(&self, logits: &'a [f32]) -> std::slice::ChunksExact<'a, f32> {
        logits.chunks_exact(self.graph.classes())
    }

    fn whole(&self) -> &Loaded {
        self.whole.get_or_init(|| self.graph.load(&self.device))
    }

    /// Activations \[N,units,rows,columns\] of sites, by their places among all, in the order asked
    /// for, on images \[N,C,H,W\] in \[0,1\].
    pub fn activations(&self, images: Tensor<4>, sites: &[usize]) -> Vec<Tensor<4>> {
        let chosen: Vec<Site> = sites.iter().map(|&at| self.sites[at].clone()).collect();
        self.whole().activations(images, &chosen)
    }

    /// The plan that gives images and the values of these sites, where this thread computes by plan and
    /// there is one for the network as it is.
    fn looking(&self, sites: &[usize]) -> Option<Plan> {
        if !launch::is_by_plan() || !self.pushes.is_empty() || sites.is_empty() {
            return None;
        }
        let mut looks = self.looks.lock().ok()?;
        let make = || {
            let input = self
                .graph
                .ids()
                .find(|id| self.graph.node(*id).op == Op::Input)?;
            let own = sites.iter().map(|&at| self.sites[at].node);
            let wanted: Vec<NodeId> = [input].into_iter().chain(own).collect();
            Plan::of(&self.graph, &wanted, Lanes::chosen(), launch::is_direct()).ok()
        };
        looks.entry(sites.to_vec()).or_insert_with(make).clone()
    }

    /// Where the activations of a site stand, of some of its positions or of all.
    fn answers(&self, site: usize, positions: Option<&[usize]>) -> Answers {
        let (units, all) = self.graph.standing(&self.sites[site]);
        let positions = match positions {
            Some(chosen) => chosen.iter().map(|&at| all[at]).collect(),
            None => all,
        };
        Answers { units, positions }
    }

    /// Activations of `pixels`, row-major \[N,C,H,W\] in \[0,1\], at sites, by their places among all, each
    /// row-major \[N,units,rows,columns\]; `None` where they are not had by plan.
    pub fn planned_activations(&self, pixels: &[f32], sites: &[usize]) -> Option<Vec<Vec<f32>>> {
        let answers = |&at: &usize| self.answers(at, None);
        let answers: Vec<Answers> = sites.iter().map(answers).collect();
        Some(self.looking(sites)?.activations(pixels, &answers))
    }

    /// The same, by plan where this thread computes so and there is one, else on the device.
    pub fn responses(&self, pixels: &[f32], sites: &[usize]) -> Vec<Vec<f32>> {
        if let Some(all) = self.planned_activations(pixels, sites) {
            return all;
        }
        if gather::is_gathering() {
            let area = self.graph.image().iter().product();
            let (own, asked) = (self.clone(), sites.to_vec());
            let ask = move |pixels: Vec<f32>| own.responses_at_once(&pixels, &asked);
            return gather::ask(self.question(sites.to_vec()), pixels.to_vec(), area, ask);
        }
        self.responses_at_once(pixels, sites)
    }

    fn responses_at_once(&self, pixels: &[f32], sites: &[usize]) -> Vec<Vec<f32>> {
        let [channels, height, width] = self.graph.image();
        let images = pixels.len() / (channels * height * width).max(1);
        let data = TensorData::new(pixels.to_vec(), [images, channels, height, width]);
        let all = self.activations(Tensor::from_data(data, &self.device), sites);
        all.into_iter().map(read_back).collect()
    }

    /// Adds to `sums` the receptive fields of sites on `pixels`, row-major \[N,C,H,W\] in \[0,1\], by what they
    /// answer; false, and nothing is added, where this is not done by plan.
    pub fn triggered(&self, pixels: &[f32], sites: &[usize], sums: &mut [Sums]) -> bool {
        let Some(plan) = self.looking(sites) else {
            return false;
        };
        let looked = |&site: &usize| {
            let own = &self.sites[site];
            let fields = own.inner();
            let columns = own.positions.1;
            let positions = fields.iter().map(|it| it.row * columns + it.column);
            Looked {
                answers: self.answers(site, Some(&positions.collect::<Vec<_>>())),
                corners: fields.iter().map(|it| (it.top, it.left)).collect(),
                field: own.field_shape(),
            }
        };
        let looked: Vec<Looked> = sites.iter().map(looked).collect();
        plan.triggered(pixels, &looked, sums);
        true
    }

    /// The weights of a site that sees the image itself as maps over its receptive field, row-major
    /// \[units,C,h,w\], by a change of one in a pixel; `None` for all others.
    pub fn kernel(&self, site: usize) -> Option<Vec<f32>> {
        let site = &self.sites[site];
        let layer = self.graph.node(site.push?.0);
        let Some(Input::Weight(weight)) = layer.inputs.get(1) else {
            return None;
        };
        let weight = self.graph.weights().get(weight)?;
        let Input::Node(before) = layer.inputs[0] else {
            return None;
        };
        let taken = self.channels_of(before)?;
        let shape = site.field_shape();
        let [channels, height, width] = shape;
        let area = height * width;
        // Which number of the kernel a number of the weight belongs to, and what it is multiplied by.
        let placed = |at: usize| {
            let (channel, scale) = taken[at / area];
            (channel * area + at % area, scale)
        };
        let values = weight.values();
        let pixels = channels * area;
        let mut kernel = vec![0.0; site.units * pixels];
        let at = match &layer.op {
            Op::Conv(conv) if conv.groups == 1 && conv.dilation == [1, 1] => {
                let whole = weight.shape() == [site.units, channels, height, width];
                whole.then_some((pixels, 1))?
            }
            Op::Dense if weight.shape() == [pixels, site.units] => (1, site.units),
            _ => return None,
        };
        for (unit, kernel) in kernel.chunks_exact_mut(pixels).enumerate() {
            for pixel in 0..pixels {
                let (to, scale) = placed(pixel);
                kernel[to] = values[unit * at.0 + pixel * at.1] * scale;
            }
        }
        Some(kernel)
    }

    /// For every channel that a node gives, which channel of the image it is, and what a change of
    /// one there changes in it; `None` where the node does more to the image than scale it, flatten
    /// it and change the order of its channels.
    fn channels_of(&self, node: NodeId) -> Option<Vec<(usize, f32)>> {
        let channels = self.graph.image()[0];
        let own = self.graph.node(node);
        if own.op == Op::Input {
            return Some((0..channels).map(|channel| (channel, 1.0)).collect());
        }
        let Some(Input::Node(before)) = own.inputs.first() else {
            return None;
        };
        let mut taken = self.channels_of(*before)?;
        match (&own.op, own.inputs.get(1)) {
            (Op::Unary(Unary::Affine { scale, .. }), _) => {
                taken.iter_mut().for_each(|(_, it)| *it *= *scale as f32);
            }
            (Op::Reshape { .. }, _)
            | (Op::Binary(Binary::Add | Binary::Sub), Some(Input::Weight(_))) => {}
            (
                Op::Gather {
                    axis: 1, indices, ..
                },
                _,
            ) if indices.len() == channels => {
                taken = indices.iter().map(|&channel| taken[channel]).collect();
            }
            (Op::Binary(operation @ (Binary::Mul | Binary::Div)), Some(Input::Weight(by))) => {
                let by = self.graph.weights().get(by)?.values();
                if by.len() != 1 && by.len() != channels {
                    return None;
                }
                for (channel, (_, it)) in taken.iter_mut().enumerate() {
                    let by = by[channel % by.len()];
                    *it = match operation {
                        Binary::Mul => *it * by,
                        _ => *it / by,
                    };
                }
            }
            _ => return None,
        }
        Some(taken)
    }
}

mod pushed;

pub use pushed::{Pushed, SiteError};

#[cfg(test)]
mod tests;
