//! The frame around every view: header, tabs, body, log, footer; and what lies over it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::progress::{phase, problem};
use super::{Log, Scene, Size, VIEWS, help, question};
use crate::link::Connection;
use crate::session::Session;
use crate::tui::action::{self, Binding};
use crate::tui::format::{clean, clock, duration, thousands};
use crate::tui::state::{Overlay, State};
use crate::tui::theme::{Theme, plain_ascii};
use crate::tui::widget::text::{below, beside, centre, cut, left, right, rule, top};

/// Draws everything: a pure function of the run, what the viewer looks at, the place, and what the
/// terminal can show.
pub fn draw(session: &Session, state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let scene = Scene {
        session,
        state,
        theme,
    };
    let area = area.intersection(buf.area);
    let size = Size {
        width: area.width,
        height: area.height,
    };
    if size.is_enough() {
        framed(&scene, area, buf);
    } else {
        too_small(&scene, area, buf);
    }
    if !theme.glyphs.unicode {
        let foreign = |symbol: &str| !symbol.is_ascii();
        for cell in buf.content.iter_mut().filter(|c| foreign(c.symbol())) {
            cell.set_symbol(plain_ascii(cell.symbol()));
        }
    }
}

/// Header, problem, tabs, rule, body, log, footer.
struct Parts {
    header: Rect,
    problem: Rect,
    tabs: Rect,
    rule: Rect,
    body: Rect,
    log: Rect,
    footer: Rect,
}

fn parts(scene: &Scene<'_>, area: Rect) -> Parts {
    let header = top(area, 1);
    let rest = below(area, 1);
    let problem = top(rest, u16::from(problem(scene).is_some()));
    let rest = below(rest, problem.height);
    let tabs = top(rest, 1);
    let rest = below(rest, 1);
    let rule = top(rest, u16::from(area.height >= 22));
    let rest = below(rest, rule.height);
    let footer = below(rest, rest.height.saturating_sub(1));
    let rest = top(rest, rest.height.saturating_sub(1));
    let wanted = match (scene.state.log, scene.state.view().log) {
        (Some(true), _) => (area.height / 5).clamp(3, 12),
        (None, Log::WhereRoom) if area.height >= 34 => (area.height / 12).clamp(3, 8),
        _ => 0,
    };
    // A blank row stands before the log.
    let log_height = if wanted > 0 { wanted + 1 } else { 0 };
    let body = top(rest, rest.height.saturating_sub(log_height));
    let inset = |area: Rect| Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    Parts {
        header: inset(header),
        problem: inset(problem),
        tabs: inset(tabs),
        rule,
        body: inset(body),
        log: inset(below(below(rest, body.height), 1)),
        footer: inset(footer),
    }
}

/// How many maps stand side by side in the view in sight.
pub fn columns(session: &Session, state: &State, theme: &Theme) -> usize {
    let scene = Scene {
        session,
        state,
        theme,
    };
    let area = Rect::new(0, 0, state.size.width, state.size.height);
    let body = parts(&scene, area).body;
    (state.view().columns)(&scene, body).max(1)
}

/// Whether the log is in sight.
pub fn shows_log(session: &Session, state: &State, theme: &Theme) -> bool {
    let scene = Scene {
        session,
        state,
        theme,
    };
    let area = Rect::new(0, 0, state.size.width, state.size.height);
    parts(&scene, area).log.height > 0
}

fn framed(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let parts = parts(scene, area);
    header(scene, parts.header, buf);
    if let Some(problem) = problem(scene) {
        let text = format!("{} {}", scene.theme.glyphs.warning, clean(&problem));
        let text = cut(&text, usize::from(parts.problem.width));
        left(
            buf,
            parts.problem,
            0,
            Span::styled(text, scene.theme.warning()),
        );
    }
    tabs(scene, parts.tabs, buf);
    rule(
        buf,
        parts.rule,
        0,
        scene.theme.glyphs.rule,
        scene.theme.dim(),
    );
    match scene.state.overlay {
        Overlay::Help(first) => help::draw(scene, first, parts.body, buf),
        Overlay::Stop => question::draw(scene, parts.body, buf),
        Overlay::None => (scene.state.view().draw)(scene, parts.body, buf),
    }
    log(scene, parts.log, buf);
    footer(scene, parts.footer, buf);
}

