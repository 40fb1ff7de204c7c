//! Weights from PyTorch's state dicts and from safetensors.
//!
//! [`file`] gives named tensors; here they find their places. A file's layers are told by the
//! network's own names (`conv1.weight`), by their order where they are numbered as in
//! `torch.nn.Sequential`, else by their shapes, where each fits in one place only. Linear weights
//! are \[out,in\] in PyTorch and \[in,out\] here; the two bias vectors of its LSTM are added up.

mod file;
pub mod onnx;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;

use self::file::Raw;
use super::{Network, Ports};
use crate::session::array::Array;
use crate::session::config::NetworkKind;
use crate::session::record::Weights;

/// Weights that cannot be taken from a file.
#[derive(Debug, thiserror::Error)]
#[error("network.weights: {}: {fault}", .path.display())]
pub struct ImportError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not there, or the system does not let it be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is something else.
    #[error("this is {0}; needed is a PyTorch state dict (.pt, .pth) or a safetensors file")]
    Foreign(String),
    /// It begins like weights, and goes on like nothing known.
    #[error("the file is damaged, or of a kind that cannot be read: {0}")]
    Damaged(String),
    /// A pickle asks for more than tensors.
    #[error(
        "the file asks Python for `{0}`, which is more than tensors; nothing of it was run. Save the weights alone, with torch.save(model.state_dict(), …)"
    )]
    Code(String),
    /// Its layers are others.
    #[error(
        "the file has the layers {found} where the network `{kind}` needs {needed}; it was made for another architecture"
    )]
    Layers {
        /// Those in the file.
        found: String,
        /// Those of the architecture.
        needed: String,
        /// The architecture.
        kind: &'static str,
    },
    /// A tensor is not there.
    #[error("the file has no tensor `{name}`; it has {there}")]
    Missing {
        /// The tensor.
        name: String,
        /// What there is.
        there: String,
    },
    /// A tensor has another shape.
    #[error("the tensor `{name}` has the shape {found:?} where the network needs {needed:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that PyTorch gives it in this architecture.
        needed: Vec<usize>,
    },
    /// A tensor holds something other than real numbers.
    #[error(
        "the tensor `{name}` is of type {found}; weights must be floating-point numbers (f64, f32, f16 or bf16)"
    )]
    DType {
        /// The tensor.
        name: String,
        /// Its type.
        found: &'static str,
    },
    /// A tensor holds infinities or what is not a number.
    #[error("the tensor `{0}` has values that are infinite or not numbers")]
    NotFinite(String),
    /// Tensors that the architecture has no use for.
    #[error(
        "the network `{kind}` has no place for {names}; the file was made for another architecture"
    )]
    Extra {
        /// The tensors.
        names: String,
        /// The architecture.
        kind: &'static str,
    },
}

/// Reads the weights of an architecture.
///
/// # Errors
/// Names the file, and the tensor where one is missing or does not fit.
pub fn read(path: &Path, kind: NetworkKind, ports: Ports) -> Result<Weights, ImportError> {
    let read = || -> Result<Weights, Fault> { placed(file::tensors(path)?, kind, ports) };
    read().map_err(|fault| ImportError {
        path: path.to_owned(),
        fault,
    })
}

/// The number of classes that a file of weights tells apart: the outputs of its last layer.
///
/// # Errors
/// As [`read`], and where no tensor can be the bias of a last layer.
pub fn classes(path: &Path) -> Result<usize, ImportError> {
    let count = || -> Result<usize, Fault> {
        let groups = grouped(within(file::tensors(path)?));
        let named = groups.iter().find(|(key, _)| key.module == "logits");
        let last = named.or_else(|| groups.iter().next_back());
        let bias = last.and_then(|(_, group)| group.get("bias"));
        let there = || list(groups.values().flatten().map(|(_, raw)| &raw.name));
        bias.and_then(|raw| raw.shape.first().copied())
            .ok_or_else(|| Fault::Missing {
                name: "logits.bias".into(),
                there: there(),
            })
    };
    count().map_err(|fault| ImportError {
        path: path.to_owned(),
        fault,
    })
}

/// A layer in a file: its module, and which of its layers where an LSTM has several. Numbered
/// modules come first, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    number: Option<usize>,
    module: String,
    depth: usize,
}

/// Tensors of one layer in a file by their role, `weight_ih_l1` being the role `weight_ih`.
type Group = BTreeMap<String, Raw>;

