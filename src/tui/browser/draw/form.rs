//! Draws the form for a new session.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};

use super::caret;
use crate::format::{clean, coarse, count, minimum_duration, reliability};
use crate::stats::grain::GrainForecast;
use crate::tui::action::{Action, first_key_of};
use crate::tui::browser::form::{Form, FormField, PilotState, about};
use crate::tui::browser::list::Browser;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{below, beside, cut, left, start, top, wrap};

/// Columns of the names of lines.
const LABEL: u16 = 9;

/// Maximum rows of a message.
const MESSAGE: usize = 8;

/// Draws the form.
pub(super) fn draw(browser: &Browser, form: &Form, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = start(below(beside(area, 2), 1), 90);
    left(buf, area, 0, Span::styled("A new session", theme.bright()));
    let mut at = 2;
    for line in FormField::ALL {
        draw_line(form, line, theme, below(area, at), buf);
        at += 1;
        if line == FormField::Name {
            if let Some(problem) = form.problem(browser.all()) {
                let text = Span::styled(problem, theme.warning());
                left(buf, beside(area, LABEL), at, text);
            }
            at += 1;
        }
    }
    let rest = below(area, at + 1);
    match &form.pilot {
        PilotState::None => draw_presets(browser, form, theme, rest, buf),
        PilotState::Running => {
            let text = format!(
                "The network is run on noise, 1,000 trials per grain. {} cancels.",
                first_key_of(browser.keys, Action::Cancel)
            );
            draw_message(&text, theme.text(), rest, buf);
        }
        PilotState::Failed(problem) => {
            let text = format!("{} {problem}", theme.glyphs.warning);
            let used = draw_message(&text, theme.warning(), rest, buf);
            draw_presets(browser, form, theme, below(rest, used + 1), buf);
        }
        PilotState::Known(all, workers, chosen) => {
            draw_grains(all, *workers, *chosen, theme, rest, buf);
        }
    }
}

fn label(text: &str, theme: &Theme) -> Span<'static> {
    Span::styled(format!("{text:<0$}", usize::from(LABEL)), theme.dim())
}

fn draw_line(form: &Form, line: FormField, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let text = clean(form.text(line));
    let room = usize::from(area.width.saturating_sub(LABEL + 2));
    // The end of a long text is where the user types. A letter may take two columns.
    let mut end = text.as_str();
    while Span::raw(end).width() > room {
        let mut letters = end.chars();
        letters.next();
        end = letters.as_str();
    }
    let mut spans = vec![
        label(line.label(), theme),
        Span::styled(end.to_owned(), theme.bright()),
    ];
    if form.line == line {
        spans.push(Span::styled(caret(theme), theme.accent()));
    }
    if text.is_empty() {
        let hint = cut(line.placeholder(), room);
        spans.push(Span::styled(hint, theme.dim()));
    }
    left(buf, area, 0, Row::from(spans));
}

/// Draws a message; returns the rows used.
fn draw_message(text: &str, style: Style, area: Rect, buf: &mut Buffer) -> u16 {
    let lines = text.lines().flat_map(|line| wrap(&clean(line), area.width));
    let mut used = 0;
    for line in lines.take(MESSAGE) {
        left(buf, area, used, Span::styled(line, style));
        used += 1;
    }
    used
}

fn draw_presets(browser: &Browser, form: &Form, theme: &Theme, area: Rect, buf: &mut Buffer) {
    left(buf, area, 0, label("preset", theme));
    let list = beside(area, LABEL);
    // What the chosen preset does goes below the list, if there is room.
    let notes = preset_notes(browser, form, theme, list.width);
    let spare = list.height.saturating_sub(browser.presets.len() as u16 + 1);
    let notes = match usize::from(spare) >= notes.len() {
        true => notes,
        false => notes.into_iter().rev().take(1).collect(),
    };
    let rows = list.height.saturating_sub(notes.len() as u16 + 1).max(1);
    for (row, line) in notes.into_iter().enumerate() {
        let below_list = rows.min(browser.presets.len() as u16) + 1 + row as u16;
        left(buf, list, below_list, line);
    }
    let list = top(list, rows);
    let height = usize::from(list.height.max(1));
    let first = (form.preset + 1).saturating_sub(height);
    for (index, preset) in browser.presets.iter().enumerate().skip(first).take(height) {
        let (mark, style) = match index == form.preset {
            true => (theme.glyphs.pointer, theme.chosen()),
            false => (" ", theme.text()),
        };
        let text = cut(
            &clean(&preset.name),
            usize::from(list.width.saturating_sub(2)),
        );
        let line = Span::styled(format!("{mark} {text}"), style);
        let row = (index - first) as u16;
        let used = left(buf, list, row, line);
        // Shown whole or not at all.
        let about = about(&preset.name).filter(|_| index == form.preset);
        let about = about.map(|about| format!("   {about}")).unwrap_or_default();
        if usize::from(used) + about.chars().count() <= usize::from(list.width) {
            let text = Span::styled(about, theme.dim());
            left(buf, beside(list, used), row, text);
        }
    }
}