fn too_small(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let least = Size::LEAST;
    let lines = [
        format!("{}×{} is too small a screen", area.width, area.height),
        format!("for maps; make it {}×{}", least.width, least.height),
        String::new(),
        match scene.state.overlay {
            Overlay::Stop => "s stop   Esc stay".into(),
            _ => "q leave".to_string(),
        },
    ];
    let start = area.height.saturating_sub(lines.len() as u16) / 2;
    for (row, line) in lines.into_iter().enumerate() {
        centre(buf, area, start + row as u16, line);
    }
}

fn header(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Scene {
        session,
        theme,
        state,
    } = *scene;
    let (mark, words, style) = phase(scene);
    let mut end = vec![Span::styled(format!("{mark} {words}"), style)];
    if let Some(eta) = session.run.as_ref().and_then(|run| run.eta_s) {
        end.push(Span::styled("   ETA ", theme.dim()));
        end.push(Span::styled(duration(eta), theme.bright()));
    }
    if matches!(state.connection, Connection::Lost(_) | Connection::ReadOnly) {
        end.push(Span::styled("   read-only", theme.dim()));
    }
    let used = right(buf, area, 0, Line::from(end));
    let mut area = area;
    area.width = area.width.saturating_sub(used + 2);
    let used = left(buf, area, 0, Span::styled("noisescope  ", theme.dim()));
    let name = cut(&clean(&session.name), usize::from(area.width - used));
    let used = used
        + left(
            buf,
            beside(area, used),
            0,
            Span::styled(name, theme.bright()),
        );
    let room = usize::from(area.width - used);
    // A part cut in its middle says nothing: the last ones go until the rest has room.
    let mut what = what_runs_on_what(scene);
    let dot = format!(" {} ", theme.glyphs.dot);
    while Span::raw(what.join(&dot)).width() + 3 > room && what.pop().is_some() {}
    let what = Span::styled(format!("   {}", what.join(&dot)), theme.dim());
    left(buf, beside(area, used), 0, what);
}

/// `MNIST`, `cnn 431,080`, `flex · 2 workers`.
fn what_runs_on_what(scene: &Scene<'_>) -> Vec<String> {
    let Scene { session, .. } = *scene;
    let record = &session.record;
    let parameters = match (&session.run, &record.training) {
        (Some(run), _) if run.parameters > 0 => run.parameters,
        (_, Some(training)) => training.parameters,
        _ => 0,
    };
    let mut network = session.config.network.kind.label().to_string();
    if parameters > 0 {
        network = format!("{network} {}", thousands(parameters as u64));
    }
    let mut parts = vec![session.config.dataset.name.label().to_string(), network];
    let device = match &session.run {
        Some(run) => Some(&run.device),
        None => record.devices.last(),
    };
    let device = device.filter(|device| !device.is_empty());
    parts.extend(device.map(|device| clean(device)));
    parts
}

