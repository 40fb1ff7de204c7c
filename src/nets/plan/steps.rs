//! The program of a plan: its steps, its memory, and how images run through them.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pulp::Simd;

use super::elementwise::{self, Elementwise};
use super::layout::{GROUPS, MemoryAreas, TensorSlot};
use super::pool::{self, Pooling};
use super::product::{Multiply, Product};
use super::recurrent::{self, RecurrentLayer};
use super::winograd::{self, Winograd};
use crate::nets::graph::NodeId;

/// How long each timing measurement runs.
pub const MEASURING_TIME: Duration = Duration::from_millis(60);

/// One step of a program.
#[derive(Debug, Clone)]
pub enum PlanStep {
    /// Loads images into lanes.
    Load(TensorSlot),
    /// A convolution or dense layer.
    Product(Product),
    /// A Winograd convolution.
    Winograd(Winograd),
    /// A pooling layer.
    Pool(Pooling),
    /// An elementwise step.
    Elementwise(Elementwise),
    /// A recurrent layer.
    Recurrent(RecurrentLayer),
}

impl PlanStep {
    /// Whether it works on all groups of images at once.
    pub fn spans_groups(&self) -> bool {
        match self {
            Self::Product(product) => product.spans_groups(),
            Self::Recurrent(_) => true,
            Self::Load(_) | Self::Winograd(_) | Self::Pool(_) | Self::Elementwise(_) => false,
        }
    }

    /// The kind of step and the shape of its output.
    pub fn label(&self) -> String {
        let (name, to) = match self {
            Self::Load(to) => ("load", to),
            Self::Product(product) if product.spans_groups() => ("dense", &product.to),
            Self::Product(product) => ("convolution", &product.to),
            Self::Winograd(winograd) => (winograd.label(), &winograd.to),
            Self::Pool(pool) => ("pool", &pool.to),
            Self::Elementwise(Elementwise::Select(_, _, to)) => ("select", to),
            Self::Elementwise(Elementwise::Clear(to)) => ("clear", to),
            Self::Elementwise(Elementwise::Fill(_, to)) => ("pad", to),
            Self::Elementwise(Elementwise::Softmax(_, _, to)) => ("softmax", to),
            Self::Elementwise(Elementwise::Standardize(_, _, to)) => ("normalize", to),
            Self::Elementwise(
                Elementwise::Unary(_, _, to)
                | Elementwise::ChannelAffine(_, _, _, to)
                | Elementwise::ChannelQuotient(_, _, _, to)
                | Elementwise::Binary(_, _, _, to),
            ) => ("function", to),
            Self::Recurrent(layer) => ("recurrent", &layer.gates),
        };
        format!("{name} {}×{}×{}", to.channels, to.rows, to.columns)
    }

    /// Whether the tensors of an elementwise step have the same shape.
    pub fn shapes_match(&self) -> bool {
        let shape = |place: &TensorSlot| [place.channels, place.rows, place.columns];
        let same = |from: &TensorSlot, to: &TensorSlot| shape(from) == shape(to);
        match self {
            Self::Elementwise(
                Elementwise::Unary(_, from, to)
                | Elementwise::ChannelAffine(_, _, from, to)
                | Elementwise::ChannelQuotient(_, _, from, to)
                | Elementwise::Softmax(_, from, to)
                | Elementwise::Standardize(_, from, to),
            ) => same(from, to),
            Self::Elementwise(Elementwise::Binary(_, _, [a, b], to)) => same(a, to) && same(b, to),
            _ => true,
        }
    }

    /// Every tensor that it reads or writes, except those of recurrent layers.
    pub fn slots_mut(&mut self) -> Vec<&mut TensorSlot> {
        match self {
            Self::Load(to) => vec![to],
            Self::Product(product) => vec![&mut product.from, &mut product.to],
            Self::Winograd(winograd) => vec![&mut winograd.from, &mut winograd.to],
            Self::Pool(pool) => vec![&mut pool.from, &mut pool.to],
            Self::Elementwise(Elementwise::Binary(_, _, [a, b], to)) => vec![a, b, to],
            Self::Elementwise(
                Elementwise::Unary(_, from, to)
                | Elementwise::ChannelAffine(_, _, from, to)
                | Elementwise::ChannelQuotient(_, _, from, to)
                | Elementwise::Select(_, from, to)
                | Elementwise::Softmax(_, from, to)
                | Elementwise::Standardize(_, from, to),
            ) => vec![from, to],
            Self::Elementwise(Elementwise::Clear(to) | Elementwise::Fill(_, to)) => vec![to],
            Self::Recurrent(_) => Vec::new(),
        }
    }
}

