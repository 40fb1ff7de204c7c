//! The whole run at a glance: its maps so far, its stages, its speed.

mod beginning;
mod reliable;
mod stages;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Log, Reply, View, ViewContext, ViewEntry};
use crate::figure::Figure;
use crate::format::{clean, count, gamma, number, percent};
use crate::session::Session;
use crate::session::record::{ClassificationImages, Epoch, NoteTarget};
use crate::tui::action::{Action, KeyContext, first_key_of};
use crate::tui::location::Location;
use crate::tui::scene::contact_sheet::{self, ContactSheetLayout};
use crate::tui::scene::map_set::{MapKind, MapSet};
use crate::tui::scene::progress::{current, live_run};
use crate::tui::scene::{Scene, epochs};
use crate::tui::shared::{self, SharedState};
use crate::tui::theme::Bandwidth as Wire;
use crate::tui::widget::bar::{between, spark};
use crate::tui::widget::scale;
use crate::tui::widget::text::{below, beside, cut, left, right, start, top};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Overview",
    pace: Duration::from_millis(500),
    log: Log::IfRoom,
    new: || Box::new(OverviewView),
};

/// The view; it has only the state shared by all views.
#[derive(Debug, Clone, Copy)]
pub struct OverviewView;

impl View for OverviewView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        draw(scene, area, buf);
    }

    fn contexts(&self) -> &'static [KeyContext] {
        &[KeyContext::Sheet]
    }

    fn is_possible(&self, action: Action, _: &SharedState, session: &Session) -> bool {
        contact_sheet::is_possible(action, session)
    }

    fn figure(&self, shared: &SharedState, session: &Session) -> Option<Figure> {
        shared.figure_of_maps(session)
    }

    fn location(&self, shared: &SharedState, session: &Session) -> Location {
        shared.location(session)
    }

    fn update(
        &mut self,
        action: Action,
        shared: &mut SharedState,
        around: &ViewContext<'_>,
    ) -> Reply {
        match action {
            Action::SheetUp => step_row(shared, around, -1),
            Action::SheetDown => step_row(shared, around, 1),
            Action::WeakerGamma => step_gamma(shared, around.session, -1),
            Action::StrongerGamma => step_gamma(shared, around.session, 1),
            // The view of maps can show a single class closer.
            Action::Enlarge => return Reply::LookCloser,
            _ => return Reply::Ignored,
        }
        Reply::Done
    }
}

fn step_row(shared: &mut SharedState, around: &ViewContext<'_>, step: isize) {
    let columns = columns(&around.scene(shared), around.body) as isize;
    shared.step_row(around.session, step * columns);
}

fn step_gamma(shared: &mut SharedState, session: &Session, step: isize) {
    if let Some(images) = shared.current_images(session) {
        let in_sight = shared.gamma_index_of_all(images);
        shared.step_gamma(images, in_sight, step);
    }
}

/// Number of maps in a row.
fn columns(scene: &Scene<'_>, area: Rect) -> usize {
    let layout = areas(scene, area).sheet;
    layout.map_or(1, |(layout, _)| layout.columns)
}

/// The classification images shown, if they have at least one trial.
fn images<'a>(scene: &Scene<'a>) -> Option<&'a ClassificationImages> {
    let images = scene.shared.current_images(scene.session);
    images.filter(|images| images.trials() > 0)
}

/// Maximum blank rows added between two rows of maps.
const MOST_AIR: u16 = 2;

/// The division of the area: pictures above, figures below.
struct Parts {
    pictures: Rect,
    figures: Rect,
    /// The stages, each a row.
    stages: Vec<stages::StageRow>,
    /// How the reliability of the maps is shown.
    reliable: reliable::ReliabilityForm,
    /// Whether loss, accuracy and speed have a row.
    sparks: bool,
    /// The maps' layout, and the area for them.
    sheet: Option<(ContactSheetLayout, Rect)>,
}

