//! Tests of colours and scales: a pixel's colour, the shared scale, and a map too faint for it.

use std::sync::Arc;

use noisescope::drawing::{Sheet, raster};
use noisescope::figure::{self, Figure};
use noisescope::session::config::Response;
use noisescope::session::record::SumsEstimate;

use super::*;

#[test]
fn a_pixel_has_the_colour_of_its_value() {
    let session = accumulated();
    let theme = theme();
    let mut state = showing("Maps", (80, 24));
    state.shared.gamma_index = Some(3);
    enlarge(&mut state, true);
    state.shared.scale = Scale::Own;
    // The cursor is away from the pixels compared.
    view_state::<MapsView>(&mut state).cursor = Some((27, 27));
    let buf = draw(&session, &state, &theme);
    let images = session
        .record
        .classification_images()
        .expect("the plan has them");
    let estimate = images.gammas[3].estimate();
    let map = &decision_map(&estimate, ClassId(0))
        .expect("enough trials")
        .image;
    let most = map.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    let limit = noisescope::tui::widget::scale::round_up(most);
    let top = (0..buf.area.height)
        .find(|y| buf[(1, *y)].symbol() == "▀")
        .expect("a map");
    for row in [0_usize, 7, 12] {
        for column in [0_usize, 9, 27] {
            let cell = &buf[(1 + column as u16, top + row as u16 / 2)];
            let colour = if row % 2 == 0 { cell.fg } else { cell.bg };
            assert_eq!(
                colour,
                theme.palette.diverging(map[row * 28 + column] / limit)
            );
        }
    }
}

#[test]
fn classes_share_one_scale_by_default() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    assert!(screen(&session, &state).contains("one scale"));
    press(&session, &mut state, &[KeyCode::Char('s')]);
    assert!(screen(&session, &state).contains("each its own scale"));
}

/// A session whose reliable map of class 8 is a thousand times fainter than the others, like that of a class
/// that takes nearly all trials.
fn with_a_faint_map() -> Session {
    let mut session = accumulated();
    let mut all = session.record.estimates();
    for sums in &mut all {
        if let SumsEstimate::Trials(estimate) = sums {
            let mut changed = GammaEstimate::clone(estimate);
            for (class, maps) in changed.classes.iter_mut().enumerate() {
                let Some(map) = &mut maps.decision else {
                    continue;
                };
                map.reliability = Some(0.87);
                if class == 8 {
                    map.image.iter_mut().for_each(|value| *value *= 0.001);
                }
            }
            *estimate = Arc::new(changed);
        }
    }
    session.record.drop_sums();
    session.record.set_estimates(all).unwrap();
    session
}

#[test]
fn a_map_on_its_own_scale_is_labelled_so_at_every_size() {
    let session = with_a_faint_map();
    for size in SIZES {
        for view in ["Overview", "Maps"] {
            let screen = screen(&session, &showing(view, size));
            assert_eq!(screen.matches('±').count(), 1, "{view} {size:?}\n{screen}");
            let mut state = showing(view, size);
            state.shared.scale = Scale::Own;
            let separate = super::screen(&session, &state);
            let scales = separate.matches('±').count();
            assert!(scales >= 10, "{view} {size:?}\n{separate}");
        }
        // Enlarged, its own scale is below it.
        let mut state = showing("Maps", size);
        enlarge(&mut state, true);
        state.shared.class = ClassId(8);
        let screen = screen(&session, &state);
        assert!(!screen.contains("one scale"), "{screen}");
    }
}

#[test]
fn a_picture_of_all_maps_keeps_a_faint_map_visible() {
    let (session, plain) = (with_a_faint_map(), accumulated());
    let figure = Figure::Maps {
        response: Some(Response::Decision),
        images: 0,
        gamma: Some(Gamma(0.1)),
    };
    let picture = |session: &Session| {
        let drawing = figure::draw(session, &figure, Sheet::DOUBLE).unwrap();
        raster(&drawing, 4.0)
    };
    // On its own scale the faint map has as many colours as before: only its label differs.
    let colours = |image: &image::RgbImage| {
        let mut all: Vec<[u8; 3]> = image.pixels().map(|pixel| pixel.0).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    let (with_faint, without) = (picture(&session), picture(&plain));
    assert_eq!(with_faint.dimensions(), without.dimensions());
    assert!(colours(&with_faint) + 2 >= colours(&without));
    let pairs = with_faint.pixels().zip(without.pixels());
    let differ = pairs.filter(|(a, b)| a != b);
    let share = differ.count() as f64 / with_faint.pixels().len() as f64;
    assert!(share < 0.05, "{share} of the picture");
}
