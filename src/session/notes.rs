//! Notes in a session: where they can be left, and limits on them.

use super::config::{Analysis as Plan, ClassificationImages, Config, Response};
use super::record::{LayerResponses, Note, NoteTarget, Record, SpikeTriggered};
use super::{Form, Session};
use crate::ids::{ClassId, Gamma};

/// Maximum number of notes in a session.
const MOST: usize = 500;

/// Maximum number of layers listed when one is not found.
const NAMED: usize = 12;

/// Why a note cannot be saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is longer than the limit; its length in characters.
    #[error("a note has at most {most} characters; this one has {0}", most = Note::MAX_CHARS)]
    Long(usize),
    /// The name of its layer is longer than the limit; its length in bytes.
    #[error(
        "a layer with a note has a name of at most {most} bytes; this one has {0}",
        most = Note::MAX_LAYER_BYTES
    )]
    LayerName(usize),
    /// The session has the maximum number of notes.
    #[error("there are {MOST} notes, the most that a session can keep; remove one first")]
    Full,
    /// The session is a shard.
    #[error(
        "it is a shard, whose file is deleted when it is merged; leave the note on its session"
    )]
    Shard,
    /// Nothing has been done, so the plan may still change.
    #[error(
        "nothing has been measured yet; until then, only the session as a whole can have a note"
    )]
    NotBegun,
    /// There are no classification images with that number.
    #[error("there is no set {requested} of classification images; the plan has {available}")]
    NoImages {
        /// The number, from 1.
        requested: usize,
        /// How many there are.
        available: usize,
    },
    /// There are no maps of this response.
    #[error("the plan has no {0}s")]
    NoMaps(&'static str),
    /// There is no such γ.
    #[error("the plan has no γ = {requested}; it has {available}")]
    Gamma {
        /// The γ.
        requested: String,
        /// Those in the plan.
        available: String,
    },
    /// There is no such class.
    #[error("there is no class {requested}; {available}")]
    Class {
        /// The class, from 0.
        requested: ClassId,
        /// The existing classes, in words.
        available: String,
    },
    /// No layer has been measured.
    #[error("no layer has been measured yet; add SpikeTriggered(()) to the plan")]
    NoLayers,
    /// There is no such layer.
    #[error("there is no layer `{requested}`; there are {available}")]
    Layer {
        /// The layer.
        requested: String,
        /// The layers that have been measured.
        available: String,
    },
    /// There is no such unit.
    #[error("{layer} has units 0 to {last}; there is no {requested}")]
    Unit {
        /// The layer.
        layer: String,
        /// The unit, from 0.
        requested: usize,
        /// The last unit.
        last: usize,
    },
}

impl Session {
    /// Saves a note, replacing the one in the same place. An empty note only removes it.
    ///
    /// # Errors
    /// As [`Self::fit_note`]; the session then stays unchanged.
    pub fn note(&mut self, note: Note) -> Result<(), NoteError> {
        let note = self.fit_note(note)?;
        let notes = &mut self.record.notes;
        notes.retain(|existing| existing.on != note.on);
        if !note.text.is_empty() {
            notes.push(note);
        }
        Ok(())
    }

    /// The note as it would be saved, on one line.
    ///
    /// # Errors
    /// If it is too long, its place does not exist, or there are too many notes.
    pub fn fit_note(&self, mut note: Note) -> Result<Note, NoteError> {
        let record = &self.record;
        if record.shard.is_some() {
            return Err(NoteError::Shard);
        }
        note.text = Note::line(&note.text);
        // Not checked in a file, where the name does no harm.
        if let NoteTarget::Unit { layer, .. } = &note.on
            && layer.len() > Note::MAX_LAYER_BYTES
        {
            return Err(NoteError::LayerName(layer.len()));
        }
        check(&note, record, &self.config)?;
        // The plan may be edited until something has been done, and a file whose notes do not fit its
        // plan is rejected.
        let has_begun = record.form.is_some() && record.has_begun(&self.config);
        match &note.on {
            NoteTarget::Session => {}
            _ if !has_begun => return Err(NoteError::NotBegun),
            NoteTarget::Unit { .. } if layers(record).next().is_none() => {
                return Err(NoteError::NoLayers);
            }
            _ => {}
        }
        let is_new = !note.text.is_empty() && record.note_on(&note.on).is_none();
        match is_new && record.notes.len() >= MOST {
            true => Err(NoteError::Full),
            false => Ok(note),
        }
    }
}