/// Maximum lines describing a preset.
const WORDS: usize = 4;

/// What the chosen preset does and how long it takes here.
fn preset_notes(browser: &Browser, form: &Form, theme: &Theme, width: u16) -> Vec<Row<'static>> {
    let about = browser
        .presets
        .get(form.preset)
        .and_then(|preset| preset.about.as_ref());
    let Some(about) = about else {
        return Vec::new();
    };
    let words = wrap(&clean(&about.words), width);
    let more = words.len() > WORDS;
    let mut lines: Vec<Row<'static>> = words
        .into_iter()
        .take(WORDS)
        .map(|line| Row::from(Span::styled(line, theme.dim())))
        .collect();
    if more && let Some(last) = lines.last_mut() {
        let text = cut(&format!("{last} …"), usize::from(width));
        *last = Row::from(Span::styled(text, theme.dim()));
    }
    let Some(work) = about.work else {
        return lines;
    };
    let amount = format!("{} trials", count(work));
    let time = match browser.paces.get(&about.network) {
        Some(Some(Ok(rate))) => format!(
            "{amount}: {} here, at {} trials/s",
            about_time(work / rate),
            count(*rate)
        ),
        Some(Some(Err(_))) => format!("{amount}; the duration is known once it runs"),
        Some(None) | None => format!("{amount}; measuring how long that takes here"),
    };
    lines.push(Row::from(Span::styled(
        cut(&time, usize::from(width)),
        theme.text(),
    )));
    lines
}

/// A predicted time, coarse because predictions are.
fn about_time(seconds: f64) -> String {
    match seconds {
        ..60.0 => "under a minute".into(),
        _ => format!("about {}", coarse(seconds)),
    }
}

/// Draws the predicted cost of each grain of noise and marks the chosen one.
fn draw_grains(
    all: &[GrainForecast],
    workers: usize,
    chosen: usize,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let shows = all.iter().any(|grain| grain.needed.is_some());
    let text = match shows {
        true => "Estimates for maps of noise to reach R 0.95, at each grain:",
        false => "No grain shows anything in so few trials; the preset applies.",
    };
    left(buf, area, 0, Span::styled(text, theme.text()));
    let head = format!(
        "  {:<6} {:>7}  {:>5}  {:>12}  {:>12}",
        "cell", "numbers", "R now", "trials", "time"
    );
    left(buf, area, 1, Span::styled(head, theme.dim()));
    for (index, grain) in all.iter().enumerate() {
        let (mark, style) = match index == chosen {
            true => (theme.glyphs.pointer, theme.chosen()),
            false => (" ", theme.text()),
        };
        let known = grain.needed.is_some();
        let over = if known { "" } else { "over " };
        let trials = grain.needed.unwrap_or(grain.least) as f64;
        let seconds = trials / (grain.per_second * workers.max(1) as f64).max(1e-9);
        let text = format!(
            "{mark} {:<6} {:>7}  {:>5}  {:>12}  {:>12}",
            format!("{0}×{0}", grain.cell),
            grain.points,
            reliability(grain.reliability),
            format!("{over}{}", count(trials)),
            if known {
                coarse(seconds)
            } else {
                minimum_duration(seconds)
            },
        );
        left(buf, area, 2 + index as u16, Span::styled(text, style));
    }
}
