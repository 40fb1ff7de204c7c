//! What part an operator plays in a network.

use super::{Op, Unary};

impl Op {
    /// Whether it is what people call a layer: it has weights of its own.
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

    /// Whether it is one of the functions that networks have between their layers.
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

    /// Whether what it gives is never below zero.
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
