//! Two comparable sessions: which of their classification images match, at which γ, and for which responses.

use super::ComparisonError;
use super::matching::{
    SessionImages, check_form, describe_noise, evidence_mismatch, names, responses, same_noise,
    with_trials,
};
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::session::config::{self, Response};
use crate::session::record::GammaTrials;
use crate::session::{Form, Session};
use crate::stats::agreement::{TableComparison, compare_tables};

/// What to compare; `None` means chosen automatically.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ComparisonRequest {
    /// The name of the kind of noise.
    pub noise: Option<String>,
    /// The signal strength.
    pub gamma: Option<Gamma>,
    /// The response that the maps are made by.
    pub response: Option<Response>,
}

/// Comparable classification images of two sessions.
#[derive(Debug, Clone)]
pub struct SessionPair<'a> {
    /// The sessions.
    pub sessions: [&'a Session; 2],
    /// Their configs.
    pub plans: [&'a config::ClassificationImages; 2],
    /// The indices of these in their sessions' lists of analyses.
    pub analysis_indices: [usize; 2],
    /// The signal strengths at which both have trials, ascending.
    pub gammas: Vec<SharedGamma<'a>>,
    /// The responses for which both have maps, the preferred one first.
    pub responses: Vec<Response>,
    /// The names of the noises that both were shown, including the one compared.
    pub noises: Vec<String>,
}

/// A signal strength at which both sessions have trials.
#[derive(Debug, Clone, Copy)]
pub struct SharedGamma<'a> {
    /// The signal strength.
    pub gamma: Gamma,
    /// The trials of each.
    pub trials: [&'a GammaTrials; 2],
    /// The indices of γ in the two configs.
    pub gamma_indices: [usize; 2],
    /// Whether both were shown the same trials.
    pub overlap: TrialOverlap,
}

/// Whether two sessions were shown the same trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialOverlap {
    /// Exactly the same.
    Same,
    /// Some of the same: one session was shown more, or extended, so that some of its blocks have other sizes.
    Shared,
    /// Different trials.
    Different,
}

impl SharedGamma<'_> {
    /// How often each session's network decides for each class, compared.
    pub fn compare_counts(&self) -> Option<TableComparison> {
        let estimates = self.trials.map(GammaTrials::estimate);
        let counts = [&estimates[0].counts[..], &estimates[1].counts[..]];
        compare_tables(counts, self.trials[0].classes())
    }

    /// Bounds on the share of trials on which the networks agree, from their counts; `None` unless both counted exactly
    /// the same trials. A confidence that is required drops other trials of each.
    pub fn agreement_bounds(&self) -> Option<[f64; 2]> {
        let counted_same = self.overlap == TrialOverlap::Same
            && self.trials.iter().all(|trials| trials.dropped == 0);
        let called = self.compare_counts().filter(|_| counted_same)?;
        Some(called.agreement_bounds)
    }
}