/// One tensor of a network and what makes it up in PyTorch.
struct Need {
    /// `conv1.weight`.
    name: String,
    /// Its shape here.
    shape: Vec<usize>,
    /// Tensors that are added up, by their role in the layer.
    roles: &'static [&'static str],
    /// \[out,in\] in PyTorch.
    transposed: bool,
}

impl Need {
    fn shape_there(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if self.transposed {
            shape.reverse();
        }
        shape
    }
}

/// The layers of an architecture in order, each with its tensors.
fn needs(kind: NetworkKind, ports: Ports) -> Vec<(String, Vec<Need>)> {
    let network = Network::new(kind, ports, 0, &Device::flex());
    let weights = network.weights();
    let of_layer = |layer: &str| {
        let tensors = weights.tensors.iter().filter_map(|(name, values)| {
            let role = name.strip_prefix(layer)?.strip_prefix('.')?;
            let shape = values.shape().to_vec();
            Some(Need {
                name: name.clone(),
                transposed: role == "weight" && shape.len() == 2,
                shape,
                roles: match role {
                    "weight" | "gamma" => &["weight"],
                    "beta" => &["bias"],
                    "bias" if layer.starts_with("lstm") => &["bias_ih", "bias_hh"],
                    "bias" => &["bias"],
                    "input" => &["weight_ih"],
                    "hidden" => &["weight_hh"],
                    "running_mean" => &["running_mean"],
                    "running_var" => &["running_var"],
                    _ => &[],
                },
            })
        });
        (layer.to_owned(), tensors.collect())
    };
    let layers = network.layers();
    layers.iter().map(|it| of_layer(&it.name)).collect()
}

/// Puts the tensors of a file into the places of an architecture.
fn placed(
    tensors: BTreeMap<String, Raw>,
    kind: NetworkKind,
    ports: Ports,
) -> Result<Weights, Fault> {
    let there = list(tensors.keys());
    let needs = needs(kind, ports);
    let mut groups = grouped(within(tensors));
    let keys = keys(&groups, &needs, kind, &there)?;
    let mut weights = Weights::default();
    for ((_, tensors), key) in needs.iter().zip(keys) {
        let group = groups.entry(key.clone()).or_default();
        for need in tensors {
            let values = taken(group, need, &key, &there)?;
            weights
                .tensors
                .push((need.name.clone(), Array::new(&need.shape, values)));
        }
    }
    let left: Vec<&String> = groups
        .values()
        .flatten()
        .map(|(_, raw)| &raw.name)
        .collect();
    if !left.is_empty() {
        return Err(Fault::Extra {
            names: list(left),
            kind: kind.label(),
        });
    }
    Ok(weights)
}

/// Names as `a`, `b` and so on, not too many.
fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    const MOST: usize = 12;
    let all: Vec<String> = names
        .into_iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match all.len() {
        0 => "none".to_owned(),
        n if n > MOST => format!("{} and {} more", all[..MOST].join(", "), n - MOST),
        _ => all.join(", "),
    }
}

/// The tensors without the names that wrap all of them: the entry of a checkpoint that holds the
/// state dict, and modules around the network such as `module.` or `model.`.
fn within(mut tensors: BTreeMap<String, Raw>) -> BTreeMap<String, Raw> {
    // Counts batches that were seen in training; nothing is computed from it.
    tensors.retain(|name, _| !name.ends_with("num_batches_tracked"));
    for entry in ["state_dict.", "model_state_dict."] {
        if tensors.keys().any(|name| name.starts_with(entry)) {
            // What stands beside it belongs to the optimizer.
            tensors.retain(|name, _| name.starts_with(entry));
            tensors = without(tensors, entry.len());
        }
    }
    loop {
        let Some((first, _)) = tensors.keys().next().and_then(|name| name.split_once('.')) else {
            return tensors;
        };
        let wraps = |name: &String| {
            let rest = name.strip_prefix(first).and_then(|it| it.strip_prefix('.'));
            rest.is_some_and(|rest| rest.contains('.'))
        };
        if !tensors.keys().all(wraps) {
            return tensors;
        }
        let length = first.len() + 1;
        tensors = without(tensors, length);
    }
}

fn without(tensors: BTreeMap<String, Raw>, length: usize) -> BTreeMap<String, Raw> {
    let short = |(name, raw): (String, Raw)| (name[length..].to_owned(), raw);
    tensors.into_iter().map(short).collect()
}

