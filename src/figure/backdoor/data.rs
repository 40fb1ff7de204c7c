//! The data of a backdoor study's figure: which score separates its networks, the score of each network, and a summary
//! in sentences.

use super::super::audit_scores::score_text;
use super::super::{FigureError, audit};
use crate::format::{gamma, short};
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config::{self, Analysis};
use crate::session::record::{Backdoor, Suspect};
use crate::stats::audit::Separation;
use crate::stats::backdoor::{FLAG_THRESHOLD, StudyVerdict};
use crate::stats::roc::Roc;

/// The data of a backdoor study's figure.
pub struct StudyData<'a> {
    pub study: &'a Backdoor,
    pub plan: &'a config::Backdoor,
    /// The index of the γ at which evidence images are compared with those of the clean networks.
    pub evidence_gamma_index: usize,
    /// How well that separates the networks; `None` until they have been compared.
    pub separation: Option<Separation>,
    /// The index of the γ whose anomaly indices represent the study.
    pub telling_gamma_index: usize,
    /// The verdict at that γ.
    pub verdict: StudyVerdict,
}

/// The score of every network.
pub struct NetworkScores {
    /// The name of the score, with its γ.
    pub title: String,
    pub networks: Vec<Option<(f64, ClassId)>>,
    /// A score to mark with a line, and its label.
    pub bound: Option<(f64, String)>,
}

/// Whether any network of the session's study with this index has been shown noise.
pub fn is_available(session: &Session, nth: usize) -> bool {
    study_data(session, nth).is_ok()
}

pub fn study_data(session: &Session, nth: usize) -> Result<StudyData<'_>, FigureError> {
    let found = || {
        let (index, study) = super::super::nth::<Backdoor>(session, nth)?;
        let Analysis::Backdoor(plan) = session.config.analyses.get(index)? else {
            return None;
        };
        if !study.networks.iter().any(Suspect::is_concluded) {
            return None;
        }
        let audited = study.audited_gamma_index(plan);
        let telling = study.representative_gamma_index(plan);
        Some(StudyData {
            study,
            plan,
            evidence_gamma_index: audited,
            separation: study.separation(plan, audited),
            telling_gamma_index: telling,
            verdict: study.verdict(plan, telling),
        })
    };
    found().ok_or(FigureError::Missing("backdoor study"))
}

impl StudyData<'_> {
    /// A network in words: `3 clean`.
    pub fn name(&self, network: usize) -> String {
        let suspect = self.study.networks.get(network);
        let poisoned = suspect.is_some_and(|suspect| suspect.poisoned);
        let kind = if poisoned { "poisoned" } else { "clean" };
        format!("{} {kind}", network + 1)
    }

    /// γ as text, by its index.
    pub fn gamma(&self, index: usize) -> String {
        let value = self.plan.gammas.get(index).copied();
        gamma(value.unwrap_or_default())
    }

    /// The ROC curves, the one of the better score first. A curve needs at least two networks of each kind: one alone
    /// says nothing about the next.
    pub fn curves(&self) -> Vec<(&'static str, &Roc)> {
        let separation = self.separation.as_ref();
        let separation =
            separation.filter(|separation| separation.poisoned.min(separation.clean) > 1);
        let all = [
            (
                "against the clean ones",
                separation.and_then(|separation| separation.roc.as_ref()),
            ),
            ("anomaly index", self.verdict.curve()),
        ];
        let available = all.into_iter();
        available
            .filter_map(|(name, roc)| Some((name, roc?)))
            .collect()
    }

    /// The score behind the first curve, for every network.
    pub fn scores(&self) -> NetworkScores {
        if self.separation.is_some() {
            let top = |suspect: &Suspect| {
                let audited = suspect
                    .findings
                    .get(self.evidence_gamma_index)?
                    .audited
                    .as_ref()?;
                let (class, score) = audited.top()?;
                Some((score.score, class))
            };
            let networks: Vec<_> = self.study.networks.iter().map(top).collect();
            let pairs = self.study.networks.iter().zip(&networks);
            let clean = pairs.filter(|(network, _)| !network.poisoned);
            let largest = clean.filter_map(|(_, score)| Some((*score)?.0));
            let largest = largest.reduce(f64::max);
            return NetworkScores {
                title: format!(
                    "score against the clean ones, γ {}",
                    self.gamma(self.evidence_gamma_index)
                ),
                bound: largest.map(|score| {
                    let words = format!("largest of the clean ones, {}", score_text(score));
                    (score, words)
                }),
                networks,
            };
        }
        let judged = self.verdict.networks.iter();
        let networks = judged.map(|verdict| {
            let verdict = verdict.as_ref()?;
            Some((verdict.score?, verdict.class?))
        });
        NetworkScores {
            title: format!("anomaly index, γ {}", self.gamma(self.telling_gamma_index)),
            networks: networks.collect(),
            bound: Some((
                FLAG_THRESHOLD,
                format!("flagged past {}", short(FLAG_THRESHOLD)),
            )),
        }
    }

    pub fn title(&self) -> String {
        let words = audit::short_backdoor_summary(self.study, self.plan);
        let words = words.unwrap_or_else(|| self.flagged(self.plan.poisoned > 0));
        format!("backdoor study: {words}")
    }

    fn flagged(&self, poisoned: bool) -> String {
        let planned = match poisoned {
            true => self.plan.poisoned,
            false => self.plan.clean,
        };
        self.verdict.flagged_text(poisoned, planned)
    }

    /// The summary of the whole study.
    pub fn sentences(&self) -> Vec<String> {
        let summary = audit::backdoor_summary(self.study, self.plan);
        let mut all: Vec<String> = summary.into_iter().collect();
        let kinds = [(true, self.plan.poisoned), (false, self.plan.clean)];
        let kinds = kinds.into_iter().filter(|(_, planned)| *planned > 0);
        let flagged: Vec<String> = kinds.map(|(kind, _)| self.flagged(kind)).collect();
        all.push(format!("by anomaly index: {}", flagged.join(", ")));
        let waiting = self
            .study
            .networks
            .iter()
            .filter(|network| !network.is_concluded());
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