/// A compiled graph.
#[derive(Debug, Clone)]
pub struct Program {
    /// Steps in order of computation.
    pub steps: Vec<PlanStep>,
    /// Runs of consecutive steps that all work on one group of images at a time, or all on all groups at once.
    pub segments: Vec<Range<usize>>,
    /// The memory areas.
    pub areas: MemoryAreas,
    /// The outputs: the logits, or the tensors of the requested nodes.
    pub outputs: Vec<TensorSlot>,
    /// Pixels of an image, over all channels.
    pub image_len: usize,
    /// Images per vector.
    pub lanes: usize,
    /// Floats of scratch memory that the largest step needs.
    pub scratch_len: usize,
    /// Multiplications and additions per image.
    pub operations: u64,
}

/// Sixteen floats, aligned for vectors.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// The outputs that a plan computed for some of the images.
#[derive(Clone, Copy)]
pub struct Portion<'a> {
    program: &'a Program,
    memory: &'a [f32],
    /// Number of images: lanes times `GROUPS`, or fewer in the last portion.
    pub images: usize,
}

impl<'a> Portion<'a> {
    /// Images per group.
    pub fn lanes(&self) -> usize {
        self.program.lanes
    }

    /// An output of a group: its elements, each with one float per lane. Lanes after the last image hold stale
    /// values.
    pub fn value(&self, output: usize, group: usize) -> &'a [f32] {
        let place = &self.program.outputs[output];
        let lanes = self.program.lanes;
        let first = self.program.areas.start(place, group) * lanes;
        &self.memory[first..first + place.padded_elements() * lanes]
    }

    /// The layout of an output.
    pub fn slot(&self, output: usize) -> &'a TensorSlot {
        &self.program.outputs[output]
    }
}

/// Scratch memory of one run.
#[derive(Debug)]
pub struct Scratch {
    values: Vec<Line>,
    sums: Vec<Line>,
}

impl Scratch {
    /// Allocates memory for a program, zeroed so that borders start as zeros.
    pub fn new(program: &Program) -> Self {
        let lines = |floats: usize| vec![Line([0.0; 16]); floats.div_ceil(16)];
        Self {
            values: lines(program.areas.size() * program.lanes),
            sums: lines(program.scratch_len),
        }
    }
}

impl Program {
    /// Bytes of scratch memory per run.
    pub fn scratch_bytes(&self) -> usize {
        4 * (self.areas.size() * self.lanes + self.scratch_len)
    }

    /// Bytes of the weights, as packed for the kernels.
    pub fn weight_bytes(&self) -> usize {
        let floats = self.steps.iter().map(|step| match step {
            PlanStep::Product(product) => product.weights.len(),
            PlanStep::Winograd(winograd) => winograd.weights.len(),
            PlanStep::Recurrent(layer) => layer.weight_count(),
            _ => 0,
        });
        4 * floats.sum::<usize>()
    }

