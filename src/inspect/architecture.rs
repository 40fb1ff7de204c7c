//! A network's architecture: its form, its operators, and its sites.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::nets::graph::site::Site;
use crate::nets::graph::{Graph, Op};
use crate::nets::graph_parameter_count;
use crate::nets::plan::Plan;
use crate::session::form::{Form, Shape};

/// A network's architecture, from images to classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Architecture {
    /// Channels, rows and columns of its images.
    pub image: Shape,
    /// Names of its classes.
    pub classes: Vec<String>,
    /// Whether the classes have names and not only numbers.
    pub named: bool,
    /// Number of weights.
    pub parameters: usize,
    /// Its operators as they are computed here, most frequent first, with their counts.
    pub operators: Vec<(String, usize)>,
    /// How device `cpu` computes it: by a compiled plan for a type of vector, or as `flex` does, and the node that
    /// could not be compiled.
    pub planned: String,
    /// Its sites, in order from the image.
    pub sites: Vec<SiteSummary>,
}

/// A site: the output of a layer after its non-linearity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SiteSummary {
    /// The layer's name in the file.
    pub name: String,
    /// Units: channels of a convolution.
    pub units: usize,
    /// Rows and columns of its feature map.
    pub positions: (usize, usize),
    /// Channels, rows and columns of one position's receptive field.
    pub field: Shape,
    /// Whether that is the whole image.
    pub whole_image: bool,
    /// Whether its units can be stimulated; any site can be observed.
    pub pushed: bool,
}

impl From<&Site> for SiteSummary {
    fn from(site: &Site) -> Self {
        Self {
            name: site.name.clone(),
            units: site.units,
            positions: site.positions,
            field: site.field_shape(),
            whole_image: site.sees_whole_image(),
            pushed: site.push.is_some(),
        }
    }
}

/// How device `cpu` computes a graph.
fn describe_plan(graph: &Graph) -> String {
    let fast = graph.fast();
    let graph = fast.as_ref().map_or(graph, |fast| &fast.graph);
    match Plan::new(graph) {
        Ok(plan) => format!(
            "by a plan for {}, {:.3} million multiplications and additions per image",
            plan.lanes().label(),
            plan.operations() as f64 / 1e6
        ),
        Err(unplanned) => format!("as by flex: {unplanned}"),
    }
}

impl Architecture {
    /// The architecture of a graph, with the class names of `form`.
    pub fn of(graph: &Graph, form: &Form) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for node in graph.nodes().iter().filter(|node| node.op != Op::Input) {
            *counts.entry(node.op.label()).or_default() += 1;
        }
        let operators = counts.into_iter();
        let mut operators: Vec<(String, usize)> = operators
            .map(|(name, count)| (name.to_owned(), count))
            .collect();
        operators.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        Self {
            image: graph.image(),
            classes: form.classes.clone(),
            named: !form.is_numbered(),
            parameters: graph_parameter_count(graph),
            operators,
            planned: describe_plan(graph),
            sites: graph.sites().iter().map(SiteSummary::from).collect(),
        }
    }
}
