//! Draws the list of sessions: a pure function of the list, the area and what the terminal can show.

mod form;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::list::{Browser, Mode};
use super::row::SessionRow;
use crate::format::{age, clean, count, percent, thousands};
use crate::report::SessionStatus;
use crate::report::session_status::silence_text;
use crate::tui::action::{Action, first_key_of};
use crate::tui::frame::{footer, room};
use crate::tui::overlay::{help, palette, question};
use crate::tui::theme::Theme;
use crate::tui::widget::bar::progress;
use crate::tui::widget::text::{below, beside, centre, cut, left, right, start, top, wrap};

/// Columns of a state: its glyph and its word.
const STATE: u16 = 14;
/// Columns of an age.
const AGE: u16 = 11;
/// Above this number, sessions are seldom all visible.
const MANY: usize = 12;
/// Rows for the details of the chosen session.
const DETAIL: u16 = 4;

/// Draws the list, or what covers it.
pub fn draw(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let leave = match browser.mode {
        Mode::List => Action::Leave,
        // What covers the list takes the other key: it types it, or ignores it.
        _ => Action::Interrupt,
    };
    let leave = format!("{} leaves", first_key_of(browser.keys, leave));
    room::draw(
        theme,
        area,
        buf,
        |area, buf| framed(browser, theme, area, buf),
        |area, buf| room::ask_for_more(&leave, area, buf),
    );
}

fn framed(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let [head, body, foot] = room::bands(theme, area, buf);
    header(browser, theme, head, buf);
    let used = problem(browser, theme, body, buf);
    let body = below(body, used);
    match &browser.mode {
        Mode::Help(first) => help::draw_of_list(browser.keys, theme, *first, body, buf),
        Mode::Stopping(name) => question::draw_of(name, browser.keys, theme, body, buf),
        Mode::Palette(palette) => {
            let rows = browser.commands(&palette.typed);
            palette::draw(palette, &rows, theme, body, buf);
        }
        Mode::Form(form) => form::draw(browser, form, theme, body, buf),
        Mode::Deleting(question) => question.draw(browser.now, browser.keys, theme, body, buf),
        Mode::List | Mode::Filter => draw_list(browser, theme, body, buf),
    }
    let chooses = browser.state.against.is_some();
    let (pilots, grains) = match &browser.mode {
        Mode::Form(form) => (form.needs_pilot(), form.has_grains()),
        _ => (false, false),
    };
    let word = |word| match word {
        "create and run" if pilots => "try it first",
        "preset" if grains => "grain",
        "pause" if browser.is_paused() => "resume",
        "hold" if browser.held => "follow",
        "open" if chooses => "compare",
        "leave" if chooses => "back",
        word => word,
    };
    footer::draw(browser.possible(), word, theme, foot, buf);
}

fn header(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let all = browser.all();
    let running = all.iter().filter(|row| row.is_running()).count();
    let mut counted = match (&browser.rows, all.len()) {
        (None, _) => String::new(),
        (_, 1) => format!("1 session, {running} running"),
        (_, many) => format!("{many} sessions, {running} running"),
    };
    if browser.held {
        counted = format!("held   {counted}");
    }
    // The position in a long list.
    if let Some((index, _)) = browser.chosen().filter(|_| browser.shown().len() > MANY) {
        counted = format!("{} of {}   {counted}", index + 1, browser.shown().len());
    }
    let used = right(buf, area, 0, Span::styled(counted, theme.dim()));
    let title = match &browser.state.against {
        Some(name) => format!("compare {} with …", clean(name)),
        None => "sessions".to_owned(),
    };
    let line = Line::from(vec![
        Span::styled("noisescope  ", theme.dim()),
        Span::styled(title, theme.bright()),
    ]);
    let room = start(area, area.width.saturating_sub(used + 2));
    left(buf, room, 0, line);
}

