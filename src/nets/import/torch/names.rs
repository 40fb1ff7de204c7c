//! Finds the state dict within a checkpoint, and its tensors by name, in the order of the file.

use std::collections::{HashMap, HashSet};

use super::super::pickle::{PickleId, PickleNode, PickleTree};
use super::super::recognise::Remedy;
use super::super::{WeightsFault, list};
use super::tensor::{TensorSource, tensor_source};

/// Keys under which checkpoints keep their state dict, by descending priority.
const ENTRIES: [&str; 7] = [
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "weights",
    "ema",
];
/// Prefixes of keys that belong to the training.
const TRAINING: [&str; 5] = ["optim", "sched", "lr_sched", "scaler", "grad"];
/// Limits on the number of tensors, the nesting of modules and the length of names.
const MOST: usize = 100_000;
const DEEPEST: usize = 64;
const LONGEST: usize = 1_000;

/// The tensors of a state dict.
pub struct StateDict {
    /// By name, in the order of the file.
    pub tensors: Vec<(String, TensorSource)>,
    /// Where they were found, unless that is the whole file.
    pub note: Option<String>,
    /// Classes of a whole module's parts.
    pub modules: Vec<String>,
}

/// Finds the state dict.
///
/// # Errors
/// If the file holds no named tensors, or too many.
pub fn state_dict(tree: &PickleTree) -> Result<StateDict, WeightsFault> {
    let mut at = tree.root;
    let mut path: Vec<&str> = Vec::new();
    let mut beside: Vec<&str> = Vec::new();
    while let (true, Some((name, entry))) = (path.len() < 8, entry(tree, at)) {
        let others = entries(tree, at).into_iter().map(|(other, _)| other);
        beside.extend(others.filter(|other| *other != name));
        path.push(name);
        at = entry;
    }
    let mut walk = Walk::new(tree);
    walk.enter(at, "", 0)?;
    if walk.tensors.is_empty() {
        let description = walk.tree_in_words();
        return Err(WeightsFault::Foreign((description, Remedy::StateDict)));
    }
    let whole = walk.modules.first().map(|class| {
        format!("the file contains a whole module of the class {class}; its tensors were read, none of its code was run")
    });
    let from_entry = (!path.is_empty()).then(|| {
        let beside = match beside.is_empty() {
            true => String::new(),
            false => format!("; not read: {}", list(beside)),
        };
        format!("took the state dict under `{}`{beside}", path.join("."))
    });
    let notes: Vec<String> = [from_entry, whole].into_iter().flatten().collect();
    Ok(StateDict {
        note: (!notes.is_empty()).then(|| notes.join("; ")),
        tensors: walk.tensors,
        modules: walk.modules,
    })
}

/// The entry that holds the state dict, unless the value itself does.
fn entry(tree: &PickleTree, at: PickleId) -> Option<(&str, PickleId)> {
    if tensor_source(tree, at).is_some() || module(tree, at).is_some() {
        return None;
    }
    let all = entries(tree, at);
    let mut search = Search::new(tree);
    let mut holds = |id: PickleId| tensor_source(tree, id).is_none() && search.finds(id, 0);
    for known in ENTRIES {
        let found = all.iter().find(|(name, id)| *name == known && holds(*id));
        if let Some((name, id)) = found {
            return Some((name, *id));
        }
    }
    if all.iter().any(|(_, id)| tensor_source(tree, *id).is_some()) {
        return None;
    }
    let mut others = all
        .into_iter()
        .filter(|(name, id)| !of_training(name) && holds(*id));
    let only = others.next()?;
    others.next().is_none().then_some(only)
}

fn of_training(name: &str) -> bool {
    TRAINING.iter().any(|begins| name.starts_with(begins))
}

/// The entries of a dictionary, or the attributes of an object, with string keys.
fn entries(tree: &PickleTree, id: PickleId) -> Vec<(&str, PickleId)> {
    let pairs = tree.pairs(id).or_else(|| attributes(tree, id));
    let named = pairs.unwrap_or_default().iter();
    named
        .filter_map(|(name, value)| Some((tree.text(*name)?, *value)))
        .collect()
}

/// The attributes of an object.
fn attributes(tree: &PickleTree, id: PickleId) -> Option<&[(PickleId, PickleId)]> {
    let state = tree.object(id)?.state?;
    // For classes with slots it is a pair of dictionaries.
    match tree.node(state) {
        PickleNode::Tuple(both) => tree.pairs(*both.first()?),
        _ => tree.pairs(state),
    }
}

/// Parameters, buffers and submodules of a module.
fn module(tree: &PickleTree, id: PickleId) -> Option<[PickleId; 3]> {
    attributes(tree, id)?;
    let all = entries(tree, id);
    let part = |name| {
        let mut found = all.iter().rev().filter(|(key, _)| *key == name);
        found.next().map(|(_, id)| *id)
    };
    Some([part("_parameters")?, part("_buffers")?, part("_modules")?])
}

/// A search for tensors, which visits each value once.
struct Search<'a> {
    tree: &'a PickleTree,
    known: HashMap<PickleId, bool>,
}

