//! Completes a draft: decides which tensors lie in the frames, assigns memory, and groups steps into segments.

use std::ops::Range;

use super::super::memory::placed;
use super::{Draft, flat};
use crate::nets::plan::Unplanned;
use crate::nets::plan::each::Each;
use crate::nets::plan::layout::Place;
use crate::nets::plan::steps::{Program, Step};

impl Draft<'_> {
    /// Assigns memory to every tensor and completes the program.
    pub fn finish(mut self) -> Result<Program, Unplanned> {
        let misfit = self.steps.iter().find(|(step, _)| !step.fits());
        if misfit.is_some() {
            return Err(self.unplanned(
                self.wanted[0],
                "a step combines tensors of different shapes",
            ));
        }
        let mut outputs: Vec<Place> = self.wanted.iter().map(|id| self.place(*id)).collect();
        for out in &outputs {
            self.values[out.at].1 = true;
        }
        let of_groups: Vec<bool> = self
            .steps
            .iter()
            .map(|(step, _)| step.is_of_groups())
            .collect();
        let segments = segments(&of_groups);
        let segment_of = |step: usize| segments.iter().position(|steps| steps.contains(&step));
        // The last segment that uses each tensor. Tensors used by several segments, or by steps on all groups, lie
        // in the frames.
        let mut used_by: Vec<Option<usize>> = vec![None; self.values.len()];
        // The first and last step that use each tensor.
        let mut lives = vec![(usize::MAX, 0); self.values.len()];
        // Tensors with a border.
        let mut bordered = vec![None; self.values.len()];
        for (at, (step, _)) in self.steps.iter_mut().enumerate() {
            let segment = segment_of(at);
            for place in step.places() {
                let (framed, used_by) = (&mut self.values[place.at].1, &mut used_by[place.at]);
                *framed |= of_groups[at] || used_by.is_some() && *used_by != segment;
                *used_by = segment;
                let (first, last) = &mut lives[place.at];
                (*first, *last) = (at.min(*first), at);
                if !place.is_dense() {
                    bordered[place.at] = Some(*place);
                }
            }
        }
        // Memory not to be reused: outputs stay to the end, borders stay zero, and for recurrent layers it is not
        // known here when they use a tensor.
        let mut kept: Vec<bool> = (0..self.values.len())
            .map(|value| bordered[value].is_some() || lives[value].0 == usize::MAX)
            .collect();
        outputs.iter().for_each(|out| kept[out.at] = true);
        self.of_later.iter().for_each(|&value| kept[value] = true);
        let (resolved, frames, shared) = placed(&self.values, &lives, &kept);
        let resolve = |place: &mut Place| (place.at, place.framed) = resolved[place.at];
        let places: Vec<Place> = resolved
            .iter()
            .zip(&self.values)
            .map(|(&(at, framed), (size, _))| Place {
                at,
                framed,
                ..flat(*size)
            })
            .collect();
        let mut steps = Vec::new();
        for (at, (mut step, later)) in std::mem::take(&mut self.steps).into_iter().enumerate() {
            if shared {
                // Memory that was used before has no zeros in the border.
                let first = (0..lives.len()).filter(|&value| lives[value].0 == at);
                for mut place in first.filter_map(|value| bordered[value]) {
                    resolve(&mut place);
                    if !place.framed {
                        steps.push(Step::Each(Each::Clear(Place { skip: 0, ..place })));
                    }
                }
            }
            steps.push(match later {
                Some(later) => later(&places),
                None => {
                    step.places().into_iter().for_each(resolve);
                    step
                }
            });
        }
        outputs.iter_mut().for_each(resolve);
        let sums = |step: &Step| match step {
            Step::Product(product) => product.sums(self.lanes),
            Step::Winograd(winograd) => winograd.room(self.lanes),
            Step::Recurrent(layer) => layer.sums(self.lanes),
            _ => 0,
        };
        let of_groups: Vec<bool> = steps.iter().map(Step::is_of_groups).collect();
        let program = Program {
            sums: steps.iter().map(sums).max().unwrap_or(0),
            segments: self::segments(&of_groups),
            steps,
            frames,
            outputs,
            numbers: self.graph.image().iter().product(),
            lanes: self.lanes,
            operations: self.operations,
        };
        match program.scratch() > MOST {
            true => Err(self.unplanned(
                self.wanted[0],
                "its tensors take too much memory for one portion of images",
            )),
            false => Ok(program),
        }
    }
}

/// Maximum scratch memory of a run, in bytes.
const MOST: usize = 1 << 30;

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
