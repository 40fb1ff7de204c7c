//! The bar charts of an audit: the score of every class, of every network, and the effect of pasting the findings.

use super::super::audit;
use super::super::wording::bare_class_name;
use super::data::AuditData;
use super::scores::{bars_to_show, full_length, line_label, score_text};
use super::words::left_out;
use crate::drawing::{Bar, Bars, Paint, Sheet};
use crate::format::percent;
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::record::AuditRole;
use crate::stats::audit::Baseline;

/// Maximum number of references with a bar each; of more, only the largest, the middle and the smallest.
const MOST_REFERENCES: usize = 8;
/// Maximum number of poisoned networks with a bar.
const MOST_POISONED: usize = 6;

/// The score of every class of the network under study.
pub fn classes(session: &Session, data: &AuditData<'_>, sheet: Sheet, width: f64) -> Bars {
    let (scores, _) = audit::class_scores(data.audit).unwrap_or_default();
    let bound = data.verdict.bound();
    let largest = data.verdict.ranking.largest;
    let by_references = data.verdict.baseline == Baseline::References;
    let found = data.found();
    let bar = |class: ClassId| Bar {
        name: bare_class_name(&session.record, class),
        value: scores[class],
        text: match scores[class] {
            Some(score) if found == Some(class) => format!("{}, found", score_text(score)),
            Some(score) => score_text(score),
            None => "no image".into(),
        },
        paint: match found == Some(class) {
            true => Paint::First,
            false => Paint::Third,
        },
    };
    let mut lines = Vec::new();
    if by_references {
        let words = format!("the references' largest, {}", score_text(largest));
        lines.push((largest, line_label(sheet, &words, width)));
    }
    if let Some(bound) = bound {
        let words = match data.verdict.baseline {
            Baseline::References => format!("stands out past {}", score_text(bound)),
            Baseline::OwnClasses => format!(
                "stands out past {}, {:.1} times the median class",
                score_text(bound),
                data.verdict.ratio_bound
            ),
        };
        lines.push((bound, line_label(sheet, &words, width)));
    }
    let known = scores.iter().flatten().copied();
    let all = known.chain(lines.iter().map(|(value, _)| *value));
    Bars {
        title: left_out(data).unwrap_or_else(|| "score of each class".to_owned()),
        max: full_length(all),
        bars: bars_to_show(&scores).into_iter().map(bar).collect(),
        reference_lines: lines,
    }
}

/// The highest score of each network; `None` if the references are of another kind, so that their scores cannot be
/// compared with this network's.
pub fn networks(session: &Session, data: &AuditData<'_>, sheet: Sheet, width: f64) -> Option<Bars> {
    if data.verdict.baseline != Baseline::References {
        return None;
    }
    let mut bars = vec![scored(
        "this network".to_owned(),
        Some(data.verdict.top.score),
        if data.verdict.has_window() {
            Paint::First
        } else {
            Paint::Dim
        },
    )];
    // Poisoned networks of another kind than the references are far from these in all classes.
    let kind = session.config.network.kind;
    let shown = match data.plan.kind.resolve(kind) == kind {
        true => MOST_POISONED,
        false => 0,
    };
    let poisoned = data.audit.power(data.plan);
    for (index, (examinee, verdict, right)) in poisoned.iter().take(shown).enumerate() {
        let score = verdict.as_ref().map(|verdict| verdict.top.score);
        let mut bar = scored(format!("poisoned {}", index + 1), score, Paint::Fourth);
        if let (AuditRole::Poisoned { target, .. }, Some(_)) = (examinee.role, score) {
            let name = bare_class_name(&session.record, target);
            let right = if *right { "found" } else { "not found" };
            bar.text += &format!(", {right}: {name}");
        }
        bars.push(bar);
    }
    let null = data.audit.null();
    let null: Vec<f64> = null
        .iter()
        .filter_map(|reference| reference.score())
        .collect();
    if null.len() <= MOST_REFERENCES {
        let each = null.iter().enumerate();
        bars.extend(each.map(|(index, score)| {
            let name = format!("reference {}", index + 1);
            scored(name, Some(*score), Paint::Third)
        }));
    } else {
        let mut sorted = null.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let places = [
            ("largest", 0),
            ("middle", sorted.len() / 2),
            ("smallest", sorted.len() - 1),
        ];
        bars.extend(places.map(|(name, index)| {
            scored(
                format!("{name} reference"),
                Some(sorted[index]),
                Paint::Third,
            )
        }));
    }
    // A bound that depends on this network's other classes is none for the others.
    let bound = match data.verdict.is_unlike_references() {
        true => None,
        false => data.verdict.bound(),
    };
    let line = bound.map(|bound| {
        let words = format!("stands out past {}", score_text(bound));
        (bound, line_label(sheet, &words, width))
    });
    let lines: Vec<(f64, String)> = line.into_iter().collect();
    let known = bars.iter().filter_map(|bar| bar.value);
    let most = full_length(known.chain(lines.iter().map(|(value, _)| *value)));
    Some(Bars {
        title: format!("highest score of each network, {} references", null.len()),
        max: most,
        bars,
        reference_lines: lines,
    })
}

fn scored(name: String, score: Option<f64>, paint: Paint) -> Bar {
    Bar {
        name,
        value: score,
        text: score.map_or_else(|| "none".to_owned(), score_text),
        paint,
    }
}

/// The effect of pasting the findings onto test images; `None` before any was shown.
pub fn pasted(session: &Session, data: &AuditData<'_>, sheet: Sheet, width: f64) -> Option<Bars> {
    let all = data
        .audit
        .pasted
        .iter()
        .filter(|finding| finding.others().total > 0);
    let texts: Vec<[String; 2]> = all
        .clone()
        .map(|finding| {
            let with = audit::share_with_interval(finding.others());
            let without = finding
                .before_pasting()
                .rate()
                .map_or_else(String::new, percent);
            [format!("{with}, {without} without"), with]
        })
        .collect();
    // Use the long form for all bars, or for none.
    let fits = |words: &[String; 2]| sheet.text_width(&words[0]) <= 0.4 * width;
    let long = texts.iter().all(fits);
    let found = data.found();
    let bars = all
        .zip(texts)
        .map(|(finding, [long_words, short_words])| Bar {
            name: bare_class_name(&session.record, finding.class),
            value: finding.others().rate(),
            text: if long { long_words } else { short_words },
            paint: match found == Some(finding.class) {
                true => Paint::First,
                false => Paint::Third,
            },
        });
    let bars: Vec<Bar> = bars.collect();
    (!bars.is_empty()).then(|| Bars {
        title: "pasted on test images of other classes: success".to_owned(),
        max: 1.0,
        bars,
        reference_lines: Vec::new(),
    })
}
