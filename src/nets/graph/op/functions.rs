//! Unary and binary elementwise functions, and reductions.

use strum::IntoStaticStr;

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, IntoStaticStr)]
pub enum Unary {
    /// max(x,0).
    Relu,
    /// x where positive, else slope·x.
    LeakyRelu {
        /// The slope below zero.
        slope: f64,
    },
    /// x where positive, else alpha·(exp(x) − 1).
    Elu {
        /// α.
        alpha: f64,
    },
    /// gamma·(x where positive, else alpha·(exp(x) − 1)).
    Selu {
        /// α.
        alpha: f64,
        /// γ.
        gamma: f64,
    },
    /// max(x,0) + min(0,alpha·(exp(x/alpha) − 1)).
    Celu {
        /// α.
        alpha: f64,
    },
    /// 1/(1 + exp(−x)).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// alpha·x + beta, clamped to \[0,1\].
    HardSigmoid {
        /// α.
        alpha: f64,
        /// β.
        beta: f64,
    },
    /// x·hard sigmoid(x) with α = 1/6, β = 1/2.
    HardSwish,
    /// x·sigmoid(x).
    Silu,
    /// x·Φ(x), exact, using the error function.
    Gelu,
    /// x·Φ(x), with Φ approximated by a hyperbolic tangent (Hendrycks & Gimpel 2016).
    #[strum(serialize = "Gelu")]
    GeluTanh,
    /// x·tanh(softplus(x)).
    Mish,
    /// log(1 + exp(x)).
    Softplus,
    /// x/(1 + |x|).
    Softsign,
    /// The error function.
    Erf,
    /// eˣ.
    Exp,
    /// The natural logarithm.
    Log,
    /// The square root.
    Sqrt,
    /// −x.
    Neg,
    /// |x|.
    Abs,
    /// 1/x.
    Reciprocal,
    /// The largest integer not above x.
    Floor,
    /// The smallest integer not below x.
    Ceil,
    /// The nearest integer, ties to even.
    Round,
    /// −1, 0 or 1.
    Sign,
    /// x clamped to \[min,max\]; ±∞ where a bound is missing.
    Clip {
        /// The lower bound.
        min: f64,
        /// The upper bound.
        max: f64,
    },
    /// scale·x + shift.
    Affine {
        /// The factor.
        scale: f64,
        /// The offset.
        shift: f64,
    },
}

/// A function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a·b.
    Mul,
    /// a/b.
    Div,
    /// aᵇ.
    Pow,
    /// The greater.
    Max,
    /// The smaller.
    Min,
}

/// A reduction of many numbers to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// The mean.
    Mean,
    /// The sum.
    Sum,
    /// The greatest.
    Max,
    /// The smallest.
    Min,
}

impl Unary {
    /// The function's name, as ONNX spells it.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

impl Binary {
    /// The function's name, as ONNX spells it.
    pub fn label(self) -> &'static str {
        match self {
            Binary::Add => "Add",
            Binary::Sub => "Sub",
            Binary::Mul => "Mul",
            Binary::Div => "Div",
            Binary::Pow => "Pow",
            Binary::Max => "Max",
            Binary::Min => "Min",
        }
    }
}

impl Reduction {
    /// The reduction's name, as ONNX spells it.
    pub fn label(self) -> &'static str {
        match self {
            Reduction::Mean => "ReduceMean",
            Reduction::Sum => "ReduceSum",
            Reduction::Max => "ReduceMax",
            Reduction::Min => "ReduceMin",
        }
    }
}
