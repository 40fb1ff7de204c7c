//! The frame around every view: header, tabs, body, log and footer, and the overlays above it.

pub(super) mod footer;
mod header;
mod log;
pub(super) mod room;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::format::clean;
use crate::session::Session;
use crate::tui::action::{Action, first_key_of};
use crate::tui::overlay::{copy, extend, help, jump, note, palette, question};
use crate::tui::possible;
use crate::tui::scene::Scene;
use crate::tui::scene::progress::problem;
use crate::tui::size::Size;
use crate::tui::state::{DashboardState, Overlay};
use crate::tui::theme::Theme;
use crate::tui::view::{Log, View};
use crate::tui::widget::text::{below, beside, centre, cut, left, rule, start, top, wrap};

/// Draws everything: a pure function of the session, the viewer's state, the area and what the terminal can
/// show.
pub fn draw(
    session: &Session,
    state: &DashboardState,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let scene = scene(session, state, theme);
    room::draw(
        theme,
        area,
        buf,
        |area, buf| framed(&scene, state, area, buf),
        |area, buf| too_small(state, area, buf),
    );
}

fn scene<'a>(session: &'a Session, state: &'a DashboardState, theme: &'a Theme) -> Scene<'a> {
    Scene {
        session,
        shared: &state.shared,
        theme,
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

fn areas(scene: &Scene<'_>, state: &DashboardState, area: Rect) -> Parts {
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
    let rows = match (state.log, state.view().log) {
        // If there is no log, one row is enough to say so.
        (Some(true), _) if log::lines(scene).is_empty() => 1,
        (None, Log::IfRoom) if log::lines(scene).is_empty() && scene.session.run.is_none() => 0,
        (Some(true), _) => (area.height / 5).clamp(3, 12),
        (None, Log::IfRoom) if area.height >= 34 => (area.height / 12).clamp(3, 8),
        _ => 0,
    };
    // A blank row goes before the log.
    let log_height = if rows > 0 { rows + 1 } else { 0 };
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

/// The area of the active view.
pub fn body(session: &Session, state: &DashboardState, theme: &Theme) -> Rect {
    panes(state, on_screen(session, state, theme).body).0
}

/// The area of all views, where the list of keys is drawn.
pub fn whole(session: &Session, state: &DashboardState, theme: &Theme) -> Rect {
    on_screen(session, state, theme).body
}

/// Columns between two views.
const GAP: u16 = 3;

/// The area of the active view, and that of the one beside it if there is one and it fits. Each has its name
/// above.
fn panes(state: &DashboardState, body: Rect) -> (Rect, Option<Rect>) {
    let Some(other) = state.beside.filter(|_| body.width + 2 >= Size::OF_TWO) else {
        return (body, None);
    };
    let half = (body.width - GAP) / 2;
    let body = below(body, 1);
    let (first, second) = (start(body, half), beside(body, half + GAP));
    match other.left {
        true => (second, Some(first)),
        false => (first, Some(second)),
    }
}

/// Whether the log is visible.
pub fn shows_log(session: &Session, state: &DashboardState, theme: &Theme) -> bool {
    on_screen(session, state, theme).log.height > 0
}

fn on_screen(session: &Session, state: &DashboardState, theme: &Theme) -> Parts {
    let size = state.shared.size;
    let area = Rect::new(0, 0, size.width, size.height);
    areas(&scene(session, state, theme), state, area)
}

fn framed(scene: &Scene<'_>, state: &DashboardState, area: Rect, buf: &mut Buffer) {
    let parts = areas(scene, state, area);
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
    header::tabs(scene, state, parts.tabs, buf);
    rule(
        buf,
        parts.rule,
        0,
        scene.theme.glyphs.rule,
        scene.theme.dim(),
    );
    match state.overlay {
        Overlay::Help(first) => help::draw(scene, state, first, parts.body, buf),
        Overlay::FindKeys => help::draw(scene, state, 0, parts.body, buf),
        Overlay::Palette => {
            let rows = possible::fitting(&state.palette.typed, state, scene.session);
            palette::draw(&state.palette, &rows, scene.theme, parts.body, buf);
        }
        Overlay::Stop => question::draw(scene, parts.body, buf),
        Overlay::None => views(scene, state, parts.body, buf),
        Overlay::Jump(kind) => {
            views(scene, state, parts.body, buf);
            jump::draw(scene, state, kind, parts.body, buf);
        }
        Overlay::Copy => {
            views(scene, state, parts.body, buf);
            copy::draw(scene, state, parts.body, buf);
        }
        Overlay::Note => {
            views(scene, state, parts.body, buf);
            note::draw(scene, state, parts.body, buf);
        }
        Overlay::Extend => {
            views(scene, state, parts.body, buf);
            extend::draw(scene, state, parts.body, buf);
        }
    }
    log::draw(scene, parts.log, buf);
    let rows = possible::available(state)
        .filter(|row| possible::is_possible(row.action, state, scene.session));
    let word = |short| possible::word(short, state, scene.session, scene.theme);
    match &state.notice {
        Some(news) => footer::draw_notice(news, scene.theme, parts.footer, buf),
        None => footer::draw(rows, word, scene.theme, parts.footer, buf),
    }
}

/// Draws the active view, or two views.
fn views(scene: &Scene<'_>, state: &DashboardState, body: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let (active, second) = panes(state, body);
    let mut draw = |view: &dyn View, area: Rect| view.draw(scene, area, buf);
    draw(state.active_view(), active);
    let (Some(area), Some((entry, view))) = (second, state.second_view()) else {
        return;
    };
    draw(view, area);
    let names = [
        (active, state.view().name, theme.chosen(), theme.accent()),
        (area, entry.name, theme.dim(), theme.dim()),
    ];
    for (pane, name, style, line) in names {
        let row = Rect {
            y: body.y,
            height: 1,
            ..pane
        };
        let used = left(buf, row, 0, Span::styled(format!("{name} "), style));
        rule(buf, beside(row, used), 0, theme.glyphs.rule, line);
    }
}

fn too_small(state: &DashboardState, area: Rect, buf: &mut Buffer) {
    let key = |action| first_key_of(state.shared.keys, action);
    let least = Size::LEAST;
    let size = format!("{}×{} is too small a screen", area.width, area.height);
    let wish = format!("for maps; make it {}×{}", least.width, least.height);
    let mut lines = [size, wish]
        .iter()
        .flat_map(|text| wrap(text, area.width))
        .collect::<Vec<_>>();
    lines.extend([
        String::new(),
        match state.overlay {
            Overlay::Stop => format!("{} stop   {} stay", key(Action::StopNow), key(Action::Stay)),
            Overlay::None => format!("{} leave", key(Action::Leave)),
            // What covers the view takes the other key: it types it, or closes.
            _ => format!("{} leave", key(Action::Interrupt)),
        },
    ]);
    let start = area.height.saturating_sub(lines.len() as u16) / 2;
    for (row, line) in lines.into_iter().enumerate() {
        centre(buf, area, start + row as u16, line);
    }
}
