//! Figures as images in files and on terminals, tables, and errors when there is nothing to show.

mod common;

#[path = "screens/everything.rs"]
mod everything;
#[path = "figures/named.rs"]
mod named;
#[path = "figures/repeated.rs"]
mod repeated;
#[path = "figures/show.rs"]
mod show;
#[path = "screens/synthetic.rs"]
#[allow(dead_code, reason = "shared with the tests of screens")]
mod synthetic;

use image::{Rgb, RgbImage};
use noisescope::drawing::{Background, Palette, Sheet, layout_faults, pdf, raster, svg};
use noisescope::export::{self, ExportFormat};
use noisescope::figure::{self, Figure};
use noisescope::ids::{ClassId, Gamma};
use noisescope::session::{Session, record};

fn map(class: ClassId, gamma: Gamma) -> Figure {
    Figure::Map {
        response: None,
        images: 0,
        class,
        gamma: Some(gamma),
    }
}

fn refusal(session: &Session, figure: &Figure) -> String {
    let refused = figure::draw(session, figure, Sheet::DOUBLE);
    refused.unwrap_err().to_string()
}

/// How blue and how orange an image is in total.
fn tints(image: &RgbImage) -> (u64, u64) {
    let blueness = |p: &Rgb<u8>| (i64::from(p.0[2]) - i64::from(p.0[0])).clamp(-99, 99);
    let sum = |sign: i64| {
        image
            .pixels()
            .map(|p| (sign * blueness(p)).max(0) as u64)
            .sum()
    };
    (sum(1), sum(-1))
}

#[test]
fn every_figure_can_be_drawn_on_every_sheet_and_has_a_unique_name() {
    let session = everything::session();
    let figures = figure::list(&session);
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
        assert!(
            names.iter().any(|drawn| drawn == name),
            "{name} of {names:?}"
        );
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), figures.len());
    let keep_folder = std::env::var_os("KEEP_FIGURES").map(std::path::PathBuf::from);
    for figure in figures {
        let name = figure.name();
        for (width, text) in [(180.0, 7.0), (85.0, 7.0), (40.0, 4.0), (20.0, 7.0)] {
            let sheet = Sheet {
                width,
                text_points: text,
                background: Background::Dark,
                palette: Palette::Grey,
                titled: width > 50.0,
            };
            let drawing = figure::draw(&session, &figure, sheet).unwrap();
            assert!(
                drawing.height > 5.0 && drawing.height < 2_000.0,
                "{name}: {}",
                drawing.height
            );
            let image = raster(&drawing, 2.0);
            assert_eq!(image.width(), (2.0 * width) as u32);
        }
        let drawing = figure::draw(&session, &figure, Sheet::DOUBLE).unwrap();
        for (part, text) in [
            ("title", &drawing.title),
            ("alternative", &drawing.alt_text),
            ("caption", &drawing.caption),
        ] {
            assert!(
                text.len() > 5 && !text.contains("NaN"),
                "{name} {part}: {text}"
            );
            let words: Vec<&str> = text.split_whitespace().collect();
            let mut pairs = words.windows(2);
            let twice =
                pairs.find(|two| two[0].ends_with(':') && two[0].eq_ignore_ascii_case(two[1]));
            assert_eq!(twice, None, "{name} {part}: {text}");
            let small = |word: &str| word.starts_with(|c: char| c.is_ascii_lowercase());
            let mut pairs = words.windows(2);
            let begun_small = pairs.find(|two| two[0].ends_with('.') && small(two[1]));
            assert_eq!(begun_small, None, "{name} {part}: {text}");
        }
        assert!(
            drawing.caption.contains("seed 1"),
            "{name}: {}",
            drawing.caption
        );
        if let Some(folder) = &keep_folder {
            let path = |ending: &str| folder.join(format!("{name}.{ending}"));
            std::fs::write(path("svg"), svg::file(&drawing)).unwrap();
            std::fs::write(path("pdf"), pdf(&drawing).unwrap()).unwrap();
            raster(&drawing, 8.0).save(path("png")).unwrap();
        }
    }
}

