//! Names of nodes, taken from the modules that they come from if the file has these.

use std::collections::{HashMap, HashSet};

use super::messages::NodeProto;

/// A set of used names.
#[derive(Default)]
pub struct UniqueNames {
    used: HashSet<String>,
    /// For each name that was wanted again, the number that is tried next.
    next: HashMap<String, usize>,
}

impl UniqueNames {
    /// The name, with a number appended if it is taken.
    pub fn unique(&mut self, wanted: &str) -> String {
        if self.used.insert(wanted.to_owned()) {
            return wanted.to_owned();
        }
        let number = self.next.entry(wanted.to_owned()).or_insert(1);
        loop {
            let name = format!("{wanted}_{number}");
            *number += 1;
            if self.used.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// A readable name for a node: the module of its weights, `layer1.0.conv1` for `layer1.0.conv1.weight`;
/// else the module named by PyTorch's exporters, the same for `/layer1/layer1.0/conv1/Conv`; else the Keras
/// layer; else its operator.
pub fn readable_name(node: &NodeProto) -> String {
    let scope = scope(node);
    let weight = || {
        let mut named = node.input.iter().skip(1);
        let stem = named.find_map(|input| {
            let (stem, role) = input.rsplit_once('.')?;
            matches!(role, "weight" | "bias" | "running_mean").then_some(stem)
        });
        stem.filter(|stem| !stem.contains("::")).map(str::to_owned)
    };
    weight()
        .or(scope)
        .or_else(|| path(&node.name, &node.op_type))
        .unwrap_or_else(|| node.op_type.to_lowercase())
}

/// The module that PyTorch's newer exporter records in each node's metadata.
fn scope(node: &NodeProto) -> Option<String> {
    let mut entries = node.metadata_props.iter();
    let scopes = entries.find(|entry| entry.key == "pkg.torch.onnx.name_scopes")?;
    // ['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']
    let parts = scopes.value.split(['\'', '"']).skip(1).step_by(2);
    let parts: Vec<&str> = parts.collect();
    let (call, modules) = parts.split_last()?;
    let module = modules.iter().rev().find(|module| !module.is_empty());
    match module {
        Some(module) => Some((*module).to_owned()),
        None => Some((*call).to_owned()).filter(|call| !call.is_empty()),
    }
}

/// A path of modules without repetitions and without the operator at its end; `None` if nothing is
/// left.
fn path(name: &str, operator: &str) -> Option<String> {
    let mut parts: Vec<&str> = name
        .split('/')
        .filter(|part| !part.is_empty() && *part != "StatefulPartitionedCall")
        .collect();
    let plain = |part: &str| {
        let part = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let part = part.trim_end_matches(['_', ':', '.']).to_lowercase();
        part.strip_prefix("node_").unwrap_or(&part).to_owned()
    };
    let is_operator = |part: &str| {
        let part = plain(part);
        let of_keras = ["conv2d", "biasadd", "matmul", "fusedbatchnormv3"];
        part == operator.to_lowercase() || of_keras.contains(&part.as_str())
    };
    if parts.last().is_some_and(|last| is_operator(last)) && (parts.len() > 1 || is_made_up(name)) {
        parts.pop();
    }
    let mut short: Vec<&str> = Vec::new();
    for part in parts {
        let repeats = |before: &&str| {
            let rest = part.strip_prefix(before);
            rest.is_some_and(|rest| rest.starts_with('.') || rest.is_empty())
        };
        if short.last().is_some_and(repeats) {
            short.pop();
        }
        short.push(part);
    }
    (!short.is_empty()).then(|| short.join("."))
}

/// Whether an exporter generated the name: `Conv_12`, `node_Conv_12`, `/Conv`.
fn is_made_up(name: &str) -> bool {
    name.starts_with('/') || name.contains('_') || name.contains(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, operator: &str, inputs: &[&str]) -> NodeProto {
        NodeProto {
            name: name.to_owned(),
            op_type: operator.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            ..NodeProto::default()
        }
    }

    #[test]
    fn nodes_are_named_after_the_modules_of_the_file() {
        for (name, operator, inputs, readable) in [
            (
                "/layer1/layer1.0/conv1/Conv",
                "Conv",
                &[][..],
                "layer1.0.conv1",
            ),
            (
                "/features/features.0/features.0.1/Conv",
                "Conv",
                &[],
                "features.0.1",
            ),
            (
                "/layer1/layer1.0/relu_1/Relu",
                "Relu",
                &[],
                "layer1.0.relu_1",
            ),
            (
                "/layer1/layer1.0/Add_output",
                "Add",
                &[],
                "layer1.0.Add_output",
            ),
            ("/Flatten", "Flatten", &[], "flatten"),
            ("Conv_0", "Conv", &["x", "features.0.weight"], "features.0"),
            ("", "Conv", &["x", "onnx::Conv_12"], "conv"),
            (
                "StatefulPartitionedCall/model/conv2d_1/Conv2D",
                "Conv",
                &[],
                "model.conv2d_1",
            ),
            ("fc1", "Gemm", &[], "fc1"),
            ("node_relu_3", "Relu", &[], "relu"),
        ] {
            assert_eq!(readable_name(&node(name, operator, inputs)), readable);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names = UniqueNames::default();
        assert_eq!(names.unique("relu"), "relu");
        assert_eq!(names.unique("relu"), "relu_1");
        assert_eq!(names.unique("relu"), "relu_2");
        assert_eq!(names.unique("relu_4"), "relu_4");
        assert_eq!(names.unique("relu"), "relu_3");
        assert_eq!(names.unique("relu"), "relu_5");
        // As many as fit in a file: in a time that does not grow with the square of their number.
        for _ in 0..100_000 {
            names.unique("relu");
        }
        assert_eq!(names.unique("relu"), "relu_100006");
    }
}