impl<'a> SessionPair<'a> {
    /// Finds what the sessions have in common. Takes the first shared noise unless another is requested; a
    /// requested γ or response must exist in both.
    ///
    /// # Errors
    /// If the sessions are not comparable: what differs, and what to do.
    pub fn new(
        a: &'a Session,
        b: &'a Session,
        wish: &ComparisonRequest,
    ) -> Result<Self, ComparisonError> {
        let sessions = [a, b];
        let images = [with_trials(a)?, with_trials(b)?];
        check_form(sessions)?;
        let mut pairs: Vec<[SessionImages<'a>; 2]> = Vec::new();
        for first in &images[0] {
            let alike = |other: &&SessionImages<'a>| {
                let taken = pairs.iter().any(|pair| pair[1].0 == other.0);
                !taken && same_noise(first.1, other.1)
            };
            if let Some(second) = images[1].iter().find(alike) {
                pairs.push([*first, *second]);
            }
        }
        let kind = |pair: &[SessionImages<'a>; 2]| pair[0].1.noise.label().to_owned();
        let noises: Vec<String> = pairs.iter().map(kind).collect();
        let chosen = match &wish.noise {
            None => pairs.first(),
            Some(asked) => {
                let is = |pair: &&[SessionImages<'a>; 2]| {
                    pair[0].1.noise.label() == asked.to_lowercase()
                };
                let found = pairs.iter().find(is);
                if found.is_none() && !pairs.is_empty() {
                    return Err(ComparisonError::OtherNoise {
                        requested: asked.clone(),
                        shared: noises,
                    });
                }
                found
            }
        };
        let Some(&[first, second]) = chosen else {
            let noises = |images: &[SessionImages<'_>]| {
                images
                    .iter()
                    .map(|(_, plan, _)| describe_noise(plan))
                    .collect()
            };
            return Err(ComparisonError::Noise {
                names: names(sessions),
                noises: [noises(&images[0]), noises(&images[1])],
            });
        };
        let pair = Self {
            gammas: shared_gammas(sessions, [first, second])?,
            responses: responses(sessions, [first, second])?,
            sessions,
            plans: [first.1, second.1],
            analysis_indices: [first.0, second.0],
            noises,
        };
        pair.check(wish)?;
        Ok(pair)
    }

    fn check(&self, wish: &ComparisonRequest) -> Result<(), ComparisonError> {
        if let Some(asked) = wish.gamma
            && self.gamma_index(asked).is_none()
        {
            return Err(ComparisonError::OtherGamma {
                requested: asked,
                shared: self.gammas.iter().map(|common| common.gamma).collect(),
            });
        }
        match wish.response {
            Some(requested) if !self.responses.contains(&requested) => {
                Err(ComparisonError::OtherResponse {
                    requested,
                    problem: match requested {
                        Response::Evidence => evidence_mismatch(self.sessions, self.plans),
                        Response::Decision => "the two count their decisions differently".into(),
                    },
                })
            }
            _ => Ok(()),
        }
    }

    /// The names of the sessions.
    pub fn names(&self) -> [&'a str; 2] {
        self.sessions.map(|session| session.name.as_str())
    }

    /// The form of both.
    pub fn form(&self) -> Option<&'a Form> {
        let mut forms = self
            .sessions
            .iter()
            .map(|session| session.record.form.as_ref());
        // Prefer the one with class names.
        let named = forms.clone().flatten().find(|form| !form.is_numbered());
        named.or_else(|| forms.next().flatten())
    }

    /// The name of a class.
    pub fn class_name(&self, class: ClassId) -> String {
        self.form()
            .map_or_else(|| class.to_string(), |form| form.name(class))
    }

    /// The index of a signal strength in [`gammas`](Self::gammas).
    pub fn gamma_index(&self, gamma: Gamma) -> Option<usize> {
        let same = |common: &SharedGamma<'_>| (common.gamma.0 - gamma.0).abs() < 1e-9;
        self.gammas.iter().position(same)
    }

    /// The index of the signal strength that shows most for a response: where the most classes have maps in
    /// both sessions. Ties go to the strongest γ for decisions, to the most reliable maps for evidence.
    pub fn best_gamma_index(&self, response: Response) -> usize {
        let worth = |common: &SharedGamma<'_>| {
            let estimates = common.trials.map(GammaTrials::estimate);
            let classes = estimates[0].classes.iter().zip(&estimates[1].classes);
            let pairs = classes.filter_map(|(a, b)| Some((a.image(response)?, b.image(response)?)));
            let (mut maps, mut reliability) = (0, 0.0);
            for (a, b) in pairs {
                maps += 1;
                reliability += a
                    .reliability
                    .unwrap_or(0.0)
                    .min(b.reliability.unwrap_or(0.0));
            }
            let second = match response {
                Response::Decision => common.gamma.0,
                Response::Evidence => reliability,
            };
            (maps, second)
        };
        let all = self.gammas.iter().map(worth).enumerate();
        let best = all.max_by(|(_, a), (_, b)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        best.map_or(0, |(place, _)| place)
    }

