//! The figures of a page: drawn for light and dark backgrounds and embedded in its text, as many as fit.

use maud::{Markup, PreEscaped, html};

use super::selection::{self, SHEET};
use super::words::{counted, list};
use crate::drawing::{Background, Drawing, EmbedAttributes, Sheet, embed};
use crate::figure;
use crate::session::Session;

/// A drawn figure.
#[derive(Debug, Clone)]
pub(super) struct Plate {
    /// Its name, unique on the page.
    name: String,
    title: String,
    caption: String,
    light: String,
    /// The version for a dark page; `None`: the light version is shown there too.
    dark: Option<String>,
}

/// The drawn figures of one experiment.
#[derive(Debug, Clone, Default)]
pub(super) struct FigureSection {
    /// The heading above them.
    pub title: String,
    /// The main figures.
    pub main: Vec<Plate>,
    /// Supporting figures.
    pub more: Vec<Plate>,
    /// Number of supporting figures that did not fit.
    pub left_out: usize,
}

impl Plate {
    /// Draws a figure on both backgrounds; `None` if there is nothing to draw.
    pub(super) fn draw(name: &str, draw: impl Fn(Sheet) -> Option<Drawing>) -> Option<Self> {
        let on = |background| {
            draw(Sheet {
                background,
                ..SHEET
            })
        };
        let light = on(Background::Light)?;
        let dark = on(Background::Dark)?;
        let part = |drawing: &Drawing, class: &str| {
            let id = format!("{name}-{class}");
            embed(drawing, EmbedAttributes { id: &id, class })
        };
        Some(Self {
            light: part(&light, "light"),
            dark: Some(part(&dark, "dark")),
            name: name.to_owned(),
            title: light.title,
            caption: light.caption,
        })
    }

    fn size(&self) -> usize {
        self.light.len() + self.dark.as_ref().map_or(0, String::len) + self.caption.len()
    }

    /// The figure with its caption and its number on the page.
    pub(super) fn markup(&self, number: usize) -> Markup {
        let caption = format!("{}-caption", self.name);
        html! {
            figure.plate.both[self.dark.is_some()] id={ "figure-" (self.name) } {
                div.scroll role="group" tabindex="0" aria-label={ "Figure " (number) ": " (self.title) } {
                    (PreEscaped(&self.light))
                    @if let Some(dark) = &self.dark { (PreEscaped(dark)) }
                }
                figcaption id=(caption) {
                    strong { "Figure " (number) "." } " "
                    @if self.caption.is_empty() { (self.title) } @else { (self.caption) }
                }
            }
        }
    }
}

impl FigureSection {
    fn plates(&mut self) -> impl Iterator<Item = &mut Plate> {
        self.main.iter_mut().chain(&mut self.more)
    }

    /// Number of figures.
    fn count(&self) -> usize {
        self.main.len() + self.more.len()
    }

    fn size(&self) -> usize {
        self.main.iter().chain(&self.more).map(Plate::size).sum()
    }

    /// Its figures, numbered from `first`.
    pub(super) fn markup(&self, first: usize) -> Markup {
        html! {
            @for (number, plate) in (first..).zip(&self.main) { (plate.markup(number)) }
            @if !self.more.is_empty() {
                details {
                    summary { "More figures: " (self.title) }
                    @for (number, plate) in (first + self.main.len()..).zip(&self.more) {
                        (plate.markup(number))
                    }
                }
            }
            @if self.left_out > 0 {
                p.small {
                    "Not on this page, for lack of space: "
                    (counted(self.left_out as u64, "more figure", "more figures")) "."
                }
            }
        }
    }
}

/// The figures of the session, drawn.
pub(super) fn draw_figures(session: &Session) -> Vec<FigureSection> {
    let draw_all = |figures: &[figure::Figure]| {
        let plate = |figure: &figure::Figure| {
            Plate::draw(&figure.name(), |sheet| {
                figure::draw(session, figure, sheet).ok()
            })
        };
        figures.iter().filter_map(plate).collect::<Vec<Plate>>()
    };
    let groups = selection::select_figures(session)
        .into_iter()
        .map(|selected| FigureSection {
            main: draw_all(&selected.main),
            more: draw_all(&selected.more),
            title: selected.title,
            left_out: 0,
        });
    groups.filter(|group| group.count() > 0).collect()
}

