//! The role of an operator in a network: layer, non-linearity, non-negative output.

use super::{Op, Unary};

impl Op {
    /// Whether it is a layer, that is, has weights.
    pub fn is_layer(&self) -> bool {
        matches!(
            self,
            Op::Conv(_)
                | Op::Dense
                | Op::BatchNorm { .. }
                | Op::LayerNorm { .. }
                | Op::GroupNorm { .. }
                | Op::InstanceNorm { .. }
                | Op::Lstm { .. }
                | Op::Gru { .. }
        )
    }

    /// Whether it is an activation function.
    pub fn is_non_linearity(&self) -> bool {
        match self {
            Op::PRelu => true,
            Op::Unary(function) => matches!(
                function,
                Unary::Relu
                    | Unary::LeakyRelu { .. }
                    | Unary::Elu { .. }
                    | Unary::Selu { .. }
                    | Unary::Celu { .. }
                    | Unary::Sigmoid
                    | Unary::Tanh
                    | Unary::HardSigmoid { .. }
                    | Unary::HardSwish
                    | Unary::Silu
                    | Unary::Gelu
                    | Unary::GeluTanh
                    | Unary::Mish
                    | Unary::Softplus
                    | Unary::Softsign
                    | Unary::Clip { .. }
            ),
            _ => false,
        }
    }

    /// Whether its output is never negative.
    pub fn is_never_negative(&self) -> bool {
        match self {
            Op::Unary(Unary::Clip { min, .. }) => *min >= 0.0,
            Op::Unary(function) => matches!(
                function,
                Unary::Relu | Unary::Sigmoid | Unary::HardSigmoid { .. } | Unary::Softplus
            ),
            _ => false,
        }
    }
}
