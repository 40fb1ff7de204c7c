//! Figures as images: what they show, and what is said where there is nothing to show.

#[path = "screens/everything.rs"]
mod everything;
#[path = "screens/synthetic.rs"]
#[allow(dead_code, reason = "shared with the tests of screens")]
mod synthetic;

use image::{Rgb, RgbImage};
use noisescope::figure::colour::Background;
use noisescope::figure::{self, Figure, Sheet, Tint};
use noisescope::session::Session;

fn map(class: usize, gamma: f64) -> Figure {
    Figure::Map {
        images: 0,
        class,
        gamma: Some(gamma),
    }
}

fn refusal(session: &Session, figure: &Figure) -> String {
    figure::draw(session, figure).unwrap_err().to_string()
}

/// How blue and how orange an image is in all.
fn tints(image: &RgbImage) -> (u64, u64) {
    let of = |p: &Rgb<u8>| (i64::from(p.0[2]) - i64::from(p.0[0])).clamp(-99, 99);
    let sum = |sign: i64| image.pixels().map(|p| (sign * of(p)).max(0) as u64).sum();
    (sum(1), sum(-1))
}

#[test]
fn every_figure_of_a_session_can_be_drawn_on_every_sheet_and_has_a_name_of_its_own() {
    let session = everything::session();
    let figures = figure::all(&session);
    let mut names: Vec<String> = figures.iter().map(Figure::name).collect();
    for name in [
        "map-8-gamma-0.3",
        "maps-gamma-0.2",
        "filters-conv1",
        "filters-logits",
        "attack",
        "training",
        "confusion-test",
    ] {
        assert!(names.iter().any(|own| own == name), "{name} of {names:?}");
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), figures.len());
    let kept = std::env::var_os("KEEP_FIGURES").map(std::path::PathBuf::from);
    for figure in figures {
        for (width, text) in [(1200, 2), (640, 1), (200, 1), (80, 1), (20, 1)] {
            let sheet = Sheet {
                width,
                text,
                background: Background::Dark,
                tint: Tint::Grey,
            };
            let image = figure::draw_on(&session, &figure, sheet).unwrap();
            assert_eq!(image.width(), width);
            assert!(image.height() % 2 == 0 && image.height() < 40_000);
        }
        let image = figure::draw(&session, &figure).unwrap();
        if let Some(folder) = &kept {
            image
                .save(folder.join(format!("{}.png", figure.name())))
                .unwrap();
        }
    }
}

#[test]
fn a_map_shows_its_signs_as_two_colours_and_as_two_greys() {
    let session = everything::session();
    let (blue, orange) = tints(&figure::draw(&session, &map(8, 0.3)).unwrap());
    assert!(blue > 100_000 && orange > 100_000, "{blue} {orange}");
    let sheet = Sheet {
        tint: Tint::Grey,
        ..Sheet::FILE
    };
    let image = figure::draw_on(&session, &map(8, 0.3), sheet).unwrap();
    assert_eq!(tints(&image), (0, 0));
}

#[test]
fn a_figure_has_few_enough_colours_for_every_protocol() {
    let session = everything::session();
    for figure in figure::all(&session) {
        let image = figure::draw(&session, &figure).unwrap();
        let colours: std::collections::HashSet<[u8; 3]> = image.pixels().map(|p| p.0).collect();
        assert!(colours.len() <= 256, "{}: {}", figure.name(), colours.len());
    }
}

#[test]
fn what_there_is_not_is_said_together_with_what_there_is() {
    let session = everything::session();
    assert_eq!(
        refusal(&session, &map(11, 0.3)),
        "there is no class 11; there are 0 to 9"
    );
    assert_eq!(
        refusal(&session, &map(8, 0.7)),
        "there are no classification images at γ 0.7; there are some at γ 0.0, 0.1, 0.2, 0.3"
    );
    let layer = "conv9".to_string();
    assert_eq!(
        refusal(&session, &Figure::Filters { layer }),
        "there is no layer `conv9`; there are conv1, conv2, fc1, logits"
    );
    let few = refusal(&session, &map(3, 0.0));
    assert!(
        few.contains("class 3") && few.contains("0 were called 3"),
        "{few}"
    );
    let new = synthetic::new();
    for (figure, nothing) in [
        (Figure::Attack, "this session has no attack yet"),
        (Figure::Training, "this session has no training yet"),
        (map(8, 0.3), "this session has no classification images yet"),
    ] {
        assert_eq!(refusal(&new, &figure), nothing);
    }
    assert_eq!(figure::all(&new), []);
}