    /// Runs the program on images, row-major \[N,C,H,W\], in portions; `take` receives the outputs of each portion.
    ///
    /// # Panics
    /// If `pixels` is not a whole number of images, or the vectors are not those that the program was compiled for.
    #[inline(always)]
    pub fn run<S: Simd>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        pixels: &[f32],
        take: &mut dyn FnMut(Portion),
    ) {
        let lanes = S::F32_LANES;
        assert!(
            pixels.len().is_multiple_of(self.image_len.max(1)),
            "a whole number of images"
        );
        assert_eq!(
            lanes, self.lanes,
            "the vectors that the plan was compiled for"
        );
        let memory = scratch.values.as_mut_ptr().cast::<f32>();
        let sums = scratch.sums.as_mut_ptr().cast::<f32>();
        let at_once = GROUPS * lanes;
        for images in pixels.chunks(at_once * self.image_len.max(1)) {
            let count = images.len() / self.image_len.max(1);
            let groups = count.div_ceil(lanes);
            for segment in &self.segments {
                let steps = &self.steps[segment.clone()];
                if steps[0].spans_groups() {
                    for step in steps {
                        self.on_groups(simd, step, memory, sums);
                    }
                    continue;
                }
                for group in 0..groups {
                    let first = group * lanes * self.image_len;
                    let last = images.len().min(first + lanes * self.image_len);
                    for step in steps {
                        self.on_group(simd, step, (group, &images[first..last]), memory, sums);
                    }
                }
            }
            // SAFETY: the memory is `frames.size() * lanes` floats long, and nothing writes to it meanwhile.
            let memory = unsafe {
                std::slice::from_raw_parts(memory.cast_const(), self.areas.size() * lanes)
            };
            take(Portion {
                program: self,
                memory,
                images: count,
            });
        }
    }

    /// Microseconds per image of each step, measured by repeating it alone for [`MEASURING_TIME`].
    #[inline(always)]
    pub fn times<S: Simd>(&self, simd: S, scratch: &mut Scratch) -> Vec<f64> {
        let memory = scratch.values.as_mut_ptr().cast::<f32>();
        let sums = scratch.sums.as_mut_ptr().cast::<f32>();
        let images = vec![0.5; self.lanes * self.image_len];
        let time = |step: &PlanStep| {
            let began = Instant::now();
            let mut runs = 0;
            while runs < 2 || began.elapsed() < MEASURING_TIME {
                match step.spans_groups() {
                    true => self.on_groups(simd, step, memory, sums),
                    false => (0..GROUPS).for_each(|group| {
                        self.on_group(simd, step, (group, &images), memory, sums);
                    }),
                }
                runs += 1;
            }
            began.elapsed().as_secs_f64() * 1e6 / (runs * GROUPS * self.lanes) as f64
        };
        self.steps.iter().map(time).collect()
    }

    #[inline(always)]
    fn on_groups<S: Simd>(&self, simd: S, step: &PlanStep, memory: *mut f32, sums: *mut f32) {
        let frames = self.areas;
        match step {
            PlanStep::Product(product) => {
                simd.vectorize(Multiply {
                    product,
                    frames,
                    group: 0,
                    memory,
                    sums,
                    chosen: None,
                });
            }
            PlanStep::Recurrent(layer) => {
                simd.vectorize(recurrent::RecurrentOnGroups {
                    layer,
                    frames,
                    memory,
                    sums,
                });
            }
            PlanStep::Load(_)
            | PlanStep::Winograd(_)
            | PlanStep::Pool(_)
            | PlanStep::Elementwise(_) => {}
        }
    }

    #[inline(always)]
    fn on_group<S: Simd>(
        &self,
        simd: S,
        step: &PlanStep,
        (group, images): (usize, &[f32]),
        memory: *mut f32,
        sums: *mut f32,
    ) {
        let frames = self.areas;
        match step {
            PlanStep::Load(to) => {
                let lanes = S::F32_LANES;
                let first = frames.start(to, group);
                let numbers = to.elements();
                for (channel, row) in
                    (0..to.channels).flat_map(|c| (0..to.rows).map(move |r| (c, r)))
                {
                    let from = (channel * to.rows + row) * to.columns;
                    let into = first + to.offset(channel, row, 0);
                    for (lane, image) in images.chunks_exact(numbers).enumerate() {
                        let pixels = &image[from..from + to.columns];
                        for (column, pixel) in pixels.iter().enumerate() {
                            // SAFETY: tensors lie inside the memory.
                            unsafe { *memory.add((into + column) * lanes + lane) = *pixel };
                        }
                    }
                }
            }
            PlanStep::Product(product) => {
                simd.vectorize(Multiply {
                    product,
                    frames,
                    group,
                    memory,
                    sums,
                    chosen: None,
                });
            }
            PlanStep::Winograd(winograd) => {
                let room = sums;
                simd.vectorize(winograd::WinogradOnGroup {
                    winograd,
                    frames,
                    group,
                    memory,
                    scratch: room,
                    chosen: None,
                });
            }
            PlanStep::Pool(pool) => simd.vectorize(pool::PoolingOnGroup {
                pool,
                frames,
                group,
                memory,
            }),
            PlanStep::Elementwise(each) => simd.vectorize(elementwise::ElementwiseOnGroup {
                each,
                frames,
                group,
                memory,
            }),
            PlanStep::Recurrent(_) => {}
        }
    }

    /// The same program with `delta` added to the bias of a node, one number per unit; `None` if no step holds that
    /// bias or the lengths differ.
    pub fn with_bias_offset(&self, node: NodeId, delta: &[f32]) -> Option<Self> {
        let mut pushed = self.clone();
        let bias = pushed.steps.iter_mut().find_map(|step| match step {
            PlanStep::Product(product) if product.node == node => Some(&mut product.bias),
            PlanStep::Winograd(winograd) if winograd.node == node => Some(&mut winograd.bias),
            _ => None,
        })?;
        if bias.len() != delta.len() {
            return None;
        }
        *bias = Arc::from_iter(bias.iter().zip(delta).map(|(bias, delta)| bias + delta));
        Some(pushed)
    }
}
