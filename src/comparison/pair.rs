//! Two sessions whose maps can be compared: which of their classification images, at which γ, by
//! which response.

use super::Misfit;
use super::alike::{
    Own, begun, in_words, names, responses, same_form, same_noise, without_evidence,
};
use crate::session::config::{self, Response};
use crate::session::record::GammaTrials;
use crate::session::{Form, Session};
use crate::stats::agreement::{Called, called};

/// What of two sessions is asked for; what is `None` is chosen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wish {
    /// The kind of noise, by its name.
    pub noise: Option<String>,
    /// The signal strength.
    pub gamma: Option<f64>,
    /// What trials are taken to say.
    pub response: Option<Response>,
}

/// Classification images of two sessions that were made alike.
#[derive(Debug, Clone)]
pub struct Pair<'a> {
    /// The sessions.
    pub sessions: [&'a Session; 2],
    /// Their plans.
    pub plans: [&'a config::ClassificationImages; 2],
    /// The places of these in their sessions' plans.
    pub places: [usize; 2],
    /// The signal strengths at which both have trials, ascending.
    pub gammas: Vec<Common<'a>>,
    /// The responses that both have maps by, the one to prefer first.
    pub responses: Vec<Response>,
    /// The noises that both were shown, by their names, the one compared among them.
    pub noises: Vec<String>,
}

/// A signal strength at which both sessions have trials.
#[derive(Debug, Clone, Copy)]
pub struct Common<'a> {
    /// The signal strength.
    pub gamma: f64,
    /// The trials of each.
    pub trials: [&'a GammaTrials; 2],
    /// The places of γ in the two plans.
    pub places: [usize; 2],
    /// Whether they are the same ones.
    pub shown: Trials,
}

/// Whether two sessions were shown the same trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trials {
    /// The very same, all of them.
    Same,
    /// The same, and one of them more.
    Shared,
    /// Others.
    Others,
}

impl Common<'_> {
    /// What the counts say of how alike the sessions decide.
    pub fn called(&self) -> Option<Called> {
        let estimates = self.trials.map(GammaTrials::estimate);
        let counts = [&estimates[0].counts[..], &estimates[1].counts[..]];
        called(counts, self.trials[0].classes())
    }
}

