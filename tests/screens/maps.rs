//! Maps: their values, their scales, and what is said where there is none.

use std::sync::Arc;

use super::*;
use noisescope::drawing::{Sheet, raster};
use noisescope::figure::{self, Figure};
use noisescope::session::config::{self, Response};
use noisescope::session::record::{self, SumsEstimate};
use noisescope::stats::classification::{GammaEstimate, ImageEstimate};
use noisescope::stats::regression::Regression;

/// The classification image of a class.
fn decided(estimate: &GammaEstimate, class: usize) -> Option<&ImageEstimate> {
    estimate.classes[class].decision.as_ref()
}

#[test]
fn maps_tell_count_reliability_and_what_each_is_called_when_fed_back() {
    let screen = screen(&accumulated(), &at("Maps", (120, 40)));
    assert!(screen.contains("▸0 R "), "{screen}");
    assert!(
        screen.contains("k trials") && screen.contains("called 0 72.0 %"),
        "{screen}"
    );
    assert!(screen.contains("▸classification image"), "{screen}");
    // All classes are best at one γ.
    assert!(screen.contains("▸0.1"), "{screen}");
}

#[test]
fn where_one_class_takes_every_trial_nothing_is_zero_and_the_way_out_is_named() {
    let session = accumulated();
    for size in SIZES {
        let mut state = at("Maps", size);
        state.shared.gamma = Some(0);
        let all = screen(&session, &state);
        let words = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("every one of 400 k trials was called 8"),
            "{all}"
        );
        assert!(all.contains("Press ]"), "{all}");
        let word = if size.0 < 100 { "no R" } else { "insufficient" };
        assert_eq!(all.matches(word).count(), 9, "{all}");
        // Nine in the sheet, and one more where the chosen class stands beside it.
        assert!(all.matches("never").count() >= 9, "{all}");
        assert!(
            ["8 mean stimulus", "8 stim", "8 all trials"]
                .iter()
                .any(|words| all.contains(words)),
            "{all}"
        );
        let buf = draw(&session, &state, &theme());
        let grey = |colour| matches!(colour, Color::Rgb(r, g, b) if r == g && g == b);
        let map = buf.content.iter().filter(|cell| cell.symbol() == "▀");
        assert!(
            map.into_iter().all(|cell| grey(cell.fg)),
            "a map in colour:\n{all}"
        );
        enlarge(&mut state, true);
        state.shared.class = 8;
        let one = screen(&session, &state)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(one.contains("Every trial was called 8"), "{one}");
        state.view = ViewId(0);
        assert!(screen(&session, &state).contains("press ]"));
    }
}

#[test]
fn too_few_trials_show_the_mean_stimulus_instead_and_say_so() {
    let few = synthetic::accumulating([0, 300, 0, 0]);
    for size in SIZES {
        for view in ["Overview", "Maps"] {
            let mut state = at(view, size);
            state.shared.gamma = Some(1);
            let all = screen(&few, &state);
            let labels = all.matches("too few").count();
            assert!(labels >= 10, "{all}");
            assert!(size.0 < 120 || all.contains(" of 30"), "{all}");
            assert!(!all.contains(" R 0"), "{all}");
        }
    }
    let mut state = at("Maps", (120, 40));
    state.shared.gamma = Some(1);
    enlarge(&mut state, true);
    let one = screen(&few, &state);
    assert!(one.contains("of the 30 trials needed"), "{one}");
    assert!(one.contains("Shown instead: the mean of stimuli"), "{one}");
}

#[test]
fn the_overview_shows_each_class_at_its_best_and_does_not_flip() {
    let session = synthetic::accumulating([400_000, 400_000, 40_000, 12_000]);
    let images = session.record.classification_images().expect("planned");
    let mut state = at("Overview", (120, 40));
    state.shared.settle(&session);
    for class in 0..synthetic::CLASSES {
        let best = (0..4).max_by(|&a, &b| {
            let r = |gamma: usize| {
                let own = images.gammas[gamma].estimate();
                decided(&own, class)
                    .and_then(|it| it.reliability)
                    .unwrap_or(-1.0)
            };
            r(a).total_cmp(&r(b))
        });
        assert_eq!(Some(state.shared.best_gammas[class]), best, "class {class}");
    }
    // A little better is not enough to move; where there is nothing, it moves.
    let kept = state.shared.best_gammas.clone();
    for (class, own) in state.shared.best_gammas.iter_mut().enumerate() {
        *own = if class == 3 { 0 } else { kept[class] };
    }
    state.shared.settle(&session);
    assert_eq!(state.shared.best_gammas, kept);
    let more = synthetic::accumulating([400_000, 400_000, 400_000, 12_000]);
    let clearly = |class: usize| {
        let images = more.record.classification_images().expect("planned");
        let r = |gamma: usize| {
            let own = images.gammas[gamma].estimate();
            decided(&own, class).and_then(|it| it.reliability)
        };
        r(2) > r(kept[class]).map(|r| r + 0.1)
    };
    state.shared.settle(&more);
    let moved = state
        .shared
        .best_gammas
        .iter()
        .zip(&kept)
        .map(|(now, then)| now != then);
    let expected = (0..synthetic::CLASSES).map(clearly);
    assert!(
        moved.eq(expected),
        "{kept:?} {:?}",
        state.shared.best_gammas
    );
}

