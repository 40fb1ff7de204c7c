//! The maps of every class, or of one class enlarged.

mod all;
mod choices;
mod course;
mod enlarged;
mod neighbours;
mod numbers;
mod selection;
mod similarity;
mod table;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use self::selection::MapsSelection;
use super::{Log, Reply, View, ViewContext, ViewEntry};
use crate::figure::Figure;
use crate::format::signed_number;
use crate::session::Session;
use crate::session::config::{Noise, Response};
use crate::session::record::{ClassificationImages, NoteTarget};
use crate::tui::action::{Action, KeyContext};
use crate::tui::experiment::ViewedExperiment;
use crate::tui::location::{Location, LocationError};
use crate::tui::scene::Scene;
use crate::tui::scene::contact_sheet;
use crate::tui::scene::map_set::{MapKind, MapSet};
use crate::tui::scene::pending;
use crate::tui::scene::progress::{is_under_way, waits_for};
use crate::tui::shared::SharedState;
use crate::tui::steps;
use crate::tui::widget::text::{below, centre, left, wrap};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Maps",
    pace: Duration::from_millis(500),
    log: Log::OnRequest,
    new: || Box::new(MapsView::default()),
};

impl ViewedExperiment for ClassificationImages {
    const NAME: &'static str = "classification images";
    const PRONOUN: &'static str = "them";
    const EXAMPLE: &'static str = "analyses=[ClassificationImages(())]";
}

/// The view.
#[derive(Debug, Clone, Default)]
pub struct MapsView {
    /// The kind of map shown.
    pub kind: MapKind,
    /// Whether the chosen class fills the view.
    pub enlarged: bool,
    /// Whether the table of every γ and class's reliability replaces the maps.
    pub table: bool,
    /// Row and column of the pixel under the cursor; `None` until it is moved: then the centre.
    pub cursor: Option<(usize, usize)>,
}

impl View for MapsView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(sight) = self.selection(scene.shared, scene.session) else {
            if pending::begun(scene, scene.shared.images, area, buf).is_some() {
                no_trials(scene, area, buf);
            }
            return;
        };
        choices::draw(scene, &sight, area, buf);
        match (self.table, self.enlarged) {
            (true, _) => table::draw(scene, &sight, below(area, 1), buf),
            (false, true) => enlarged::draw(scene, &sight, below(area, 1), buf),
            (false, false) => all::draw(scene, &sight, below(area, 1), buf),
        }
    }

    fn contexts(&self) -> &'static [KeyContext] {
        match (self.table, self.enlarged) {
            (true, _) => &[KeyContext::Table],
            (false, true) => &[KeyContext::Enlarged, KeyContext::Maps],
            (false, false) => &[KeyContext::Sheet, KeyContext::Maps],
        }
    }

    fn update(
        &mut self,
        action: Action,
        shared: &mut SharedState,
        around: &ViewContext<'_>,
    ) -> Reply {
        let session = around.session;
        match action {
            Action::OpenTable => self.table = true,
            Action::CloseTable => self.table = false,
            Action::TableClassAbove => shared.step_row(session, -1),
            Action::TableClassBelow => shared.step_row(session, 1),
            Action::TableWeaker => self.step_gamma(shared, session, -1),
            Action::TableStronger => self.step_gamma(shared, session, 1),
            Action::SheetUp => shared.step_row(session, -self.columns(shared, around)),
            Action::SheetDown => shared.step_row(session, self.columns(shared, around)),
            Action::CursorLeft => self.step_cursor(shared, session, (0, -1)),
            Action::CursorRight => self.step_cursor(shared, session, (0, 1)),
            Action::CursorUp => self.step_cursor(shared, session, (-1, 0)),
            Action::CursorDown => self.step_cursor(shared, session, (1, 0)),
            Action::WeakerGamma => self.step_gamma(shared, session, -1),
            Action::StrongerGamma => self.step_gamma(shared, session, 1),
            Action::NextKind => {
                let trials = shared
                    .current_images(session)
                    .and_then(|images| images.gammas.first());
                self.kind = self
                    .kind
                    .next(trials.map_or(Noise::Uniform, |trials| trials.kind));
            }
            Action::Enlarge => (self.enlarged, self.table) = (true, false),
            Action::Shrink => self.enlarged = false,
            _ => return Reply::Ignored,
        }
        Reply::Done
    }

    fn is_possible(&self, action: Action, _: &SharedState, session: &Session) -> bool {
        contact_sheet::is_possible(action, session)
    }

    fn figure(&self, shared: &SharedState, session: &Session) -> Option<Figure> {
        if self.table {
            return None;
        }
        let of_all = shared.figure_of_maps(session)?;
        let record = shared.current_images(session)?;
        let images = shared.images.number(session);
        let index = shared.gamma_index_of(record, shared.class);
        let gamma = Some(record.gammas.get(index)?.gamma);
        // Classes are compared by evidence alone.
        let by_evidence = shared.current_response(record) == Response::Evidence;
        let versus = shared
            .versus
            .filter(|_| self.kind.is_of_response() && by_evidence);
        if let Some(versus) = versus.filter(|versus| *versus != shared.class) {
            return Some(Figure::Pair {
                images,
                class: shared.class,
                versus,
                gamma,
            });
        }
        match (self.kind, of_all) {
            (
                MapKind::Z,
                Figure::Maps {
                    response,
                    images,
                    gamma,
                },
            ) => Some(Figure::Significance {
                response,
                images,
                gamma,
            }),
            (MapKind::MeanStimulus, Figure::Maps { images, gamma, .. }) => {
                Some(Figure::Means { images, gamma })
            }
            (_, of_all) if !self.enlarged => Some(of_all),
            _ => Some(Figure::Map {
                response: Some(shared.current_response(record)),
                images,
                class: shared.class,
                gamma,
            }),
        }
    }

    fn look_closer(&mut self) -> bool {
        (self.enlarged, self.table) = (true, false);
        true
    }

    fn number(&self, shared: &SharedState, session: &Session) -> Option<String> {
        if !self.enlarged || self.table {
            return None;
        }
        let sight = self.selection(shared, session)?;
        let (row, column) = sight.cursor;
        let painting = sight.lens.painting(shared.class)?;
        let value = painting.values.get(row * sight.lens.size().1 + column)?;
        Some(signed_number(f64::from(*value)))
    }

    fn note_subject(&self, shared: &SharedState, session: &Session) -> NoteTarget {
        note_on(shared, session)
    }

    fn location(&self, shared: &SharedState, session: &Session) -> Location {
        Location {
            closer: self.enlarged,
            ..shared.location(session)
        }
    }

    fn go_to(&mut self, start: &Location, _: &Session) -> Result<(), LocationError> {
        self.enlarged = start.closer;
        Ok(())
    }
}

