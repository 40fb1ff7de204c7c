//! Plans with two experiments of a kind: each has its own figures, tables and arrays.

use noisescope::drawing::Sheet;
use noisescope::export;
use noisescope::figure::{self, Figure, FigureError};
use noisescope::ids::ClassId;
use noisescope::session::Session;
use noisescope::session::config::Analysis;

use super::{everything, tables};

/// A session of every experiment, with this one repeated at the end of the plan.
fn with_repeated(is_repeated: impl Fn(&Analysis) -> bool) -> Session {
    let mut session = everything::session();
    let index = session
        .config
        .analyses
        .iter()
        .position(is_repeated)
        .unwrap();
    let (plan, record) = (&mut session.config.analyses, &mut session.record.analyses);
    plan.push(plan[index].clone());
    record.push(record[index].clone());
    session
}

/// An array of a session's NPZ file.
fn array(session: &Session, name: &str) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    export::npz(session, &mut out).unwrap();
    let mut archive = zip::ZipArchive::new(out).unwrap();
    let mut bytes = Vec::new();
    let mut file = archive.by_name(&format!("{name}.npy")).unwrap();
    std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
    bytes
}

#[test]
fn the_second_experiment_of_a_kind_has_figures_of_its_own() {
    type IsOfKind = fn(&Analysis) -> bool;
    let kinds: [(IsOfKind, &str); 5] = [
        (|plan| matches!(plan, Analysis::Attack(_)), "attack2"),
        (
            |plan| matches!(plan, Analysis::Modulation(_)),
            "modulation2",
        ),
        (
            |plan| matches!(plan, Analysis::SpikeTriggered(_)),
            "filters2-conv1",
        ),
        (|plan| matches!(plan, Analysis::Backdoor(_)), "backdoor2"),
        (
            |plan| matches!(plan, Analysis::Predictions(_)),
            "confusion2-test",
        ),
    ];
    for (is_repeated, name) in kinds {
        assert!(figure::find(&everything::session(), name, &[]).is_err());
        let session = with_repeated(is_repeated);
        let found = figure::find(&session, name, &[]).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        let drawing = figure::draw(&session, &found[0], Sheet::DOUBLE).unwrap();
        let caption = drawing.caption;
        assert!(caption.contains("Experiment 2 of this kind"), "{caption}");
        let mut names: Vec<String> = figure::list(&session).iter().map(Figure::name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{name}");
    }
}

#[test]
fn the_beginning_of_names_selects_the_figures_of_one_experiment() {
    let images = with_repeated(|plan| matches!(plan, Analysis::ClassificationImages(_)));
    let spikes = with_repeated(|plan| matches!(plan, Analysis::SpikeTriggered(_)));
    for (session, query) in [
        (&images, "noise2"),
        (&images, "noise2-map"),
        (&images, "map-8"),
        (&spikes, "filters2"),
    ] {
        let found = figure::find(session, query, &[]).unwrap();
        let begin = format!("{query}-");
        let mut names = found.iter().map(Figure::name);
        assert!(names.all(|name| name.starts_with(&begin)), "{query}");
        assert!(found.len() > 1, "{query}");
    }
    let other = figure::find(&images, "map-8", &[ClassId(1)]);
    assert_eq!(other, Err(FigureError::OtherClass("map-8".into())));
    // They are named to whoever types another.
    let unknown = |session: &Session| {
        let refusal = figure::find(session, "histogram", &[]).unwrap_err();
        refusal.to_string()
    };
    let (of_images, of_spikes) = (unknown(&images), unknown(&spikes));
    assert!(of_images.ends_with(", noise2-…"), "{of_images}");
    assert!(of_spikes.ends_with(", filters2-…"), "{of_spikes}");
    // Up to a hyphen, and only what exists.
    for query in ["noise2-ma", "noise3", "map-8-"] {
        assert!(figure::find(&images, query, &[]).is_err(), "{query}");
    }
}

#[test]
fn a_pair_of_the_second_classification_images_is_named_by_their_number() {
    use FigureError::{Missing, Unknown};
    let refused = |session: &Session, name: &str| figure::find(session, name, &[]).unwrap_err();
    let once = everything::session();
    let twice = with_repeated(|plan| matches!(plan, Analysis::ClassificationImages(_)));
    let second = "noise2-pair-4-not-9";
    assert_eq!(refused(&once, second), Missing("classification images"));
    // Both have decisions alone.
    for name in [second, "pair-4-not-9"] {
        assert_eq!(refused(&twice, name), Missing("evidence images"));
    }
    for name in ["noise1-pair-4-not-9", "noise-pair-4-not-9"] {
        assert!(matches!(refused(&twice, name), Unknown { .. }), "{name}");
    }
}

#[test]
fn an_experiment_planned_twice_has_two_tables() {
    let session = with_repeated(|analysis| matches!(analysis, Analysis::Attack(_)));
    let tables = tables(&session);
    let rows = |name: &str| {
        &tables
            .iter()
            .find(|(table_name, _)| table_name == name)
            .unwrap()
            .1
    };
    assert_eq!(rows("attack"), rows("attack_2"));
}

#[test]
fn tables_tell_the_images_of_an_experiment_planned_twice_apart() {
    let session = with_repeated(|analysis| matches!(analysis, Analysis::ClassificationImages(_)));
    let tables = tables(&session);
    for name in ["classification_images", "counts"] {
        let (_, lines) = tables.iter().find(|(table, _)| table == name).unwrap();
        assert!(lines[0].ends_with(",images"), "{name}: {}", lines[0]);
        let (first, second) = lines[1..].split_at((lines.len() - 1) / 2);
        for (one, other) in first.iter().zip(second) {
            let (one, other) = (one.strip_suffix(",0"), other.strip_suffix(",1"));
            assert!(one.is_some() && one == other, "{name}: {one:?} {other:?}");
        }
    }
}

#[test]
fn a_second_spike_triggered_analysis_has_arrays_of_its_own() {
    let session = with_repeated(|analysis| matches!(analysis, Analysis::SpikeTriggered(_)));
    let read = |name: &str| array(&session, name);
    assert_eq!(read("sta_conv1"), read("sta2_conv1"));
    assert_eq!(read("image_sta_conv1"), read("image_sta2_conv1"));
}

#[test]
fn second_predictions_have_arrays_of_their_own() {
    let session = with_repeated(|analysis| matches!(analysis, Analysis::Predictions(_)));
    let read = |name: &str| array(&session, name);
    assert_eq!(read("confusion"), read("confusion2"));
    assert_eq!(read("mean_image"), read("mean_image2"));
}