/// Draws the problem or the result of the last choice; returns the rows used.
fn problem(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) -> u16 {
    let (text, style) = match (&browser.state.problem, &browser.state.notice) {
        (Some(problem), _) => {
            let text = format!("{} {}", theme.glyphs.warning, clean(problem));
            (text, theme.warning())
        }
        (None, Some(news)) => (clean(news), theme.text()),
        (None, None) => return 0,
    };
    let lines = wrap(&text, area.width);
    let rows = lines.len().min(4) as u16;
    for (row, line) in lines.into_iter().take(4).enumerate() {
        left(buf, area, row as u16, Span::styled(line, style));
    }
    rows + 1
}

fn draw_list(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let typing = browser.mode == Mode::Filter;
    let mut area = area;
    if typing || !browser.state.filter.is_empty() {
        let cursor = if typing { caret(theme) } else { "" };
        let line = Line::from(vec![
            Span::styled("/", theme.accent()),
            Span::styled(clean(&browser.state.filter), theme.bright()),
            Span::styled(cursor, theme.accent()),
        ]);
        left(buf, area, 0, line);
        area = below(area, 2);
    }
    let shown = browser.shown();
    let Some((chosen, row)) = browser.chosen() else {
        let filter = clean(&browser.state.filter);
        let text = match (&browser.rows, filter.is_empty()) {
            (None, _) => "reading the sessions".into(),
            (Some(_), true) => format!(
                "There is no session yet. Press {} to create one.",
                first_key_of(browser.keys, Action::NewSession)
            ),
            (Some(_), false) => format!(
                "No session name contains \"{filter}\". {} shows all.",
                first_key_of(browser.keys, Action::ClearFilter)
            ),
        };
        centre(buf, area, area.height / 3, Span::styled(text, theme.dim()));
        return;
    };
    let rows = top(area, area.height.saturating_sub(DETAIL + 1));
    let columns = Columns::fit(&shown, area.width);
    let height = usize::from(rows.height.max(1));
    let first = (chosen + 1).saturating_sub(height);
    for (index, row) in shown.iter().enumerate().skip(first).take(height) {
        let line = below(rows, (index - first) as u16);
        draw_row(
            browser,
            row,
            index == chosen,
            columns,
            theme,
            top(line, 1),
            buf,
        );
    }
    let detail = below(area, rows.height + 1);
    draw_detail(row, browser.now, theme, detail, buf);
}

/// Columns of the parts of a row; 0: not shown.
#[derive(Debug, Clone, Copy)]
struct Columns {
    name: u16,
    bar: u16,
    headline: u16,
}

impl Columns {
    fn fit(rows: &[&SessionRow], width: u16) -> Self {
        let longest = rows.iter().map(|row| Span::raw(clean(&row.name)).width());
        let longest = longest.max().unwrap_or(0) as u16;
        // Pointer, state, share, age and the gaps between them.
        let rest = width.saturating_sub(2 + 2 + STATE + 2 + 6 + AGE);
        let name = longest.clamp(8, (rest * 2 / 3).clamp(8, 36));
        let rest = rest.saturating_sub(name);
        let bar = (rest / 3).clamp(0, 24);
        let bar = if bar < 6 { 0 } else { bar };
        let headline = rest.saturating_sub(bar + 4);
        Self {
            name,
            bar,
            headline: if headline < 12 { 0 } else { headline },
        }
    }
}