fn areas(scene: &Scene<'_>, area: Rect) -> Parts {
    let stages = stages::rows(scene.session, area.height);
    let images = images(scene);
    let gammas = images.map_or(0, |images| images.gammas.len() as u16);
    let roomy = u16::from(area.height >= 20);
    // On a small screen with many stages the sparklines are dropped: other views have their numbers.
    let sparks = area.height >= 30 || stages.len() < stages::FEW;
    let end = if sparks { roomy + 1 } else { 0 };
    // A blank row, the stages, reliability, a blank row, sparklines.
    let figures = roomy + stages.len() as u16 + gammas.min(1) + end;
    let pictures = area.height.saturating_sub(figures);
    let words = if area.height >= 48 { 3 } else { 2 };
    let sheet = images
        .and_then(|images| MapSet::best(scene.session, images, scene.shared, MapKind::Image))
        .map(|lens| {
            let maps_area = below(top(area, pictures), 1);
            let size = (maps_area.width, maps_area.height);
            let layout = ContactSheetLayout::fit(lens.classes(), lens.size(), size, words);
            (layout, maps_area)
        });
    // Rows that the maps leave free are used for the reliability at every γ.
    let left_over = sheet.map_or(0, |(layout, maps_area): (ContactSheetLayout, Rect)| {
        maps_area.height.saturating_sub(layout.taken())
    });
    let (reliable, more) = match gammas {
        2.. if area.height >= 30 && left_over >= gammas - 1 => {
            (reliable::ReliabilityForm::Table, gammas - 1)
        }
        _ => (reliable::ReliabilityForm::Line, 0),
    };
    let pictures = pictures - more;
    // What then remains becomes blank rows between the rows of maps.
    let sheet = sheet.map(|(layout, maps_area)| {
        let rows = layout.rows as u16;
        let air = left_over.saturating_sub(more) / rows.max(1);
        let pitch = layout.pitch + air.min(MOST_AIR);
        (ContactSheetLayout { pitch, ..layout }, maps_area)
    });
    Parts {
        pictures: top(area, pictures),
        figures: below(area, pictures + roomy),
        stages,
        reliable,
        sparks,
        sheet: sheet.map(|(layout, maps_area)| (layout, top(maps_area, maps_area.height - more))),
    }
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let areas = areas(scene, area);
    let (pictures, figures) = (areas.pictures, areas.figures);
    if let Some((layout, maps_area)) = areas.sheet {
        maps(scene, layout, pictures, maps_area, buf);
    } else if scene.session.record.training.is_some() {
        epochs::charts(scene, pictures, buf);
    } else {
        beginning::draw(scene, pictures, buf);
    }
    if figures.y > pictures.bottom() {
        note(scene, below(area, pictures.height), buf);
    }
    let mut row = stages::draw(scene, &areas.stages, figures, buf);
    if let Some(images) = images(scene) {
        row += reliable::draw(scene, images, areas.reliable, below(figures, row), buf);
    }
    if areas.sparks {
        row += u16::from(area.height >= 20);
        sparks(scene, below(figures, row), buf);
    }
}

/// Draws the note on the session as a whole, and how many other notes there are.
fn note(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let record = &scene.session.record;
    let note = record.note_on(&NoteTarget::Session);
    let others = record.notes.len() - usize::from(note.is_some());
    let more = match (others, note.is_some()) {
        (0, _) => String::new(),
        (1, true) => "   and 1 more elsewhere".into(),
        (many, true) => format!("   and {many} more elsewhere"),
        (1, false) => "1 note elsewhere".into(),
        (many, false) => format!("{many} notes elsewhere"),
    };
    let text = note.map(|note| format!("note: {}", clean(&note.text)));
    let text = text.unwrap_or_default();
    let room = usize::from(area.width).saturating_sub(more.chars().count());
    let text = cut(&text, room);
    let line = Line::from(vec![
        Span::styled(text, scene.theme.accent()),
        Span::styled(more, scene.theme.dim()),
    ]);
    left(buf, area, 0, line);
}

