//! The screen that compares two sessions, of images with several channels.

use noisescope::comparison::ComparisonRequest;
use noisescope::ids::ClassId;
use noisescope::tui::action::{KeyContext, TABLE};
use noisescope::tui::compare::{ComparisonContent, ComparisonScene, ComparisonState, draw};
use noisescope::tui::scene::map_set::MapKind;
use noisescope::tui::theme::{Background, Depth, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{K, measured};

#[test]
fn the_z_of_a_pixel_is_that_of_its_strongest_channel_and_the_map_the_mean_of_all() {
    let session = measured();
    let mut state = ComparisonState::new(ComparisonRequest::default());
    let content = ComparisonContent::new([&session, &session], &state).unwrap();
    let maps = ClassId::all(K).filter_map(|class| content.compared.map(0, class));
    let z = maps.flat_map(|map| &map.z).map(|z| z.abs());
    let largest = z.fold(0.0_f32, f32::max);
    assert!(largest > 0.0);
    assert_eq!(content.limits.z, largest);

    let area = Rect::new(0, 0, 120, 40);
    for (kind, plane) in [
        (MapKind::Image, "mean of 3 channels"),
        (MapKind::Z, "strongest of 3 channels"),
    ] {
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