/// The tensors by layer and role.
fn grouped(tensors: BTreeMap<String, Raw>) -> BTreeMap<Key, Group> {
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    for (name, raw) in tensors {
        let (module, role) = name.rsplit_once('.').unwrap_or(("", &name));
        // `weight_ih_l1`: the second layer of an LSTM.
        let (role, depth) = match role.rsplit_once("_l") {
            Some((role, depth)) if depth.parse::<usize>().is_ok() => {
                (role, depth.parse().unwrap_or_default())
            }
            _ => (role, 0),
        };
        let key = Key {
            number: module.parse().ok(),
            module: module.to_owned(),
            depth,
        };
        groups.entry(key).or_default().insert(role.to_owned(), raw);
    }
    groups
}

/// For each layer of the architecture the layer in the file: by name, else by number, else by
/// shapes.
fn keys(
    groups: &BTreeMap<Key, Group>,
    needs: &[(String, Vec<Need>)],
    kind: NetworkKind,
    there: &str,
) -> Result<Vec<Key>, Fault> {
    let named = |layer: &str| Key {
        number: None,
        module: layer.to_owned(),
        depth: 0,
    };
    if needs
        .iter()
        .all(|(name, _)| groups.contains_key(&named(name)))
    {
        return Ok(needs.iter().map(|(name, _)| named(name)).collect());
    }
    let numbered = groups.keys().all(|key| key.number.is_some());
    if numbered && groups.len() == needs.len() {
        return Ok(groups.keys().cloned().collect());
    }
    let by_shape: Option<Vec<Key>> = needs
        .iter()
        .map(|(_, tensors)| {
            let mut fitting = groups.iter().filter(|(_, group)| fits(group, tensors));
            let (key, _) = fitting.next()?;
            fitting.next().is_none().then(|| key.clone())
        })
        .collect();
    if let Some(keys) = by_shape.filter(|_| !numbered) {
        return Ok(keys);
    }
    // The network's own names, and one of them is not there.
    let missing = needs
        .iter()
        .find(|(name, _)| !groups.contains_key(&named(name)));
    let known = needs
        .iter()
        .filter(|(name, _)| groups.contains_key(&named(name)));
    if let (Some((layer, tensors)), true) = (missing, known.count() + 1 >= needs.len().max(2)) {
        let role = tensors.first().and_then(|need| need.roles.first());
        return Err(Fault::Missing {
            name: format!("{layer}.{}", role.unwrap_or(&"weight")),
            there: there.to_owned(),
        });
    }
    Err(Fault::Layers {
        found: list(groups.keys().map(|key| match key.depth {
            0 => key.module.clone(),
            depth => format!("{} (layer {depth})", key.module),
        })),
        needed: list(needs.iter().map(|(name, _)| name.as_str())),
        kind: kind.label(),
    })
}

fn fits(group: &Group, tensors: &[Need]) -> bool {
    let roles: usize = tensors.iter().map(|need| need.roles.len()).sum();
    let fit = |need: &Need| {
        let shape = need.shape_there();
        let same = |role: &&str| group.get(*role).is_some_and(|raw| raw.shape == shape);
        need.roles.iter().all(same)
    };
    roles == group.len() && tensors.iter().all(fit)
}

/// Takes what makes up one tensor out of a layer of the file.
fn taken(group: &mut Group, need: &Need, key: &Key, there: &str) -> Result<Vec<f32>, Fault> {
    let shape = need.shape_there();
    let mut sum = vec![0.0; shape.iter().product()];
    for role in need.roles {
        let Some(raw) = group.remove(*role) else {
            let name = match (key.module.as_str(), need.name.starts_with("lstm")) {
                ("", _) => (*role).to_owned(),
                (module, true) => format!("{module}.{role}_l{}", key.depth),
                (module, false) => format!("{module}.{role}"),
            };
            let there = there.to_owned();
            return Err(Fault::Missing { name, there });
        };
        if raw.shape != shape {
            return Err(Fault::Shape {
                name: raw.name,
                found: raw.shape,
                needed: shape,
            });
        }
        for (sum, value) in sum.iter_mut().zip(raw.values()?) {
            *sum += value;
        }
    }
    if !need.transposed {
        return Ok(sum);
    }
    let (outputs, inputs) = (shape[0], shape[1]);
    let column = |input: usize| (0..outputs).map(move |output| (output, input));
    let places = (0..inputs).flat_map(column);
    Ok(places
        .map(|(output, input)| sum[output * inputs + input])
        .collect())
}
