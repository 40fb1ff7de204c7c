//! [`Tree`], the content of a pickle as inert values that refer to one another.

use super::PickleError;

/// The id of a value in a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(u32);

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer, saturated to 64 bits.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A string.
    Text(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
    /// A list.
    List(Vec<Id>),
    /// A tuple.
    Tuple(Vec<Id>),
    /// A set.
    Set(Vec<Id>),
    /// A dictionary in insertion order.
    Dict(Vec<(Id, Id)>),
    /// A class or function by name.
    Global(Box<Global>),
    /// The result of a call that was not made.
    Object(Box<Object>),
    /// An object stored outside the pickle, by its identifier.
    Persistent(Id),
}

/// A class or function by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    /// For example `torch._utils`.
    pub module: String,
    /// For example `_rebuild_tensor_v2`.
    pub name: String,
}

/// The result of a call that was not made.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The callee.
    pub callee: Id,
    /// Its arguments, usually a tuple.
    pub arguments: Id,
    /// The state that would have been set afterwards, usually a dictionary of attributes.
    pub state: Option<Id>,
    /// Values appended to it.
    pub items: Vec<Id>,
    /// Entries added to it.
    pub pairs: Vec<(Id, Id)>,
}

/// The values of a pickle. References may be cyclic.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    /// The pickled value.
    pub root: Id,
}

impl Tree {
    /// The maximum number of values.
    pub const MOST: usize = 4_000_000;
    /// `None`, which every tree contains.
    pub const NONE: Id = Id(0);

    /// A tree with only `None`.
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::None],
            root: Self::NONE,
        }
    }

    /// Adds a value.
    pub fn add(&mut self, node: Node) -> Result<Id, PickleError> {
        if self.nodes.len() >= Self::MOST {
            return Err(PickleError::TooMany);
        }
        self.nodes.push(node);
        Ok(Id(self.nodes.len() as u32 - 1))
    }

    /// A value.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// A value, mutably.
    pub fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// All values, in order of creation.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A string.
    pub fn text(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A non-negative integer.
    pub fn count(&self, id: Id) -> Option<usize> {
        match self.node(id) {
            Node::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The values of a tuple or a list.
    pub fn sequence(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Tuple(items) | Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// An object with its callee and arguments.
    pub fn object(&self, id: Id) -> Option<&Object> {
        match self.node(id) {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The class or function that a value is or refers to.
    pub fn global(&self, id: Id) -> Option<&Global> {
        match self.node(id) {
            Node::Global(global) => Some(global),
            // Files from before PyTorch 1.6 store classes as ("module", class, file, source).
            Node::Persistent(key) => match self.sequence(*key)? {
                [kind, class, ..] if self.text(*kind) == Some("module") => {
                    match self.node(*class) {
                        Node::Global(global) => Some(global),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The class of an object, or the function that would have created it.
    pub fn class(&self, id: Id) -> Option<&Global> {
        let object = self.object(id)?;
        let callee = self.global(object.callee)?;
        // Protocols 0 and 1 write the call of a class as copy_reg._reconstructor(class, base, state).
        if callee.name == "_reconstructor" {
            let class = self.sequence(object.arguments)?.first()?;
            return self.global(*class);
        }
        Some(callee)
    }

    /// The entries of a dictionary, or of a dictionary-like object.
    pub fn pairs(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.node(id) {
            Node::Dict(pairs) => Some(pairs),
            Node::Object(object) if !object.pairs.is_empty() => Some(&object.pairs),
            _ => None,
        }
    }

    /// The value under a string key.
    pub fn get(&self, dict: Id, key: &str) -> Option<Id> {
        let pairs = self.pairs(dict)?.iter();
        // As in Python, the last one counts.
        let mut found = pairs
            .rev()
            .filter(|(name, _)| self.text(*name) == Some(key));
        found.next().map(|(_, value)| *value)
    }
}

impl std::fmt::Display for Global {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}
