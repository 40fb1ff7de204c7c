//! Normalises the names of tensors: strips wrapping modules, merges pruned weights with their masks, and drops
//! counters.

use std::collections::HashMap;

use super::raw::RawTensor;
use super::{WeightsFault, list};

/// A tensor with its name within the network.
pub type NamedTensor = (String, RawTensor);

/// Usual prefixes of a network in a state dict that holds other things too.
const WRAPPERS: [&str; 9] = [
    "state_dict.",
    "model_state_dict.",
    "module.",
    "_orig_mod.",
    "model.",
    "net.",
    "network.",
    "weights.",
    "ema.",
];

/// Strips wrapping prefixes, merges pruned weights with their masks and drops counters.
///
/// # Errors
/// If weights are computed from others in an unsupported way.
pub fn normalised(
    tensors: Vec<RawTensor>,
    notes: &mut Vec<String>,
) -> Result<Vec<NamedTensor>, WeightsFault> {
    let counter = |name: &str| name.ends_with("num_batches_tracked") || name == "n_averaged";
    let named = tensors
        .into_iter()
        .filter(|raw| !counter(&raw.name))
        .map(|raw| (plain(&raw.name), raw));
    unpruned(within(named.collect()), notes)
}

/// A Keras name in PyTorch's style.
fn plain(name: &str) -> String {
    let name = name.trim_end_matches(":0").replace('/', ".");
    let Some((module, role)) = name.rsplit_once('.') else {
        return name;
    };
    let role = match role {
        "kernel" => "weight",
        role => role,
    };
    format!("{module}.{role}")
}

/// Strips the prefixes that all tensors share.
fn within(mut tensors: Vec<NamedTensor>) -> Vec<NamedTensor> {
    loop {
        let Some((wrap, _)) = tensors.first().and_then(|(name, _)| name.split_once('.')) else {
            return tensors;
        };
        let wraps = |name: &String| {
            let rest = name
                .strip_prefix(wrap)
                .and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| rest.contains('.'))
        };
        if !tensors.iter().all(|(name, _)| wraps(name)) {
            return tensors;
        }
        let length = wrap.len() + 1;
        tensors = shortened(tensors, length);
    }
}

/// The tensors under a usual prefix, if there are others beside it, such as the weights of a loss; and a
/// note about that.
pub fn wrapped_part(tensors: &[NamedTensor]) -> Option<(Vec<(&str, &RawTensor)>, String)> {
    let mut inside: Vec<(&str, &RawTensor)> =
        tensors.iter().map(|(name, raw)| (&**name, raw)).collect();
    let mut path = String::new();
    let mut beside = Vec::new();
    loop {
        let is_part = |wrapper: &&str| {
            let mut parts = inside
                .iter()
                .filter_map(|(name, _)| name.strip_prefix(*wrapper));
            parts.any(|name| name.contains('.'))
        };
        let Some(wrapper) = WRAPPERS.into_iter().find(is_part) else {
            break;
        };
        inside.retain_mut(|(name, raw)| match name.strip_prefix(wrapper) {
            Some(short) => {
                *name = short;
                true
            }
            None => {
                beside.push(&raw.name);
                false
            }
        });
        path += wrapper;
    }
    let wrapped = path.trim_end_matches('.');
    let note = format!(
        "took the tensors under `{wrapped}`; not read: {}",
        list(beside)
    );
    (!wrapped.is_empty()).then_some((inside, note))
}

fn shortened(tensors: Vec<NamedTensor>, length: usize) -> Vec<NamedTensor> {
    let short = |(name, raw): NamedTensor| (name[length..].to_owned(), raw);
    tensors.into_iter().map(short).collect()
}

/// Restores weights from what `torch.nn.utils.prune` stores.
fn unpruned(
    tensors: Vec<NamedTensor>,
    notes: &mut Vec<String>,
) -> Result<Vec<NamedTensor>, WeightsFault> {
    let shapes: HashMap<String, Vec<usize>> = tensors
        .iter()
        .filter_map(|(name, raw)| Some((name.strip_suffix("_orig")?.to_owned(), raw.shape.clone())))
        .collect();
    let is_mask = |(name, raw): &NamedTensor| {
        let base = name.strip_suffix("_mask");
        base.is_some_and(|base| shapes.get(base) == Some(&raw.shape))
    };
    let (masks, rest): (Vec<NamedTensor>, Vec<NamedTensor>) =
        tensors.into_iter().partition(is_mask);
    let mut masks: HashMap<String, RawTensor> = masks.into_iter().collect();
    let mut pruned = Vec::new();
    let joined = |(name, raw): NamedTensor| {
        let base = name.strip_suffix("_orig");
        let mask = base.and_then(|base| masks.remove(&format!("{base}_mask")));
        match (base, mask) {
            (Some(base), Some(mask)) => {
                let full_name = raw.name.trim_end_matches("_orig").to_owned();
                pruned.push(full_name.clone());
                (base.to_owned(), RawTensor::pruned(full_name, raw, mask))
            }
            _ => (name, raw),
        }
    };
    let plain: Vec<NamedTensor> = rest.into_iter().map(joined).collect();
    if !pruned.is_empty() {
        notes.push(format!(
            "pruned weights were multiplied by their mask: {}",
            list(&pruned)
        ));
    }
    computed(&plain).map_or(Ok(plain), Err)
}

/// The error for weights that PyTorch recomputes at each step.
fn computed(tensors: &[NamedTensor]) -> Option<WeightsFault> {
    const NORM: &str = "torch.nn.utils.remove_weight_norm(module)";
    const SPECTRAL: &str = "torch.nn.utils.remove_spectral_norm(module)";
    const ANY: &str = "torch.nn.utils.parametrize.remove_parametrizations(module, \"weight\")";
    let reparametrizations = [
        ("weight_g", "weight", "weight normalisation", NORM),
        ("weight_orig", "weight", "spectral normalisation", SPECTRAL),
    ];
    tensors.iter().find_map(|(name, raw)| {
        if let Some((base, _)) = name.split_once("parametrizations.") {
            return Some(WeightsFault::Computed {
                name: format!("{base}weight"),
                from: format!("`{}`", raw.name),
                how: "a parametrization",
                with: ANY,
            });
        }
        let found = reparametrizations
            .iter()
            .find(|(role, ..)| name.rsplit('.').next() == Some(*role));
        found.map(|(role, weight, how, with)| WeightsFault::Computed {
            name: format!("{}{weight}", &name[..name.len() - role.len()]),
            from: format!("`{}` and others", raw.name),
            how,
            with,
        })
    })
}
