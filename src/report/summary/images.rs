//! Classification images in a summary: a table of the classes at each γ, kept to one page even if there
//! are many.

use super::wrapped;
use crate::figure::choice::RELIABLE;
use crate::figure::wording;
use crate::format::{count, fixed, percent, thousands};
use crate::ids::{ClassId, Gamma};
use crate::session::config::{self, Response};
use crate::session::record::{ClassificationImages, FedBack, GammaTrials, Record};
use crate::stats::classification::{ClassEstimate, GammaEstimate, ImageEstimate};

/// Maximum number of classes with their own row.
const MOST: usize = 20;

/// With more classes, how many of the most and of the least reliable have a row.
const ENDS: usize = 10;

/// Maximum number of characters in a name, so that a row has 80 columns.
pub(super) const LETTERS: usize = 11;

/// The tables for every γ of the plan.
pub(super) fn images(
    record: &Record,
    plan: &config::ClassificationImages,
    images: &ClassificationImages,
) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(
        plan.noise.smoothing().map(|words| {
            format!("maps are {words}: regions that the network uses, not its weights")
        }),
    );
    if images.axes.is_some() {
        let array = match images.has_evidence() {
            true => "ev_regression",
            false => "ci_regression",
        };
        lines.push(format!(
            "without the smoothing: the regression (m in Maps; `{array}` in the NPZ)"
        ));
    }
    let mut insufficient = None;
    for (place, gamma) in plan.gammas.iter().enumerate() {
        lines.push(String::new());
        let Some(trials) = images.gammas.get(place).filter(|trials| trials.trials > 0) else {
            lines.push(format!("γ {:?}  no trials yet", gamma.0));
            continue;
        };
        let estimate = trials.estimate();
        let mut listed = estimate.classes.iter().filter(|class| class.listed);
        if listed.any(|class| class.decision.is_none()) {
            insufficient = Some(trials.min_trials);
        }
        lines.extend(Table::new(record, trials, &estimate).lines(plan.trials_at(*gamma)));
    }
    if let Some(least) = insufficient {
        lines.push(String::new());
        lines.push(format!(
            "insufficient: an image by decisions needs {least} trials in each cell it compares"
        ));
    }
    lines
}

/// The classes at one γ.
struct Table<'a> {
    trials: &'a GammaTrials,
    estimate: &'a GammaEstimate,
    /// The short name of each class.
    names: Vec<String>,
    /// The width of the longest name.
    width: usize,
}

impl<'a> Table<'a> {
    fn new(record: &Record, trials: &'a GammaTrials, estimate: &'a GammaEstimate) -> Self {
        let name =
            |class: ClassId| wording::truncate(&wording::bare_class_name(record, class), LETTERS);
        let names: Vec<String> = ClassId::all(trials.classes()).map(name).collect();
        let lengths = names.iter().map(|name| name.chars().count());
        Self {
            width: lengths.fold("class".len(), usize::max),
            trials,
            estimate,
            names,
        }
    }

    fn lines(&self, planned: u64) -> Vec<String> {
        let counted = match self.trials.dropped {
            0 => String::new(),
            _ => format!(", {} count", thousands(self.estimate.trials)),
        };
        let mut lines = vec![format!(
            "γ {:?}  {} of {} trials{counted}  pixels: |z| > {:.2}",
            self.trials.gamma.0,
            thousands(self.trials.trials),
            thousands(planned),
            self.estimate.threshold
        )];
        lines.extend(wording::clipped(self.trials));
        let too_coarse = wording::too_coarse(self.trials);
        lines.extend(too_coarse.iter().flat_map(|words| wrapped(words, 78)));
        let listed = &self.trials.listed;
        if listed.len() <= MOST {
            lines.push(self.head());
            lines.extend(listed.iter().map(|&class| self.row(class)));
        } else {
            lines.extend(self.many());
        }
        lines.extend(self.unlisted());
        lines
    }

    /// For more classes than fit on a page: how many are how reliable, and both ends of the scale.
    fn many(&self) -> Vec<String> {
        let listed = &self.trials.listed;
        let estimate = |class: &ClassId| &self.estimate.classes[*class];
        let all = listed.len();
        let response = self.response();
        let enough = listed
            .iter()
            .filter(|class| estimate(class).image(response).is_some());
        let enough = enough.count();
        let never = listed
            .iter()
            .filter(|class| estimate(class).called == 0)
            .count();
        let mut known: Vec<(f64, ClassId)> = listed
            .iter()
            .filter_map(|class| Some((estimate(class).image(response)?.reliability?, *class)))
            .collect();
        known.sort_by(|a, b| b.0.total_cmp(&a.0));
        let reliable = known.iter().filter(|(r, _)| *r >= RELIABLE).count();
        let mut lines = vec![format!(
            "{all} classes: {enough} with enough trials, {reliable} with reliability ≥ {RELIABLE}, \
             {never} never called"
        )];
        if known.is_empty() {
            return lines;
        }
        lines.push(self.head());
        let row = |(_, class): &(f64, ClassId)| self.row(*class);
        if known.len() <= 2 * ENDS {
            lines.extend(known.iter().map(row));
        } else {
            let between = known.len() - 2 * ENDS;
            lines.extend(known[..ENDS].iter().map(row));
            lines.push(format!(
                "not listed: {between} classes between the {ENDS} most and the {ENDS} least reliable"
            ));
            lines.extend(known[known.len() - ENDS..].iter().map(row));
        }
        match all - known.len() {
            0 => {}
            1 => lines.push("not listed: 1 class without a reliability".into()),
            without => lines.push(format!(
                "not listed: {without} classes without a reliability"
            )),
        }
        lines
    }

