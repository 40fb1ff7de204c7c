//! Draws the table of all networks of the study, and how well the anomaly index separates the poisoned ones from the
//! clean ones.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::{BackdoorSelection, index, share};
use crate::figure::audit::backdoor_summary;
use crate::ids::ClassId;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::widget::columns::{columns, pad_end};
use crate::tui::widget::text::{below, cut, left};

/// Rows that the table takes of `height`: as many networks as possible, a heading and two summary rows; in a
/// small area, a single summary row.
pub fn rows(sight: &BackdoorSelection<'_>, height: u16) -> u16 {
    if height < 16 {
        return 1;
    }
    let limit = (height / 3).max(5);
    (sight.backdoor.networks.len() as u16 + 3).min(limit)
}

/// Draws the table; if not all networks fit, those around the chosen one.
pub fn draw(scene: &Scene<'_>, sight: &BackdoorSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    if area.height == 1 {
        let sums = sums(sight, area.width.saturating_sub(1))
            .into_iter()
            .next()
            .unwrap_or_default();
        left(buf, area, 0, Span::raw(format!(" {sums}")));
        return;
    }
    let wide = area.width >= 74;
    let head = match wide {
        true => " network           clean accuracy   patch succeeds   index   flagged   overlap",
        false => " network        accuracy  patch    index  flagged",
    };
    left(buf, area, 0, Span::styled(head, theme.dim()));
    let networks = sight.backdoor.networks.len();
    let room = usize::from(area.height.saturating_sub(3)).min(networks);
    let first = sight.index.saturating_sub(room / 2).min(networks - room);
    for row in 0..room {
        let text = line(sight, first + row, wide);
        let chosen = first + row == sight.index;
        let text = match chosen {
            true => Span::styled(format!("{}{text}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {text}")),
        };
        left(buf, area, 1 + row as u16, text);
    }
    for (row, text) in sums(sight, area.width.saturating_sub(1))
        .into_iter()
        .enumerate()
    {
        let style = if row == 0 {
            theme.bright()
        } else {
            theme.dim()
        };
        let line = Line::from(Span::styled(format!(" {text}"), style));
        left(buf, below(area, 1 + room as u16), row as u16, line);
    }
}

fn line(sight: &BackdoorSelection<'_>, network: usize, wide: bool) -> String {
    let suspect = &sight.backdoor.networks[network];
    let kind = if suspect.poisoned {
        "poisoned"
    } else {
        "clean"
    };
    let judgement = sight.verdict.networks.get(network).and_then(Option::as_ref);
    let score = match judgement {
        Some(judgement) => index(judgement.score),
        None => "not yet".into(),
    };
    let flagged = judgement.map_or_else(String::new, |judgement| {
        match judgement.flagged.as_slice() {
            [] => "none".into(),
            classes => {
                // By name if there is a single class whose name fits, else by number.
                let name = |class: &ClassId| match classes.len() {
                    1 => form::class_name_within(sight.session, *class, 7),
                    _ => class.to_string(),
                };
                let mut names: Vec<String> = classes.iter().map(name).collect();
                let many = names.len();
                while names.len() > 1 && columns(&names.join(" ")) > 7 {
                    names.pop();
                }
                match many - names.len() {
                    0 => names.join(" "),
                    _ => format!("{many} of all"),
                }
            }
        }
    });
    let accuracy = share(suspect.clean_accuracy);
    let patch = share(suspect.attack_success);
    if !wide {
        return format!(
            "{:<3} {kind:<9} {accuracy:>8}  {patch:>6}  {score:>7}  {flagged}",
            network + 1
        );
    }
    let overlap = judgement.and_then(|judgement| judgement.overlap);
    let overlap = overlap.filter(|_| suspect.poisoned);
    let overlap = overlap.map_or_else(String::new, |share| format!("{share:.2}"));
    format!(
        "{:<3} {kind:<10} {accuracy:>17}   {patch:>14}   {score:>5}   {}   {overlap:>7}",
        network + 1,
        pad_end(&flagged, 7)
    )
}

/// The summary of the whole study, each line in at most `room` columns.
fn sums(sight: &BackdoorSelection<'_>, room: u16) -> Vec<String> {
    let verdict = &sight.verdict;
    let area = match (verdict.curve(), &verdict.roc) {
        (Some(roc), _) => format!(
            "area under the ROC curve {:.2}, 95 % interval {:.2}–{:.2}",
            roc.auc.estimate, roc.auc.low, roc.auc.high
        ),
        (None, Some(_)) if verdict.poisoned.min(verdict.clean) > 1 => {
            "no ROC curve: needs an index of a poisoned and of a clean network".into()
        }
        (None, Some(_)) => {
            "no ROC curve: needs at least two poisoned and two clean networks".into()
        }
        (None, None) => "no ROC curve yet: needs poisoned and clean networks".into(),
    };
    let mut counted = match verdict.without_score {
        0 => format!(
            "flagged: {} of {} poisoned, {} of {} clean",
            verdict.poisoned_flagged, verdict.poisoned, verdict.clean_flagged, verdict.clean
        ),
        _ => format!(
            "{}; {}",
            verdict.flagged_text(true, verdict.poisoned),
            verdict.flagged_text(false, verdict.clean)
        ),
    };
    // Appended whole or not at all.
    let named = format!("; the right class in {}", verdict.target_identified);
    if columns(&counted) + columns(&named) <= usize::from(room) {
        counted.push_str(&named);
    }
    // The score relative to the clean networks is more informative than the index, which uses none.
    match backdoor_summary(sight.backdoor, sight.plan) {
        Some(score) => {
            let area = verdict.curve();
            let area =
                area.map_or_else(String::new, |roc| format!("area {:.2}; ", roc.auc.estimate));
            vec![
                cut(&score, usize::from(room)),
                cut(&format!("by index: {area}{counted}"), usize::from(room)),
            ]
        }
        None => [area, counted]
            .iter()
            .map(|line| cut(line, usize::from(room)))
            .collect(),
    }
}