#[test]
fn a_class_is_labelled_with_its_own_signal_where_classes_differ() {
    let session = accumulated();
    for size in SIZES {
        let mut state = at("Overview", size);
        state.shared.best_gammas = vec![1, 2, 1, 2, 1, 2, 1, 2, 1, 3];
        let screen = screen(&session, &state);
        assert!(screen.contains("each class at its best γ"), "{screen}");
        let own = if size.0 < 100 { "γ.1" } else { "γ 0.1  R" };
        assert!(screen.contains(own), "{screen}");
        assert!(screen.contains(&own.replace('1', "2")), "{screen}");
    }
}

#[test]
fn an_enlarged_map_is_a_whole_zoom_of_its_pixels() {
    let session = accumulated();
    for (size, columns) in [
        ((60, 18), 28),
        ((80, 24), 28),
        ((120, 40), 56),
        ((200, 60), 84),
    ] {
        let mut state = at("Maps", size);
        enlarge(&mut state, true);
        let buf = draw(&session, &state, &theme());
        let coloured = |y: u16| {
            (0..buf.area.width)
                .filter(|x| buf[(*x, y)].bg != Color::Reset)
                .count()
        };
        let widest = (3..7).map(coloured).max();
        assert_eq!(widest, Some(columns), "{size:?}");
    }
}

#[test]
fn the_cursor_reads_row_column_value_and_z() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    state.shared.gamma = Some(3);
    press(
        &session,
        &mut state,
        &[KeyCode::Enter, KeyCode::Up, KeyCode::Char('h')],
    );
    assert_eq!(of::<MapsView>(&mut state).cursor, Some((13, 13)));
    let screen = screen(&session, &state);
    let images = session
        .record
        .classification_images()
        .expect("they are planned");
    let estimate = images.gammas[3].estimate();
    let z = f64::from(decided(&estimate, 0).expect("enough trials").z[13 * 28 + 13]);
    assert!(screen.contains("row 13  column 13"), "{screen}");
    assert!(
        screen.contains(&noisescope::format::signed_number(z)),
        "{z} is not on\n{screen}"
    );
}

#[test]
fn a_pixel_has_the_colour_of_its_value() {
    let session = accumulated();
    let theme = theme();
    let mut state = at("Maps", (80, 24));
    state.shared.gamma = Some(3);
    enlarge(&mut state, true);
    state.shared.scale = Scale::Own;
    // Away from the pixels that are looked at.
    of::<MapsView>(&mut state).cursor = Some((27, 27));
    let buf = draw(&session, &state, &theme);
    let images = session
        .record
        .classification_images()
        .expect("they are planned");
    let estimate = images.gammas[3].estimate();
    let map = &decided(&estimate, 0).expect("enough trials").image;
    let most = map.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    let limit = noisescope::tui::widget::scale::round_up(most);
    let top = (0..buf.area.height)
        .find(|y| buf[(1, *y)].symbol() == "▀")
        .expect("the map begins");
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
fn classes_share_one_scale_unless_asked() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    assert!(screen(&session, &state).contains("one scale"));
    press(&session, &mut state, &[KeyCode::Char('s')]);
    assert!(screen(&session, &state).contains("each its own scale"));
}

