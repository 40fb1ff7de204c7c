//! Two comparable sessions: which of their classification images match, at which γ, and for which responses.

use super::Misfit;
use super::alike::{
    Own, begun, in_words, names, responses, same_form, same_noise, without_evidence,
};
use crate::session::config::{self, Response};
use crate::session::record::GammaTrials;
use crate::session::{Form, Session};
use crate::stats::agreement::{Called, called};

/// What to compare; `None` means chosen automatically.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wish {
    /// The name of the kind of noise.
    pub noise: Option<String>,
    /// The signal strength.
    pub gamma: Option<f64>,
    /// The response that the maps are made by.
    pub response: Option<Response>,
}

/// Comparable classification images of two sessions.
#[derive(Debug, Clone)]
pub struct Pair<'a> {
    /// The sessions.
    pub sessions: [&'a Session; 2],
    /// Their configs.
    pub plans: [&'a config::ClassificationImages; 2],
    /// The indices of these in their sessions' lists of analyses.
    pub places: [usize; 2],
    /// The signal strengths at which both have trials, ascending.
    pub gammas: Vec<Common<'a>>,
    /// The responses for which both have maps, the preferred one first.
    pub responses: Vec<Response>,
    /// The names of the noises that both were shown, including the one compared.
    pub noises: Vec<String>,
}

/// A signal strength at which both sessions have trials.
#[derive(Debug, Clone, Copy)]
pub struct Common<'a> {
    /// The signal strength.
    pub gamma: f64,
    /// The trials of each.
    pub trials: [&'a GammaTrials; 2],
    /// The indices of γ in the two configs.
    pub places: [usize; 2],
    /// Whether both were shown the same trials.
    pub shown: Trials,
}

/// Whether two sessions were shown the same trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trials {
    /// Exactly the same.
    Same,
    /// The same, but one session was shown more.
    Shared,
    /// Different trials.
    Others,
}

impl Common<'_> {
    /// How often each session's network decides for each class, compared.
    pub fn called(&self) -> Option<Called> {
        let estimates = self.trials.map(GammaTrials::estimate);
        let counts = [&estimates[0].counts[..], &estimates[1].counts[..]];
        called(counts, self.trials[0].classes())
    }
}

