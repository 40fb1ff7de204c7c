//! Kernels: how the units of a site weigh the pixels of their field, where they only weigh them.

use burn::tensor::{Tensor, TensorData};

use super::op::{Binary, Reduction, Unary};
use super::run::Loaded;
use super::site::Site;
use super::{Graph, Input, Node, Op};

/// Images shown at once.
const AT_ONCE: usize = 256;

impl Graph {
    /// For every node, whether it is an affine function of the image.
    fn affine(&self) -> Vec<bool> {
        let mut affine = Vec::with_capacity(self.nodes.len());
        for node in self.nodes() {
            let of_affine = |input: &Input| match input {
                Input::Node(id) => affine[id.0],
                Input::Weight(_) => true,
            };
            let all = node.inputs.iter().all(of_affine);
            affine.push(all && is_affine(node));
        }
        affine
    }
}

/// Whether an operator is affine in those of its inputs that are nodes.
fn is_affine(node: &Node) -> bool {
    let constant = |at: usize| matches!(node.inputs.get(at), Some(Input::Weight(_)) | None);
    match &node.op {
        Op::Conv(_) | Op::Dense | Op::BatchNorm { .. } => (1..node.inputs.len()).all(constant),
        Op::MatMul | Op::Binary(Binary::Mul) => constant(0) || constant(1),
        Op::Binary(Binary::Div) => constant(1),
        Op::Unary(function) => matches!(function, Unary::Neg | Unary::Affine { .. }),
        Op::Reduce { reduction, .. } => matches!(reduction, Reduction::Mean | Reduction::Sum),
        Op::Input
        | Op::Binary(Binary::Add | Binary::Sub)
        | Op::AvgPool { .. }
        | Op::Concat { .. }
        | Op::Slice(_)
        | Op::Pad { .. }
        | Op::Reshape { .. }
        | Op::Transpose { .. }
        | Op::Gather { .. }
        | Op::Expand { .. }
        | Op::Resize(_)
        | Op::DepthToSpace { .. } => true,
        _ => false,
    }
}

impl Loaded {
    /// Weights of a site's units as maps over their field, row-major \[units,C,h,w\], by a change of
    /// one in a pixel, before the non-linearity; `None` where something else than weighing comes
    /// between the image and that. One image is shown for every number of a field.
    pub fn kernel(&self, site: &Site) -> Option<Vec<f32>> {
        let (before, _) = site.push?;
        if !self.graph().affine()[before.0] {
            return None;
        }
        let raw = site.at(before);
        let shape = site.field_shape();
        let pixels = site.field_pixels();
        let answers = |lit: Vec<Option<usize>>| -> Vec<f32> {
            let mut shown = vec![0.0; lit.len() * pixels];
            for (patch, lit) in shown.chunks_exact_mut(pixels).zip(&lit) {
                if let Some(pixel) = lit {
                    patch[*pixel] = 1.0;
                }
            }
            let data = TensorData::new(shown, [lit.len(), shape[0], shape[1], shape[2]]);
            let patches = Tensor::from_data(data, self.device());
            let answers = self.patch_activations(&raw, patches).into_data();
            answers.try_into_vec().unwrap_or_default()
        };
        let dark = answers(vec![None]);
        let mut kernel = vec![0.0; site.units * pixels];
        let all: Vec<usize> = (0..pixels).collect();
        for lit in all.chunks(AT_ONCE) {
            let said = answers(lit.iter().copied().map(Some).collect());
            for (&pixel, said) in lit.iter().zip(said.chunks_exact(site.units)) {
                for (unit, (lit, dark)) in said.iter().zip(&dark).enumerate() {
                    kernel[unit * pixels + pixel] = lit - dark;
                }
            }
        }
        Some(kernel)
    }
}
