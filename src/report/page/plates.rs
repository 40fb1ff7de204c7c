//! The figures of a page, drawn: on light and on dark, as parts of its text, and as many as there is room for.

use maud::{Markup, PreEscaped, html};

use super::chosen::{self, SHEET};
use super::words::{counted, list};
use crate::drawing::{Background, Drawing, Embedded, Sheet, embedded};
use crate::figure;
use crate::session::Session;

/// A drawn figure.
#[derive(Debug, Clone)]
pub(super) struct Plate {
    /// Its name, which nothing else on the page has.
    name: String,
    title: String,
    caption: String,
    light: String,
    /// The same for a dark page; `None`: the light one is shown there too.
    dark: Option<String>,
}

/// The drawn figures of one experiment.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// What stands above them.
    pub title: String,
    /// Those that tell most.
    pub main: Vec<Plate>,
    /// Those that stand behind them.
    pub more: Vec<Plate>,
    /// How many of those there was no room for.
    pub left_out: usize,
}

impl Plate {
    /// Draws a figure on both backgrounds; `None` where there is nothing to draw.
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
            embedded(drawing, Embedded { id: &id, class })
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

    /// The figure with its caption, and its number on the page.
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

impl Group {
    fn plates(&mut self) -> impl Iterator<Item = &mut Plate> {
        self.main.iter_mut().chain(&mut self.more)
    }

    /// How many figures it has.
    fn count(&self) -> usize {
        self.main.len() + self.more.len()
    }

    fn size(&self) -> usize {
        self.main.iter().chain(&self.more).map(Plate::size).sum()
    }

    /// Its figures, the first of this number.
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
                    "Not on this page, for want of room: "
                    (counted(self.left_out as u64, "more figure", "more figures")) "."
                }
            }
        }
    }
}

/// The figures of the session, drawn.
pub(super) fn drawn(session: &Session) -> Vec<Group> {
    let of = |figures: &[figure::Figure]| {
        let plate = |figure: &figure::Figure| {
            Plate::draw(&figure.name(), |sheet| {
                figure::draw(session, figure, sheet).ok()
            })
        };
        figures.iter().filter_map(plate).collect::<Vec<Plate>>()
    };
    let groups = chosen::chosen(session).into_iter().map(|own| Group {
        main: of(&own.main),
        more: of(&own.more),
        title: own.title,
        left_out: 0,
    });
    groups.filter(|own| own.count() > 0).collect()
}

/// Takes away what has no room in so many bytes: first what is for dark pages, then figures that stand behind others,
/// the largest first.
pub(super) fn fit(groups: &mut [Group], room: usize) {
    let size = |groups: &[Group]| groups.iter().map(Group::size).sum::<usize>();
    if size(groups) > room {
        groups
            .iter_mut()
            .flat_map(Group::plates)
            .for_each(|plate| plate.dark = None);
    }
    while size(groups) > room {
        let largest = groups
            .iter_mut()
            .max_by_key(|own| own.more.iter().map(Plate::size).max());
        let Some(own) = largest.filter(|own| !own.more.is_empty()) else {
            return;
        };
        let at = (0..own.more.len())
            .max_by_key(|&at| own.more[at].size())
            .unwrap_or(0);
        own.more.remove(at);
        own.left_out += 1;
    }
}

/// How many figures they have.
pub(super) fn count(groups: &[Group]) -> usize {
    groups.iter().map(Group::count).sum()
}

/// The chapter.
pub(super) fn chapter(session: &Session, groups: &[Group]) -> Markup {
    let first = |at: usize| 1 + count(&groups[..at]);
    let large = chosen::large_layers(session);
    html! {
        @for (at, group) in groups.iter().enumerate() {
            h3 { (group.title) }
            (group.markup(first(at)))
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

    fn groups() -> Vec<Group> {
        let group = |main, more| Group {
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

    fn names(groups: &[Group]) -> Vec<String> {
        let all = groups
            .iter()
            .flat_map(|own| own.main.iter().chain(&own.more));
        all.map(|own| own.name.clone() + if own.dark.is_some() { "+" } else { "" })
            .collect()
    }

    #[test]
    fn dark_figures_go_first_and_then_the_largest_of_lesser_weight() {
        for (room, left) in [
            (760, "a+ b+ c+ d+ e+"),
            (759, "a b c d e"),
            (380, "a b c d e"),
            (379, "a b d e"),
            (300, "a b d"),
            (200, "a d"),
            (10, "a d"),
        ] {
            let mut own = groups();
            fit(&mut own, room);
            assert_eq!(names(&own).join(" "), left, "{room}");
        }
        let mut own = groups();
        fit(&mut own, 300);
        assert_eq!((own[0].left_out, own[1].left_out), (1, 1));
        assert!(
            own[0].markup(1).into_string().contains("1 more figure."),
            "left out is told"
        );
    }

    #[test]
    fn figures_are_numbered_through() {
        let own = groups();
        let page = own[0].markup(4).into_string();
        for (number, name) in [(4, "a"), (5, "b"), (6, "c")] {
            let at = page.find(&format!("id=\"figure-{name}\"")).unwrap();
            assert!(page[at..].contains(&format!("<strong>Figure {number}.</strong>")));
        }
        assert!(page.contains("<details>"));
    }
}