/// The first problem with the notes of a loaded record, and its place.
pub(super) fn unfit(record: &Record, config: &Config) -> Option<String> {
    let notes = &record.notes;
    if notes.len() > MOST {
        return Some(format!(
            "it has {} notes; at most {MOST} are allowed",
            notes.len()
        ));
    }
    notes.iter().enumerate().find_map(|(place, note)| {
        if let Err(problem) = check(note, record, config) {
            return Some(format!("notes[{place}]: {problem}"));
        }
        let is_second = notes[..place].iter().any(|earlier| earlier.on == note.on);
        is_second.then(|| {
            let words = note.on.in_words(record);
            format!("notes[{place}]: there is already a note on {words}")
        })
    })
}

/// Checks that a note is short enough and that its place exists, as far as is known yet.
fn check(note: &Note, record: &Record, config: &Config) -> Result<(), NoteError> {
    let length = note.text.chars().count();
    if length > Note::MAX_CHARS {
        return Err(NoteError::Long(length));
    }
    match &note.on {
        NoteTarget::Session => Ok(()),
        NoteTarget::Map {
            images,
            response,
            class,
            gamma,
        } => {
            check_map(images_of(config, *images)?, *response, *gamma)?;
            check_class(*class, record.form.as_ref())
        }
        NoteTarget::Unit { layer, unit } => check_unit(layer, *unit, record),
    }
}

/// The classification images with this number in the plan, from 0.
fn images_of(config: &Config, images: usize) -> Result<&ClassificationImages, NoteError> {
    let plans = config.analyses.iter().filter_map(|plan| match plan {
        Plan::ClassificationImages(plan) => Some(plan),
        _ => None,
    });
    let plans: Vec<&ClassificationImages> = plans.collect();
    plans.get(images).copied().ok_or(NoteError::NoImages {
        requested: images.saturating_add(1),
        available: plans.len(),
    })
}

fn check_map(
    plan: &ClassificationImages,
    response: Response,
    gamma: Gamma,
) -> Result<(), NoteError> {
    if !plan.has(response) {
        return Err(NoteError::NoMaps(response.image_label()));
    }
    if plan.gammas.contains(&gamma) {
        return Ok(());
    }
    let available: Vec<String> = plan.gammas.iter().map(Gamma::to_string).collect();
    Err(NoteError::Gamma {
        requested: gamma.to_string(),
        available: available.join(", "),
    })
}

/// The classes are known once the images have been opened.
fn check_class(class: ClassId, form: Option<&Form>) -> Result<(), NoteError> {
    match form.filter(|form| class.0 >= form.class_count()) {
        None => Ok(()),
        Some(form) => Err(NoteError::Class {
            requested: class,
            available: form.classes_in_words(),
        }),
    }
}

/// The layers are known once one has been measured; in a divided session only its shards know them.
fn check_unit(layer: &str, unit: usize, record: &Record) -> Result<(), NoteError> {
    let mut named = layers(record).filter(|measured| measured.name == layer);
    match named.next().map(|measured| measured.units) {
        Some(units) if unit < units => Ok(()),
        Some(units) => Err(NoteError::Unit {
            layer: layer.to_owned(),
            requested: unit,
            last: units.saturating_sub(1),
        }),
        None if layers(record).next().is_none() => Ok(()),
        None => Err(NoteError::Layer {
            requested: layer.to_owned(),
            available: names(record),
        }),
    }
}

/// Every layer whose units have been measured.
fn layers(record: &Record) -> impl Iterator<Item = &LayerResponses> {
    let all = record.all::<SpikeTriggered>();
    all.flat_map(|(_, record)| record.layers.iter())
}

/// The names of these layers, shortened if there are many.
fn names(record: &Record) -> String {
    let names: Vec<&str> = layers(record).map(|layer| layer.name.as_str()).collect();
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

#[cfg(test)]
mod tests;
