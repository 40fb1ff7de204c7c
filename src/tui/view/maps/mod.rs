//! The maps of every class, or of one class enlarged.

mod alike;
mod all;
mod choices;
mod course;
mod enlarged;
mod neighbours;
mod numbers;
mod sight;
mod table;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use self::sight::Sight;
use super::{Around, Entry, Log, Reply, View};
use crate::figure::Figure;
use crate::format::reading;
use crate::session::Session;
use crate::session::config::Noise;
use crate::session::record::{ClassificationImages, NoteOn};
use crate::tui::action::{Action, Place};
use crate::tui::scene::Scene;
use crate::tui::scene::awaited::{self, Named};
use crate::tui::scene::lens::{Lens, MapKind};
use crate::tui::scene::sheet;
use crate::tui::shared::{self, Shared};
use crate::tui::start::Start;
use crate::tui::steps;
use crate::tui::widget::text::{below, centre};

/// Its row of the table.
pub const VIEW: Entry = Entry {
    name: "Maps",
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
    new: || Box::new(Maps::default()),
};

impl Named for ClassificationImages {
    const NAME: &'static str = "classification images";
    const AGAIN: &'static str = "them";
    const EXAMPLE: &'static str = "analyses=[ClassificationImages(())]";
}

/// The view.
#[derive(Debug, Clone, Default)]
pub struct Maps {
    /// The kind of map shown.
    pub kind: MapKind,
    /// Whether the chosen class fills the view.
    pub enlarged: bool,
    /// Whether the table of every γ and class's reliability replaces the maps.
    pub table: bool,
    /// Row and column of the pixel under the cursor; `None` until it is moved: then the centre.
    pub cursor: Option<(usize, usize)>,
}

impl View for Maps {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(sight) = self.sight(scene.shared, scene.session) else {
            if awaited::begun::<ClassificationImages>(scene, area, buf).is_some() {
                let text = Span::styled("No trials yet.", scene.theme.dim());
                centre(buf, area, area.height / 2, text);
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

    fn places(&self) -> &'static [Place] {
        match (self.table, self.enlarged) {
            (true, _) => &[Place::Table],
            (false, true) => &[Place::Enlarged, Place::Maps],
            (false, false) => &[Place::Sheet, Place::Maps],
        }
    }

    fn update(&mut self, action: Action, shared: &mut Shared, around: &Around<'_>) -> Reply {
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
                    .images_in(session)
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

    fn is_possible(&self, action: Action, session: &Session) -> bool {
        sheet::is_possible(action, session)
    }

    fn figure(&self, shared: &Shared, session: &Session) -> Option<Figure> {
        if self.table {
            return None;
        }
        let of_all = shared.figure_of_maps(session)?;
        let record = shared.images_in(session)?;
        let images = shared.images.min(shared::images(session).checked_sub(1)?);
        let index = shared.gamma_of(record, shared.class);
        let gamma = Some(record.gammas.get(index)?.gamma);
        let versus = shared.versus.filter(|_| self.kind.is_of_response());
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
                response: Some(shared.response_in(record)),
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

    fn number(&self, shared: &Shared, session: &Session) -> Option<String> {
        if !self.enlarged || self.table {
            return None;
        }
        let sight = self.sight(shared, session)?;
        let (row, column) = sight.cursor;
        let painting = sight.lens.painting(shared.class)?;
        let value = painting.values.get(row * sight.lens.size().1 + column)?;
        Some(reading(f64::from(*value)))
    }

    fn noted(&self, shared: &Shared, session: &Session) -> NoteOn {
        note_on(shared, session)
    }

    fn place(&self, shared: &Shared, session: &Session) -> Start {
        Start {
            closer: self.enlarged,
            ..shared.place(session)
        }
    }

    fn go_to(&mut self, start: &Start, _: &Session) -> Result<(), String> {
        self.enlarged = start.closer;
        Ok(())
    }
}

/// The subject of a note on the map of the chosen class.
pub fn note_on(shared: &Shared, session: &Session) -> NoteOn {
    let Some(record) = shared.images_in(session) else {
        return NoteOn::Session;
    };
    let Some(trials) = record.gammas.get(shared.gamma_of(record, shared.class)) else {
        return NoteOn::Session;
    };
    NoteOn::Map {
        images: shared.images.min(shared::images(session).saturating_sub(1)),
        response: shared.response_in(record),
        class: shared.class,
        gamma: trials.gamma,
    }
}

impl Maps {
    /// The current selection; `None` while the plan has no maps.
    fn sight<'a>(&self, shared: &Shared, session: &'a Session) -> Option<Sight<'a>> {
        let images = shared.images_in(session)?;
        let lens = match self.enlarged {
            true => {
                let gamma = self.gamma_in(shared, images);
                Lens::new(session, images, shared, self.kind, gamma)?
            }
            false => Lens::best(session, images, shared, self.kind)?,
        };
        let cursor = self.cursor_in(lens.size());
        Some(Sight {
            images,
            lens,
            cursor,
        })
    }

    /// The index in the plan of the γ shown.
    fn gamma_in(&self, shared: &Shared, images: &ClassificationImages) -> usize {
        match self.enlarged || self.table {
            true => shared.gamma_of(images, shared.class),
            false => shared.gamma_of_all(images),
        }
    }

    fn cursor_in(&self, (height, width): (usize, usize)) -> (usize, usize) {
        self.cursor.unwrap_or((height / 2, width / 2))
    }

    /// Number of maps in a row.
    fn columns(&self, shared: &Shared, around: &Around<'_>) -> isize {
        let sight = self.sight(shared, around.session);
        sight.map_or(1, |sight| all::columns(&sight.lens, around.body)) as isize
    }

    fn step_gamma(&self, shared: &mut Shared, session: &Session, step: isize) {
        if let Some(images) = shared.images_in(session) {
            let in_sight = self.gamma_in(shared, images);
            shared.step_gamma(images, in_sight, step);
        }
    }

    fn step_cursor(&mut self, shared: &Shared, session: &Session, (down, across): (isize, isize)) {
        let images = shared.images_in(session);
        let Some(gamma) = images.and_then(|images| images.gammas.first()) else {
            return;
        };
        let (height, width) = gamma.size();
        let (row, column) = self.cursor_in((height, width));
        self.cursor = Some((
            steps::along(row, down, height),
            steps::along(column, across, width),
        ));
    }
}
