//! Typed access to the attributes of a node by name, with defaults.

use super::messages::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// Typed access to a node's attributes.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(&'a [AttributeProto]);

impl<'a> Attributes<'a> {
    /// The attributes of a node.
    pub fn of(node: &'a NodeProto) -> Self {
        Self(&node.attribute)
    }

    fn get(self, name: &str) -> Option<&'a AttributeProto> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    /// Whether there is an attribute of this name.
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// An integer.
    pub fn int(self, name: &str, default: i64) -> i64 {
        self.get(name).map_or(default, |attribute| attribute.i)
    }

    /// An integer used as a boolean.
    pub fn flag(self, name: &str, default: bool) -> bool {
        self.int(name, i64::from(default)) != 0
    }

    /// A real number.
    pub fn float(self, name: &str, default: f32) -> f32 {
        self.get(name).map_or(default, |attribute| attribute.f)
    }

    /// Integers; `None` if the attribute is missing.
    pub fn ints(self, name: &str) -> Option<&'a [i64]> {
        self.get(name).map(|attribute| attribute.ints.as_slice())
    }

    /// Real numbers; `None` if the attribute is missing.
    pub fn floats(self, name: &str) -> Option<&'a [f32]> {
        self.get(name).map(|attribute| attribute.floats.as_slice())
    }

    /// A string; `None` if the attribute is missing.
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)
            .and_then(|attribute| std::str::from_utf8(&attribute.s).ok())
    }

    /// Strings.
    pub fn texts(self, name: &str) -> Vec<String> {
        let texts = self.get(name).map(|attribute| attribute.strings.iter());
        let text = |bytes: &bytes::Bytes| String::from_utf8_lossy(bytes).into_owned();
        texts.into_iter().flatten().map(text).collect()
    }

    /// An array.
    pub fn tensor(self, name: &str) -> Option<&'a TensorProto> {
        self.get(name).and_then(|attribute| attribute.t.as_deref())
    }

    /// A subgraph.
    pub fn graph(self, name: &str) -> Option<&'a GraphProto> {
        self.get(name).and_then(|attribute| attribute.g.as_deref())
    }
}
