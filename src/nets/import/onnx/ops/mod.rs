//! Translation of ONNX operators, one file per family.

mod arrays;
mod casting;
mod choosing;
mod conditions;
mod convolution;
mod einsum;
mod elementwise;
mod folding;
mod fusing;
mod moving;
mod normalisation;
mod product;
mod quantisation;
mod recurrent;
mod reduction;
mod reshaping;
mod resize;
mod scattering;
mod shape;

use std::collections::BTreeMap;

use super::call::{ImportValue, OnnxCall};
use super::error::{MissingOperator, NodeProblem};
use super::importer::Importer;
use super::messages::NodeProto;

/// Translates a node: adds its operators to the graph, and returns its outputs.
pub type Translation = fn(&mut Importer, &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem>;

/// Whether this is the domain of the standard operators.
pub fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// The operator of a node, with its domain unless that is the standard one.
pub fn name(node: &NodeProto) -> String {
    match is_standard(&node.domain) {
        true => node.op_type.clone(),
        false => format!("{}.{}", node.domain, node.op_type),
    }
}

/// Whether the operator of a node can be translated.
pub fn is_known(node: &NodeProto) -> bool {
    let is_if = node.op_type == "If" && is_standard(&node.domain);
    is_if || translation(&node.domain, &node.op_type).is_some()
}

/// The unsupported operators of nodes, the most frequent first.
pub fn missing(nodes: &[&NodeProto]) -> Vec<MissingOperator> {
    let mut found: BTreeMap<String, MissingOperator> = BTreeMap::new();
    for node in nodes {
        if is_known(node) {
            continue;
        }
        let operator = name(node);
        let first = || MissingOperator {
            operator: operator.clone(),
            node: match (node.name.as_str(), node.output.first()) {
                ("", Some(output)) => output.clone(),
                (name, _) => name.to_owned(),
            },
            times: 0,
        };
        found.entry(operator.clone()).or_insert_with(first).times += 1;
    }
    let mut missing: Vec<MissingOperator> = found.into_values().collect();
    missing.sort_by_key(|missing| std::cmp::Reverse(missing.times));
    missing
}

/// The translation of an operator; `None` if it is not supported.
pub fn translation(domain: &str, operator: &str) -> Option<Translation> {
    if !is_standard(domain) {
        return None;
    }
    Some(match operator {
        "Conv" => convolution::conv,
        "ConvTranspose" => convolution::transposed::conv_transpose,
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
        "Einsum" => einsum::einsum,
        "LSTM" => recurrent::lstm,
        "GRU" => recurrent::gru,
        "Resize" | "Upsample" => resize::resize,
        "Identity" | "Dropout" => elementwise::unchanged,
        "Cast" | "CastLike" => casting::cast,
        "Constant" => elementwise::constant,
        "QuantizeLinear" => quantisation::quantize,
        "DequantizeLinear" => quantisation::dequantize,
        "Relu" | "LeakyRelu" | "Elu" | "Selu" | "Celu" | "Sigmoid" | "Tanh" | "HardSigmoid"
        | "HardSwish" | "Gelu" | "Swish" | "Mish" | "Softplus" | "Softsign" | "Erf" | "Exp"
        | "Log" | "Sqrt" | "Neg" | "Abs" | "Reciprocal" | "Floor" | "Ceil" | "Round" | "Sign"
        | "Sin" | "Cos" => elementwise::unary,
        "PRelu" => elementwise::parametric_relu,
        "Clip" => elementwise::clip,
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Max" | "Min" | "Sum" | "Mean" => {
            elementwise::binary
        }
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "Xor"
        | "Not" | "Mod" => conditions::compare,
        "Where" => conditions::choose,
        "Transpose" => moving::transpose,
        "Concat" => moving::concat,
        "Slice" => choosing::slice,
        "Split" => choosing::split,
        "Gather" => choosing::gather,
        "GatherND" => choosing::gather_nd,
        "ScatterND" => scattering::scatter_nd,
        "ScatterElements" => scattering::scatter_elements,
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
        "CumSum" => arrays::cumulative_sum,
        "OneHot" => arrays::one_hot,
        _ => return None,
    })
}