impl<'a> Search<'a> {
    fn new(tree: &'a PickleTree) -> Self {
        let known = HashMap::new();
        Self { tree, known }
    }

    /// Whether there are tensors in a value.
    fn finds(&mut self, id: PickleId, depth: usize) -> bool {
        if tensor_source(self.tree, id).is_some() {
            return true;
        }
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        // Within a cycle, a value being visited contributes nothing.
        self.known.insert(id, false);
        let mut parts = entries(self.tree, id).into_iter();
        let found = depth < DEEPEST && parts.any(|(_, part)| self.finds(part, depth + 1));
        self.known.insert(id, found);
        found
    }
}

/// A walk over all named values. Values may be shared, and may contain themselves.
struct Walk<'a> {
    tree: &'a PickleTree,
    tensors: Vec<(String, TensorSource)>,
    modules: Vec<String>,
    /// Number of values visited, once per path to them.
    entered: usize,
    /// The values that enclose the current one.
    above: HashSet<PickleId>,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a PickleTree) -> Self {
        Self {
            tree,
            tensors: Vec::new(),
            modules: Vec::new(),
            entered: 0,
            above: HashSet::new(),
        }
    }

    fn enter(&mut self, id: PickleId, name: &str, depth: usize) -> Result<(), WeightsFault> {
        self.entered += 1;
        if self.entered > 10 * MOST || self.tensors.len() > MOST || name.len() > LONGEST {
            return Err(WeightsFault::Damaged(format!(
                "it has more than {MOST} tensors, or too long names"
            )));
        }
        if let Some(leaf) = tensor_source(self.tree, id) {
            self.tensors.push((name.to_owned(), leaf));
            return Ok(());
        }
        if depth == DEEPEST || !self.above.insert(id) {
            return Ok(());
        }
        match module(self.tree, id) {
            Some(parts) => self.module(id, parts, name, depth)?,
            None => self.entries(id, name, depth, |_| true)?,
        }
        self.above.remove(&id);
        Ok(())
    }

    fn module(
        &mut self,
        id: PickleId,
        parts: [PickleId; 3],
        name: &str,
        depth: usize,
    ) -> Result<(), WeightsFault> {
        if let Some(class) = self.tree.class(id) {
            self.modules.push(class.to_string());
        }
        let [parameters, buffers, modules] = parts;
        self.entries(parameters, name, depth, |_| true)?;
        let excluded = self.non_persistent(id);
        self.entries(buffers, name, depth, |key| !excluded.contains(key))?;
        self.entries(modules, name, depth, |_| true)
    }

    /// The buffers that a state dict leaves out.
    fn non_persistent(&self, module: PickleId) -> HashSet<&'a str> {
        let tree = self.tree;
        let all = entries(tree, module);
        let set = all
            .iter()
            .find(|(key, _)| *key == "_non_persistent_buffers_set");
        let items = set.and_then(|(_, set)| match tree.node(*set) {
            PickleNode::Set(items) => Some(items.as_slice()),
            PickleNode::Object(object) => tree.sequence(*tree.sequence(object.arguments)?.first()?),
            _ => None,
        });
        let items = items.unwrap_or_default().iter();
        items.filter_map(|id| tree.text(*id)).collect()
    }

    fn entries(
        &mut self,
        id: PickleId,
        name: &str,
        depth: usize,
        keep: impl Fn(&str) -> bool,
    ) -> Result<(), WeightsFault> {
        for (key, value) in entries(self.tree, id) {
            let aside = depth == 0 && of_training(key);
            if aside && tensor_source(self.tree, value).is_none() || !keep(key) {
                continue;
            }
            let name = match name {
                "" => key.to_owned(),
                name => format!("{name}.{key}"),
            };
            self.enter(value, &name, depth + 1)?;
        }
        Ok(())
    }

    /// A description of a pickle without named tensors.
    fn tree_in_words(&self) -> String {
        let tree = self.tree;
        let described = |items: &[PickleId]| {
            let tensors = items
                .iter()
                .filter(|id| tensor_source(tree, **id).is_some())
                .count();
            match tensors {
                0 => format!("{} values", items.len()),
                1 => "a tensor without a name".to_owned(),
                count => format!("{count} tensors without names, as in a data set"),
            }
        };
        let content = match tree.node(tree.root) {
            _ if tensor_source(tree, tree.root).is_some() => "one tensor without a name".to_owned(),
            PickleNode::Tuple(items) => format!("a tuple of {}", described(items)),
            PickleNode::List(items) => format!("a list of {}", described(items)),
            PickleNode::Dict(_) => format!(
                "a dictionary without tensors, of {}",
                list(entries(tree, tree.root).into_iter().map(|(name, _)| name))
            ),
            PickleNode::Object(_) => match tree.class(tree.root) {
                Some(class) => format!("an object of the class {class}"),
                None => "an object".to_owned(),
            },
            _ => "a single value".to_owned(),
        };
        format!("a pickle of {content}, not a checkpoint")
    }
}