    /// The index of the signal strength at which decisions vary most: if almost all trials are called one class,
    /// agreement of two networks says little. Measured by the entropy of the shares of trials called each class,
    /// averaged over both sessions.
    pub fn most_varied_gamma_index(&self) -> usize {
        let entropy = |trials: &GammaTrials| -> f64 {
            let estimate = trials.estimate();
            let all = estimate.trials.max(1) as f64;
            let shares = estimate
                .classes
                .iter()
                .map(|class| class.called as f64 / all);
            shares.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum()
        };
        let varied = |common: &SharedGamma<'_>| {
            let trials = common.trials.iter();
            trials.map(|trials| entropy(trials)).sum::<f64>()
        };
        let all = self.gammas.iter().map(varied).enumerate();
        let most = all.max_by(|(_, a), (_, b)| a.total_cmp(b));
        most.map_or(0, |(place, _)| place)
    }

    /// The unit of the maps for a response.
    pub fn unit(&self, response: Response) -> String {
        match response {
            Response::Decision => "full ranges of a pixel".into(),
            Response::Evidence => self.plans[0].evidence.image_unit(),
        }
    }

    /// A description of the noise that both were shown.
    pub fn noise(&self) -> String {
        describe_noise(self.plans[0])
    }
}

/// The signal strengths at which both have trials.
fn shared_gammas<'a>(
    sessions: [&Session; 2],
    [first, second]: [SessionImages<'a>; 2],
) -> Result<Vec<SharedGamma<'a>>, ComparisonError> {
    let with_trials = |images: SessionImages<'a>| {
        let gammas = images.2.gammas.iter().enumerate();
        gammas.filter(|(_, trials)| trials.trials > 0)
    };
    let mut all: Vec<SharedGamma<'a>> = Vec::new();
    for (place, trials) in with_trials(first) {
        let same = |other: &(usize, &GammaTrials)| (other.1.gamma.0 - trials.gamma.0).abs() < 1e-9;
        if let Some((other, others)) = with_trials(second).find(same)
            && trials.shape() == others.shape()
            && trials.classes() == others.classes()
        {
            let places = [place, other];
            all.push(SharedGamma {
                gamma: trials.gamma,
                trials: [trials, others],
                gamma_indices: places,
                overlap: trial_overlap(sessions, [first, second], places),
            });
        }
    }
    all.sort_by(|a, b| a.gamma.total_cmp(&b.gamma));
    let gammas = |images| {
        let all = with_trials(images);
        all.map(|(_, trials)| trials.gamma).collect()
    };
    match all.is_empty() {
        true => Err(ComparisonError::Gammas {
            names: names(sessions),
            gammas: [gammas(first), gammas(second)],
        }),
        false => Ok(all),
    }
}

/// Whether both sessions were shown the same trials at a γ: drawn from the same seeds and the same images, in blocks of
/// the same sizes. A block of another size, or that starts at another trial, has other trials throughout.
fn trial_overlap(
    sessions: [&Session; 2],
    images: [SessionImages<'_>; 2],
    places: [usize; 2],
) -> TrialOverlap {
    let origin = |index: usize| {
        let (session, (place, plan, _)) = (sessions[index], images[index]);
        let dataset = (&session.config.dataset, &session.record.images);
        let seed = (session.config.seed, place, places[index]);
        (seed, plan.block, dataset)
    };
    let done = [0, 1].map(|index| &images[index].2.gammas[places[index]]);
    let ranges = done.map(|trials| [trials.first, trials.first + trials.blocks]);
    let both = ranges[0][0].max(ranges[1][0])..ranges[0][1].min(ranges[1][1]);
    if both.is_empty() || origin(0) != origin(1) {
        return TrialOverlap::Different;
    }
    // Between the blocks on either side of a stop all are full, and alike if the first of them is.
    let stops = [0, 1].map(|index| images[index].1.blocks_to_stops(done[index].gamma));
    let beside = stops.into_iter().flatten();
    let beside = beside.flat_map(|stop| [stop.saturating_sub(1), stop]);
    let checked = beside.chain([both.start, both.end - 1]);
    let (mut all, mut any) = (ranges[0] == ranges[1], false);
    for block in checked.filter(|block| both.contains(block)) {
        let span = |index: usize| images[index].1.span(done[index].gamma, BlockIndex(block));
        let same = span(0) == span(1);
        (all, any) = (all && same, any || same);
    }
    match (all, any) {
        (true, _) => TrialOverlap::Same,
        (false, true) => TrialOverlap::Shared,
        (false, false) => TrialOverlap::Different,
    }
}
