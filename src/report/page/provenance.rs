//! The chapter on provenance: seed, devices, programs, fingerprints of images and weights, and the
//! user's notes.

use maud::{Markup, html};

use super::{Page, words};
use crate::format::{clean, duration, thousands};
use crate::session::config::WeightSource;
use crate::session::record::{Inputs, Record, SplitFingerprint};

/// Maximum number of starts listed.
const MOST_STARTS: usize = 20;

/// The chapter.
pub(super) fn chapter(page: &Page<'_>) -> Markup {
    let session = page.session;
    let (config, record) = (&session.config, &session.record);
    html! {
        dl {
            dt { "Session" } dd { (session.name) ", " (page.status.label()) }
            dt { "Seed" } dd { (config.seed) ", which determines everything random" }
            dt { "Images" } dd { (images(page)) }
            @for (nth, inputs) in record.inputs.iter().enumerate() {
                (fingerprints(inputs, nth > 0))
            }
            dt { "Network" } dd { (network(page)) }
            @if let Some(model) = &record.model {
                dt { "Its file" } dd { (clean(&model.path)) ", SHA-256 " code.hash { (model.sha256) } }
            }
            dt { "Devices" }
            @if record.devices.is_empty() { dd { "none yet" } }
            @for device in &record.devices { dd { (clean(device)) } }
            dt { "Run time" } dd { (duration(record.elapsed_s)) " in total, without pauses" }
            dt { "Last written" }
            dd { @if record.updated > 0 { (words::time(record.updated)) } @else { "never" } }
            (starts(record))
        }
        (notes(record))
    }
}

fn images(page: &Page<'_>) -> String {
    let session = page.session;
    if session.config.dataset.is_none() {
        return "none, noise alone".into();
    }
    let name = clean(session.config.dataset_label());
    match super::super::status::images(session) {
        Some(from) => format!("{name}, {}", clean(from)),
        None => name,
    }
}

fn network(page: &Page<'_>) -> String {
    let network = &page.session.config.network;
    let label = clean(&network.label());
    match &network.weights {
        WeightSource::Train(_) => format!("{label}, trained by this session"),
        WeightSource::File(path) => {
            format!("{label}, weights from {}", clean(&path.to_string_lossy()))
        }
    }
}

/// The inputs of the session, identified by content and not by path.
fn fingerprints(inputs: &Inputs, is_changed: bool) -> Markup {
    let split = |name: &str, split_inputs: &SplitFingerprint| {
        html! {
            @if split_inputs.images > 0 {
                dd { (thousands(split_inputs.images)) " " (name) " images, SHA-256 " code.hash { (split_inputs.sha256) } }
            }
        }
    };
    html! {
        dt { @if is_changed { "Then changed to" } @else { "By fingerprint" } }
        (split("training", &inputs.train))
        (split("test", &inputs.test))
        @match &inputs.weights {
            Some(sha256) => { dd { "the weights file, SHA-256 " code.hash { (sha256) } } },
            None if inputs.train.images + inputs.test.images == 0 => { dd { "no images" } },
            None => {},
        }
    }
}

fn starts(record: &Record) -> Markup {
    let left = record.starts.len().saturating_sub(MOST_STARTS);
    html! {
        dt { "Started" }
        @if record.starts.is_empty() { dd { "not recorded" } }
        @for start in &record.starts[left..] {
            dd { (words::time(start.at)) ", noisescope " (clean(&start.program)) }
        }
        @if left > 0 { dd { "and " (left) " earlier times" } }
    }
}

/// The user's notes, oldest first.
fn notes(record: &Record) -> Markup {
    html! {
        @if !record.notes.is_empty() {
            h3 { "Notes" }
            ul.notes {
                @for note in &record.notes {
                    li {
                        q { (clean(&note.text)) } " "
                        span.small { "on " (note.on.in_words(record)) ", " (words::time(note.written)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::SessionStatus;
    use crate::report::tests::measured;
    use crate::session::record::{Note, NoteTarget, Start};

    #[test]
    fn fingerprints_starts_and_notes_are_listed_and_names_are_escaped() {
        let mut session = measured();
        let split = |sum: &str| SplitFingerprint {
            images: 1_200,
            sha256: sum.repeat(32),
        };
        session.record.inputs = vec![Inputs {
            train: split("ab"),
            test: split("cd"),
            weights: None,
        }];
        session.record.starts = vec![Start {
            at: 0,
            program: "0.1.0 (build 0123abcd)".into(),
        }];
        let note = Note {
            written: 0,
            on: NoteTarget::Session,
            text: "a <b> & \"c\"".into(),
        };
        session.note(note).unwrap();
        let text = chapter(&Page {
            session: &session,
            status: &SessionStatus::Stopped,
            tables: &[],
            comparison: None,
            made: 0,
        });
        let text = text.into_string();
        for part in [
            "1,200 training images, SHA-256 <code class=\"hash\">abab",
            "<dt>Seed</dt> <dd>1,",
            "1970-01-01 00:00 UTC</time>, noisescope 0.1.0 (build 0123abcd)",
            "<q>a &lt;b&gt; &amp; &quot;c&quot;</q>",
            "on the session",
        ] {
            let plain = text.replace("</dt><dd>", "</dt> <dd>");
            assert!(plain.contains(part), "{part}\n{text}");
        }
    }
}
