//! Draws the effect of pasting the finding on test images, by the class of the images, and that of the other
//! classes' windows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{AuditSelection, in_lines};
use crate::figure::audit::share_with_interval;
use crate::format::percent;
use crate::ids::ClassId;
use crate::session::record::{OtherWindows, PastedFinding};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::widget::columns::pad_end;
use crate::tui::widget::text::{beside, left};

/// Rows that the table takes of `height`: two rows of text if there is little room, else a heading and as
/// many classes as fit.
pub fn rows(sight: &AuditSelection<'_>, height: u16) -> u16 {
    match height {
        ..10 => 0,
        10..26 => 2,
        _ => (sight.classes as u16 + 2).min(height / 2),
    }
}

/// Draws the table.
pub fn draw(scene: &Scene<'_>, sight: &AuditSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let Some(first) = sight
        .audit
        .pasted
        .first()
        .filter(|pasted| pasted.others().total > 0)
    else {
        let text = Span::styled("the finding has not been pasted yet", theme.dim());
        left(buf, area, 0, text);
        return;
    };
    if area.height < 4 {
        let sentence = sight
            .statement
            .as_ref()
            .and_then(|statement| statement.pasted.clone());
        let sentence = sentence.unwrap_or_default();
        let lines = in_lines(&sentence, area.width, usize::from(area.height));
        for (row, line) in lines.into_iter().enumerate() {
            left(buf, area, row as u16, Span::raw(line));
        }
        return;
    }
    by_source(scene, first, area, buf);
    others(scene, sight, beside(area, area.width / 2), buf);
}

/// Columns of the heading of the shares that are called the class.
const CALLED: usize = 18;

/// How many of `all` rows of a list below a heading are drawn in `room` rows. If not all are, the last row says how many
/// more there are.
fn listed(scene: &Scene<'_>, all: usize, room: usize, area: Rect, buf: &mut Buffer) -> usize {
    if all <= room || room == 0 {
        return all.min(room);
    }
    let text = format!("  … {} more", all - (room - 1));
    left(
        buf,
        area,
        room as u16,
        Span::styled(text, scene.theme.dim()),
    );
    room - 1
}

/// Draws the effect of the finding on images of every class.
fn by_source(scene: &Scene<'_>, pasted: &PastedFinding, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let name = form::class_name_within(scene.session, pasted.class, CALLED - 8);
    let head = format!(
        "pasted on images of       {}without",
        pad_end(&format!("called {name}"), CALLED)
    );
    left(buf, area, 0, Span::styled(head, theme.dim()));
    let sources = ClassId::all(pasted.shown.len()).filter(|&class| class != pasted.class);
    let most = pasted.sources().map_or_else(Vec::new, |most| most.0);
    let all = pasted.shown.len().saturating_sub(1);
    let room = usize::from(area.height.saturating_sub(2));
    let listed = listed(scene, all, room, area, buf);
    for (row, class) in sources.take(listed).enumerate() {
        let name = form::class_name_within(scene.session, class, 14);
        let without = match pasted.shown[class] {
            0 => String::new(),
            of => percent(pasted.before[class] as f64 / of as f64),
        };
        let text = format!(
            "  {} {:>24} {without:>9}",
            pad_end(&name, 14),
            share_with_interval(pasted.called_from(class))
        );
        let style = match most.contains(&class) {
            true => theme.bright(),
            false => theme.text(),
        };
        left(buf, area, 1 + row as u16, Span::styled(text, style));
    }
    let text = format!(
        "  {:<14} {:>24}",
        "all of them",
        share_with_interval(pasted.others())
    );
    left(
        buf,
        area,
        area.height - 1,
        Span::styled(text, theme.bright()),
    );
}

/// Draws the effect of the windows of all classes, each on images of all classes but its own, and whether another one
/// works as well as the first.
fn others(scene: &Scene<'_>, sight: &AuditSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let head = "window of class            called it          without";
    left(buf, area, 0, Span::styled(head, theme.dim()));
    let pasted = &sight.audit.pasted;
    let is_vain = OtherWindows::beside_first(pasted).is_some_and(|windows| windows.as_effective);
    if is_vain {
        let text = "pasting distinguishes nothing: others do as much";
        let text = Span::styled(text, theme.warning());
        left(buf, area, area.height - 1, text);
    }
    let room = usize::from(area.height.saturating_sub(1 + u16::from(is_vain)));
    let listed = listed(scene, pasted.len(), room, area, buf);
    for (row, pasted) in pasted.iter().take(listed).enumerate() {
        let name = form::class_name_within(scene.session, pasted.class, 14);
        let without = pasted
            .before_pasting()
            .rate()
            .map_or_else(String::new, percent);
        let text = format!(
            "  {} {:>24} {without:>9}",
            pad_end(&name, 14),
            share_with_interval(pasted.others())
        );
        let style = match row {
            0 => theme.bright(),
            _ => theme.text(),
        };
        left(buf, area, 1 + row as u16, Span::styled(text, style));
    }
}
