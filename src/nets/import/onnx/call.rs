//! A node of the file as its translation sees it: attributes, and inputs that are known or computed.

use super::attributes::Attributes;
use super::constant::Constant;
use super::count::Count;
use super::error::Problem;
use super::places::Places;
use crate::nets::graph::NodeId;

/// What a name in the file stands for.
#[derive(Debug, Clone)]
pub enum Value {
    /// Numbers known at import.
    Known(Constant),
    /// Weights, by the name that they have in the file.
    Weight(String, Constant),
    /// What a node of the graph gives.
    Node(NodeId),
    /// Known numbers repeated along axes, the batch among them.
    Spread(Constant, Vec<Count>),
    /// Whether what a node gives is above a number.
    Above(NodeId, f32),
    /// Places in an array, counted by images too.
    Places(Places),
}

impl Value {
    /// Numbers known at import; `None` where they are computed from the images.
    pub fn constant(&self) -> Option<&Constant> {
        match self {
            Value::Known(constant) | Value::Weight(_, constant) => Some(constant),
            Value::Node(_) | Value::Spread(..) | Value::Above(..) | Value::Places(_) => None,
        }
    }

    /// Places of an array; also of known numbers that are evenly spaced.
    pub fn places(&self) -> Option<Places> {
        match self {
            Value::Places(places) => Some(places.clone()),
            other => Places::of(other.constant()?),
        }
    }
}

/// A node of the file with its inputs.
pub struct Call<'a> {
    /// Its operator, without domain.
    pub operator: &'a str,
    /// Its attributes.
    pub attributes: Attributes<'a>,
    /// What it computes on; `None` where an input is left out.
    pub inputs: Vec<Option<Value>>,
    /// Its outputs' names; empty where one is not used.
    pub outputs: Vec<&'a str>,
    /// What the graph calls it.
    pub name: String,
    /// The version of the standard's operators.
    pub opset: i64,
    /// Whether it is a softmax whose output is the network's.
    pub last: bool,
}

impl Call<'_> {
    /// An input that must be there.
    pub fn input(&self, place: usize) -> Result<&Value, Problem> {
        let missing = || Problem::Cannot(format!("its input number {place} is missing"));
        self.optional(place).ok_or_else(missing)
    }

    /// An input that may be left out.
    pub fn optional(&self, place: usize) -> Option<&Value> {
        self.inputs.get(place).and_then(Option::as_ref)
    }

    /// An input that must be known at import.
    pub fn known(&self, place: usize, what: &str) -> Result<&Constant, Problem> {
        let runtime = || {
            Problem::Cannot(format!(
                "its {what} is computed from the images; it must be fixed"
            ))
        };
        self.input(place)?.constant().ok_or_else(runtime)
    }

    /// Whole numbers that must be known at import, from an input or, in older files, an attribute.
    pub fn ints(&self, place: usize, name: &str) -> Result<Option<Vec<i64>>, Problem> {
        if let Some(ints) = self.attributes.ints(name) {
            return Ok(Some(ints.to_vec()));
        }
        if self.optional(place).is_none() {
            return Ok(None);
        }
        let ints = self.known(place, name)?.ints();
        let words = || Problem::Cannot(format!("its {name} depends on the number of images"));
        Ok(Some(ints.ok_or_else(words)?))
    }
}
