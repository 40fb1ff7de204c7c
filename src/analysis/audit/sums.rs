//! What a block of an audit measures.

use super::super::trained::TrainedSums as OfNetwork;
use crate::ids::ClassId;
use crate::session::record::BlockSums;
use crate::session::record::PastedFinding;
use crate::stats::audit::SquareWindow;

/// The pattern pasted for one class: the numbers of an image that become white.
#[derive(Debug, Clone)]
pub(super) struct PastedPattern {
    pub(super) class: ClassId,
    pub(super) window: SquareWindow,
    pub(super) pixels: Vec<usize>,
}

/// The measurements of a block.
#[derive(Debug)]
pub enum AuditSums {
    /// A block of a network trained here.
    Trained(OfNetwork),
    /// A block of noise shown to the suspect.
    Suspect(BlockSums),
    /// Test images with pasted patterns.
    Pasted(Vec<PastedFinding>),
}
