//! A program: the steps of a plan and its memory, and how images go through.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pulp::Simd;

use super::each::{self, Each};
use super::layout::{Frames, GROUPS, Place};
use super::pool::{self, Pool};
use super::product::{Multiply, Product};
use super::recurrent::{self, Recurrent};
use super::winograd::{self, Winograd};
use crate::nets::graph::NodeId;

/// How long something is measured.
pub const MOMENT: Duration = Duration::from_millis(60);

/// One step.
#[derive(Debug, Clone)]
pub enum Step {
    /// Images into lanes.
    Load(Place),
    /// A convolution or a dense layer.
    Product(Product),
    /// A convolution by minimal filtering.
    Winograd(Winograd),
    /// Windows.
    Pool(Pool),
    /// A function of every number.
    Each(Each),
    /// A recurrent layer.
    Recurrent(Recurrent),
}

impl Step {
    /// Whether it works on all groups at once.
    pub fn is_of_groups(&self) -> bool {
        match self {
            Self::Product(product) => product.is_of_groups(),
            Self::Recurrent(_) => true,
            Self::Load(_) | Self::Winograd(_) | Self::Pool(_) | Self::Each(_) => false,
        }
    }

    /// What it is, and how many numbers it writes.
    pub fn label(&self) -> String {
        let (name, to) = match self {
            Self::Load(to) => ("load", to),
            Self::Product(it) if it.is_of_groups() => ("dense", &it.to),
            Self::Product(it) => ("convolution", &it.to),
            Self::Winograd(it) => ("winograd", &it.to),
            Self::Pool(it) => ("pool", &it.to),
            Self::Each(Each::Select(_, _, to)) => ("select", to),
            Self::Each(Each::Clear(to)) => ("clear", to),
            Self::Each(Each::Fill(_, to)) => ("pad", to),
            Self::Each(Each::Softmax(_, _, to)) => ("softmax", to),
            Self::Each(Each::Standardize(_, _, to)) => ("normalize", to),
            Self::Each(
                Each::One(_, _, to) | Each::Channels(_, _, _, to) | Each::Two(_, _, _, to),
            ) => ("function", to),
            Self::Recurrent(it) => ("recurrent", &it.gates),
        };
        format!("{name} {}×{}×{}", to.channels, to.rows, to.columns)
    }

    /// Whether the values that it takes number by number have one form.
    pub fn fits(&self) -> bool {
        let form = |place: &Place| [place.channels, place.rows, place.columns];
        let alike = |from: &Place, to: &Place| form(from) == form(to);
        match self {
            Self::Each(
                Each::One(_, from, to)
                | Each::Channels(_, _, from, to)
                | Each::Softmax(_, from, to)
                | Each::Standardize(_, from, to),
            ) => alike(from, to),
            Self::Each(Each::Two(_, _, [a, b], to)) => alike(a, to) && alike(b, to),
            _ => true,
        }
    }

    /// Every value that it reads or writes.
    pub fn places(&mut self) -> Vec<&mut Place> {
        match self {
            Self::Load(to) => vec![to],
            Self::Product(it) => vec![&mut it.from, &mut it.to],
            Self::Winograd(it) => vec![&mut it.from, &mut it.to],
            Self::Pool(it) => vec![&mut it.from, &mut it.to],
            Self::Each(Each::Two(_, _, [a, b], to)) => vec![a, b, to],
            Self::Each(
                Each::One(_, from, to)
                | Each::Channels(_, _, from, to)
                | Each::Select(_, from, to)
                | Each::Softmax(_, from, to)
                | Each::Standardize(_, from, to),
            ) => vec![from, to],
            Self::Each(Each::Clear(to) | Each::Fill(_, to)) => vec![to],
            Self::Recurrent(_) => Vec::new(),
        }
    }
}

