//! The HTML report: a session as one self-contained page, with the plan, the findings, figures, tables
//! and how to reproduce it. Nothing is computed here: sentences, figures and tables show what the
//! session contains.

mod alerts;
mod findings;
mod method;
mod plates;
mod provenance;
mod reading;
mod reproduce;
mod selection;
mod side_by_side;
mod tables;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::side_by_side::ComparisonChapter;
use super::session_status::SessionStatus;
use crate::comparison::SessionPair;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::ClassificationImages;

/// Maximum size of a page in bytes, so that it fits in an e-mail. If it would be larger, dark figures
/// and supporting figures are left out.
pub const MAX_BYTES: usize = 2_000_000;

/// Maximum bytes of a page's head and titles, including figure names in the markup.
const HEAD: usize = 20_000;

/// The style sheet.
const STYLE: &str = include_str!("style.css");

/// Forbids the page to load anything, wherever it is opened.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// An exported table: its name and its CSV text.
pub type ExportedTable<'a> = (&'a str, &'a str);

/// The content of a page.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The session.
    pub session: &'a Session,
    /// Its state.
    pub status: &'a SessionStatus,
    /// Its exported tables.
    pub tables: &'a [ExportedTable<'a>],
    /// The comparison with another session, if requested.
    pub comparison: Option<&'a SessionPair<'a>>,
    /// When the page is created, in seconds since the Unix epoch.
    pub made: i64,
}

/// A chapter of the page.
struct Chapter {
    id: &'static str,
    title: String,
    body: Markup,
}

impl Chapter {
    fn new(id: &'static str, title: &str, body: Markup) -> Self {
        Self {
            id,
            title: title.to_owned(),
            body,
        }
    }
}

/// The page, of at most [`MAX_BYTES`] bytes if its tables leave room for that.
pub fn page(page: &Page<'_>) -> String {
    let session = page.session;
    let before = vec![
        Chapter::new("asked", "Method", method::chapter(session)),
        Chapter::new("found", "Findings", findings::chapter(session)),
        Chapter::new(
            "reading",
            "How to read the figures",
            reading::chapter(session),
        ),
    ];
    let after = vec![
        Chapter::new("tables", "Tables", tables::chapter(session, page.tables)),
        Chapter::new("plan", "The plan", reproduce::plan(session)),
        Chapter::new("provenance", "Provenance", provenance::chapter(page)),
        Chapter::new("repeat", "How to reproduce it", reproduce::chapter(session)),
    ];
    let beside = page.comparison.map(ComparisonChapter::new);
    let words = beside.as_ref().map(ComparisonChapter::words);
    let text = before
        .iter()
        .chain(&after)
        .map(|chapter| chapter.body.0.len());
    let text = text.sum::<usize>() + words.as_ref().map_or(0, |words| words.0.len());
    let mut groups = plates::draw_figures(session);
    groups.extend(beside.as_ref().map(ComparisonChapter::plates));
    // The rest of the page, its head and titles, has a bounded size.
    let room = MAX_BYTES.saturating_sub(text + STYLE.len() + HEAD);
    plates::fit(&mut groups, room);
    let last = beside.as_ref().and_then(|_| groups.pop());
    let mut chapters = before;
    if !groups.is_empty() {
        let body = plates::chapter(session, &groups);
        chapters.push(Chapter::new("figures", "Figures", body));
    }
    if let (Some(beside), Some(group), Some(words)) = (&beside, last, words) {
        let first = 1 + plates::count(&groups);
        let body = html! { (words) (group.markup(first)) };
        chapters.push(Chapter::new(
            "compared",
            &format!("Compared with {}", beside.other()),
            body,
        ));
    }
    chapters.extend(after);
    whole(page, &chapters).into_string()
}

fn whole(page: &Page<'_>, chapters: &[Chapter]) -> Markup {
    let session = page.session;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(program());
                meta name="description" content=(about(session));
                title { (session.name) " · Noisescope report" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                    p.kicker { "Noisescope report" }
                    h1 { (session.name) }
                    p.about { (about(session)) }
                    p.state { (page.status.label()) @for part in state(session) { " · " (part) } }
                }
                nav aria-label="Contents" {
                    ol {
                        @for chapter in chapters {
                            li { a href={ "#" (chapter.id) } { (chapter.title) } }
                        }
                    }
                }
                main #content {
                    (alerts::alerts(page))
                    @for chapter in chapters {
                        section id=(chapter.id) aria-labelledby={ (chapter.id) "-title" } {
                            h2 id={ (chapter.id) "-title" } { (chapter.title) }
                            (chapter.body)
                        }
                    }
                }
                footer {
                    p { "Made by " (program()) " on " (words::time(page.made)) ". This page is self-contained: it loads nothing and sends nothing." }
                }
            }
        }
    }
}

/// The program that creates the page.
fn program() -> String {
    format!("noisescope {}", env!("CARGO_PKG_VERSION"))
}

/// A one-sentence description of the session.
fn about(session: &Session) -> String {
    let network = crate::format::clean(&session.config.network.label());
    let trials: u64 = session
        .record
        .all::<ClassificationImages>()
        .map(|(_, images)| images.trials())
        .sum();
    let shown = match trials {
        0 => String::new(),
        trials => format!(
            ", with {}",
            words::counted(trials, "noise image", "noise images")
        ),
    };
    match &session.config.dataset {
        Some(dataset) => {
            let data = crate::format::clean(dataset.label());
            format!("Reverse correlation of the network {network} on {data}{shown}.")
        }
        None => format!("Reverse correlation of the network {network}{shown}."),
    }
}

/// The working time, the device and the time of the last update.
fn state(session: &Session) -> Vec<Markup> {
    let record = &session.record;
    let mut parts = vec![html! { (crate::format::duration(record.elapsed_s)) " of work" }];
    parts.extend(super::status::device(session).map(|device| html! { (device) }));
    if record.updated > 0 {
        parts.push(html! { "as of " (words::time(record.updated)) });
    }
    parts
}

/// The responses for which maps exist.
fn responses(images: &ClassificationImages) -> impl Iterator<Item = Response> {
    let evidence = images.has_evidence();
    let all = [Response::Evidence, Response::Decision].into_iter();
    all.filter(move |by| *by == Response::Decision || evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{finished, planned};

    fn made(session: &Session) -> String {
        let standing = SessionStatus::from_session(session, None);
        page(&Page {
            session,
            status: &standing,
            tables: &[],
            comparison: None,
            made: 1_795_785_662,
        })
    }

    #[test]
    fn a_page_has_one_title_and_every_chapter_that_it_lists() {
        let page = made(&finished());
        assert_eq!(page.matches("<h1>").count(), 1);
        for id in [
            "asked",
            "found",
            "reading",
            "figures",
            "tables",
            "plan",
            "provenance",
            "repeat",
        ] {
            assert!(page.contains(&format!("<a href=\"#{id}\">")), "{id}");
            assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        }
        assert!(
            page.starts_with("<!DOCTYPE html><html lang=\"en\">"),
            "{}",
            &page[..60]
        );
        assert!(page.len() < MAX_BYTES);
    }

    #[test]
    fn a_session_that_has_only_a_plan_has_no_figures() {
        let page = made(&planned());
        assert!(
            !page.contains("<svg") && !page.contains("#figures"),
            "{page}"
        );
        assert!(page.contains("Method"));
    }
}
