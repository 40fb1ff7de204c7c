//! Groups a file's tensors into layers and matches these to the layers of an architecture.

use std::collections::BTreeMap;

use burn::tensor::Device;

use super::raw::RawTensor;
use super::{WeightsFault, list};
use crate::nets::{Network, NetworkShape};
use crate::session::config::NetworkKind;

/// A layer in a file: its module, and the layer's index if the module is an LSTM with several. Numbered
/// modules sort first, by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayerKey {
    number: Option<usize>,
    /// The module's name.
    pub module: String,
    /// The index within an LSTM of several layers, from 0.
    pub depth: usize,
}

/// The tensors of one layer in a file by role; `weight_ih_l1` has the role `weight_ih`.
pub type LayerTensors<'a> = BTreeMap<&'a str, &'a RawTensor>;

/// The layers of a file.
pub struct Layers<'a> {
    /// The tensors of each layer.
    pub groups: BTreeMap<LayerKey, LayerTensors<'a>>,
    /// The layers in the order of the file.
    order: Vec<LayerKey>,
}

/// One tensor of a network and the PyTorch tensors that make it up.
pub struct RequiredTensor {
    /// `conv1.weight`.
    pub name: String,
    /// Its shape here.
    pub shape: Vec<usize>,
    /// The tensors that are added up, by their role in the layer.
    pub roles: &'static [&'static str],
    /// Whether it is \[out,in\] in PyTorch and \[in,out\] here.
    pub transposed: bool,
}

impl RequiredTensor {
    /// Its shape in PyTorch.
    pub fn pytorch_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if self.transposed {
            shape.reverse();
        }
        shape
    }

    /// Whether a tensor of the file has the shape, in PyTorch's order or with inputs first, as Keras stores
    /// dense weights. Unreadable tensors match too, so that the error reports them as unreadable.
    pub fn accepts(&self, raw: &RawTensor) -> bool {
        raw.is_unsupported()
            || raw.shape == self.pytorch_shape()
            || (self.transposed && raw.shape == self.shape)
    }

    /// Whether it is 0 if a file does not have it.
    pub fn is_zero_if_missing(&self) -> bool {
        self.roles
            .first()
            .is_some_and(|role| role.starts_with("bias"))
    }
}