/// A planned graph.
#[derive(Debug, Clone)]
pub struct Program {
    /// Steps, each after those that it reads from.
    pub steps: Vec<Step>,
    /// Steps that follow upon each other and work on one group, or on all.
    pub segments: Vec<Range<usize>>,
    /// Its memory.
    pub frames: Frames,
    /// What is wanted of it: the logits alone, or the values of some nodes.
    pub outputs: Vec<Place>,
    /// Numbers of an image.
    pub numbers: usize,
    /// Images a vector.
    pub lanes: usize,
    /// Floats of the largest step's sums.
    pub sums: usize,
    /// Multiplications and additions of one image.
    pub operations: u64,
}

/// Sixteen floats, where vectors may begin.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// What a plan computed of some images.
#[derive(Clone, Copy)]
pub struct Portion<'a> {
    program: &'a Program,
    memory: &'a [f32],
    /// How many: as many as lanes times [`GROUPS`], or fewer at the end.
    pub images: usize,
}

impl<'a> Portion<'a> {
    /// Images a group.
    pub fn lanes(&self) -> usize {
        self.program.lanes
    }

    /// The value of an output of a group from its first number on, each as many times as there are lanes. In
    /// the lanes after the last image stands what stood there before.
    pub fn value(&self, output: usize, group: usize) -> &'a [f32] {
        let place = &self.program.outputs[output];
        let lanes = self.program.lanes;
        let first = self.program.frames.start(place, group) * lanes;
        &self.memory[first..first + place.size() * lanes]
    }

    /// The place of an output.
    pub fn place(&self, output: usize) -> &'a Place {
        &self.program.outputs[output]
    }
}

/// The memory of one run.
#[derive(Debug)]
pub struct Scratch {
    values: Vec<Line>,
    sums: Vec<Line>,
}

impl Scratch {
    /// For a program. Borders are zero, and nothing ever writes them.
    pub fn new(program: &Program) -> Self {
        let lines = |floats: usize| vec![Line([0.0; 16]); floats.div_ceil(16)];
        Self {
            values: lines(program.frames.size() * program.lanes),
            sums: lines(program.sums),
        }
    }
}

impl Program {
    /// Bytes that a run takes.
    pub fn scratch(&self) -> usize {
        4 * (self.frames.size() * self.lanes + self.sums)
    }

    /// Bytes of the weights, as they are read.
    pub fn weights(&self) -> usize {
        let own = self.steps.iter().map(|step| match step {
            Step::Product(own) => own.weights.len(),
            Step::Winograd(own) => own.weights.len(),
            Step::Recurrent(own) => own.weights(),
            _ => 0,
        });
        4 * own.sum::<usize>()
    }

