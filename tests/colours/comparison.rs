//! The screen that compares two sessions, of images with several channels.

use noisescope::comparison::{ComparisonRequest, MapComparison, SessionPair};
use noisescope::drawing::scale::round_up;
use noisescope::drawing::{Mark, Sheet};
use noisescope::ids::ClassId;
use noisescope::tui::action::{KeyContext, TABLE};
use noisescope::tui::compare::{ComparisonContent, ComparisonScene, ComparisonState, draw};
use noisescope::tui::scene::map_set::MapKind;
use noisescope::tui::theme::{Background, Depth, Theme};
use noisescope::{figure, format};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{K, measured};

#[test]
fn a_pixel_shows_the_channel_that_may_outline_it() {
    let session = measured();
    let mut state = ComparisonState::new(ComparisonRequest::default());
    let content = ComparisonContent::new([&session, &session], &state).unwrap();
    let maps = ClassId::all(K).filter_map(|class| content.compared.map(0, class));
    let z = maps.flat_map(|map| &map.z).map(|z| z.abs());
    let largest = z.fold(0.0_f32, f32::max);
    assert!(largest > 0.0);
    assert_eq!(content.limits.z, largest);
    for class in ClassId::all(K) {
        let Some(map) = content.compared.map(0, class) else {
            continue;
        };
        let values = map.image.iter().map(|value| value.abs());
        let end = round_up(values.fold(0.0_f32, f32::max));
        assert_eq!(content.scales.own_limit(class.0), end);
    }

    let area = Rect::new(0, 0, 120, 40);
    let plane = "strongest of 3 channels";
    for kind in [MapKind::Image, MapKind::Z] {
        state.kind = kind;
        let scene = ComparisonScene {
            sessions: [&session, &session],
            state: &state,
            content: Ok(&content),
            agreement: None,
            contexts: vec![KeyContext::Comparison, KeyContext::Everywhere],
            keys: TABLE,
        };
        let mut buffer = Buffer::empty(area);
        let theme = Theme::new(Depth::True, Background::Dark, true);
        draw(&scene, &theme, area, &mut buffer);
        let screen: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert!(screen.contains(plane), "{plane}: {screen}");
    }
}

#[test]
fn a_figure_of_two_sessions_shows_the_channel_that_may_outline_a_pixel() {
    let session = measured();
    let pair = SessionPair::new(&session, &session, &ComparisonRequest::default()).unwrap();
    let compared = MapComparison::new(&pair, 0, pair.responses[0]);
    let has_map = |class: &ClassId| compared.map(0, *class).is_some();
    let class = ClassId::all(K).find(has_map).unwrap();
    let drawing = figure::comparison(&pair, &compared, &[class], Sheet::DOUBLE);
    let values = compared.map(0, class).unwrap().image.iter();
    let largest = values.map(|value| value.abs()).fold(0.0_f32, f32::max);
    let end = format::signed(f64::from(round_up(largest)));
    let is_end = |mark: &Mark| matches!(mark, Mark::Text { label, .. } if label.text == end);
    assert!(drawing.marks.iter().any(is_end), "{end}");
    for text in [&drawing.title, &drawing.caption] {
        assert!(text.contains("strongest of 3 channels"), "{text}");
    }
}