/// With the map of class 8 a thousand times fainter than the others, as that of a class that takes nearly
/// all trials is, and reliable.
fn with_a_faint_map() -> Session {
    let mut session = accumulated();
    let mut all = session.record.estimates();
    for own in &mut all {
        if let SumsEstimate::Trials(estimate) = own {
            let mut changed = GammaEstimate::clone(estimate);
            for (class, own) in changed.classes.iter_mut().enumerate() {
                let Some(map) = &mut own.decision else {
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
fn a_map_on_a_scale_of_its_own_says_so_on_itself_at_every_size() {
    let session = with_a_faint_map();
    for size in SIZES {
        for view in ["Overview", "Maps"] {
            let screen = screen(&session, &at(view, size));
            assert_eq!(screen.matches('±').count(), 1, "{view} {size:?}\n{screen}");
            let mut own = at(view, size);
            own.shared.scale = Scale::Own;
            let own = super::screen(&session, &own);
            assert!(own.matches('±').count() >= 10, "{view} {size:?}\n{own}");
        }
        // Enlarged, its scale stands below it.
        let mut state = at("Maps", size);
        enlarge(&mut state, true);
        state.shared.class = 8;
        let screen = screen(&session, &state);
        assert!(!screen.contains("one scale"), "{screen}");
    }
}

#[test]
fn a_picture_of_all_maps_hides_none_of_them() {
    let (session, plain) = (with_a_faint_map(), accumulated());
    let figure = Figure::Maps {
        response: Some(Response::Decision),
        images: 0,
        gamma: Some(0.1),
    };
    let drawn = |session: &Session| {
        let drawing = figure::draw(session, &figure, Sheet::DOUBLE).unwrap();
        raster(&drawing, 4.0)
    };
    // On its own scale the faint map has as many colours as it had: only what marks it differs.
    let colours = |image: &image::RgbImage| {
        let mut all: Vec<[u8; 3]> = image.pixels().map(|pixel| pixel.0).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    let (faint, usual) = (drawn(&session), drawn(&plain));
    assert_eq!(faint.dimensions(), usual.dimensions());
    assert!(colours(&faint) + 2 >= colours(&usual));
    let differ = faint.pixels().zip(usual.pixels()).filter(|(a, b)| a != b);
    let share = differ.count() as f64 / faint.pixels().len() as f64;
    assert!(share < 0.05, "{share} of the picture");
}

#[test]
fn maps_open_at_the_best_of_each_class() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    state.shared.settle(&session);
    let images = state.shared.current_images(&session).unwrap();
    let best: Vec<usize> = (0..10)
        .map(|class| state.shared.best_gamma(images, class))
        .collect();
    let screen = screen(&session, &state);
    for &place in &best {
        let gamma = format!("γ {:.1}", images.gammas[place].gamma);
        let mixed = best.iter().any(|other| *other != best[0]);
        assert!(!mixed || screen.contains(&gamma), "{gamma}\n{screen}");
    }
}

#[test]
fn a_two_by_two_table_adds_up_to_all_trials() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    state.shared.gamma = Some(3);
    enlarge(&mut state, true);
    let screen = screen(&session, &state);
    let numbers = |label: &str| -> Vec<u64> {
        let of = |line: &str| -> Vec<u64> {
            let tail = line.split(label).nth(1).unwrap_or("").split_whitespace();
            tail.filter_map(|word| word.replace(',', "").parse().ok())
                .collect()
        };
        let lines = screen.lines().filter(|line| !line.contains("of "));
        lines
            .map(of)
            .find(|numbers| numbers.len() == 2)
            .unwrap_or_default()
    };
    let cells = [numbers("called 0 "), numbers("called other ")].concat();
    assert_eq!(cells.len(), 4, "{screen}");
    let trials = session
        .record
        .classification_images()
        .map(|it| it.gammas[3].trials);
    assert_eq!(Some(cells.iter().sum()), trials);
}

/// Maps under noise that smooths, with their regressions: of all classes but 3.
fn under_gabor_noise() -> Session {
    let mut session = accumulated();
    let Some(config::Analysis::ClassificationImages(plan)) = session.config.analyses.first_mut()
    else {
        panic!("maps come first");
    };
    plan.noise = config::Noise::Gabor;
    let mut all = session.record.estimates();
    for own in &mut all {
        if let SumsEstimate::Trials(estimate) = own {
            let mut changed = GammaEstimate::clone(estimate);
            for (class, own) in changed.classes.iter_mut().enumerate() {
                let Some(map) = own.decision.as_mut().filter(|_| class != 3) else {
                    continue;
                };
                map.regression = Some(Regression {
                    image: map.image.iter().rev().copied().collect(),
                    reliability: Some(0.42),
                    axes: 612.4,
                });
            }
            *estimate = Arc::new(changed);
        }
    }
    session.record.drop_sums();
    session.record.set_estimates(all).unwrap();
    let record::Analysis::ClassificationImages(own) = &mut session.record.analyses[0] else {
        panic!("maps come first");
    };
    own.gammas
        .iter_mut()
        .for_each(|gamma| gamma.kind = config::Noise::Gabor);
    session
}

#[test]
fn under_noise_that_smooths_a_key_shows_the_regression_with_its_own_figures() {
    let session = under_gabor_noise();
    for size in SIZES {
        let mut state = at("Maps", size);
        let image = screen(&session, &state);
        press(&session, &mut state, &[KeyCode::Char('m'); 4]);
        let all = screen(&session, &state);
        assert!(
            all.contains("▸regression") && !all.contains("smoothed"),
            "{size:?}\n{all}"
        );
        assert!(
            image.contains("smoothed") || size.0 < 80,
            "{size:?}\n{image}"
        );
        assert!(all.matches("0.42").count() >= 9, "{size:?}\n{all}");
        assert!(
            all.contains("too few"),
            "class 3 says why it has none\n{all}"
        );
        // What is known of the image alone is not told of the regression.
        enlarge(&mut state, true);
        let one = screen(&session, &state);
        assert!(one.contains("612 axes"), "{size:?}\n{one}");
        for word in ["|z| >", "cluster", "R 0.95"] {
            assert!(!one.contains(word), "{word} {size:?}\n{one}");
        }
        press(&session, &mut state, &[KeyCode::Char('m')]);
        assert!(!screen(&session, &state).contains("▸regression"));
    }
    // Where the noise is white there is none.
    let mut state = at("Maps", (120, 40));
    press(&accumulated(), &mut state, &[KeyCode::Char('m'); 4]);
    assert!(!screen(&accumulated(), &state).contains("regression"));
}