/// Draws why there are no maps yet.
fn no_trials(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let session = scene.session;
    if let Some(title) = scene
        .shared
        .images
        .title(scene.session, scene.theme, area.width)
    {
        left(buf, area, 0, title);
    }
    let stage = scene.shared.images_stage(session);
    let before = stage.and_then(|stage| waits_for(session, stage));
    let text = match (before, is_under_way(session)) {
        (Some(other), true) => format!("No trials yet: the maps wait for {other}."),
        (Some(other), false) => {
            format!("No trials yet: {other} comes first. Run the session to begin it.")
        }
        (None, true) => "No trials yet: the first are being computed.".to_owned(),
        (None, false) => "No trials yet. Run the session to begin.".to_owned(),
    };
    for (row, line) in (area.height / 2..).zip(wrap(&text, area.width)) {
        centre(buf, area, row, Span::styled(line, scene.theme.dim()));
    }
}

/// The subject of a note on the map of the chosen class.
pub fn note_on(shared: &SharedState, session: &Session) -> NoteTarget {
    let Some(record) = shared.current_images(session) else {
        return NoteTarget::Session;
    };
    let index = shared.gamma_index_of(record, shared.class);
    let Some(trials) = record.gammas.get(index) else {
        return NoteTarget::Session;
    };
    NoteTarget::Map {
        images: shared.images.number(session),
        response: shared.current_response(record),
        class: shared.class,
        gamma: trials.gamma,
    }
}

impl MapsView {
    /// The current selection; `None` while the plan has no maps.
    fn selection<'a>(
        &self,
        shared: &SharedState,
        session: &'a Session,
    ) -> Option<MapsSelection<'a>> {
        let images = shared.current_images(session)?;
        let lens = match self.enlarged {
            true => {
                let gamma_index = self.gamma_index_in(shared, images);
                MapSet::new(session, images, shared, self.kind, gamma_index)?
            }
            false => MapSet::best(session, images, shared, self.kind)?,
        };
        let cursor = self.cursor_in(lens.size());
        Some(MapsSelection {
            images,
            lens,
            cursor,
        })
    }

    /// The index in the plan of the γ shown.
    fn gamma_index_in(&self, shared: &SharedState, images: &ClassificationImages) -> usize {
        match self.enlarged || self.table {
            true => shared.gamma_index_of(images, shared.class),
            false => shared.gamma_index_of_all(images),
        }
    }

    fn cursor_in(&self, (height, width): (usize, usize)) -> (usize, usize) {
        self.cursor.unwrap_or((height / 2, width / 2))
    }

    /// Number of maps in a row.
    fn columns(&self, shared: &SharedState, around: &ViewContext<'_>) -> isize {
        let sight = self.selection(shared, around.session);
        sight.map_or(1, |sight| all::columns(&sight.lens, around.body)) as isize
    }

    fn step_gamma(&self, shared: &mut SharedState, session: &Session, step: isize) {
        if let Some(images) = shared.current_images(session) {
            let in_sight = self.gamma_index_in(shared, images);
            shared.step_gamma(images, in_sight, step);
        }
    }

    fn step_cursor(
        &mut self,
        shared: &SharedState,
        session: &Session,
        (down, across): (isize, isize),
    ) {
        let images = shared.current_images(session);
        let Some(trials) = images.and_then(|images| images.gammas.first()) else {
            return;
        };
        let (height, width) = trials.size();
        let (row, column) = self.cursor_in((height, width));
        self.cursor = Some((
            steps::along(row, down, height),
            steps::along(column, across, width),
        ));
    }
}