fn tabs(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Scene {
        session,
        state,
        theme,
    } = *scene;
    let mut ages: Vec<String> = Vec::new();
    if let Some(run) = &session.run {
        ages.push(match &run.checkpoint {
            Some(last) => {
                let age = (state.now - last.at).max(0) as f64;
                format!("checkpoint {} ago", duration(age))
            }
            None => "no checkpoint yet".into(),
        });
        ages.push(format!("up {}", clock(run.up_s)));
    }
    if area.width < 72 {
        ages.truncate(1);
    }
    let ages = Span::styled(ages.join("   "), theme.dim());
    let used_right = right(buf, area, 0, ages) + 2;
    let named = |all: bool| -> Line<'static> {
        let tab = |(index, view): (usize, &super::View)| {
            let number = index + 1;
            if index == state.view {
                vec![
                    Span::styled(format!("{number} {}", view.name), theme.chosen()),
                    Span::raw("   "),
                ]
            } else if all {
                vec![Span::styled(
                    format!("{number} {}   ", view.name),
                    theme.dim(),
                )]
            } else {
                vec![Span::styled(format!("{number}  "), theme.dim())]
            }
        };
        VIEWS.iter().enumerate().flat_map(tab).collect()
    };
    let room = area.width.saturating_sub(used_right);
    let line = Some(named(true))
        .filter(|line| line.width() <= usize::from(room) + 3)
        .unwrap_or_else(|| named(false));
    left(
        buf,
        Rect {
            width: room,
            ..area
        },
        0,
        line,
    );
}

fn log(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Scene {
        session,
        state,
        theme,
    } = *scene;
    if area.height == 0 {
        return;
    }
    let lines = session.run.as_ref().map_or(&[][..], |run| &run.log);
    if lines.is_empty() {
        let text = match session.run {
            Some(_) => "nothing to report yet",
            None => "no engine runs this session, so there is no log",
        };
        left(buf, area, 0, Span::styled(text, theme.dim()));
        return;
    }
    let start = lines.len().saturating_sub(usize::from(area.height));
    // The newest first: it stays where it is when another one comes.
    for (row, line) in lines[start..].iter().rev().enumerate() {
        let time = time_of(line.at, state);
        let style = if line.warning {
            theme.warning()
        } else if row == 0 {
            theme.text()
        } else {
            theme.dim()
        };
        let text = cut(
            &clean(&line.text),
            usize::from(area.width).saturating_sub(10),
        );
        let spans = vec![
            Span::styled(format!("{time}  "), theme.dim()),
            Span::styled(text, style),
        ];
        left(buf, area, row as u16, Line::from(spans));
    }
}

/// The time of day in the viewer's zone.
fn time_of(at: i64, state: &State) -> String {
    match jiff::Timestamp::from_second(at) {
        Ok(time) => {
            let time = time.to_zoned(state.zone.clone());
            format!(
                "{:02}:{:02}:{:02}",
                time.hour(),
                time.minute(),
                time.second()
            )
        }
        Err(_) => "--:--:--".into(),
    }
}

fn footer(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Scene {
        session,
        state,
        theme,
    } = *scene;
    // The last entries are the way out: they stay whatever else must go.
    let rows: Vec<&Binding> = action::available(state)
        .filter(|row| !row.short.is_empty())
        .filter(|row| action::is_possible(row.action, state, session))
        .collect();
    let mut entries: Vec<(String, &'static str)> = Vec::new();
    for row in rows {
        let key = row.keys[0].label();
        match entries.iter_mut().find(|(_, short)| *short == row.short) {
            Some((keys, _)) => {
                // Arrows, and the two keys beside them at most: "←→↑↓ class".
                if keys.chars().count() < 4 {
                    keys.push_str(&key);
                }
            }
            None => entries.push((key, row.short)),
        }
    }
    let width = |entry: &(String, &'static str)| {
        Span::raw(entry.0.as_str()).width()
            + 1
            + Span::raw(action::word(entry.1, state, session, theme)).width()
    };
    let total = |entries: &[(String, &'static str)]| {
        entries.iter().map(width).sum::<usize>() + 3 * entries.len().saturating_sub(1)
    };
    while total(&entries) > usize::from(area.width) && entries.len() > 3 {
        let at = entries.len() - 3;
        entries.remove(at);
    }
    let mut spans = Vec::new();
    for (keys, short) in entries {
        spans.push(Span::styled(keys, theme.accent()));
        spans.push(Span::styled(
            format!(" {}   ", action::word(short, state, session, theme)),
            theme.dim(),
        ));
    }
    left(buf, area, 0, Line::from(spans));
}