#[test]
fn no_text_in_a_figure_overlaps_or_leaves_the_sheet() {
    let session = everything::session();
    for figure in figure::list(&session) {
        for sheet in [Sheet::DOUBLE, Sheet::SINGLE] {
            let drawing = figure::draw(&session, &figure, sheet).unwrap();
            let (name, width) = (figure.name(), sheet.width);
            assert_eq!(layout_faults(&drawing), [""; 0], "{name} on {width} mm");
        }
    }
}

#[test]
fn every_figure_can_be_drawn_if_no_class_has_enough_trials() {
    let mut session = synthetic::accumulating([4_000; 4]);
    let record::Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
        unreachable!()
    };
    for trials in &mut images.gammas {
        trials.min_trials = 1_000_000;
    }
    let mut names = Vec::new();
    for figure in figure::list(&session) {
        let drawing = figure::draw(&session, &figure, Sheet::DOUBLE);
        let drawing = drawing.unwrap_or_else(|error| panic!("{}: {error}", figure.name()));
        if matches!(figure, Figure::Means { .. }) {
            let nothing = "A sheet of 0 mean stimuli out of 10 classes";
            let words = drawing.alt_text;
            assert!(words.starts_with(nothing), "{words}");
        }
        names.push(figure.name());
    }
    for name in ["mean-stimuli", "mean-stimuli-gamma-0.3"] {
        assert!(names.iter().any(|drawn| drawn == name), "{names:?}");
    }
}

#[test]
fn the_caption_of_filters_explains_what_is_beside_each_average() {
    let session = everything::session();
    for (layer, explained) in [("conv1", "weights of the unit; r"), ("fc1", "R: ")] {
        let layer = layer.to_owned();
        let figure = Figure::Filters { nth: 0, layer };
        let drawing = figure::draw(&session, &figure, Sheet::DOUBLE).unwrap();
        assert!(drawing.caption.contains(explained), "{}", drawing.caption);
    }
}

#[test]
fn a_map_shows_its_signs_as_two_colours_and_as_two_greys() {
    let session = everything::session();
    let drawn = |palette| {
        let sheet = Sheet {
            palette,
            ..Sheet::DOUBLE
        };
        let drawing = figure::draw(&session, &map(ClassId(8), Gamma(0.3)), sheet).unwrap();
        tints(&raster(&drawing, 4.0))
    };
    let (blue, orange) = drawn(Palette::BlueOrange);
    assert!(blue > 100_000 && orange > 100_000, "{blue} {orange}");
    assert_eq!(drawn(Palette::Grey), (0, 0));
}

#[test]
fn a_missing_item_is_refused_with_the_existing_ones() {
    let session = everything::session();
    assert_eq!(
        refusal(&session, &map(ClassId(11), Gamma(0.3))),
        "there is no class 11; there are 0 to 9"
    );
    assert_eq!(
        refusal(&session, &map(ClassId(8), Gamma(0.7))),
        "there are no classification images at γ 0.7; there are some at γ 0.0, 0.1, 0.2, 0.3"
    );
    let layer = "conv9".to_string();
    assert_eq!(
        refusal(&session, &Figure::Filters { nth: 0, layer }),
        "there is no layer `conv9`; there are conv1, conv2, fc1, logits"
    );
    let few = refusal(&session, &map(ClassId(3), Gamma::NOISE));
    assert!(
        few.contains("class 3") && few.contains("0 were called 3"),
        "{few}"
    );
    let new = synthetic::new();
    for (figure, nothing) in [
        (
            Figure::Attack { nth: 0 },
            "this session has no attack yet; Attack in the plan makes it",
        ),
        (
            Figure::Training,
            "this session has no training yet; only a network trained here has one",
        ),
        (
            map(ClassId(8), Gamma(0.3)),
            "this session has no classification images yet; ClassificationImages in the plan makes it",
        ),
    ] {
        assert_eq!(refusal(&new, &figure), nothing);
    }
    assert_eq!(figure::list(&new), []);
}

