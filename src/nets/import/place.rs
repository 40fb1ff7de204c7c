//! Assigns the tensors of a file to the weights of an architecture.

use super::error::ShapeMismatch;
use super::layers::{LayerKey, LayerTensors, Layers, RequiredTensor, required_tensors};
use super::names::{self, NamedTensor};
use super::{WeightsFault, list};
use crate::nets::NetworkShape;
use crate::session::array::Array;
use crate::session::config::NetworkKind;
use crate::session::record::NetworkWeights;

/// Assigns tensors to weights, and notes any that were converted.
///
/// # Errors
/// Names what is missing, superfluous or does not fit.
pub fn assigned_weights(
    tensors: &[NamedTensor],
    kind: NetworkKind,
    ports: NetworkShape,
    notes: &mut Vec<String>,
) -> Result<NetworkWeights, WeightsFault> {
    let needs = required_tensors(kind, ports);
    let whole = Layers::of(tensors.iter().map(|(name, raw)| (&**name, raw)));
    let (layers, keys) = match whole.matched(&needs, kind) {
        Ok(keys) => (whole, keys),
        Err(fault) => match part(tensors, &needs, kind) {
            Some((layers, keys, note)) => {
                notes.push(note);
                (layers, keys)
            }
            None => return Err(with_others(fault, &whole, ports)),
        },
    };
    let mut weights = NetworkWeights::default();
    let mut reader = Reader {
        kind,
        notes: Notes::default(),
        available: list(layers.names()),
    };
    for (place, (key, (_, tensors))) in keys.iter().zip(&needs).enumerate() {
        for need in tensors {
            let position = Position {
                key,
                is_first: place == 0,
                is_last: place + 1 == needs.len(),
                after_convolution: place > 0 && needs[place - 1].1[0].shape.len() == 4,
            };
            let values = reader.read(&layers.groups[key], need, &position)?;
            weights
                .tensors
                .push((need.name.clone(), Array::new(&need.shape, values)));
        }
    }
    reader.notes.append_to(notes);
    Ok(weights)
}

/// The network under a usual prefix, if there is one.
fn part<'a>(
    tensors: &'a [NamedTensor],
    needs: &[(String, Vec<RequiredTensor>)],
    kind: NetworkKind,
) -> Option<(Layers<'a>, Vec<LayerKey>, String)> {
    let (inside, note) = names::wrapped_part(tensors)?;
    let layers = Layers::of(inside);
    let keys = layers.matched(needs, kind).ok()?;
    Some((layers, keys, note))
}

/// Adds the other architectures that the layers fit to the error.
fn with_others(fault: WeightsFault, layers: &Layers, ports: NetworkShape) -> WeightsFault {
    match fault {
        WeightsFault::Layers {
            found,
            needed,
            kind,
            ..
        } => WeightsFault::Layers {
            found,
            needed,
            kind,
            fits: layers.fitting(ports),
        },
        fault => fault,
    }
}

/// The position of a tensor in the network.
struct Position<'a> {
    key: &'a LayerKey,
    is_first: bool,
    is_last: bool,
    after_convolution: bool,
}

/// Tensors that were converted.
#[derive(Default)]
struct Notes {
    transposed: Vec<String>,
    without_bias: Vec<String>,
}

impl Notes {
    fn append_to(self, notes: &mut Vec<String>) {
        if !self.transposed.is_empty() {
            notes.push(format!(
                "weights had their inputs first, as in Keras, and were transposed: {}",
                list(self.transposed)
            ));
        }
        if !self.without_bias.is_empty() {
            notes.push(format!(
                "the file has no {}; set to 0",
                list(self.without_bias)
            ));
        }
    }
}

/// Reads the values of tensors, collecting notes.
struct Reader {
    kind: NetworkKind,
    notes: Notes,
    /// The names of the file's tensors, for error messages.
    available: String,
}

impl Reader {
    /// The values of one weight, in our order.
    fn read(
        &mut self,
        group: &LayerTensors,
        need: &RequiredTensor,
        position: &Position,
    ) -> Result<Vec<f32>, WeightsFault> {
        let shape = need.pytorch_shape();
        let mut sum = vec![0.0; shape.iter().product()];
        for role in need.roles {
            let Some(raw) = group.get(role) else {
                let name = name_of(position.key, role, need);
                if need.is_zero_if_missing() {
                    self.notes.without_bias.push(name);
                    continue;
                }
                let available = self.available.clone();
                return Err(WeightsFault::Missing { name, available });
            };
            if !need.accepts(raw) {
                return Err(WeightsFault::Shape {
                    name: raw.name.clone(),
                    meaning: meaning(&raw.shape, &shape, position),
                    found: raw.shape.clone(),
                    needed: shape,
                    kind: self.kind.label(),
                });
            }
            let values = raw.values()?;
            if need.transposed && raw.shape != shape {
                self.notes.transposed.push(raw.name.clone());
                return Ok(values);
            }
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += value;
            }
        }
        if !need.transposed {
            return Ok(sum);
        }
        let (outputs, inputs) = (shape[0], shape[1]);
        let column = |input: usize| (0..outputs).map(move |output| (output, input));
        let indices = (0..inputs).flat_map(column);
        Ok(indices
            .map(|(output, input)| sum[output * inputs + input])
            .collect())
    }
}

fn name_of(key: &LayerKey, role: &str, need: &RequiredTensor) -> String {
    match (key.module.as_str(), need.name.starts_with("lstm")) {
        ("", _) => role.to_owned(),
        (module, true) => format!("{module}.{role}_l{}", key.depth),
        (module, false) => format!("{module}.{role}"),
    }
}

/// What a tensor's wrong shape means.
fn meaning(found: &[usize], needed: &[usize], position: &Position) -> Option<ShapeMismatch> {
    let other = |axis: usize| (found[axis], needed[axis]);
    match (found, needed) {
        ([_], [_]) if position.is_last => Some(ShapeMismatch::Classes(found[0], needed[0])),
        ([outputs, inputs], [_, _]) => {
            let (same_outputs, same_inputs) = (*outputs == needed[0], *inputs == needed[1]);
            match (same_outputs, same_inputs) {
                (false, true) if position.is_last => {
                    Some(ShapeMismatch::Classes(other(0).0, other(0).1))
                }
                (false, true) => Some(ShapeMismatch::Units(other(0).0, other(0).1)),
                (true, false) if position.is_first => {
                    Some(ShapeMismatch::Pixels(other(1).0, other(1).1))
                }
                (true, false) if position.after_convolution => Some(ShapeMismatch::Size),
                _ => None,
            }
        }
        ([.., a, b], [needed_outputs, needed_inputs, _, _])
            if found.len() == 4 && (b, a) == (needed_outputs, needed_inputs) =>
        {
            Some(ShapeMismatch::ChannelsLast)
        }
        ([outputs, inputs, kernel @ ..], [_, _, wanted @ ..])
            if found.len() == 4 && needed.len() == 4 && kernel == wanted =>
        {
            let (same_outputs, same_inputs) = (*outputs == needed[0], *inputs == needed[1]);
            match (same_outputs, same_inputs) {
                (true, false) if position.is_first => {
                    Some(ShapeMismatch::Channels(other(1).0, other(1).1))
                }
                (false, true) => Some(ShapeMismatch::Units(other(0).0, other(0).1)),
                _ => None,
            }
        }
        _ => None,
    }
}