fn maps(
    scene: &Scene<'_>,
    layout: ContactSheetLayout,
    pictures: Rect,
    maps_area: Rect,
    buf: &mut Buffer,
) {
    let best = |images| MapSet::best(scene.session, images, scene.shared, MapKind::Image);
    let Some(lens) = images(scene).and_then(best) else {
        return;
    };
    let theme = scene.theme;
    let head = match lens.no_maps_message() {
        None => {
            let (ramp, bar) = (lens.common_ramp(), if pictures.width < 76 { 8 } else { 16 });
            let width = scale::columns(ramp, bar);
            let rest = pictures.width.saturating_sub(width);
            scale::draw(ramp, bar, beside(pictures, rest), theme, buf);
            let before = start(pictures, rest.saturating_sub(2));
            let used = match lens.exceptions().filter(|_| before.width >= 40) {
                Some(words) => right(buf, before, 0, Span::styled(words, theme.dim())) + 2,
                None => 0,
            };
            start(before, before.width.saturating_sub(used))
        }
        Some(_) if lens.class_of_all_decisions().is_some() => {
            let hint = Line::from(vec![
                Span::styled("no class can be compared: press ", theme.warning()),
                Span::styled(
                    first_key_of(scene.shared.keys, Action::StrongerGamma),
                    theme.chosen(),
                ),
            ]);
            let used = right(buf, pictures, 0, hint);
            start(pictures, pictures.width.saturating_sub(used + 2))
        }
        Some(_) => pictures,
    };
    let glyph = theme.glyphs.gamma;
    let channels = lens
        .channels_in_words()
        .filter(|_| lens.no_maps_message().is_none());
    let words = match lens.is_mixed() {
        true => vec![Span::raw(format!("each class at its best {glyph}"))],
        false => {
            let trials = count(lens.trials.trials_of(lens.response) as f64);
            vec![
                Span::raw(format!("{glyph} {}  ", gamma(lens.estimate.gamma))),
                Span::styled(format!("{trials} trials"), theme.dim()),
            ]
        }
    };
    let plan = scene.shared.images_plan(scene.session);
    let mut words = words;
    if plan.is_some_and(|plan| !plan.noise.is_white()) && lens.no_maps_message().is_none() {
        words.truncate(1);
        let gap = if lens.is_mixed() { "  " } else { "" };
        let smoothed = format!("{gap}smoothed by the noise");
        words.push(Span::styled(smoothed, theme.dim()));
    }
    let several = shared::images(scene.session) > 1;
    let images = lens.response.image_label();
    let versus = lens
        .rather_than()
        .map_or_else(String::new, |words| format!(" {words}"));
    let name = match plan.filter(|_| several) {
        Some(plan) => format!("{images}s of {} noise{versus}  ", plan.noise.label()),
        None => format!("{images}s{versus}  "),
    };
    let name = Span::styled(name, theme.bright());
    let named = [&[name], words.as_slice()].concat();
    let channels = channels.map(|words| Span::styled(format!("  {words}"), theme.dim()));
    let full: Vec<_> = named.iter().cloned().chain(channels.clone()).collect();
    let brief: Vec<_> = words.iter().cloned().chain(channels).collect();
    // The visible classes are named whatever else must be dropped.
    let with_position = |mut line: Vec<Span<'static>>| {
        if let Some(position) = contact_sheet::position(scene, &lens, layout) {
            let gap = if line.is_empty() { "" } else { "   " };
            line.push(Span::styled(format!("{gap}{position}"), theme.text()));
        }
        Line::from(line)
    };
    let all = [full, brief, named, words, Vec::new()].map(with_position);
    let fits = |line: &&Line<'_>| line.width() <= usize::from(head.width);
    if let Some(title) = all.iter().find(fits) {
        left(buf, head, 0, title.clone());
    }
    contact_sheet::draw(scene, &lens, layout, maps_area, buf);
    let used = layout.step * layout.columns as u16 + 2;
    let rest = beside(maps_area, used);
    if rest.width >= 40 && rest.height >= 16 {
        epochs::stacked(scene, top(rest, 34), buf);
    }
}

/// Draws loss, accuracy and speed: the latest value of each, and its history.
fn sparks(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let third = area.width / 3;
    let room = third.saturating_sub(26).min(24);
    let mut parts: Vec<(&str, String, String)> = Vec::new();
    let training = scene.session.record.training.as_ref();
    if let Some((training, last)) = training.and_then(|t| Some((t, t.epochs.last()?))) {
        let curve = |value: fn(&Epoch) -> f64| -> Vec<f32> {
            let from = training.epochs.len().saturating_sub(usize::from(room));
            training.epochs[from..]
                .iter()
                .map(|e| value(e) as f32)
                .collect()
        };
        let losses = curve(|e| e.train_loss);
        parts.push((
            "train loss",
            number(last.train_loss),
            spark(&losses, room, theme),
        ));
        let shares = curve(|e| e.valid_accuracy);
        let (low, high) = shares.iter().fold((1.0_f32, 0.0_f32), |(low, high), v| {
            (low.min(*v), high.max(*v))
        });
        parts.push((
            if area.width < 76 {
                "valid"
            } else {
                "valid accuracy"
            },
            percent(last.valid_accuracy),
            between(&shares, low, high, theme),
        ));
    }
    if let Some(run) = live_run(scene)
        && let Some(last) = run.rates.last()
    {
        let stage = current(scene.session).and_then(|stage| run.stages.get(stage));
        let unit = match stage.map(|stage| stage.unit.as_str()) {
            Some("epochs" | "images") => "images/s",
            Some("queries") => "queries/s",
            _ => "trials/s",
        };
        let rate = theme.rate(f64::from(*last));
        parts.push((unit, rate, spark(&run.rates, room, theme)));
    }
    for (index, (label, value, curve)) in parts.into_iter().enumerate() {
        let line = Line::from(vec![
            Span::styled(format!("{label} "), theme.dim()),
            Span::raw(value),
            match theme.bandwidth {
                Wire::Fast => Span::styled(format!("  {curve}"), theme.accent()),
                Wire::Slow => Span::raw(""),
            },
        ]);
        left(
            buf,
            start(beside(area, index as u16 * third), third),
            0,
            line,
        );
    }
}
