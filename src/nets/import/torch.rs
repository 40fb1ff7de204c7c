//! Reads files written by `torch.save`: named tensors of a state dict, a checkpoint or a whole module.
//!
//! [`archive`] opens the three formats; [`tensor`] identifies the objects of the pickle that are tensors;
//! [`names`] finds the state dict within a checkpoint.

mod archive;
mod legacy;
mod magic;
mod names;
mod storage;
mod tensor;

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use super::WeightsFault;
use super::pickle::{PickleId, PickleNode, PickleTree};
use super::raw::{RawTensor, WeightsFile};
use super::recognise::{self, NonWeightsFile};
use storage::Storages;
use tensor::TensorSource;

/// The tensors of a file written by `torch.save`.
///
/// # Errors
/// If it is damaged, not a checkpoint, or would make Python run code.
pub fn read(path: &Path) -> Result<WeightsFile, WeightsFault> {
    let opened = archive::open(path)?;
    let tree = &opened.tree;
    if let Some(name) = unsafe_call(tree) {
        return Err(WeightsFault::Code(name));
    }
    let taken = names::state_dict(tree)?;
    let storages = Rc::new(opened.storages);
    // Storages within the pickle, each extracted once.
    let mut inside: HashMap<PickleId, Rc<Storages>> = HashMap::new();
    let mut tensors = Vec::new();
    for (name, leaf) in taken.tensors {
        tensors.push(match leaf {
            TensorSource::Dense(dense) => dense.raw(name, &storages)?,
            TensorSource::InPickle(dense, bytes) => {
                let storages = match inside.get(&bytes) {
                    Some(storages) => Rc::clone(storages),
                    None => match tree.bytes(bytes, usize::MAX) {
                        Some(content) => Rc::new(legacy::storage(&content)?),
                        None => continue,
                    },
                };
                inside.insert(bytes, Rc::clone(&storages));
                dense.raw(name, &storages)?
            }
            TensorSource::Other(kind) => RawTensor::unsupported(name, Vec::new(), kind),
        });
    }
    Ok(WeightsFile {
        tensors,
        notes: taken.note.into_iter().collect(),
        modules: taken.modules,
    })
}

/// What a zip archive is, unless it may be a checkpoint.
///
/// # Errors
/// If it cannot be read.
pub fn foreign(path: &Path) -> Result<Option<NonWeightsFile>, WeightsFault> {
    Ok(recognise::archive(&archive::names(path)?))
}

/// The first function outside the file that loading it in Python would run.
fn unsafe_call(tree: &PickleTree) -> Option<String> {
    const OUTSIDE: [&str; 12] = [
        "os",
        "posix",
        "nt",
        "subprocess",
        "pty",
        "runpy",
        "socket",
        "shutil",
        "webbrowser",
        "importlib",
        "ctypes",
        "sys",
    ];
    const BUILT_IN: [&str; 5] = ["eval", "exec", "compile", "open", "__import__"];
    let callees = tree.nodes().iter().filter_map(|node| match node {
        PickleNode::Object(object) => tree.global(object.callee),
        _ => None,
    });
    let mut outside = callees.filter(|global| match global.module.as_str() {
        "builtins" | "__builtin__" => BUILT_IN.contains(&global.name.as_str()),
        module => OUTSIDE.contains(&module.split('.').next().unwrap_or(module)),
    });
    outside.next().map(ToString::to_string)
}
