//! Pushing a network under study: offsets added to the units of its sites.

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

use super::Subject;
use crate::nets::graph::rewrite::PushGraph;
use crate::nets::graph::run::PushError;
use crate::nets::graph::site::Site;
use crate::nets::launch;
use crate::nets::plan::{Lanes, Plan, UnsupportedNode};

/// A shared plan for all pushes is used if it takes at most this share of the operations of separate plans: sharing
/// costs some extra passes over memory.
const MAX_SHARE: f64 = 0.8;

/// Why a site cannot be pushed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// There is no such site, or its units do not lie along one axis.
    #[error("the site `{name}` cannot be pushed; these can: {}", .can.join(", "))]
    Unpushable {
        /// The name given.
        name: String,
        /// The sites that can be pushed.
        can: Vec<String>,
    },
    /// The number of values differs from the number of units.
    #[error(transparent)]
    Push(#[from] PushError),
}

impl Subject {
    /// Whether a site can be pushed.
    pub fn is_pushable(&self, site: &Site) -> bool {
        site.push.is_some()
    }

    /// The same network with `delta`, one value per unit, added to the output of the named site's
    /// layer, before its non-linearity.
    ///
    /// # Errors
    /// [`SiteError`] if there is no such site, it cannot be pushed, or `delta` has the wrong length.
    pub fn pushed(&self, name: &str, delta: &[f32]) -> Result<Self, SiteError> {
        let found = self.sites.iter().find(|site| site.name == name);
        let Some((site, (node, axis))) = found.and_then(|site| Some((site, site.push?))) else {
            let can = self.sites.iter().filter(|site| self.is_pushable(site));
            return Err(SiteError::Unpushable {
                name: name.to_owned(),
                can: can.map(|site| site.name.clone()).collect(),
            });
        };
        let whole = self.whole().pushed_at(site, delta)?;
        // If the fast graph has no such node, the original graph is pushed.
        let fast = match self.fast_ids[node.0] {
            Some(node) => self.fast.pushed(node, axis, delta)?,
            None => whole.clone(),
        };
        // A plan can only be pushed in a layer's bias; otherwise the pushed network has no plan.
        let planned = self.fast_ids[node.0].map(|node| match self.plan() {
            Ok(plan) => plan
                .with_bias_offset(node, delta)
                .ok_or_else(|| UnsupportedNode {
                    node: self.fast.graph().node(node).name.clone(),
                    op: self.fast.graph().node(node).op.label(),
                    why: "a plan can push layers only".into(),
                }),
            Err(unplanned) => Err(unplanned.clone()),
        });
        let planned = planned.unwrap_or_else(|| {
            Err(UnsupportedNode {
                node: name.to_owned(),
                op: "push",
                why: "the plan computes it together with another node".into(),
            })
        });
        let mut pushes = self.pushes.clone();
        pushes.push((name.to_owned(), delta.to_vec()));
        Ok(Self {
            fast,
            plan: Arc::new(OnceLock::from(planned)),
            whole: Arc::new(OnceLock::from(whole)),
            pushes,
            ..self.clone()
        })
    }

    /// The same network with each of `deltas` added at the site, for running the same images through all of them:
    /// by plan, everything before the layer is then computed once.
    ///
    /// # Errors
    /// As [`Self::pushed`].
    pub fn with_each_push(
        &self,
        name: &str,
        deltas: &[Vec<f32>],
    ) -> Result<PushedNetworks, SiteError> {
        if let Some(plan) = self.worthwhile_shared_plan(name, deltas) {
            return Ok(PushedNetworks::Shared(plan, deltas.len()));
        }
        let apart = deltas.iter().map(|delta| self.pushed(name, delta));
        Ok(PushedNetworks::Separate(apart.collect::<Result<_, _>>()?))
    }

    /// The plan that computes the logits of every push, if that is less work than a plan for each.
    fn worthwhile_shared_plan(&self, name: &str, deltas: &[Vec<f32>]) -> Option<Plan> {
        let plan = self.shared_plan(name, deltas)?;
        let apart = deltas.len() as f64 * self.plan().ok()?.operations() as f64;
        (plan.operations() as f64 <= MAX_SHARE * apart).then_some(plan)
    }

    /// The plan that computes the logits of every push, if this thread computes by plan and the network, unpushed,
    /// has one.
    pub(super) fn shared_plan(&self, name: &str, deltas: &[Vec<f32>]) -> Option<Plan> {
        if !launch::is_by_plan() || !self.pushes.is_empty() || deltas.len() < 2 {
            return None;
        }
        let site = self.sites.iter().find(|site| site.name == name)?;
        let (node, axis) = site.push?;
        // If the fast graph has no such node, use the original graph.
        let pushes = match self.fast_ids[node.0] {
            Some(node) => self.fast.graph().with_each_push(node, axis, deltas),
            None => self.graph.with_each_push(node, axis, deltas),
        };
        let PushGraph { graph, outputs } = pushes.ok()?;
        Plan::for_nodes(
            &graph,
            &outputs,
            Lanes::from_env_or_widest(),
            launch::is_winograd_disabled(),
        )
        .ok()
    }
}

/// A network pushed in several ways.
#[derive(Debug, Clone)]
pub enum PushedNetworks {
    /// One plan with an output for each of this many pushes; their common part is computed once.
    Shared(Plan, usize),
    /// A network for each push.
    Separate(Vec<Subject>),
}

impl PushedNetworks {
    /// Logits, row-major \[N,K\], of `pixels`, row-major \[N,C,H,W\] in \[0,1\], for every push.
    pub fn logits(&self, pixels: Vec<f32>, device: &Device) -> Vec<Vec<f32>> {
        match self {
            Self::Shared(plan, pushes) => plan.logits_of_outputs(*pushes, &pixels),
            Self::Separate(all) => {
                let all = all.iter();
                all.map(|subject| subject.logits(pixels.clone(), device))
                    .collect()
            }
        }
    }
}
