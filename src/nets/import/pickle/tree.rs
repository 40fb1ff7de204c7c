//! What a pickle says, as inert values that refer to one another.

use super::PickleError;

/// A value of a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(u32);

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number; one that has no room in 64 bits becomes the largest or smallest that has.
    Int(i64),
    /// A number.
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
    /// A dictionary in the order of its making.
    Dict(Vec<(Id, Id)>),
    /// A class or a function by its name.
    Global(Box<Global>),
    /// What a call would have made.
    Object(Box<Object>),
    /// What lies outside of the pickle, by its identifier.
    Persistent(Id),
}

/// A class or a function by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    /// `torch._utils`.
    pub module: String,
    /// `_rebuild_tensor_v2`.
    pub name: String,
}

/// What a call would have made, had there been one.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// What would have been called.
    pub callee: Id,
    /// With what: most often a tuple.
    pub arguments: Id,
    /// What would have been given to it afterwards, most often a dictionary of its attributes.
    pub state: Option<Id>,
    /// Values that were appended.
    pub items: Vec<Id>,
    /// Entries that were put into it.
    pub pairs: Vec<(Id, Id)>,
}

/// The values of a pickle. They may refer to one another in circles.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    /// The value that the pickle stands for.
    pub root: Id,
}

impl Tree {
    /// Most values that are held.
    pub const MOST: usize = 4_000_000;
    /// `None`, which is there from the beginning.
    pub const NONE: Id = Id(0);

    /// A tree of `None` alone.
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

    /// A value that may still grow.
    pub fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// All values, in the order of their making.
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

    /// A whole number from 0 on.
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

    /// What an object was made by and with.
    pub fn object(&self, id: Id) -> Option<&Object> {
        match self.node(id) {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The class or function that a value is, or stands for.
    pub fn global(&self, id: Id) -> Option<&Global> {
        match self.node(id) {
            Node::Global(global) => Some(global),
            // Files before PyTorch 1.6 keep classes as ("module", class, file, source).
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

    /// The class of an object, or the function that would have made it.
    pub fn class(&self, id: Id) -> Option<&Global> {
        let object = self.object(id)?;
        let callee = self.global(object.callee)?;
        // Protocols 0 and 1 spell a class's call as copy_reg._reconstructor(class, base, state).
        if callee.name == "_reconstructor" {
            let class = self.sequence(object.arguments)?.first()?;
            return self.global(*class);
        }
        Some(callee)
    }

    /// The entries of a dictionary, or of an object that is one.
    pub fn pairs(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.node(id) {
            Node::Dict(pairs) => Some(pairs),
            Node::Object(object) if !object.pairs.is_empty() => Some(&object.pairs),
            _ => None,
        }
    }

    /// The value under a string.
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
