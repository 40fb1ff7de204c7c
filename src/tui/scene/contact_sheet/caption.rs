//! The caption under the map of a class: its name, its reliability, its trials, and the network's decision on
//! its mean stimulus.

use ratatui::text::{Line, Span};

use super::layout::{ContactSheetLayout, FEW, GAP};
use crate::format::{coarse, count, gamma, percent, reliability};
use crate::ids::ClassId;
use crate::session::config::Response;
use crate::session::run::Phase;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::map_set::{MapKind, MapSet, RELIABLE};
use crate::tui::scene::progress::live_run;
use crate::tui::widget::columns::columns;

/// The lines under the map of a class: its name and reliability, then its trials, then the network's decision
/// on its mean stimulus.
pub(super) fn caption(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    class: ClassId,
    layout: ContactSheetLayout,
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let Some(estimate) = lens.class(class) else {
        return Vec::new();
    };
    // The last map of a row has no gap after it.
    let room = usize::from(layout.step.saturating_sub(GAP));
    let quality = |room| quality(scene, lens, class, room);
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let whole = form::class_name_within(scene.session, class, room.saturating_sub(1));
    // The name and the reliability share a row if they fit; otherwise the name goes first.
    let numbered = whole.parse::<usize>().is_ok();
    let apart = !numbered && columns(&whole) + 2 + width(&quality(9)) > room;
    let own_row = apart && layout.words > 1;
    let chosen = scene.shared.class == class;
    let name = if chosen {
        Span::styled(format!("{}{whole} ", theme.glyphs.pointer), theme.chosen())
    } else {
        Span::styled(format!(" {whole} "), theme.bright())
    };
    let named = name.width();
    let fits = |text: &String| columns(text) < room;
    let under = under_name(scene, lens, class, room);
    let trials = under.into_iter().find(fits).unwrap_or_default();
    let mut all = match lens.shows_substitute(class) {
        true => {
            // A substitute must not be mistaken for a classification image: it is labelled, with the reason.
            let reasons = lens
                .missing(class)
                .map_or_else(Vec::new, |missing| missing.lines);
            let reason = reasons.join(" ");
            let both = format!("mean stimulus {} {reason}", theme.glyphs.dot);
            let fits = |text: &String| columns(text) + named <= room;
            let in_short = [reason, reasons.first().cloned().unwrap_or_default()];
            let (words, rest) = if fits(&both) {
                (both, String::new())
            } else if layout.words == 1 {
                let short = in_short.into_iter().find(fits);
                (short.unwrap_or_else(|| "stim.".into()), String::new())
            } else {
                let short = ["mean stimulus", "stimulus", "stim."].map(String::from);
                let short = short.into_iter().find(fits);
                // Half of a reason, such as `too few 20 of`, would mislead.
                let mut below = in_short.into_iter().map(|text| format!("  {text}"));
                let rest = below.find(|text| columns(text) <= room);
                (short.unwrap_or_default(), rest.unwrap_or_default())
            };
            let words = Span::styled(words, theme.dim());
            let rest = Span::styled(rest, theme.dim());
            vec![Line::from(vec![name, words]), Line::from(rest)]
        }
        false if own_row => {
            let mut second = vec![Span::raw("  ")];
            second.extend(quality(room.saturating_sub(2)));
            vec![Line::from(name), Line::from(second)]
        }
        false => {
            let trials = Span::styled(format!("  {trials}"), theme.dim());
            let quality_spans = quality(room.saturating_sub(named));
            let mut first = vec![name];
            first.extend(
                Some(quality_spans)
                    .filter(|quality_spans| named + width(quality_spans) <= room)
                    .unwrap_or_default(),
            );
            // Without a second row, the time to a reliable map goes beside the name.
            let needed = lens.image_of_shown_map(class).and_then(|map| map.needed);
            let soon = needed.filter(|_| layout.words == 1 && lens.response == Response::Evidence);
            let soon = soon.and_then(|needed| time_to(scene, lens, class, needed));
            let soon = soon.map(|time| Span::styled(format!("  in {time}"), theme.dim()));
            first.extend(soon.filter(|span| width(&first) + span.width() <= room));
            vec![Line::from(first), Line::from(trials)]
        }
    };
    let fed_back = match lens.fed_back(class) {
        _ if lens.versus.is_some() || lens.kind == MapKind::Regression => Span::raw(""),
        Some(back) => {
            let share = percent(back.confidence);
            let named = |least| {
                form::class_name_within(scene.session, back.class, room.saturating_sub(least))
            };
            let beside = named(columns(&share) + 10);
            let alone = named(9);
            // The name says more than its number with the confidence.
            let number = back.class.to_string();
            let only_name = beside == number && alone != number;
            let whole = format!("  called {beside} {share}");
            let short = format!("  called {alone}");
            let all = match room {
                ..16 if lens.classes() > FEW => vec![short],
                _ if only_name => vec![short],
                _ => vec![whole, short],
            };
            // Whole or not at all: without the class, the word would say nothing.
            let fits = |text: &String| columns(text) <= room + 1;
            let text = all.into_iter().find(fits).unwrap_or_default();
            let style = if back.class == class {
                theme.text()
            } else {
                theme.dim()
            };
            Span::styled(text, style)
        }
        None if estimate.called == 0 && lens.response == Response::Decision => Span::raw(""),
        None => Span::styled("  not fed back yet", theme.dim()),
    };
    all.push(Line::from(fed_back));
    all.truncate(usize::from(layout.words));
    // Under the small maps of many classes, lines that do not fit are dropped whole.
    let overflows = |line: &Line<'_>| lens.classes() > FEW && line.width() > room + 1;
    all.into_iter()
        .map(|line| {
            if overflows(&line) {
                Line::default()
            } else {
                line
            }
        })
        .collect()
}

