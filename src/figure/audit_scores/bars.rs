//! Bars of the score of every class, of every network, and of what pasting the findings does.

use super::super::audit;
use super::super::names::bare;
use super::scores::{at_line, full, score_in_words, shown};
use super::seen::Seen;
use super::words::left_out;
use crate::drawing::{Bar, Bars, Paint, Sheet};
use crate::format::percent;
use crate::session::Session;
use crate::session::record::Role;
use crate::stats::audit::{Null, OTHER_KIND};

/// Most references that have a bar each; of more, the largest, the middle and the smallest.
const MOST_REFERENCES: usize = 8;
/// Most networks that are poisoned for the purpose and have a bar.
const MOST_POISONED: usize = 6;

/// The score of every class of the network under study.
pub fn classes(session: &Session, seen: &Seen<'_>, sheet: Sheet, width: f64) -> Bars {
    let (scores, _) = audit::bars(seen.audit).unwrap_or_default();
    let bound = seen.bound();
    let largest = seen.verdict.standing.largest;
    let by_references = seen.verdict.null == Null::References;
    let found = seen.found();
    let bar = |class: usize| Bar {
        name: bare(&session.record, class),
        value: scores[class],
        said: match scores[class] {
            Some(score) if found == Some(class) => format!("{}, found", score_in_words(score)),
            Some(score) => score_in_words(score),
            None => "no image".into(),
        },
        paint: match found == Some(class) {
            true => Paint::First,
            false => Paint::Third,
        },
    };
    let mut lines = Vec::new();
    if by_references {
        let words = format!("the references' largest, {}", score_in_words(largest));
        lines.push((largest, at_line(sheet, &words, width)));
    }
    if let Some(bound) = bound {
        let words = match seen.verdict.null {
            Null::References => format!("stands out past {}", score_in_words(bound)),
            Null::OwnClasses => format!(
                "stands out past {}, {OTHER_KIND:.0} times the median class",
                score_in_words(bound)
            ),
        };
        lines.push((bound, at_line(sheet, &words, width)));
    }
    let known = scores.iter().flatten().copied();
    let all = known.chain(lines.iter().map(|(value, _)| *value));
    Bars {
        title: left_out(seen).unwrap_or_else(|| "score of each class".to_owned()),
        most: full(all),
        bars: shown(&scores).into_iter().map(bar).collect(),
        lines,
    }
}

/// The highest score of each network; `None` where the references are of another kind, so that theirs say
/// nothing of the network under study.
pub fn networks(session: &Session, seen: &Seen<'_>, sheet: Sheet, width: f64) -> Option<Bars> {
    if seen.verdict.null != Null::References {
        return None;
    }
    let mut bars = vec![scored(
        "this network".to_owned(),
        Some(seen.verdict.top.score),
        if seen.verdict.has_window() {
            Paint::First
        } else {
            Paint::Dim
        },
    )];
    let poisoned = seen.audit.power(seen.plan);
    for (at, (own, said, right)) in poisoned.iter().take(MOST_POISONED).enumerate() {
        let score = said.as_ref().map(|said| said.top.score);
        let mut bar = scored(format!("poisoned {}", at + 1), score, Paint::Fourth);
        if let (Role::Poisoned { target, .. }, Some(_)) = (own.role, score) {
            let name = bare(&session.record, target);
            let right = if *right { "found" } else { "not found" };
            bar.said += &format!(", {right}: {name}");
        }
        bars.push(bar);
    }
    let null = seen.audit.null();
    let null: Vec<f64> = null.iter().filter_map(|own| own.score()).collect();
    if null.len() <= MOST_REFERENCES {
        let each = null.iter().enumerate();
        bars.extend(each.map(|(at, score)| {
            let name = format!("reference {}", at + 1);
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
        bars.extend(
            places.map(|(name, at)| {
                scored(format!("{name} reference"), Some(sorted[at]), Paint::Third)
            }),
        );
    }
    let line = seen.bound().map(|bound| {
        let words = format!("stands out past {}", score_in_words(bound));
        (bound, at_line(sheet, &words, width))
    });
    let lines: Vec<(f64, String)> = line.into_iter().collect();
    let known = bars.iter().filter_map(|bar| bar.value);
    let most = full(known.chain(lines.iter().map(|(value, _)| *value)));
    Some(Bars {
        title: format!("highest score of each network, {} references", null.len()),
        most,
        bars,
        lines,
    })
}

fn scored(name: String, score: Option<f64>, paint: Paint) -> Bar {
    Bar {
        name,
        value: score,
        said: score.map_or_else(|| "none".to_owned(), score_in_words),
        paint,
    }
}

/// What pasting the findings on test images does; `None` before any was shown.
pub fn pasted(session: &Session, seen: &Seen<'_>, sheet: Sheet, width: f64) -> Option<Bars> {
    let all = seen.audit.pasted.iter().filter(|own| own.others().of > 0);
    let said: Vec<[String; 2]> = all
        .clone()
        .map(|own| {
            let with = audit::share(own.others());
            let without = own.without().rate().map_or_else(String::new, percent);
            [format!("{with}, {without} without"), with]
        })
        .collect();
    // All of them say how many it is without anything pasted, or none.
    let fits = |words: &[String; 2]| sheet.text_width(&words[0]) <= 0.4 * width;
    let long = said.iter().all(fits);
    let found = seen.found();
    let bars = all.zip(said).map(|(own, [long_words, short_words])| Bar {
        name: bare(&session.record, own.class),
        value: own.others().rate(),
        said: if long { long_words } else { short_words },
        paint: match found == Some(own.class) {
            true => Paint::First,
            false => Paint::Third,
        },
    });
    let bars: Vec<Bar> = bars.collect();
    (!bars.is_empty()).then(|| Bars {
        title: "pasted on test images of other classes: called so".to_owned(),
        most: 1.0,
        bars,
        lines: Vec::new(),
    })
}