fn draw_row(
    browser: &Browser,
    row: &SessionRow,
    chosen: bool,
    columns: Columns,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let (mark, style) = match chosen {
        true => (theme.glyphs.pointer, theme.chosen()),
        false => (" ", theme.text()),
    };
    let name = cut(&clean(&row.name), usize::from(columns.name));
    left(buf, area, 0, Span::styled(format!("{mark} {name}"), style));
    let area = beside(area, 2 + columns.name + 2);
    let (mark, word, style) = state(row, theme);
    let words = Span::styled(format!("{mark} {word}"), style);
    left(buf, start(area, STATE), 0, words);
    let area = beside(area, STATE);
    if row.total > 0 {
        let share = row.done as f64 / row.total as f64;
        let bar = Line::from(progress(share, columns.bar, theme));
        left(buf, start(area, columns.bar), 0, bar);
        // Rounded down, so that 100 % appears only when all is done, and not only the trials.
        let text = match &row.open {
            Some(_) => "open".to_owned(),
            None => percent((share * 1000.0).floor() / 1000.0),
        };
        let share = start(beside(area, columns.bar), 8);
        right(buf, share, 0, Span::raw(text));
    }
    let area = beside(area, columns.bar + 8);
    let room = usize::from(columns.headline.min(area.width.saturating_sub(AGE + 1)));
    let open = open(row);
    let headline = row.problem().or(open.as_deref());
    let headline = headline.unwrap_or(&row.headline);
    if columns.headline > 0 && area.width > AGE + 2 {
        let text = cut(&clean(headline), room.saturating_sub(2));
        left(buf, beside(area, 2), 0, Span::styled(text, theme.dim()));
    }
    if let Some(updated) = row.updated {
        let text = age((browser.now - updated).max(0));
        right(buf, area, 0, Span::styled(text, theme.dim()));
    }
}

/// What is open although all trials are done, if anything.
fn open(row: &SessionRow) -> Option<String> {
    row.open.as_ref().map(|stages| format!("open: {stages}"))
}

/// A state's glyph, word and style.
fn state(row: &SessionRow, theme: &Theme) -> (&'static str, &'static str, Style) {
    let glyphs = &theme.glyphs;
    let (glyph, style) = match &row.standing {
        SessionStatus::New => (glyphs.waiting, theme.dim()),
        SessionStatus::Running => (glyphs.working, theme.accent()),
        SessionStatus::Paused => (glyphs.paused, theme.warning()),
        SessionStatus::Hung(_) => (glyphs.warning, theme.warning()),
        SessionStatus::Interrupted => (glyphs.paused, theme.warning()),
        SessionStatus::Stopped => (glyphs.stopped, theme.text()),
        SessionStatus::Finished => (glyphs.done, theme.text()),
        SessionStatus::Failed(_) => (glyphs.failed, theme.warning()),
        SessionStatus::Damaged(_) | SessionStatus::Unreadable(_) | SessionStatus::Newer(_) => {
            (glyphs.warning, theme.warning())
        }
    };
    (glyph, row.standing.label(), style)
}

/// Draws the details of the chosen session.
fn draw_detail(row: &SessionRow, now: i64, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let mut first = vec![Span::styled(
        cut(&clean(&row.name), usize::from(area.width / 2)),
        theme.bright(),
    )];
    if row.total > 0 {
        let text = match area.width >= 90 {
            true => format!(
                "   {} of {} trials",
                thousands(row.done),
                thousands(row.total)
            ),
            false => format!(
                "   {} of {} trials",
                count(row.done as f64),
                count(row.total as f64)
            ),
        };
        first.push(Span::raw(text));
    }
    if let Some(pid) = row.pid {
        first.push(Span::styled(format!("   process {pid}"), theme.dim()));
    }
    if let Some(open) = open(row) {
        let used: usize = first.iter().map(Span::width).sum();
        let room = usize::from(area.width).saturating_sub(used + 3);
        first.push(Span::raw(format!("   {}", cut(&clean(&open), room))));
    }
    left(buf, area, 0, Line::from(first));
    let silent = match row.standing {
        SessionStatus::Hung(since) => Some(silence_text(since, now)),
        _ => None,
    };
    let (text, style) = match silent.as_deref().or(row.problem()) {
        Some(why) => (why, theme.warning()),
        None => (row.headline.as_str(), theme.dim()),
    };
    let room = usize::from(DETAIL - 1);
    for (line, text) in wrap(&clean(text), area.width)
        .into_iter()
        .take(room)
        .enumerate()
    {
        let text = cut(&text, usize::from(area.width));
        left(buf, area, 1 + line as u16, Span::styled(text, style));
    }
}

/// The text cursor.
fn caret(theme: &Theme) -> &'static str {
    if theme.glyphs.unicode { "▏" } else { "_" }
}