/// The layers of an architecture in order, each with its tensors.
pub fn required_tensors(
    kind: NetworkKind,
    ports: NetworkShape,
) -> Vec<(String, Vec<RequiredTensor>)> {
    let network = Network::new(kind, ports, 0, &Device::flex());
    let weights = network.weights();
    let of_layer = |layer: &str| {
        let tensors = weights.tensors.iter().filter_map(|(name, values)| {
            let role = name.strip_prefix(layer)?.strip_prefix('.')?;
            let shape = values.shape().to_vec();
            Some(RequiredTensor {
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
    layers.iter().map(|layer| of_layer(&layer.name)).collect()
}

impl<'a> Layers<'a> {
    /// The tensors by layer and role.
    pub fn of(tensors: impl IntoIterator<Item = (&'a str, &'a RawTensor)>) -> Self {
        let mut groups: BTreeMap<LayerKey, LayerTensors> = BTreeMap::new();
        let mut order: Vec<LayerKey> = Vec::new();
        for (name, raw) in tensors {
            let (module, role) = name.rsplit_once('.').unwrap_or(("", name));
            // `weight_ih_l1`: the second layer of an LSTM.
            let (role, depth) = match role.rsplit_once("_l") {
                Some((role, depth)) if depth.parse::<usize>().is_ok() => {
                    (role, depth.parse().unwrap_or_default())
                }
                _ => (role, 0),
            };
            let key = LayerKey {
                number: module.parse().ok(),
                module: module.to_owned(),
                depth,
            };
            if !groups.contains_key(&key) {
                order.push(key.clone());
            }
            groups.entry(key).or_default().insert(role, raw);
        }
        Self { groups, order }
    }

    /// The last layer: the one named `logits`, else the last by number, else the last in the file.
    pub fn last(&self) -> Option<&LayerTensors<'a>> {
        let named = self.groups.iter().find(|(key, _)| key.module == "logits");
        let last = match self.numbered() {
            true => self.groups.keys().next_back(),
            false => self.order.last(),
        };
        named
            .map(|(_, group)| group)
            .or_else(|| self.groups.get(last?))
    }

    fn numbered(&self) -> bool {
        self.groups.keys().all(|key| key.number.is_some())
    }

    /// For each layer of the architecture, the matching layer in the file: by name, else by number, else by
    /// shapes, else in the order of the file. All tensors of the file must be used.
    ///
    /// # Errors
    /// If a layer is missing, or a tensor is left over.
    pub fn matched(
        &self,
        needs: &[(String, Vec<RequiredTensor>)],
        kind: NetworkKind,
    ) -> Result<Vec<LayerKey>, WeightsFault> {
        let keys = self.keys(needs, kind)?;
        let used = |key: &LayerKey, role: &str| {
            let layer = keys.iter().position(|other| other == key);
            layer.is_some_and(|layer| {
                let mut tensors = needs[layer].1.iter();
                tensors.any(|need| need.roles.contains(&role))
            })
        };
        let all = self.groups.iter();
        let unused = all.flat_map(|(key, group)| {
            let unused = group.iter().filter(|(role, _)| !used(key, role));
            unused.map(|(_, raw)| &raw.name)
        });
        let unused: Vec<&String> = unused.collect();
        match unused.is_empty() {
            true => Ok(keys),
            false => Err(WeightsFault::Extra {
                names: list(unused),
                kind: kind.label(),
            }),
        }
    }

    fn keys(
        &self,
        needs: &[(String, Vec<RequiredTensor>)],
        kind: NetworkKind,
    ) -> Result<Vec<LayerKey>, WeightsFault> {
        let named = |layer: &str| LayerKey {
            number: None,
            module: layer.to_owned(),
            depth: 0,
        };
        let is_present =
            |(name, _): &&(String, Vec<RequiredTensor>)| self.groups.contains_key(&named(name));
        if needs.iter().all(|layer| is_present(&layer)) {
            return Ok(needs.iter().map(|(name, _)| named(name)).collect());
        }
        let as_many = self.groups.len() == needs.len();
        if self.numbered() && as_many {
            return Ok(self.groups.keys().cloned().collect());
        }
        let alone = |(_, tensors): &(String, Vec<RequiredTensor>)| {
            let mut fitting = self.groups.iter().filter(|(_, group)| fits(group, tensors));
            let (key, _) = fitting.next()?;
            fitting.next().is_none().then(|| key.clone())
        };
        let by_shape: Option<Vec<LayerKey>> = needs.iter().map(alone).collect();
        if let Some(keys) = by_shape.filter(|_| !self.numbered()) {
            return Ok(keys);
        }
        // Layers of the same kinds in the same order; a wrong size is reported later.
        let alike = |key: &LayerKey, tensors: &[RequiredTensor]| {
            let group = &self.groups[key];
            let rank = |need: &RequiredTensor| {
                let mut raws = need.roles.iter().filter_map(|role| group.get(role));
                raws.all(|raw| raw.shape.len() == need.shape.len())
                    && (need.is_zero_if_missing() || group.contains_key(need.roles[0]))
            };
            tensors.iter().all(rank)
        };
        let mut both = self.order.iter().zip(needs);
        if as_many && both.all(|(key, (_, tensors))| alike(key, tensors)) {
            return Ok(self.order.clone());
        }
        // Our own names, with one of them missing.
        let missing = needs.iter().find(|layer| !is_present(layer));
        let known = needs.iter().filter(is_present).count();
        if let (Some((layer, tensors)), true) = (missing, known + 1 >= needs.len().max(2)) {
            let role = tensors.first().and_then(|need| need.roles.first());
            return Err(WeightsFault::Missing {
                name: format!("{layer}.{}", role.unwrap_or(&"weight")),
                available: list(self.names()),
            });
        }
        Err(WeightsFault::Layers {
            found: list(self.order.iter().map(|key| match key.depth {
                0 => key.module.clone(),
                depth => format!("{} (layer {depth})", key.module),
            })),
            needed: list(needs.iter().map(|(name, _)| name.as_str())),
            kind: kind.label(),
            fits: Vec::new(),
        })
    }

    /// Names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.groups.values().flatten().map(|(_, raw)| &raw.name)
    }

    /// The architectures that the layers fit in number and shape.
    pub fn fitting(&self, ports: NetworkShape) -> Vec<&'static str> {
        let fit = |kind: &NetworkKind| {
            let needs = match ports.check(*kind) {
                Ok(()) => required_tensors(*kind, ports),
                Err(_) => return false,
            };
            self.matched(&needs, *kind).is_ok_and(|keys| {
                let mut both = keys.iter().zip(&needs);
                both.all(|(key, (_, tensors))| fits(&self.groups[key], tensors))
            })
        };
        let kinds = NetworkKind::ALL.into_iter().filter(fit);
        kinds.map(NetworkKind::label).collect()
    }
}

fn fits(group: &LayerTensors, tensors: &[RequiredTensor]) -> bool {
    let fit = |need: &RequiredTensor| {
        need.roles.iter().all(|role| match group.get(role) {
            Some(raw) => need.accepts(raw),
            None => need.is_zero_if_missing(),
        })
    };
    let known = |role: &&str| tensors.iter().any(|need| need.roles.contains(role));
    tensors.iter().all(fit) && group.keys().all(known)
}