impl<'a> Pair<'a> {
    /// Finds what the sessions have in common. The first noise, unless another is asked for; a γ or
    /// a response that is asked for must be there.
    ///
    /// # Errors
    /// What differs, and what to do.
    pub fn new(a: &'a Session, b: &'a Session, wish: &Wish) -> Result<Self, Misfit> {
        let sessions = [a, b];
        let own = [begun(a)?, begun(b)?];
        same_form(sessions)?;
        let mut pairs: Vec<[Own<'a>; 2]> = Vec::new();
        for first in &own[0] {
            let alike = |other: &&Own<'a>| {
                let taken = pairs.iter().any(|pair| pair[1].0 == other.0);
                !taken && same_noise(first.1, other.1)
            };
            if let Some(second) = own[1].iter().find(alike) {
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
                    let (asked, there) = (asked.clone(), noises);
                    return Err(Misfit::OtherNoise { asked, there });
                }
                found
            }
        };
        let Some(&[first, second]) = chosen else {
            let words = |own: &[Own<'_>]| own.iter().map(|(_, plan, _)| in_words(plan)).collect();
            return Err(Misfit::Noise {
                names: names(sessions),
                noises: [words(&own[0]), words(&own[1])],
            });
        };
        let pair = Self {
            gammas: common(sessions, [first, second])?,
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
            let there = self.gammas.iter().map(|it| it.gamma).collect();
            return Err(Misfit::OtherGamma { asked, there });
        }
        match wish.response {
            Some(asked) if !self.responses.contains(&asked) => Err(Misfit::OtherResponse {
                asked,
                problem: match asked {
                    Response::Evidence => without_evidence(self.sessions, self.plans),
                    Response::Decision => "the two count their decisions otherwise".into(),
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
        let mut forms = self.sessions.iter().map(|it| it.record.form.as_ref());
        // The one that has names.
        let named = forms.clone().flatten().find(|form| !form.is_numbered());
        named.or_else(|| forms.next().flatten())
    }

    /// What a class is called.
    pub fn name(&self, class: usize) -> String {
        self.form()
            .map_or_else(|| class.to_string(), |form| form.name(class))
    }

    /// The place of a signal strength among those in common.
    pub fn place(&self, gamma: f64) -> Option<usize> {
        let same = |own: &Common<'_>| (own.gamma - gamma).abs() < 1e-9;
        self.gammas.iter().position(same)
    }

    /// The place of the signal strength that shows most by a response: at which most classes have
    /// maps in both; of several the strongest by decisions, by evidence that whose maps are the most
    /// reliable.
    pub fn best(&self, response: Response) -> usize {
        let worth = |own: &Common<'_>| {
            let estimates = own.trials.map(GammaTrials::estimate);
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
                Response::Decision => own.gamma,
                Response::Evidence => reliability,
            };
            (maps, second)
        };
        let all = self.gammas.iter().map(worth).enumerate();
        let best = all.max_by(|(_, a), (_, b)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        best.map_or(0, |(place, _)| place)
    }

    /// The place of the signal strength at which decisions are the most varied: where almost all trials
    /// are called one class, that two networks decide alike says little. The entropy of the shares of
    /// trials called each class, the mean of both sessions.
    pub fn most_varied(&self) -> usize {
        let entropy = |trials: &GammaTrials| -> f64 {
            let estimate = trials.estimate();
            let all = estimate.trials.max(1) as f64;
            let shares = estimate.classes.iter().map(|own| own.called as f64 / all);
            shares.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum()
        };
        let varied = |own: &Common<'_>| own.trials.iter().map(|it| entropy(it)).sum::<f64>();
        let all = self.gammas.iter().map(varied).enumerate();
        let most = all.max_by(|(_, a), (_, b)| a.total_cmp(b));
        most.map_or(0, |(place, _)| place)
    }

    /// The unit of the maps by a response.
    pub fn unit(&self, response: Response) -> String {
        match response {
            Response::Decision => "full ranges of a pixel".into(),
            Response::Evidence => self.plans[0].evidence.image_unit(),
        }
    }

    /// The noise that both were shown, in words.
    pub fn noise(&self) -> String {
        in_words(self.plans[0])
    }
}

/// The signal strengths at which both have trials.
fn common<'a>(
    sessions: [&Session; 2],
    [first, second]: [Own<'a>; 2],
) -> Result<Vec<Common<'a>>, Misfit> {
    let there = |own: Own<'a>| {
        let gammas = own.2.gammas.iter().enumerate();
        gammas.filter(|(_, trials)| trials.trials > 0)
    };
    let mut all: Vec<Common<'a>> = Vec::new();
    for (place, trials) in there(first) {
        let same = |other: &(usize, &GammaTrials)| (other.1.gamma - trials.gamma).abs() < 1e-9;
        if let Some((other, others)) = there(second).find(same)
            && trials.shape() == others.shape()
            && trials.classes() == others.classes()
        {
            let places = [place, other];
            all.push(Common {
                gamma: trials.gamma,
                trials: [trials, others],
                places,
                shown: shown(sessions, [first, second], places),
            });
        }
    }
    all.sort_by(|a, b| a.gamma.total_cmp(&b.gamma));
    let gammas = |own| there(own).map(|(_, trials)| trials.gamma).collect();
    match all.is_empty() {
        true => Err(Misfit::Gammas {
            names: names(sessions),
            gammas: [gammas(first), gammas(second)],
        }),
        false => Ok(all),
    }
}

/// Whether the trials at two places are the same: drawn from the same seeds, of the same images.
fn shown(sessions: [&Session; 2], own: [Own<'_>; 2], places: [usize; 2]) -> Trials {
    let of = |at: usize| {
        let (session, (place, plan, _)) = (sessions[at], own[at]);
        let images = (&session.config.dataset, &session.record.images);
        let seed = (session.config.seed, place, places[at]);
        (seed, plan.block, images)
    };
    let trials = [0, 1].map(|at| own[at].2.gammas[places[at]].trials);
    match of(0) == of(1) {
        false => Trials::Others,
        true if trials[0] == trials[1] => Trials::Same,
        true => Trials::Shared,
    }
}
