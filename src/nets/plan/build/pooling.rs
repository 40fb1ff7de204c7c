//! Plans pooling and reductions over rows and columns.

use super::draft::Draft;
use crate::nets::graph::NodeId;
use crate::nets::graph::op::{Divisor, PoolWindow, Reduction};
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::layout::TensorSlot;
use crate::nets::plan::pool::Pooling;
use crate::nets::plan::steps::PlanStep;

impl Draft<'_> {
    pub(super) fn pool(
        &mut self,
        id: NodeId,
        window: PoolWindow,
        divisor: Option<Divisor>,
    ) -> Result<(), UnsupportedNode> {
        let from = self.output(self.source(id, 0)?);
        let to = self.add_output(id)?;
        let (mut windows, mut taps) = (Vec::new(), Vec::new());
        // Indices along an axis that a window reads inside the image, and how many it reads inside image and padding.
        let along = |axis: usize, position: usize, length: usize| {
            let (before, after) = window.pads.along(axis);
            let first = position * window.stride[axis];
            let indices = (0..window.kernel[axis]).map(|tap| first + tap * window.dilation[axis]);
            let padded = indices
                .clone()
                .filter(|&index| index < before + length + after)
                .count();
            let inside = indices.filter(|&index| index >= before && index < before + length);
            let inside: Vec<usize> = inside.map(|index| index - before).collect();
            (inside, padded)
        };
        for row in 0..to.rows {
            let (rows, padded_rows) = along(0, row, from.rows);
            for column in 0..to.columns {
                let (columns, padded_columns) = along(1, column, from.columns);
                let first = taps.len();
                for row in &rows {
                    taps.extend(columns.iter().map(|&column| from.offset(0, *row, column)));
                }
                let count = match divisor {
                    Some(Divisor::WithPadding) => padded_rows * padded_columns,
                    _ => rows.len() * columns.len(),
                };
                windows.push((first..taps.len(), 1.0 / count.max(1) as f32));
            }
        }
        if windows.iter().any(|(range, _)| range.is_empty()) {
            return Err(self.unsupported(id, "a window lies outside the image"));
        }
        self.add_step(PlanStep::Pool(Pooling {
            from,
            to,
            is_max: divisor.is_none(),
            windows: windows.into(),
            taps: taps.into(),
        }));
        Ok(())
    }

    /// Plans a reduction over rows and columns to one number per channel.
    pub(super) fn reduce(
        &mut self,
        id: NodeId,
        reduction: Reduction,
        axes: &[usize],
    ) -> Result<(), UnsupportedNode> {
        let source = self.source(id, 0)?;
        let from = self.output(source);
        let whole =
            axes == [2, 3] && self.batch_axis(source) == 0 && self.shape(source)?.len() == 3;
        let (most, factor) = match reduction {
            Reduction::Mean => (false, 1.0 / (from.rows * from.columns) as f32),
            Reduction::Sum => (false, 1.0),
            Reduction::Max => (true, 1.0),
            _ => return Err(self.unsupported(id, "this reduction is not supported")),
        };
        if !whole {
            return Err(self.unsupported(id, "it reduces axes other than rows and columns"));
        }
        let to = self.add_output(id)?;
        // Whether or not the reduced axes are kept.
        let to = TensorSlot {
            channels: from.channels,
            rows: 1,
            columns: 1,
            ..to
        };
        let taps: Vec<usize> = (0..from.rows)
            .flat_map(|row| (0..from.columns).map(move |column| from.offset(0, row, column)))
            .collect();
        self.add_step(PlanStep::Pool(Pooling {
            from,
            to,
            is_max: most,
            windows: vec![(0..taps.len(), factor)].into(),
            taps: taps.into(),
        }));
        Ok(())
    }
}
