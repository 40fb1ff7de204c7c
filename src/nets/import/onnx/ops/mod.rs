//! What the operators of the standard become: one file a family.

mod convolution;
mod elementwise;
mod folding;
mod moving;
mod normalisation;
mod product;
mod recurrent;
mod reduction;
mod reshaping;
mod resize;
mod shape;

use super::error::Problem;
use super::importer::{Call, Importer, Value};

/// Translates a node: adds what it becomes to the graph, and gives its outputs.
pub type Translation = fn(&mut Importer, &Call) -> Result<Vec<Value>, Problem>;

/// How an operator is translated; `None` where it is not known.
pub fn translation(domain: &str, operator: &str) -> Option<Translation> {
    if !matches!(domain, "" | "ai.onnx") {
        return None;
    }
    Some(match operator {
        "Conv" => convolution::conv,
        "MaxPool" => convolution::max_pool,
        "AveragePool" => convolution::average_pool,
        "GlobalAveragePool" | "GlobalMaxPool" => convolution::global_pool,
        "BatchNormalization" => normalisation::batch,
        "LayerNormalization" => normalisation::layer,
        "GroupNormalization" => normalisation::group,
        "InstanceNormalization" => normalisation::instance,
        "LRN" => normalisation::local_response,
        "LpNormalization" => normalisation::length,
        "RMSNormalization" => normalisation::root_mean_square,
        "ReduceL1" | "ReduceL2" => normalisation::reduced_norm,
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceProd"
        | "ReduceSumSquare" | "ReduceLogSumExp" => reduction::reduce,
        "Softmax" | "LogSoftmax" => reduction::softmax,
        "Gemm" => product::gemm,
        "MatMul" => product::matmul,
        "Attention" => product::attention,
        "LSTM" => recurrent::lstm,
        "GRU" => recurrent::gru,
        "Resize" | "Upsample" => resize::resize,
        "Identity" | "Dropout" => elementwise::unchanged,
        "Cast" | "CastLike" => elementwise::cast,
        "Constant" => elementwise::constant,
        "Relu" | "LeakyRelu" | "Elu" | "Selu" | "Celu" | "Sigmoid" | "Tanh" | "HardSigmoid"
        | "HardSwish" | "Gelu" | "Swish" | "Mish" | "Softplus" | "Softsign" | "Erf" | "Exp"
        | "Log" | "Sqrt" | "Neg" | "Abs" | "Reciprocal" | "Floor" | "Ceil" | "Round" | "Sign" => {
            elementwise::unary
        }
        "PRelu" => elementwise::parametric_relu,
        "Clip" => elementwise::clip,
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Max" | "Min" | "Sum" | "Mean" => {
            elementwise::binary
        }
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "Xor"
        | "Not" | "Mod" => elementwise::compare,
        "Where" => elementwise::choose,
        "Transpose" => moving::transpose,
        "Concat" => moving::concat,
        "Slice" => moving::slice,
        "Split" => moving::split,
        "Gather" => moving::gather,
        "Pad" => moving::pad,
        "DepthToSpace" => moving::depth_to_space,
        "SpaceToDepth" => moving::space_to_depth,
        "Shape" => shape::shape,
        "Size" => shape::size,
        "Reshape" => shape::reshape,
        "Flatten" => shape::flatten,
        "Squeeze" => shape::squeeze,
        "Unsqueeze" => shape::unsqueeze,
        "Expand" => shape::expand,
        "Tile" => shape::tile,
        "ConstantOfShape" => shape::constant_of_shape,
        "Range" => shape::range,
        _ => return None,
    })
}
