//! What a study of backdoors has to show: which score tells its networks, what each network scores, and
//! what is said of them all.

use super::super::audit_scores::score_in_words;
use super::super::{FigureError, audit};
use crate::format::{gamma, short};
use crate::session::Session;
use crate::session::config::{self, Analysis};
use crate::session::record::{Backdoor, Suspect};
use crate::stats::audit::Told;
use crate::stats::backdoor::{FLAGGED, Verdict};
use crate::stats::roc::Roc;

/// What the study has to show.
pub struct Seen<'a> {
    pub study: &'a Backdoor,
    pub plan: &'a config::Backdoor,
    /// The place of the γ at which evidence images are compared with those of the clean networks.
    pub audited: usize,
    /// How well that tells the networks; `None` before they have been compared.
    pub told: Option<Told>,
    /// The place of the γ whose anomaly indices stand for all.
    pub telling: usize,
    /// What these say.
    pub verdict: Verdict,
}

/// What is known of every network: one score, and the class that has it.
pub struct Scores {
    /// What the score is, with its γ.
    pub title: String,
    pub networks: Vec<Option<(f64, usize)>>,
    /// A score that is marked, and what it is.
    pub bound: Option<(f64, String)>,
}

/// Whether a network of the study has been shown noise.
pub fn is_there(session: &Session) -> bool {
    seen(session).is_ok()
}

pub fn seen(session: &Session) -> Result<Seen<'_>, FigureError> {
    let found = || {
        let (at, study) = session.record.all::<Backdoor>().next()?;
        let Analysis::Backdoor(plan) = session.config.analyses.get(at)? else {
            return None;
        };
        if !study.networks.iter().any(Suspect::is_concluded) {
            return None;
        }
        let audited = study.audited_gamma(plan);
        let telling = study.telling_gamma(plan);
        Some(Seen {
            study,
            plan,
            audited,
            told: study.told(plan, audited),
            telling,
            verdict: study.verdict(plan, telling),
        })
    };
    found().ok_or(FigureError::Nothing("backdoor study"))
}

impl Seen<'_> {
    /// A network in words: `3 clean`.
    pub fn name(&self, network: usize) -> String {
        let own = self.study.networks.get(network);
        let poisoned = own.is_some_and(|it| it.poisoned);
        let kind = if poisoned { "poisoned" } else { "clean" };
        format!("{} {kind}", network + 1)
    }

    /// γ in words, by its place.
    pub fn gamma(&self, at: usize) -> String {
        let own = self.plan.gammas.get(at).copied();
        gamma(own.unwrap_or_default())
    }

    /// The curves, that of the better score first. A curve through one network of a kind says nothing of
    /// the next one.
    pub fn curves(&self) -> Vec<(&'static str, &Roc)> {
        let several = |poisoned: usize, clean: usize| poisoned.min(clean) > 1;
        let told = self.told.as_ref();
        let told = told.filter(|it| several(it.poisoned, it.clean));
        let verdict = &self.verdict;
        let judged = several(verdict.poisoned, verdict.clean)
            && verdict.judged_poisoned.min(verdict.judged_clean) > 0;
        let all = [
            (
                "against the clean ones",
                told.and_then(|it| it.roc.as_ref()),
            ),
            ("anomaly index", verdict.roc.as_ref().filter(|_| judged)),
        ];
        let there = all.into_iter();
        there.filter_map(|(name, roc)| Some((name, roc?))).collect()
    }

    /// The score of the first curve, of every network.
    pub fn scores(&self) -> Scores {
        if self.told.is_some() {
            let top = |own: &Suspect| {
                let audited = own.findings.get(self.audited)?.audited.as_ref()?;
                let (class, own) = audited.top()?;
                Some((own.score, class))
            };
            let networks: Vec<_> = self.study.networks.iter().map(top).collect();
            let pairs = self.study.networks.iter().zip(&networks);
            let clean = pairs.filter(|(own, _)| !own.poisoned);
            let largest = clean.filter_map(|(_, score)| Some((*score)?.0));
            let largest = largest.reduce(f64::max);
            return Scores {
                title: format!(
                    "score against the clean ones, γ {}",
                    self.gamma(self.audited)
                ),
                bound: largest.map(|score| {
                    let words = format!("largest of the clean ones, {}", score_in_words(score));
                    (score, words)
                }),
                networks,
            };
        }
        let judged = self.verdict.networks.iter();
        let networks = judged.map(|own| {
            let own = own.as_ref()?;
            Some((own.score?, own.class?))
        });
        Scores {
            title: format!("anomaly index, γ {}", self.gamma(self.telling)),
            networks: networks.collect(),
            bound: Some((FLAGGED, format!("flagged past {}", short(FLAGGED)))),
        }
    }

    pub fn title(&self) -> String {
        let words = audit::told_in_short(self.study, self.plan);
        let words = words.unwrap_or_else(|| self.flagged(self.plan.poisoned > 0));
        format!("backdoor study: {words}")
    }

    fn flagged(&self, poisoned: bool) -> String {
        let of = match poisoned {
            true => self.plan.poisoned,
            false => self.plan.clean,
        };
        self.verdict.flagged_in_words(poisoned, of)
    }

    /// What is said of the whole study.
    pub fn sentences(&self) -> Vec<String> {
        let told = audit::told(self.study, self.plan);
        let mut all: Vec<String> = told.into_iter().collect();
        let kinds = [(true, self.plan.poisoned), (false, self.plan.clean)];
        let kinds = kinds.into_iter().filter(|(_, planned)| *planned > 0);
        let flagged: Vec<String> = kinds.map(|(kind, _)| self.flagged(kind)).collect();
        all.push(format!("by anomaly index: {}", flagged.join(", ")));
        let waiting = self.study.networks.iter().filter(|it| !it.is_concluded());
        let waiting = waiting.count();
        if waiting > 0 {
            let all_networks = self.study.networks.len();
            all.push(format!(
                "{waiting} of {all_networks} networks have not been shown all noise yet"
            ));
        }
        all
    }
}