/// Removes what does not fit in `room` bytes: first the dark versions, then supporting figures, the
/// largest first.
pub(super) fn fit(groups: &mut [FigureSection], room: usize) {
    let size = |groups: &[FigureSection]| groups.iter().map(FigureSection::size).sum::<usize>();
    if size(groups) > room {
        groups
            .iter_mut()
            .flat_map(FigureSection::plates)
            .for_each(|plate| plate.dark = None);
    }
    while size(groups) > room {
        let largest = groups
            .iter_mut()
            .max_by_key(|group| group.more.iter().map(Plate::size).max());
        let Some(group) = largest.filter(|group| !group.more.is_empty()) else {
            return;
        };
        let index = (0..group.more.len())
            .max_by_key(|&index| group.more[index].size())
            .unwrap_or(0);
        group.more.remove(index);
        group.left_out += 1;
    }
}

/// Total number of figures.
pub(super) fn count(groups: &[FigureSection]) -> usize {
    groups.iter().map(FigureSection::count).sum()
}

/// The chapter.
pub(super) fn chapter(session: &Session, groups: &[FigureSection]) -> Markup {
    let first = |index: usize| 1 + count(&groups[..index]);
    let large = selection::large_layers(session);
    html! {
        @for (index, group) in groups.iter().enumerate() {
            h3 { (group.title) }
            (group.markup(first(index)))
        }
        @if !large.is_empty() {
            p.small { "Not drawn, since they are large: " (list(&large)) "." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(name: &str, bytes: usize) -> Plate {
        Plate {
            name: name.into(),
            title: name.into(),
            caption: String::new(),
            light: "l".repeat(bytes),
            dark: Some("d".repeat(bytes)),
        }
    }

    fn groups() -> Vec<FigureSection> {
        let group = |main, more| FigureSection {
            title: "a".into(),
            main,
            more,
            left_out: 0,
        };
        vec![
            group(vec![plate("a", 100)], vec![plate("b", 50), plate("c", 70)]),
            group(vec![plate("d", 100)], vec![plate("e", 60)]),
        ]
    }

    fn names(groups: &[FigureSection]) -> Vec<String> {
        let all = groups
            .iter()
            .flat_map(|group| group.main.iter().chain(&group.more));
        all.map(|plate| plate.name.clone() + if plate.dark.is_some() { "+" } else { "" })
            .collect()
    }

    #[test]
    fn dark_figures_are_dropped_first_then_the_largest_less_important_ones() {
        for (room, left) in [
            (760, "a+ b+ c+ d+ e+"),
            (759, "a b c d e"),
            (380, "a b c d e"),
            (379, "a b d e"),
            (300, "a b d"),
            (200, "a d"),
            (10, "a d"),
        ] {
            let mut groups_left = groups();
            fit(&mut groups_left, room);
            assert_eq!(names(&groups_left).join(" "), left, "{room}");
        }
        let mut groups_left = groups();
        fit(&mut groups_left, 300);
        assert_eq!((groups_left[0].left_out, groups_left[1].left_out), (1, 1));
        assert!(
            groups_left[0]
                .markup(1)
                .into_string()
                .contains("1 more figure."),
            "the number left out is given"
        );
    }

    #[test]
    fn figures_are_numbered_consecutively() {
        let all = groups();
        let page = all[0].markup(4).into_string();
        for (number, name) in [(4, "a"), (5, "b"), (6, "c")] {
            let start = page.find(&format!("id=\"figure-{name}\"")).unwrap();
            assert!(page[start..].contains(&format!("<strong>Figure {number}.</strong>")));
        }
        assert!(page.contains("<details>"));
    }
}