impl<'a> Pair<'a> {
    /// Finds what the sessions have in common. Takes the first shared noise unless another is requested; a
    /// requested γ or response must exist in both.
    ///
    /// # Errors
    /// If the sessions are not comparable: what differs, and what to do.
    pub fn new(a: &'a Session, b: &'a Session, wish: &Wish) -> Result<Self, Misfit> {
        let sessions = [a, b];
        let images = [begun(a)?, begun(b)?];
        same_form(sessions)?;
        let mut pairs: Vec<[Own<'a>; 2]> = Vec::new();
        for first in &images[0] {
            let alike = |other: &&Own<'a>| {
                let taken = pairs.iter().any(|pair| pair[1].0 == other.0);
                !taken && same_noise(first.1, other.1)
            };
            if let Some(second) = images[1].iter().find(alike) {
                pairs.push([*first, *second]);
            }
        }
        let kind = |pair: &[Own<'a>; 2]| pair[0].1.noise.label().to_owned();
        let noises: Vec<String> = pairs.iter().map(kind).collect();
        let chosen = match &wish.noise {
            None => pairs.first(),
            Some(asked) => {
                let is = |pair: &&[Own<'a>; 2]| pair[0].1.noise.label() == asked.to_lowercase();
                let found = pairs.iter().find(is);
                if found.is_none() && !pairs.is_empty() {
                    return Err(Misfit::OtherNoise {
                        requested: asked.clone(),
                        shared: noises,
                    });
                }
                found
            }
        };
        let Some(&[first, second]) = chosen else {
            let noises =
                |images: &[Own<'_>]| images.iter().map(|(_, plan, _)| in_words(plan)).collect();
            return Err(Misfit::Noise {
                names: names(sessions),
                noises: [noises(&images[0]), noises(&images[1])],
            });
        };
        let pair = Self {
            gammas: shared_gammas(sessions, [first, second])?,
            responses: responses(sessions, [first, second])?,
            sessions,
            plans: [first.1, second.1],
            places: [first.0, second.0],
            noises,
        };
        pair.check(wish)?;
        Ok(pair)
    }

    fn check(&self, wish: &Wish) -> Result<(), Misfit> {
        if let Some(asked) = wish.gamma
            && self.place(asked).is_none()
        {
            return Err(Misfit::OtherGamma {
                requested: asked,
                shared: self.gammas.iter().map(|common| common.gamma).collect(),
            });
        }
        match wish.response {
            Some(requested) if !self.responses.contains(&requested) => Err(Misfit::OtherResponse {
                requested,
                problem: match requested {
                    Response::Evidence => without_evidence(self.sessions, self.plans),
                    Response::Decision => "the two count their decisions differently".into(),
                },
            }),
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
    pub fn name(&self, class: usize) -> String {
        self.form()
            .map_or_else(|| class.to_string(), |form| form.name(class))
    }

    /// The index of a signal strength in [`gammas`](Self::gammas).
    pub fn place(&self, gamma: f64) -> Option<usize> {
        let same = |common: &Common<'_>| (common.gamma - gamma).abs() < 1e-9;
        self.gammas.iter().position(same)
    }

    /// The index of the signal strength that shows most for a response: where the most classes have maps in
    /// both sessions. Ties go to the strongest γ for decisions, to the most reliable maps for evidence.
    pub fn best(&self, response: Response) -> usize {
        let worth = |common: &Common<'_>| {
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
                Response::Decision => common.gamma,
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
    pub fn most_varied(&self) -> usize {
        let entropy = |trials: &GammaTrials| -> f64 {
            let estimate = trials.estimate();
            let all = estimate.trials.max(1) as f64;
            let shares = estimate
                .classes
                .iter()
                .map(|class| class.called as f64 / all);
            shares.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum()
        };
        let varied = |common: &Common<'_>| {
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
        in_words(self.plans[0])
    }
}

/// The signal strengths at which both have trials.
fn shared_gammas<'a>(
    sessions: [&Session; 2],
    [first, second]: [Own<'a>; 2],
) -> Result<Vec<Common<'a>>, Misfit> {
    let with_trials = |images: Own<'a>| {
        let gammas = images.2.gammas.iter().enumerate();
        gammas.filter(|(_, trials)| trials.trials > 0)
    };
    let mut all: Vec<Common<'a>> = Vec::new();
    for (place, trials) in with_trials(first) {
        let same = |other: &(usize, &GammaTrials)| (other.1.gamma - trials.gamma).abs() < 1e-9;
        if let Some((other, others)) = with_trials(second).find(same)
            && trials.shape() == others.shape()
            && trials.classes() == others.classes()
        {
            let places = [place, other];
            all.push(Common {
                gamma: trials.gamma,
                trials: [trials, others],
                places,
                shown: trial_overlap(sessions, [first, second], places),
            });
        }
    }
    all.sort_by(|a, b| a.gamma.total_cmp(&b.gamma));
    let gammas = |images| {
        let all = with_trials(images);
        all.map(|(_, trials)| trials.gamma).collect()
    };
    match all.is_empty() {
        true => Err(Misfit::Gammas {
            names: names(sessions),
            gammas: [gammas(first), gammas(second)],
        }),
        false => Ok(all),
    }
}

/// Whether both sessions were shown the same trials at a γ: drawn from the same seeds and the same images.
fn trial_overlap(sessions: [&Session; 2], images: [Own<'_>; 2], places: [usize; 2]) -> Trials {
    let origin = |index: usize| {
        let (session, (place, plan, _)) = (sessions[index], images[index]);
        let dataset = (&session.config.dataset, &session.record.images);
        let seed = (session.config.seed, place, places[index]);
        (seed, plan.block, dataset)
    };
    let trials = [0, 1].map(|index| images[index].2.gammas[places[index]].trials);
    match origin(0) == origin(1) {
        false => Trials::Others,
        true if trials[0] == trials[1] => Trials::Same,
        true => Trials::Shared,
    }
}