/// The text below the name and the reliability of a map, longest version first: how many trials it is based
/// on, or how many would make it reliable.
fn under_name(scene: &Scene<'_>, lens: &MapSet<'_>, class: ClassId, room: usize) -> Vec<String> {
    let Some(estimate) = lens.class(class) else {
        return Vec::new();
    };
    if lens.response == Response::Decision {
        let called = count(estimate.called as f64);
        return match room {
            ..16 if lens.classes() > FEW => vec![format!("of {called}"), called],
            _ => vec![format!("{called} trials"), called],
        };
    }
    let Some(needed) = lens.image_of_shown_map(class).and_then(|map| map.needed) else {
        return Vec::new();
    };
    let short = format!("{RELIABLE} at {}", count(needed as f64));
    let labelled = format!("R {short}");
    let Some(time) = time_to(scene, lens, class, needed) else {
        return vec![labelled, short];
    };
    vec![format!("{labelled}, {time}"), labelled, short]
}

/// The time until the map of a class has this many trials, at the pace of this run; `None` if it already has
/// them, or the pace is unknown.
fn time_to(scene: &Scene<'_>, lens: &MapSet<'_>, class: ClassId, needed: u64) -> Option<String> {
    let left = needed.saturating_sub(lens.trials_of(class).map_or(0, |trials| trials.trials));
    let shown = scene.shared.images_stage(scene.session);
    let stage = live_run(scene).and_then(|run| match run.phase {
        // Another stage adds nothing to these maps, even if it counts trials too.
        Phase::Working(stage) if Some(stage) == shown => run.stages.get(stage),
        _ => None,
    });
    let rate = stage.and_then(|stage| stage.per_second);
    let rate = rate.filter(|rate| *rate > 0.0 && left > 0)?;
    // All unfinished γ take turns.
    let images = scene.shared.current_images(scene.session);
    let plan = scene.shared.images_plan(scene.session);
    let gammas = images.into_iter().flat_map(|images| &images.gammas);
    let open = gammas.filter(|trials| {
        let planned = plan.map_or(0, |plan| plan.trials_at(trials.gamma));
        !trials.reached && trials.trials < planned
    });
    let seconds = left as f64 * open.count().max(1) as f64 / rate;
    Some(match seconds {
        // In steps, so that it is stable.
        ..60.0 => format!("{:.0} s", (seconds / 5.0).ceil() * 5.0),
        _ => coarse(seconds),
    })
}

/// The reliability of a class's map, with its γ if the classes differ in it, in `room` columns.
fn quality(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    class: ClassId,
    room: usize,
) -> Vec<Span<'static>> {
    let theme = scene.theme;
    let at = match lens.gamma_of(class) {
        Some(value) if lens.is_mixed() => Some(gamma(value)),
        _ => None,
    };
    let map = lens.image(class);
    let Some(r) = lens.reliability(class) else {
        let words = match map.map(|map| map.z.len()) {
            _ if lens.versus == Some(class) => "",
            // The halves of a map of one number have no correlation.
            Some(..2) if room >= 15 => "no R of 1 pixel",
            Some(2..) => "R not yet",
            _ if room < 15 => "no R",
            _ => "insufficient",
        };
        return vec![Span::styled(words, theme.dim())];
    };
    let r = reliability(r);
    let Some(at) = at else {
        return vec![Span::raw(format!("R {r}"))];
    };
    // In a narrow area, without the zeros before the decimal points.
    let glyph = theme.glyphs.gamma;
    let bare = |text: &str| text.strip_prefix('0').unwrap_or(text).to_string();
    let wide = glyph.chars().count() + at.len() + r.len() + 5 <= room;
    let (at, mut r) = match wide {
        true => (format!("{glyph} {at}  "), format!("R {r}")),
        false => (
            format!(
                "{}{} ",
                if theme.glyphs.unicode { glyph } else { "g" },
                bare(&at)
            ),
            bare(&r),
        ),
    };
    // A truncated number would be a different number.
    if !wide && at.chars().count() + r.chars().count() > room {
        r.clear();
    }
    vec![Span::styled(at, theme.dim()), Span::raw(r)]
}
