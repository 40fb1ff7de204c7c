//! Golden screens: every view at every size, compared with text reviewed by a person.

use super::*;

/// Compares a screen with `tests/screens/{name}.txt`, or writes that file if `UPDATE_SCREENS` is set.
pub fn golden(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/{name}.txt"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        std::fs::write(&path, actual).expect("the golden screen can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        actual == expected,
        "{name} changed; run with UPDATE_SCREENS=1 and review the difference. It is now:\n{actual}"
    );
}

/// The screen with the half blocks of map pixels replaced by `#`: golden texts leave out their colours.
pub fn without_pixels(screen: &str) -> String {
    screen.replace('▀', "#")
}

#[test]
fn every_view_at_every_size_matches_its_golden_screen() {
    let (training, maps) = (synthetic::in_training(), accumulated());
    for size in SIZES {
        for (name, session) in [
            ("Overview", &maps),
            ("Training", &training),
            ("Maps", &maps),
        ] {
            let screen = without_pixels(&screen(session, &showing(name, size)));
            let name = name.to_lowercase();
            golden(&format!("{name}-{}x{}", size.0, size.1), &screen);
        }
        let all = experiments::measured();
        for (name, file) in [
            ("Overview", "everything"),
            ("Attack", "attack"),
            ("Predictions", "predictions"),
        ] {
            let screen = without_pixels(&screen(&all, &showing(name, size)));
            golden(&format!("{file}-{}x{}", size.0, size.1), &screen);
        }
        let finished = screen(&experiments::finished(), &showing("Overview", size));
        golden(
            &format!("finished-{}x{}", size.0, size.1),
            &without_pixels(&finished),
        );
        let mut enlarged = showing("Maps", size);
        enlarge(&mut enlarged, true);
        let screen = without_pixels(&screen(&maps, &enlarged));
        golden(&format!("enlarged-{}x{}", size.0, size.1), &screen);
    }
}

#[test]
fn help_palette_and_stop_question_match_their_golden_screens() {
    let session = accumulated();
    let mut state = state((120, 40));
    state.overlay = Overlay::Help(0);
    golden("help-120x40", &screen(&session, &state));
    state.overlay = Overlay::Palette;
    golden("palette-120x40", &screen(&session, &state));
    state.overlay = Overlay::Stop;
    golden("stop-120x40", &screen(&session, &state));
}