/// Name and lines of every table of a session.
fn tables(session: &Session) -> Vec<(String, Vec<String>)> {
    let tables = export::tables(session).into_iter();
    tables
        .map(|(name, table)| (name, table.into_text().lines().map(String::from).collect()))
        .collect()
}

#[test]
fn tables_are_tidy_and_missing_values_are_empty_fields() {
    let session = everything::session();
    let tables = tables(&session);
    let names: Vec<&str> = tables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "training",
            "classification_images",
            "counts",
            "attack",
            "spike_triggered",
            "modulation",
            "backdoor",
            "backdoor_networks",
            "predictions",
        ]
    );
    for (name, lines) in &tables {
        let columns = lines[0].split(',').count();
        for line in lines {
            assert_eq!(line.split(',').count(), columns, "{name}: {line}");
            assert!(
                !line.contains("NaN") && !line.contains("inf"),
                "{name}: {line}"
            );
        }
    }
    let rows = |name: &str| {
        &tables
            .iter()
            .find(|(table_name, _)| table_name == name)
            .unwrap()
            .1
    };
    assert_eq!(
        rows("attack")[0],
        "source,pattern,target,target_name,weight,successes,n"
    );
    // At w = 1 of the mean image: all images except the target's.
    assert!(rows("attack").contains(&"image,mean_image,0,0,1,891,900".to_string()));
    assert!(rows("spike_triggered").contains(&"conv1,6,true,,,".to_string()));
    assert!(
        rows("counts")
            .iter()
            .any(|line| line.starts_with("uniform,0,0,0,8,8,"))
    );
    // A clean network at γ 0: class 3 was never called.
    assert!(rows("backdoor").contains(&"2,0,3,3,300000,0,,,,,".to_string()));
    assert!(rows("predictions").contains(&"test,9,9,9,9,971".to_string()));
    assert!(self::tables(&synthetic::new()).is_empty());
}

#[test]
fn an_export_replaces_the_files_it_writes_and_touches_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("tables");
    let session = everything::session();
    let names = |path: &std::path::Path| {
        let entries = std::fs::read_dir(path).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<std::collections::BTreeSet<String>>()
    };
    export::write(&session, ExportFormat::Csv, Some(&out)).unwrap();
    assert!(names(&out).contains("attack.csv"));
    let mut less = session.clone();
    less.record.analyses.truncate(1);
    less.config.analyses.truncate(1);
    std::fs::write(out.join("mine.txt"), "my own").unwrap();
    let before = names(&out);
    export::write(&less, ExportFormat::Csv, Some(&out.join(""))).unwrap();
    assert_eq!(names(&out), before, "a file is gone");
    let listed = std::fs::read_to_string(out.join("README.txt")).unwrap();
    let listed: Vec<&str> = listed.lines().collect();
    assert!(
        listed.contains(&"counts.csv") && !listed.contains(&"attack.csv"),
        "{listed:?}"
    );
    assert_eq!(names(folder.path()).len(), 1, "a temporary file is left");

    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::write(mine.join("thesis.tex"), "years of work").unwrap();
    let error = export::write(&session, ExportFormat::Png, Some(&mine)).unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    assert_eq!(names(&mine).len(), 1);
    let error = export::write(&synthetic::new(), ExportFormat::Png, Some(&out)).unwrap_err();
    assert!(
        error.to_string().contains("measured nothing yet"),
        "{error}"
    );
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn figures_are_exported_under_plain_names() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    let mut session = everything::session();
    session.record.analyses.truncate(1);
    session.config.analyses.truncate(1);
    export::write(&session, ExportFormat::Png, Some(&out)).unwrap();
    for name in ["map-8-gamma-0.3.png", "maps-gamma-0.2.png", "training.png"] {
        let image = image::open(out.join(name)).unwrap();
        // 180 mm at 300 dots an inch.
        assert_eq!(image.width(), 2126, "{name}");
        let caption = std::fs::read_to_string(out.join(name).with_extension("txt")).unwrap();
        assert!(
            caption.contains("seed 1") && caption.contains("Alternative text: "),
            "{caption}"
        );
    }
}
