//! The frame around every view: header, tabs, body, log, footer; and what lies over it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::progress::problem;
use super::{Log, Scene, Size, footer, header, help, palette, question};
use crate::format::clean;
use crate::session::Session;
use crate::tui::action;
use crate::tui::state::{Overlay, State};
use crate::tui::theme::{Theme, plain_ascii};
use crate::tui::widget::text::{below, centre, cut, left, rule, top};

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
        // Where there is none, a row is enough to say so.
        (Some(true), _) if scene.session.run.is_none() => 1,
        (None, Log::WhereRoom) if scene.session.run.is_none() => 0,
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
    header::draw(scene, parts.header, buf);
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
    header::tabs(scene, parts.tabs, buf);
    rule(
        buf,
        parts.rule,
        0,
        scene.theme.glyphs.rule,
        scene.theme.dim(),
    );
    match scene.state.overlay {
        Overlay::Help(first) => help::draw(scene, first, parts.body, buf),
        Overlay::Palette => palette::draw(scene, parts.body, buf),
        Overlay::Stop => question::draw(scene, parts.body, buf),
        Overlay::None => (scene.state.view().draw)(scene, parts.body, buf),
    }
    log(scene, parts.log, buf);
    let rows = action::available(scene.state)
        .filter(|row| action::is_possible(row.action, scene.state, scene.session));
    let word = |short| action::word(short, scene.state, scene.session, scene.theme);
    footer::draw(rows, word, scene.theme, parts.footer, buf);
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