    /// Runs images, row-major \[N,C,H,W\], through, some at a time; `take` is given the values of each
    /// portion.
    ///
    /// # Panics
    /// Where these are no whole images.
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
            pixels.len().is_multiple_of(self.numbers.max(1)),
            "whole images"
        );
        assert_eq!(lanes, self.lanes, "vectors that the plan was made for");
        let memory = scratch.values.as_mut_ptr().cast::<f32>();
        let sums = scratch.sums.as_mut_ptr().cast::<f32>();
        let at_once = GROUPS * lanes;
        for images in pixels.chunks(at_once * self.numbers.max(1)) {
            let count = images.len() / self.numbers.max(1);
            let groups = count.div_ceil(lanes);
            for segment in &self.segments {
                let steps = &self.steps[segment.clone()];
                if steps[0].is_of_groups() {
                    for step in steps {
                        self.on_groups(simd, step, memory, sums);
                    }
                    continue;
                }
                for group in 0..groups {
                    let first = group * lanes * self.numbers;
                    let last = images.len().min(first + lanes * self.numbers);
                    for step in steps {
                        self.on_group(simd, step, (group, &images[first..last]), memory, sums);
                    }
                }
            }
            // SAFETY: the memory is as long as the frames say, and nothing writes to it meanwhile.
            let memory = unsafe {
                std::slice::from_raw_parts(memory.cast_const(), self.frames.size() * lanes)
            };
            take(Portion {
                program: self,
                memory,
                images: count,
            });
        }
    }

    /// Microseconds an image that each step takes, alone and again and again for a moment.
    #[inline(always)]
    pub fn times<S: Simd>(&self, simd: S, scratch: &mut Scratch) -> Vec<f64> {
        let memory = scratch.values.as_mut_ptr().cast::<f32>();
        let sums = scratch.sums.as_mut_ptr().cast::<f32>();
        let images = vec![0.5; self.lanes * self.numbers];
        let of = |step: &Step| {
            let began = Instant::now();
            let mut runs = 0;
            while runs < 2 || began.elapsed() < MOMENT {
                match step.is_of_groups() {
                    true => self.on_groups(simd, step, memory, sums),
                    false => (0..GROUPS).for_each(|group| {
                        self.on_group(simd, step, (group, &images), memory, sums);
                    }),
                }
                runs += 1;
            }
            began.elapsed().as_secs_f64() * 1e6 / (runs * GROUPS * self.lanes) as f64
        };
        self.steps.iter().map(of).collect()
    }

    #[inline(always)]
    fn on_groups<S: Simd>(&self, simd: S, step: &Step, memory: *mut f32, sums: *mut f32) {
        let frames = self.frames;
        match step {
            Step::Product(product) => {
                simd.vectorize(Multiply {
                    product,
                    frames,
                    group: 0,
                    memory,
                    sums,
                    chosen: None,
                });
            }
            Step::Recurrent(layer) => {
                simd.vectorize(recurrent::OnGroups {
                    layer,
                    frames,
                    memory,
                    sums,
                });
            }
            Step::Load(_) | Step::Winograd(_) | Step::Pool(_) | Step::Each(_) => {}
        }
    }

    #[inline(always)]
    fn on_group<S: Simd>(
        &self,
        simd: S,
        step: &Step,
        (group, images): (usize, &[f32]),
        memory: *mut f32,
        sums: *mut f32,
    ) {
        let frames = self.frames;
        match step {
            Step::Load(to) => {
                let lanes = S::F32_LANES;
                let first = frames.start(to, group);
                let numbers = to.numbers();
                for (channel, row) in
                    (0..to.channels).flat_map(|c| (0..to.rows).map(move |r| (c, r)))
                {
                    let from = (channel * to.rows + row) * to.columns;
                    let into = first + to.offset(channel, row, 0);
                    for (lane, image) in images.chunks_exact(numbers).enumerate() {
                        let pixels = &image[from..from + to.columns];
                        for (column, pixel) in pixels.iter().enumerate() {
                            // SAFETY: values lie inside the memory.
                            unsafe { *memory.add((into + column) * lanes + lane) = *pixel };
                        }
                    }
                }
            }
            Step::Product(product) => {
                simd.vectorize(Multiply {
                    product,
                    frames,
                    group,
                    memory,
                    sums,
                    chosen: None,
                });
            }
            Step::Winograd(winograd) => {
                let room = sums;
                simd.vectorize(winograd::OnGroup {
                    winograd,
                    frames,
                    group,
                    memory,
                    room,
                    chosen: None,
                });
            }
            Step::Pool(pool) => simd.vectorize(pool::OnGroup {
                pool,
                frames,
                group,
                memory,
            }),
            Step::Each(each) => simd.vectorize(each::OnGroup {
                each,
                frames,
                group,
                memory,
            }),
            Step::Recurrent(_) => {}
        }
    }

    /// The same with a number added to every unit of a node; `None` where no step has its bias.
    pub fn pushed(&self, node: NodeId, delta: &[f32]) -> Option<Self> {
        let mut pushed = self.clone();
        let bias = pushed.steps.iter_mut().find_map(|step| match step {
            Step::Product(own) if own.node == node => Some(&mut own.bias),
            Step::Winograd(own) if own.node == node => Some(&mut own.bias),
            _ => None,
        })?;
        if bias.len() != delta.len() {
            return None;
        }
        *bias = Arc::from_iter(bias.iter().zip(delta).map(|(bias, delta)| bias + delta));
        Some(pushed)
    }
}
