//! [`PickleTree`], the content of a pickle as inert values that refer to one another.

use std::borrow::Cow;

use super::PickleError;

/// The id of a value in a [`PickleTree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PickleId(u32);

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum PickleNode {
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
    List(Vec<PickleId>),
    /// A tuple.
    Tuple(Vec<PickleId>),
    /// A set.
    Set(Vec<PickleId>),
    /// A dictionary in insertion order.
    Dict(Vec<(PickleId, PickleId)>),
    /// A class or function by name.
    Global(Box<Global>),
    /// The result of a call that was not made.
    Object(Box<PickleObject>),
    /// An object stored outside the pickle, by its identifier.
    Persistent(PickleId),
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
pub struct PickleObject {
    /// The callee.
    pub callee: PickleId,
    /// Its arguments, usually a tuple.
    pub arguments: PickleId,
    /// The state that would have been set afterwards, usually a dictionary of attributes.
    pub state: Option<PickleId>,
    /// Values appended to it.
    pub items: Vec<PickleId>,
    /// Entries added to it.
    pub pairs: Vec<(PickleId, PickleId)>,
}

/// The values of a pickle. References may be cyclic.
#[derive(Debug)]
pub struct PickleTree {
    nodes: Vec<PickleNode>,
    /// The pickled value.
    pub root: PickleId,
}

impl PickleTree {
    /// The maximum number of values.
    pub const MAX_VALUES: usize = 4_000_000;
    /// `None`, which every tree contains.
    pub const NONE: PickleId = PickleId(0);

    /// A tree with only `None`.
    pub fn new() -> Self {
        Self {
            nodes: vec![PickleNode::None],
            root: Self::NONE,
        }
    }

    /// Adds a value.
    pub fn add(&mut self, node: PickleNode) -> Result<PickleId, PickleError> {
        if self.nodes.len() >= Self::MAX_VALUES {
            return Err(PickleError::TooMany);
        }
        self.nodes.push(node);
        Ok(PickleId(self.nodes.len() as u32 - 1))
    }

    /// A value.
    pub fn node(&self, id: PickleId) -> &PickleNode {
        &self.nodes[id.0 as usize]
    }

    /// A value, mutably.
    pub fn node_mut(&mut self, id: PickleId) -> &mut PickleNode {
        &mut self.nodes[id.0 as usize]
    }

    /// All values, in order of creation.
    pub fn nodes(&self) -> &[PickleNode] {
        &self.nodes
    }

    /// A string.
    pub fn text(&self, id: PickleId) -> Option<&str> {
        match self.node(id) {
            PickleNode::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value that holds the bytes of another: itself, or the text from which protocols up to 2 would make them, by
    /// calling `_codecs.encode(text, "latin1")`.
    pub fn holder_of_bytes(&self, id: PickleId) -> Option<PickleId> {
        if matches!(self.node(id), PickleNode::Bytes(_)) {
            return Some(id);
        }
        let (class, object) = (self.class(id)?, self.object(id)?);
        let [text, encoding] = self.sequence(object.arguments)? else {
            return None;
        };
        let encodes = class.module == "_codecs" && class.name == "encode";
        let is_held = encodes && self.text(*encoding) == Some("latin1");
        (is_held && self.text(*text).is_some()).then_some(*text)
    }

    /// The first `most` bytes that a value holds, of a text one per character.
    pub fn bytes(&self, holder: PickleId, most: usize) -> Option<Cow<'_, [u8]>> {
        match self.node(holder) {
            PickleNode::Bytes(bytes) => Some(Cow::Borrowed(&bytes[..most.min(bytes.len())])),
            PickleNode::Text(text) => {
                let letters = text.chars().take(most);
                let bytes = letters.map(|letter| u8::try_from(letter).ok());
                Some(Cow::Owned(bytes.collect::<Option<Vec<u8>>>()?))
            }
            _ => None,
        }
    }

    /// A non-negative integer.
    pub fn count(&self, id: PickleId) -> Option<usize> {
        match self.node(id) {
            PickleNode::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The values of a tuple or a list.
    pub fn sequence(&self, id: PickleId) -> Option<&[PickleId]> {
        match self.node(id) {
            PickleNode::Tuple(items) | PickleNode::List(items) => Some(items),
            _ => None,
        }
    }

    /// An object with its callee and arguments.
    pub fn object(&self, id: PickleId) -> Option<&PickleObject> {
        match self.node(id) {
            PickleNode::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The class or function that a value is or refers to.
    pub fn global(&self, id: PickleId) -> Option<&Global> {
        match self.node(id) {
            PickleNode::Global(global) => Some(global),
            // Files from before PyTorch 1.6 store classes as ("module", class, file, source).
            PickleNode::Persistent(key) => match self.sequence(*key)? {
                [kind, class, ..] if self.text(*kind) == Some("module") => {
                    match self.node(*class) {
                        PickleNode::Global(global) => Some(global),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The class of an object, or the function that would have created it.
    pub fn class(&self, id: PickleId) -> Option<&Global> {
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
    pub fn pairs(&self, id: PickleId) -> Option<&[(PickleId, PickleId)]> {
        match self.node(id) {
            PickleNode::Dict(pairs) => Some(pairs),
            PickleNode::Object(object) if !object.pairs.is_empty() => Some(&object.pairs),
            _ => None,
        }
    }

    /// The value under a string key.
    pub fn get(&self, dict: PickleId, key: &str) -> Option<PickleId> {
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
