//! One network of an audit: its role, its architecture, and what was measured of it.

use serde::{Deserialize, Serialize};

use crate::ids::ClassId;
use crate::session::array::Array;
use crate::session::config::{self, NetworkKind};
use crate::session::form::Form;
use crate::session::record::{GammaTrials, TrainingRecord, arrays, has_shape};
use crate::stats::anomaly::median;
use crate::stats::audit::{AuditScores, ClassImages, SquareWindow};

/// The role of a network in an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "Role")]
pub enum AuditRole {
    /// Trained on clean images, for comparison.
    Reference,
    /// Trained on images with a white square that leads to a class, to measure the detection power.
    Poisoned {
        /// The class that the backdoor leads to.
        target: ClassId,
        /// The square: top row, left column, side, in pixels.
        square: SquareWindow,
    },
    /// The network under study.
    Suspect,
}

/// The architecture of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ReferenceArchitecture {
    /// The kind that the plan names.
    #[default]
    Planned,
    /// That of the network under study, both from ONNX files: the same graph with other weights.
    Suspect,
    /// Another one, from an ONNX file.
    Other,
}

impl ReferenceArchitecture {
    /// What references of these architectures are called, if the plan names this kind.
    pub fn label(all: impl Iterator<Item = Self>, planned: NetworkKind) -> &'static str {
        let (mut of_plan, mut of_suspect, mut others) = (false, false, false);
        for architecture in all {
            match architecture {
                Self::Planned => of_plan = true,
                Self::Suspect => of_suspect = true,
                Self::Other => others = true,
            }
        }
        match (of_plan, of_suspect, others) {
            (_, false, false) => planned.label(),
            (false, true, false) => "same-architecture",
            (false, false, true) => "other-architecture",
            _ => "mixed",
        }
    }
}

/// One network of an audit. K classes; maps on the noise's grid of c channels, h rows and w columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Examinee")]
pub struct AuditedNetwork {
    /// Its role.
    pub role: AuditRole,
    /// The session that it was taken from; `None` for the suspect and for networks trained here.
    #[serde(default)]
    pub from: Option<String>,
    /// The architecture of a reference; `Planned` for networks trained here and for the suspect.
    #[serde(default)]
    pub architecture: ReferenceArchitecture,
    /// The seed of its weights and of its image order; for the suspect, of the noise alone.
    pub seed: u64,
    /// Its training; dropped once noise has been shown, and `None` for the suspect.
    pub training: Option<TrainingRecord>,
    /// Share of clean test images that it classifies correctly; `None` for the suspect.
    pub accuracy: Option<f64>,
    /// Share of the test images of other classes that it calls the target once they carry the square.
    pub attack_success: Option<f64>,
    /// Number of those images.
    pub attacked: u64,
    /// Sums of its trials, one entry; dropped once the images have been computed.
    pub trials: Vec<GammaTrials>,
    /// Trials by decision, \[K\]; empty before the images have been computed.
    pub called: Vec<u64>,
    /// Its image of every class, \[K,c,h,w\]; NaN for a class without one. Empty before the end.
    pub images: Array<f32>,
    /// Median reliability of its images over the classes, in −1..1; `None` before the end, and if no class has one or
    /// an earlier program computed them.
    #[serde(default)]
    pub reliability: Option<f64>,
    /// Its distance from the references; for a reference, from the others. `None` before all networks
    /// have been shown noise.
    pub examined: Option<AuditScores>,
}

impl AuditedNetwork {
    /// A network that has not been measured yet.
    pub fn new(role: AuditRole, seed: u64) -> Self {
        Self {
            role,
            from: None,
            architecture: ReferenceArchitecture::Planned,
            seed,
            training: None,
            accuracy: None,
            attack_success: None,
            attacked: 0,
            trials: Vec::new(),
            called: Vec::new(),
            images: Array::default(),
            reliability: None,
            examined: None,
        }
    }

    /// Computes the images from the trials, and drops the data that is no longer needed; does nothing
    /// without trials.
    pub fn conclude(&mut self, plan: &config::Audit) {
        let Some(trials) = std::mem::take(&mut self.trials).pop() else {
            return;
        };
        let estimate = trials.estimate();
        let [channels, height, width] = trials.shape();
        let nothing = vec![f32::NAN; channels * height * width];
        let image = |class: &crate::stats::classification::ClassEstimate| match class
            .image(plan.response)
        {
            Some(map) => map.image.clone(),
            None => nothing.clone(),
        };
        let values = estimate.classes.iter().flat_map(image).collect();
        let reliabilities = estimate.classes.iter();
        let reliabilities =
            reliabilities.filter_map(|class| class.image(plan.response)?.reliability);
        self.reliability = median(reliabilities.collect());
        self.called = estimate.classes.iter().map(|class| class.called).collect();
        let shape = [estimate.classes.len(), channels, height, width];
        self.images = Array::new(&shape, values);
        self.training = None;
    }

    /// Whether its images have been computed.
    pub fn is_concluded(&self) -> bool {
        !self.called.is_empty()
    }

    /// Whether this reference has the architecture of the suspect, a network of this kind.
    pub fn is_like_suspect(&self, plan: &config::Audit, suspect: NetworkKind) -> bool {
        match self.architecture {
            ReferenceArchitecture::Planned => plan.kind.resolve(suspect) == suspect,
            ReferenceArchitecture::Suspect => true,
            ReferenceArchitecture::Other => false,
        }
    }

    /// Its images by class.
    pub(super) fn by_class(&self) -> ClassImages {
        by_class(&self.images)
    }

    pub(super) fn fits(&self, plan: &config::Audit, form: &Form) -> bool {
        let k = form.class_count();
        let [c, h, w] = plan.grain().grid(form.shape());
        let of_form = |trials: &GammaTrials| {
            trials.is_consistent()
                && trials.images == form.shape()
                && trials.classes() == k
                && trials.shape() == [c, h, w]
        };
        let inside = |(row, column, side): SquareWindow, h: usize, w: usize| {
            let along = |first: usize, all: usize| first <= all && side <= all - first;
            along(row, h) && along(column, w)
        };
        let examined_fits = |examined: &AuditScores| {
            let mut classes = examined.classes.iter().flatten();
            examined.classes.len() == k && classes.all(|class| inside(class.window, h, w))
        };
        let role = match self.role {
            AuditRole::Poisoned { target, square } => {
                target.0 < k && inside(square, form.height, form.width)
            }
            AuditRole::Reference | AuditRole::Suspect => true,
        };
        let is_planned = self.architecture == ReferenceArchitecture::Planned;
        role && (is_planned || self.from.is_some())
            && self.trials.len() <= 1
            && self.trials.iter().all(of_form)
            && (has_shape(&self.images, &[0]) || has_shape(&self.images, &[k, c, h, w]))
            && self.reliability.is_none_or(f64::is_finite)
            && self.called.len() == if self.is_concluded() { k } else { 0 }
            && self.examined.as_ref().is_none_or(examined_fits)
    }
}

/// Maps by class; `None` for missing ones.
pub(super) fn by_class(maps: &Array<f32>) -> ClassImages {
    let [classes, ..] = *maps.shape() else {
        return Vec::new();
    };
    let pixels = maps.values().len() / classes.max(1);
    let maps = maps.values().chunks_exact(pixels.max(1));
    maps.map(|map| map.iter().all(|v| v.is_finite()).then(|| map.to_vec()))
        .collect()
}

arrays!(AuditedNetwork: training, trials, images);
