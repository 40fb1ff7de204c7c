//! Every view at every size, as reviewed by eye.

use super::*;

pub fn golden(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/{name}.txt"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        std::fs::write(&path, actual).expect("the folder of golden screens can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        actual == expected,
        "{name} changed; run with UPDATE_SCREENS=1 and look at the difference. Now:\n{actual}"
    );
}

/// A map's pixels have no place in a golden text: half blocks become one letter.
pub fn without_pixels(screen: &str) -> String {
    screen.replace('▀', "#")
}

#[test]
fn every_view_at_every_size_looks_as_reviewed() {
    let (training, maps) = (synthetic::in_training(), accumulated());
    for size in SIZES {
        for (name, session) in [
            ("Overview", &maps),
            ("Training", &training),
            ("Maps", &maps),
        ] {
            let screen = without_pixels(&screen(session, &at(name, size)));
            let name = name.to_lowercase();
            golden(&format!("{name}-{}x{}", size.0, size.1), &screen);
        }
        let all = experiments::measured();
        for (name, file) in [
            ("Overview", "everything"),
            ("Attack", "attack"),
            ("Predictions", "predictions"),
        ] {
            let screen = without_pixels(&screen(&all, &at(name, size)));
            golden(&format!("{file}-{}x{}", size.0, size.1), &screen);
        }
        let finished = screen(&experiments::finished(), &at("Overview", size));
        golden(
            &format!("finished-{}x{}", size.0, size.1),
            &without_pixels(&finished),
        );
        let mut enlarged = at("Maps", size);
        enlarge(&mut enlarged, true);
        let screen = without_pixels(&screen(&maps, &enlarged));
        golden(&format!("enlarged-{}x{}", size.0, size.1), &screen);
    }
}

#[test]
fn help_palette_and_question_look_as_reviewed() {
    let session = accumulated();
    let mut state = state((120, 40));
    state.overlay = Overlay::Help(0);
    golden("help-120x40", &screen(&session, &state));
    state.overlay = Overlay::Palette;
    golden("palette-120x40", &screen(&session, &state));
    state.overlay = Overlay::Stop;
    golden("stop-120x40", &screen(&session, &state));
}
