//! Normalises the names of tensors: strips wrapping modules, merges pruned weights with their masks, and drops
//! counters.

use std::collections::HashMap;

use super::raw::Raw;
use super::{Fault, list};

/// A tensor with its name within the network.
pub type Named = (String, Raw);

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
pub fn settled(tensors: Vec<Raw>, notes: &mut Vec<String>) -> Result<Vec<Named>, Fault> {
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
fn within(mut tensors: Vec<Named>) -> Vec<Named> {
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
pub fn part(tensors: &[Named]) -> Option<(Vec<(&str, &Raw)>, String)> {
    let mut inside: Vec<(&str, &Raw)> = tensors.iter().map(|(name, raw)| (&**name, raw)).collect();
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

fn shortened(tensors: Vec<Named>, length: usize) -> Vec<Named> {
    let short = |(name, raw): Named| (name[length..].to_owned(), raw);
    tensors.into_iter().map(short).collect()
}

/// Restores weights from what `torch.nn.utils.prune` stores.
fn unpruned(tensors: Vec<Named>, notes: &mut Vec<String>) -> Result<Vec<Named>, Fault> {
    let shapes: HashMap<String, Vec<usize>> = tensors
        .iter()
        .filter_map(|(name, raw)| Some((name.strip_suffix("_orig")?.to_owned(), raw.shape.clone())))
        .collect();
    let is_mask = |(name, raw): &Named| {
        let base = name.strip_suffix("_mask");
        base.is_some_and(|base| shapes.get(base) == Some(&raw.shape))
    };
    let (masks, rest): (Vec<Named>, Vec<Named>) = tensors.into_iter().partition(is_mask);
    let mut masks: HashMap<String, Raw> = masks.into_iter().collect();
    let mut pruned = Vec::new();
    let joined = |(name, raw): Named| {
        let base = name.strip_suffix("_orig");
        let mask = base.and_then(|base| masks.remove(&format!("{base}_mask")));
        match (base, mask) {
            (Some(base), Some(mask)) => {
                let full_name = raw.name.trim_end_matches("_orig").to_owned();
                pruned.push(full_name.clone());
                (base.to_owned(), Raw::pruned(full_name, raw, mask))
            }
            _ => (name, raw),
        }
    };
    let plain: Vec<Named> = rest.into_iter().map(joined).collect();
    if !pruned.is_empty() {
        notes.push(format!(
            "pruned weights were multiplied by their mask: {}",
            list(&pruned)
        ));
    }
    computed(&plain).map_or(Ok(plain), Err)
}

/// The error for weights that PyTorch recomputes at each step.
fn computed(tensors: &[Named]) -> Option<Fault> {
    const NORM: &str = "torch.nn.utils.remove_weight_norm(module)";
    const SPECTRAL: &str = "torch.nn.utils.remove_spectral_norm(module)";
    const ANY: &str = "torch.nn.utils.parametrize.remove_parametrizations(module, \"weight\")";
    let reparametrizations = [
        ("weight_g", "weight", "weight normalization", NORM),
        ("weight_orig", "weight", "spectral normalization", SPECTRAL),
    ];
    tensors.iter().find_map(|(name, raw)| {
        if let Some((base, _)) = name.split_once("parametrizations.") {
            return Some(Fault::Computed {
                name: format!("{base}weight"),
                from: format!("`{}`", raw.name),
                how: "a parametrization",
                with: ANY,
            });
        }
        let found = reparametrizations
            .iter()
            .find(|(role, ..)| name.rsplit('.').next() == Some(*role));
        found.map(|(role, weight, how, with)| Fault::Computed {
            name: format!("{}{weight}", &name[..name.len() - role.len()]),
            from: format!("`{}` and others", raw.name),
            how,
            with,
        })
    })
}
