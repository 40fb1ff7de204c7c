//! A network's form, and where it can be looked into and pushed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::nets::graph::site::Site;
use crate::nets::graph::{Graph, Op};
use crate::nets::parameters_of;
use crate::nets::plan::Plan;
use crate::session::form::{Form, Shape};

/// A network from the images to the classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Architecture {
    /// Channels, rows and columns of its images.
    pub image: Shape,
    /// Names of its classes.
    pub classes: Vec<String>,
    /// Whether the names are known, not only numbers.
    pub named: bool,
    /// Numbers of all its weights.
    pub parameters: usize,
    /// Its operators as they are computed here, the most frequent first, and how many there are of
    /// each.
    pub operators: Vec<(String, usize)>,
    /// How device `cpu` computes it: by a plan for such vectors, or as by `flex`, and the node that no
    /// plan is made for.
    pub planned: String,
    /// Its sites from the image on.
    pub sites: Vec<Place>,
}

/// A site: what a layer gives after its non-linearity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// The layer's name in the file.
    pub name: String,
    /// Units: channels of a convolution.
    pub units: usize,
    /// Rows and columns of positions.
    pub positions: (usize, usize),
    /// Channels, rows and columns of what one position sees of the image.
    pub field: Shape,
    /// Whether that is the whole image.
    pub whole_image: bool,
    /// Whether units can be pushed there; any site can be looked at.
    pub pushed: bool,
}

impl From<&Site> for Place {
    fn from(site: &Site) -> Self {
        Self {
            name: site.name.clone(),
            units: site.units,
            positions: site.positions,
            field: site.field_shape(),
            whole_image: site.is_whole(),
            pushed: site.push.is_some(),
        }
    }
}

/// How device `cpu` computes a graph.
fn planned(graph: &Graph) -> String {
    let fast = graph.fast();
    let graph = fast.as_ref().map_or(graph, |fast| &fast.graph);
    match Plan::new(graph) {
        Ok(plan) => format!(
            "by a plan for {}, {:.3} million multiplications and additions an image",
            plan.lanes().label(),
            plan.operations() as f64 / 1e6
        ),
        Err(unplanned) => format!("as by flex: {unplanned}"),
    }
}

impl Architecture {
    /// Of a graph whose classes have these names.
    pub fn of(graph: &Graph, form: &Form) -> Self {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for node in graph.nodes().iter().filter(|node| node.op != Op::Input) {
            *times.entry(node.op.label()).or_default() += 1;
        }
        let operators = times.into_iter();
        let mut operators: Vec<(String, usize)> = operators
            .map(|(name, times)| (name.to_owned(), times))
            .collect();
        operators.sort_by_key(|&(_, times)| std::cmp::Reverse(times));
        Self {
            image: graph.image(),
            classes: form.classes.clone(),
            named: !form.is_numbered(),
            parameters: parameters_of(graph),
            operators,
            planned: planned(graph),
            sites: graph.sites().iter().map(Place::from).collect(),
        }
    }
}