    /// A line on the classes for which the plan has no maps.
    fn unlisted(&self) -> Option<String> {
        let others = self.estimate.classes.iter().filter(|class| !class.listed);
        let called: Vec<u64> = others.map(|class| class.called).collect();
        let classes = match called.len() {
            0 => return None,
            1 => "1 other class",
            count => &format!("{count} other classes"),
        };
        let times = thousands(called.iter().sum());
        Some(format!(
            "the plan has no maps of {classes}, called {times} times"
        ))
    }

    fn head(&self) -> String {
        let width = self.width;
        if self.trials.evidence.is_some() {
            return format!(
                "{:<width$}  {:>6}  {:>7}  {:>12}  {:<16}  {:>6}  fed back as",
                "class", "called", "share", "R decisions", "R evidence", "pixels"
            );
        }
        format!(
            "{:<width$}  {:>6}  {:>7}  {:>11}  {:>8}  {:>7}  fed back as",
            "class", "called", "share", "reliability", "SNR", "pixels"
        )
    }

    /// The response whose maps are most informative.
    fn response(&self) -> Response {
        match self.trials.evidence {
            Some(_) => Response::Evidence,
            None => Response::Decision,
        }
    }

    /// A row with evidence: the reliability of both images, that of the evidence image with its
    /// interval, and its significant pixels.
    fn row_with_evidence(&self, class: ClassId) -> String {
        let width = self.width;
        let estimate = &self.estimate.classes[class];
        let share = estimate.called as f64 / self.estimate.trials.max(1) as f64;
        let reliability = |map: Option<&ImageEstimate>| map.and_then(|map| map.reliability);
        let decisions = match (&estimate.decision, reliability(estimate.decision.as_ref())) {
            (Some(_), Some(r)) => fixed(r, 2),
            (Some(_), None) => "–".into(),
            (None, _) => "insufficient".into(),
        };
        let map = estimate.evidence.as_ref();
        let evidence = match (map, reliability(map)) {
            (Some(map), Some(r)) => {
                let ends = map.reliability_interval;
                let ends =
                    ends.map(|[low, high]| format!(" ({}–{})", fixed(low, 2), fixed(high, 2)));
                format!("{}{}", fixed(r, 2), ends.unwrap_or_default())
            }
            (Some(_), None) => "–".into(),
            (None, _) if self.trials.lacks_trials_for_evidence() => "too few trials".into(),
            (None, _) => "constant output".into(),
        };
        let back = self
            .trials
            .evidence_fed_back
            .get(class.0)
            .copied()
            .flatten();
        let line = format!(
            "{:<width$}  {:>6}  {:>7}  {decisions:>12}  {evidence:<16}  {:>6}  {}",
            self.names[class],
            count(estimate.called as f64),
            percent(share),
            map.map_or("–".into(), |map| map.significant.to_string()),
            back.map_or_else(String::new, |answer| self.called(answer))
        );
        line.trim_end().into()
    }

    fn row(&self, class: ClassId) -> String {
        if self.trials.evidence.is_some() {
            return self.row_with_evidence(class);
        }
        let width = self.width;
        let estimate = &self.estimate.classes[class];
        let share = estimate.called as f64 / self.estimate.trials.max(1) as f64;
        let back = self.trials.fed_back.get(class.0).copied().flatten();
        let line = format!(
            "{:<width$}  {:>6}  {:>7}  {:<30}  {}",
            self.names[class],
            count(estimate.called as f64),
            percent(share),
            self.figures(estimate),
            back.map_or_else(String::new, |answer| self.called(answer))
        );
        line.trim_end().into()
    }

    /// Reliability, SNR and significant pixels, or why they are missing: 30 columns.
    fn figures(&self, class: &ClassEstimate) -> String {
        let Some(map) = &class.decision else {
            let smallest = smallest_cell(self.trials.gamma, self.estimate.trials, class);
            return format!(
                "insufficient ({} of {} trials)",
                count(smallest as f64),
                count(self.trials.min_trials as f64)
            );
        };
        let number = |value: Option<f64>| match value {
            Some(value) if value.is_finite() => fixed(value, 2),
            _ => "–".into(),
        };
        let pixels = map.significant;
        format!(
            "{:>11}  {:>8}  {pixels:>7}",
            number(map.reliability),
            number(Some(map.snr))
        )
    }

    fn called(&self, answer: FedBack) -> String {
        let name = self.names.get(answer.class.0).map_or("?", String::as_str);
        match answer.confidence.is_finite() {
            true => format!("{name} ({:.2})", answer.confidence),
            false => name.to_owned(),
        }
    }
}

/// Number of trials in the smallest cell that the class's image compares.
fn smallest_cell(gamma: Gamma, trials: u64, class: &ClassEstimate) -> u64 {
    if gamma == Gamma::NOISE {
        return class.called.min(trials - class.called);
    }
    class.cells.into_iter().min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::wording::tests::with_evidence;
    use crate::session::Config;

    /// Two classes that are called equally often, with an output each that never changes.
    #[test]
    fn that_evidence_is_too_coarse_fits_eighty_columns() {
        // As beside a class masked by the most negative 32-bit float.
        let trials = with_evidence(2.0_f64.powi(116), 100, 0, 0);
        let record = Record::new(&Config::default());
        let lines = Table::new(&record, &trials, &trials.estimate()).lines(100);
        let starts = "  the evidence for 2 classes varies by less than 8.31e34, to which";
        assert!(
            lines.iter().any(|line| line.starts_with(starts)),
            "{lines:#?}"
        );
        for line in lines {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
