//! Matrix products: dense layers, `MatMul`, attention.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::Constant;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::floats;
use super::convolution::weight_name;
use super::moving::transposed;
use crate::nets::graph::op::Binary;
use crate::nets::graph::{Dim, NodeInput, Op};
use crate::session::array::Array;

/// `Gemm`: alpha·A·B + beta·C. With a known B it becomes a dense layer.
pub fn gemm(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let attributes = call.attributes;
    let matrix = |importer: &mut Importer, place: usize, name: &str| {
        let value = call.input(place)?;
        match attributes.flag(name, false) {
            true => transposed(importer, &format!("{}.{name}", call.name), value, &[1, 0]),
            false => Ok(value.clone()),
        }
    };
    let (a, b) = (
        matrix(importer, 0, "transA")?,
        matrix(importer, 1, "transB")?,
    );
    let alpha = attributes.float("alpha", 1.0);
    let beta = attributes.float("beta", 1.0);
    let input = importer.operand(&a, &call.name)?;
    let bias = call.optional(2).filter(|_| beta != 0.0);
    let Some(weight) = b.constant() else {
        let right = importer.operand(&b, &call.name)?;
        let product = importer.emit(&call.name, Op::MatMul, &[input, right])?;
        let mut value = scaled(importer, call, ImportValue::Node(product), alpha)?;
        if let Some(bias) = bias {
            let bias = scaled(importer, call, bias.clone(), beta)?;
            let pair = [
                importer.operand(&value, &call.name)?,
                importer.operand(&bias, &call.name)?,
            ];
            value = importer.emit_value(&call.name, Op::Binary(Binary::Add), &pair)?;
        }
        return Ok(vec![value]);
    };
    let weight = multiplied(&floats(weight)?, alpha);
    let outputs = *weight.shape().last().unwrap_or(&0);
    let weight = importer.weight(&weight_name(call, 1, "weight"), &weight)?;
    let Some(bias) = bias else {
        return Ok(vec![importer.emit_value(
            &call.name,
            Op::Dense,
            &[input, weight],
        )?]);
    };
    let name = weight_name(call, 2, "bias");
    let known = bias.constant().and_then(Constant::floats);
    let one_each =
        known
            .map(|bias| multiplied(&bias, beta))
            .and_then(|bias| match bias.values().len() {
                1 => Some(Array::new(&[outputs], vec![bias.values()[0]; outputs])),
                count if count == outputs && bias.shape().last() == Some(&outputs) => {
                    Some(Array::new(&[outputs], bias.values().to_vec()))
                }
                _ => None,
            });
    match one_each {
        Some(bias) => {
            let bias = importer.weight(&name, &bias)?;
            let inputs = [input, weight, bias];
            Ok(vec![importer.emit_value(&call.name, Op::Dense, &inputs)?])
        }
        None => {
            let product = importer.emit(&call.name, Op::Dense, &[input, weight])?;
            let bias = scaled(importer, call, bias.clone(), beta)?;
            let bias = importer.operand(&bias, &name)?;
            let op = Op::Binary(Binary::Add);
            let name = format!("{}.bias", call.name);
            Ok(vec![importer.emit_value(
                &name,
                op,
                &[product.into(), bias],
            )?])
        }
    }
}

fn multiplied(array: &Array<f32>, factor: f32) -> Array<f32> {
    if factor == 1.0 {
        return array.clone();
    }
    let values = array.values().iter().map(|number| number * factor);
    Array::new(array.shape(), values.collect())
}

fn scaled(
    importer: &mut Importer,
    call: &OnnxCall,
    value: ImportValue,
    factor: f32,
) -> Result<ImportValue, NodeProblem> {
    if factor == 1.0 {
        return Ok(value);
    }
    let name = format!("{}.scaled", call.name);
    let input = importer.operand(&value, &name)?;
    let factor = Array::new(&[], vec![factor]);
    let factor = importer.weight(&format!("{}.scale", call.name), &factor)?;
    importer.emit_value(&name, Op::Binary(Binary::Mul), &[input, factor])
}

/// `MatMul`. With a known matrix on the right it becomes a dense layer.
pub fn matmul(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let left = importer.operand(a, &call.name)?;
    let matrix = b
        .constant()
        .filter(|constant| constant.shape().len() == 2)
        .filter(|_| matches!(left, NodeInput::Node(_)));
    if let Some(matrix) = matrix {
        let weight = importer.weight(&weight_name(call, 1, "weight"), &floats(matrix)?)?;
        let value = importer.emit_value(&call.name, Op::Dense, &[left, weight])?;
        return Ok(vec![value]);
    }
    let right = importer.operand(b, &call.name)?;
    Ok(vec![importer.emit_value(
        &call.name,
        Op::MatMul,
        &[left, right],
    )?])
}

