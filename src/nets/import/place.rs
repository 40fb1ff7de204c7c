//! Assigns the tensors of a file to the weights of an architecture.

use super::error::Misfit;
use super::layers::{Group, Key, Layers, Need, needs};
use super::names::{self, Named};
use super::{Fault, list};
use crate::nets::Ports;
use crate::session::array::Array;
use crate::session::config::NetworkKind;
use crate::session::record::Weights;

/// Assigns tensors to weights, and notes any that were converted.
///
/// # Errors
/// Names what is missing, superfluous or does not fit.
pub fn placed(
    tensors: &[Named],
    kind: NetworkKind,
    ports: Ports,
    notes: &mut Vec<String>,
) -> Result<Weights, Fault> {
    let needs = needs(kind, ports);
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
    let mut weights = Weights::default();
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
    tensors: &'a [Named],
    needs: &[(String, Vec<Need>)],
    kind: NetworkKind,
) -> Option<(Layers<'a>, Vec<Key>, String)> {
    let (inside, note) = names::part(tensors)?;
    let layers = Layers::of(inside);
    let keys = layers.matched(needs, kind).ok()?;
    Some((layers, keys, note))
}

/// Adds the other architectures that the layers fit to the error.
fn with_others(fault: Fault, layers: &Layers, ports: Ports) -> Fault {
    match fault {
        Fault::Layers {
            found,
            needed,
            kind,
            ..
        } => Fault::Layers {
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
    key: &'a Key,
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
    fn read(&mut self, group: &Group, need: &Need, position: &Position) -> Result<Vec<f32>, Fault> {
        let shape = need.shape_there();
        let mut sum = vec![0.0; shape.iter().product()];
        for role in need.roles {
            let Some(raw) = group.get(role) else {
                let name = name_of(position.key, role, need);
                if need.is_zero_if_missing() {
                    self.notes.without_bias.push(name);
                    continue;
                }
                let there = self.available.clone();
                return Err(Fault::Missing { name, there });
            };
            if !need.takes(raw) {
                return Err(Fault::Shape {
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

fn name_of(key: &Key, role: &str, need: &Need) -> String {
    match (key.module.as_str(), need.name.starts_with("lstm")) {
        ("", _) => role.to_owned(),
        (module, true) => format!("{module}.{role}_l{}", key.depth),
        (module, false) => format!("{module}.{role}"),
    }
}

/// What a tensor's wrong shape means.
fn meaning(found: &[usize], needed: &[usize], position: &Position) -> Option<Misfit> {
    let other = |axis: usize| (found[axis], needed[axis]);
    match (found, needed) {
        ([_], [_]) if position.is_last => Some(Misfit::Classes(found[0], needed[0])),
        ([outputs, inputs], [_, _]) => {
            let (same_outputs, same_inputs) = (*outputs == needed[0], *inputs == needed[1]);
            match (same_outputs, same_inputs) {
                (false, true) if position.is_last => Some(Misfit::Classes(other(0).0, other(0).1)),
                (false, true) => Some(Misfit::Units(other(0).0, other(0).1)),
                (true, false) if position.is_first => Some(Misfit::Pixels(other(1).0, other(1).1)),
                (true, false) if position.after_convolution => Some(Misfit::Size),
                _ => None,
            }
        }
        ([.., a, b], [needed_outputs, needed_inputs, _, _])
            if found.len() == 4 && (b, a) == (needed_outputs, needed_inputs) =>
        {
            Some(Misfit::ChannelsLast)
        }
        ([outputs, inputs, kernel @ ..], [_, _, wanted @ ..])
            if found.len() == 4 && needed.len() == 4 && kernel == wanted =>
        {
            let (same_outputs, same_inputs) = (*outputs == needed[0], *inputs == needed[1]);
            match (same_outputs, same_inputs) {
                (true, false) if position.is_first => {
                    Some(Misfit::Channels(other(1).0, other(1).1))
                }
                (false, true) => Some(Misfit::Units(other(0).0, other(0).1)),
                _ => None,
            }
        }
        _ => None,
    }
}
