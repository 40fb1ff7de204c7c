//! Completes a draft: decides which tensors lie in the frames, assigns memory, and groups steps into segments.

use std::ops::Range;

use super::super::memory::assign_memory;
use super::{Draft, flat_slot};
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::elementwise::Elementwise;
use crate::nets::plan::layout::TensorSlot;
use crate::nets::plan::steps::{PlanStep, Program};

impl Draft<'_> {
    /// Assigns memory to every tensor and completes the program.
    pub fn finish(mut self) -> Result<Program, UnsupportedNode> {
        let misfit = self.steps.iter().find(|(step, _)| !step.shapes_match());
        if misfit.is_some() {
            return Err(self.unsupported(
                self.requested[0],
                "a step combines tensors of different shapes",
            ));
        }
        let mut outputs: Vec<TensorSlot> =
            self.requested.iter().map(|id| self.output(*id)).collect();
        for out in &outputs {
            self.tensors[out.origin].1 = true;
        }
        let of_groups: Vec<bool> = self
            .steps
            .iter()
            .map(|(step, _)| step.spans_groups())
            .collect();
        let segments = segments(&of_groups);
        let segment_of = |step: usize| segments.iter().position(|steps| steps.contains(&step));
        // The last segment that uses each tensor. Tensors used by several segments, or by steps on all groups, lie
        // in the frames.
        let mut used_by: Vec<Option<usize>> = vec![None; self.tensors.len()];
        // The first and last step that use each tensor.
        let mut lives = vec![(usize::MAX, 0); self.tensors.len()];
        // Tensors with a border.
        let mut bordered = vec![None; self.tensors.len()];
        for (at, (step, _)) in self.steps.iter_mut().enumerate() {
            let segment = segment_of(at);
            for place in step.slots_mut() {
                let (framed, used_by) = (
                    &mut self.tensors[place.origin].1,
                    &mut used_by[place.origin],
                );
                *framed |= of_groups[at] || used_by.is_some() && *used_by != segment;
                *used_by = segment;
                let (first, last) = &mut lives[place.origin];
                (*first, *last) = (at.min(*first), at);
                if !place.has_no_border() {
                    bordered[place.origin] = Some(*place);
                }
            }
        }
        // Memory not to be reused: outputs stay to the end, borders stay zero, and for recurrent layers it is not
        // known here when they use a tensor.
        let mut kept: Vec<bool> = (0..self.tensors.len())
            .map(|value| bordered[value].is_some() || lives[value].0 == usize::MAX)
            .collect();
        outputs.iter().for_each(|out| kept[out.origin] = true);
        self.deferred_tensors
            .iter()
            .for_each(|&value| kept[value] = true);
        let (resolved, frames, shared) = assign_memory(&self.tensors, &lives, &kept);
        let resolve =
            |place: &mut TensorSlot| (place.origin, place.per_group) = resolved[place.origin];
        let places: Vec<TensorSlot> = resolved
            .iter()
            .zip(&self.tensors)
            .map(|(&(at, framed), (size, _))| TensorSlot {
                origin: at,
                per_group: framed,
                ..flat_slot(*size)
            })
            .collect();
        let mut steps = Vec::new();
        for (at, (mut step, later)) in std::mem::take(&mut self.steps).into_iter().enumerate() {
            if shared {
                // Memory that was used before has no zeros in the border.
                let first = (0..lives.len()).filter(|&value| lives[value].0 == at);
                for mut place in first.filter_map(|value| bordered[value]) {
                    resolve(&mut place);
                    if !place.per_group {
                        steps.push(PlanStep::Elementwise(Elementwise::Clear(TensorSlot {
                            skip: 0,
                            ..place
                        })));
                    }
                }
            }
            steps.push(match later {
                Some(later) => later(&places),
                None => {
                    step.slots_mut().into_iter().for_each(resolve);
                    step
                }
            });
        }
        outputs.iter_mut().for_each(resolve);
        let sums = |step: &PlanStep| match step {
            PlanStep::Product(product) => product.scratch_len(self.lanes),
            PlanStep::Winograd(winograd) => winograd.scratch_len(self.lanes),
            PlanStep::Recurrent(layer) => layer.scratch_len(self.lanes),
            _ => 0,
        };
        let of_groups: Vec<bool> = steps.iter().map(PlanStep::spans_groups).collect();
        let program = Program {
            scratch_len: steps.iter().map(sums).max().unwrap_or(0),
            segments: self::segments(&of_groups),
            steps,
            areas: frames,
            outputs,
            image_len: self.graph.image().iter().product(),
            lanes: self.lanes,
            operations: self.operations,
        };
        match program.scratch_bytes() > MAX_SCRATCH_BYTES {
            true => Err(self.unsupported(
                self.requested[0],
                "its tensors take too much memory for one portion of images",
            )),
            false => Ok(program),
        }
    }
}

/// Maximum scratch memory of a run, in bytes.
const MAX_SCRATCH_BYTES: usize = 1 << 30;

/// Runs of consecutive steps that agree in whether they work on all groups.
fn segments(of_groups: &[bool]) -> Vec<Range<usize>> {
    let mut segments = Vec::new();
    let mut first = 0;
    for at in 1..=of_groups.len() {
        if at == of_groups.len() || of_groups[at] != of_groups[first] {
            segments.push(first..at);
            first = at;
        }
    }
    segments
}