/// `Attention` since version 23, without a key–value cache or lengths of sequences: softmax(q·kᵀ·scale + mask)·v.
pub fn attention(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let attributes = call.attributes;
    let used = |place: usize| call.outputs.get(place).is_some_and(|name| !name.is_empty());
    let unusual = call.optional(4).is_some()
        || call.optional(5).is_some()
        || call.optional(6).is_some()
        || (1..4).any(used)
        || attributes.flag("is_causal", false)
        || attributes.float("softcap", 0.0) != 0.0;
    if unusual {
        return NodeProblem::cannot(
            "it has a causal mask, a soft cap, lengths of sequences or a key–value cache",
        );
    }
    let joined = importer.dims(call.input(0)?)?.len() == 3;
    let heads = |name| usize::try_from(attributes.int(name, 0)).unwrap_or(0);
    let (queries, keys) = (heads("q_num_heads"), heads("kv_num_heads"));
    let q = heads_apart(importer, call, 0, joined.then_some(queries))?;
    let k = heads_apart(importer, call, 1, joined.then_some(keys))?;
    let v = heads_apart(importer, call, 2, joined.then_some(keys))?;
    let dims = importer.graph.shape(q).to_vec();
    if importer.graph.shape(k).get(1) != dims.get(1) || dims.len() != 4 {
        return NodeProblem::cannot("its query heads share keys and values");
    }
    #[allow(clippy::cast_precision_loss)]
    let usual = (dims[3].count as f32).sqrt().recip();
    let scale = match attributes.has("scale") {
        true => attributes.float("scale", usual),
        false => usual,
    };
    let part = |role: &str| format!("{}.{role}", call.name);
    let axes = vec![0, 1, 3, 2];
    let across = importer.emit(&part("keys"), Op::Transpose { axes }, &[k.into()])?;
    let scores = importer.emit(&part("scores"), Op::MatMul, &[q.into(), across.into()])?;
    let scores = scaled(importer, call, ImportValue::Node(scores), scale)?;
    let mut scores = importer.operand(&scores, &call.name)?;
    if call.optional(3).is_some() {
        let mask = ImportValue::Known(Constant::Floats(floats(call.known(3, "mask")?)?));
        if matches!(call.known(3, "mask")?, Constant::Ints { .. }) {
            return NodeProblem::cannot("its mask is boolean");
        }
        let mask = importer.operand(&mask, &part("mask"))?;
        let op = Op::Binary(Binary::Add);
        scores = importer.emit(&part("masked"), op, &[scores, mask])?.into();
    }
    let weights = importer.emit(&part("weights"), Op::Softmax { axis: 3 }, &[scores])?;
    let inputs = [weights.into(), v.into()];
    if !joined {
        return Ok(vec![importer.emit_value(
            &call.name,
            Op::MatMul,
            &inputs,
        )?]);
    }
    let each = importer.emit(&part("heads"), Op::MatMul, &inputs)?;
    let [batch, heads, length, width] = importer.graph.shape(each)[..] else {
        return NodeProblem::cannot("its heads have another shape");
    };
    let axes = vec![0, 2, 1, 3];
    let turned = importer.emit(&part("turned"), Op::Transpose { axes }, &[each.into()])?;
    let shape = vec![batch, length, Dim::fixed(heads.count * width.count)];
    let op = Op::Reshape { shape };
    Ok(vec![importer.emit_value(
        &call.name,
        op,
        &[turned.into()],
    )?])
}

/// Queries, keys or values as \[N,heads,length,width\]; split from \[N,length,heads·width\] if `heads` is
/// given.
fn heads_apart(
    importer: &mut Importer,
    call: &OnnxCall,
    place: usize,
    heads: Option<usize>,
) -> Result<crate::nets::graph::NodeId, NodeProblem> {
    let name = format!("{}.input{place}", call.name);
    let id = importer.computed(call.input(place)?, &name)?;
    let Some(heads) = heads else { return Ok(id) };
    let [batch, length, width] = importer.graph.shape(id)[..] else {
        return NodeProblem::cannot("its inputs do not have three axes");
    };
    if heads == 0 || !width.count.is_multiple_of(heads) {
        return NodeProblem::cannot(format!(
            "{} features cannot be split into {heads} heads",
            width.count
        ));
    }
    let each = Dim::fixed(width.count / heads);
    let shape = vec![batch, length, Dim::fixed(heads), each];
    let apart = importer.emit(
        &format!("{name}.heads"),
        Op::Reshape { shape },
        &[id.into()],
    )?;
    let axes = vec![0, 2, 1, 3];
    importer.emit(
        &format!("{name}.turned"),
        Op::Transpose { axes },
        &[apart.into()],
    )
}
