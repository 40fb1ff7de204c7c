//! Figures as files: selecting them, drawing options, and what bad input and a full disk leave behind.

mod common;

#[path = "fixtures/colours.rs"]
#[allow(dead_code, reason = "shared with the tests of colours")]
mod colours;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{Bench, finished};
use noisescope::drawing::{Mark, Sheet, pdf, png, svg};
use noisescope::figure::{self, Figure};
use noisescope::ids::Gamma;
use noisescope::session::Session;

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// The names in the test's folder that an export may have written.
fn written(bench: &Bench) -> BTreeSet<String> {
    let all = names(bench.folder.path()).into_iter();
    all.filter(|name| name.starts_with("done-") || name.contains(".tmp"))
        .collect()
}

#[test]
fn one_figure_is_a_file_with_a_caption_and_several_are_a_folder() {
    let bench = finished();
    bench.succeed(&["export", "done", "--format", "svg", "--figure", "training"]);
    bench.succeed(&[
        "export", "done", "--format", "pdf", "--figure", "training", "--out", "b.pdf",
    ]);
    assert_eq!(
        written(&bench),
        ["done-training.svg", "done-training.txt"]
            .map(String::from)
            .into()
    );
    assert!(fs::read(bench.path("b.pdf")).unwrap().starts_with(b"%PDF-"));
    let caption = fs::read_to_string(bench.path("b.txt")).unwrap();
    assert!(
        caption.starts_with("Loss and accuracy") && caption.contains("Alternative text: "),
        "{caption}"
    );
    // All figures of one kind, for two classes.
    bench.succeed(&[
        "export", "done", "--format", "svg", "--figure", "map", "--class", "3", "--class", "7",
        "--out", "maps",
    ]);
    let maps = names(&bench.path("maps"));
    assert!(
        maps.contains("map-3-gamma-0.4.svg") && maps.contains("evidence-map-7-gamma-0.4.svg"),
        "{maps:?}"
    );
    assert!(maps.iter().all(|name| !name.contains("map-4")), "{maps:?}");
    bench.succeed(&[
        "export",
        "done",
        "--format",
        "png",
        "--figure",
        "evidence-maps",
        "--dpi",
        "100",
    ]);
    let image = image::open(bench.path("done-evidence-maps-gamma-0.4.png")).unwrap();
    assert_eq!(image.width(), 709);
    let pair = [
        "export",
        "done",
        "--format",
        "svg",
        "--figure",
        "pair-3-not-7",
    ];
    bench.succeed(&pair);
    let text = fs::read_to_string(bench.path("done-pair-3-not-7.svg")).unwrap();
    assert!(text.contains("class 3 rather than class 7"), "{text}");
}

#[test]
fn one_figure_goes_to_standard_output_and_several_do_not() {
    let bench = finished();
    let to_stdout = [
        "export", "done", "--format", "svg", "--out", "-", "--figure",
    ];
    let printed = bench.succeed(&[&to_stdout[..], &["training"]].concat());
    bench.succeed(&["export", "done", "--format", "svg", "--figure", "training"]);
    let file = fs::read_to_string(bench.path("done-training.svg")).unwrap();
    assert!(printed == file, "{printed}");
    assert_eq!(written(&bench).len(), 2);
    let error = bench.refuse(2, &[&to_stdout[..], &["map"]].concat());
    assert!(error.contains("several files"), "{error}");
}

#[test]
fn an_export_into_an_existing_folder_names_it_as_before() {
    let bench = finished();
    let export = || bench.output(&["export", "done", "--format", "csv"]).stderr;
    let first = export();
    assert_eq!(
        String::from_utf8(first.clone()).unwrap(),
        "wrote done-tables\n"
    );
    assert_eq!(export(), first);
}

#[test]
fn width_font_size_colours_and_title_follow_the_options() {
    let bench = finished();
    let base = [
        "export", "done", "--format", "svg", "--figure", "training", "--out", "t.svg",
    ];
    let drawn = |more: &[&str]| {
        bench.succeed(&[&base[..], more].concat());
        fs::read_to_string(bench.path("t.svg")).unwrap()
    };
    let plain = drawn(&[]);
    assert!(
        plain.contains("width=\"180mm\"") && plain.contains("font-weight=\"bold\""),
        "{plain}"
    );
    assert!(drawn(&["--column", "single"]).contains("width=\"85mm\""));
    assert!(drawn(&["--width", "120.5"]).contains("width=\"120.5mm\""));
    // 10 points in millimetres.
    assert!(drawn(&["--font-size", "10"]).contains("font-size=\"3.528\""));
    assert!(!drawn(&["--no-title"]).contains("font-weight=\"bold\""));
    assert!(drawn(&["--background", "dark"]).contains("#121212"));
    let colours = |text: &str| -> BTreeSet<String> {
        let parts = text.split('#').skip(1).filter_map(|part| part.get(..6));
        parts
            .filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))
            .map(String::from)
            .collect()
    };
    let is_grey = |colour: &String| colour[..2] == colour[2..4] && colour[2..4] == colour[4..];
    assert!(!colours(&plain).iter().all(is_grey));
    assert!(colours(&drawn(&["--palette", "grey"])).iter().all(is_grey));
}

#[test]
fn a_missing_figure_is_refused_with_how_to_get_it() {
    let bench = finished();
    let figure = |code: i32, name: &str| {
        bench.refuse(
            code,
            &["export", "done", "--format", "svg", "--figure", name],
        )
    };
    let error = figure(1, "attack");
    assert!(
        error.contains("no attack yet; Attack in the plan makes it"),
        "{error}"
    );
    let error = figure(1, "covariance");
    assert!(
        error.contains("no spike-triggered covariances yet"),
        "{error}"
    );
    let error = figure(1, "pair");
    assert!(
        error.contains("no two classes are known to be confused"),
        "{error}"
    );
    let error = figure(2, "histogram");
    assert!(
        error.contains("there is no figure `histogram`; there are training, maps"),
        "{error}"
    );
    let error = figure(2, "mapps");
    assert!(
        error.contains("maps, evidence-maps, z-maps, evidence-z-maps"),
        "{error}"
    );
    let error = figure(2, "evidence-maps-gamma-0.9");
    assert!(
        error.contains("no classification images at γ 0.9; there are some at γ"),
        "{error}"
    );
    let error = figure(2, "pair-3-not-3");
    assert!(
        error.contains("the two classes of `pair-3-not-3` are the same"),
        "{error}"
    );
    let two = [
        "export",
        "done",
        "--format",
        "svg",
        "--figure",
        "maps",
        "--figure",
        "training",
        "--out",
        "done-both.svg",
    ];
    let error = bench.refuse(2, &two);
    assert!(error.contains("name a folder with --out"), "{error}");
    assert!(error.contains("one by one with --figure"), "{error}");
    // Tables have no figures to name.
    let error = bench.refuse(2, &["export", "done", "--format", "csv", "--out", "-"]);
    assert!(error.ends_with("name a folder with --out\n"), "{error}");
    let array = bench.output(&["export", "done", "--format", "npz", "--out", "-"]);
    assert!(array.stdout.starts_with(b"PK") && !bench.path("-").exists());
    let error = figure(2, "pair-3-not-12");
    assert!(error.contains("there is no class 12"), "{error}");
    let error = bench.refuse(
        2,
        &["export", "done", "--format", "svg", "--class", "eleven"],
    );
    assert!(error.contains("eleven"), "{error}");
    for (option, value) in [
        ("--width", "5"),
        ("--font-size", "0"),
        ("--dpi", "1e9"),
        ("--width", "NaN"),
    ] {
        let output = bench.output(&["export", "done", "--format", "png", option, value]);
        let error = common::both(&output);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("must be"), "{error}");
    }
    let error = bench.refuse(2, &["export", "done", "--format", "npz", "--width", "80"]);
    assert!(
        error.contains("--width") && error.contains("--format svg"),
        "{error}"
    );
    // Fewer dots than asked for are not drawn in silence.
    let poster = "export done --format png --width 1200 --dpi 600";
    let error = bench.refuse(2, &poster.split(' ').collect::<Vec<_>>());
    assert!(error.contains("use --dpi 423 or less"), "{error}");
    // A file is not of another format than its name says.
    for (format, out) in [
        ("json", "a.csv"),
        ("npz", "a.PNG"),
        ("svg", "a.pdf"),
        ("csv", "a.json"),
    ] {
        let arguments = ["export", "done", "--format", format, "--out", out];
        let error = bench.refuse(2, &arguments);
        let words = format!("but the format is {format}; make them agree");
        assert!(error.contains(&words), "{error}");
    }
    let arguments = [
        "trials", "done", "--any", "--format", "npz", "--out", "t.png",
    ];
    let error = bench.refuse(2, &arguments);
    assert!(error.contains("but the format is npz"), "{error}");
    let error = bench.refuse(2, &["report", "done", "--out", "page.pdf"]);
    assert!(error.contains("but the format is html"), "{error}");
    // Nor does it replace a session.
    let session = bench.store().path("done");
    let before = fs::read(&session).unwrap();
    let link = bench.path("latest");
    std::os::unix::fs::symlink(&session, &link).unwrap();
    for command in [
        &["export", "done", "--format", "npz"][..],
        &["report", "done"],
    ] {
        for out in [&session, &link] {
            let arguments = [command, &["--out", out.to_str().unwrap()]].concat();
            let error = bench.refuse(2, &arguments);
            assert!(error.contains("ends like a session's file"), "{error}");
            assert!(fs::read(&session).unwrap() == before);
        }
    }
    // Vector graphics have no dots.
    for format in ["svg", "pdf"] {
        let arguments = ["export", "done", "--format", format, "--dpi", "600"];
        let error = bench.refuse(2, &arguments);
        assert!(
            error.contains("--dpi") && error.contains("--format png"),
            "{error}"
        );
    }
    assert_eq!(written(&bench), BTreeSet::new());
}

#[test]
fn a_disk_full_during_export_leaves_the_old_files_and_nothing_else() {
    let bench = finished();
    let export = [
        "export", "done", "--format", "png", "--figure", "maps", "--figure", "training",
    ];
    bench.succeed(&export);
    let out = bench.path("done-figures");
    let before: Vec<_> = names(&out)
        .into_iter()
        .map(|name| fs::read(out.join(name)).unwrap())
        .collect();
    // Files are limited to 20 KiB; exceeding that fails as on a full disk.
    let limited = |arguments: &[&str]| {
        let program = env!("CARGO_BIN_EXE_noisescope");
        let line = format!("ulimit -f 40; exec '{program}' {}", arguments.join(" "));
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", &line])
            .env("NOISESCOPE_SESSIONS", bench.path("sessions"));
        command.current_dir(bench.folder.path()).output().unwrap()
    };
    let failed = limited(&export);
    assert_eq!(failed.status.code(), Some(1), "{}", common::both(&failed));
    assert!(
        common::both(&failed).contains("could not be written"),
        "{}",
        common::both(&failed)
    );
    let after: Vec<_> = names(&out)
        .into_iter()
        .map(|name| fs::read(out.join(name)).unwrap())
        .collect();
    assert_eq!(after, before);
    let failed = limited(&[
        "export", "done", "--format", "png", "--figure", "training", "--out", "new.png",
    ]);
    assert_eq!(failed.status.code(), Some(1), "{}", common::both(&failed));
    assert!(!bench.path("new.png").exists());
    assert_eq!(written(&bench), ["done-figures".to_owned()].into());
}

/// Class names in several scripts.
const SCRIPTS: [&str; 6] = ["犬", "قطة", "собака", "ねこ", "<b>&\"", "हाथी"];

fn many_scripts() -> Session {
    let mut session = colours::measured([1, 6, 6], SCRIPTS.len());
    let form = session.record.form.as_mut().unwrap();
    form.classes = SCRIPTS.map(String::from).to_vec();
    session
}

#[test]
fn class_names_in_any_script_appear_in_every_file() {
    let session = many_scripts();
    for figure in [
        Figure::Maps {
            response: None,
            images: 0,
            gamma: Some(Gamma::NOISE),
        },
        Figure::Confusion {
            nth: 0,
            split: noisescope::session::config::Split::Test,
        },
    ] {
        let drawing = figure::draw(&session, &figure, Sheet::DOUBLE).unwrap();
        let texts = drawing.marks.iter().filter_map(|mark| match mark {
            Mark::Text { label, .. } => Some(label.text.as_str()),
            _ => None,
        });
        let texts: Vec<&str> = texts.collect();
        for name in SCRIPTS {
            assert!(
                texts.iter().any(|drawn| drawn.contains(name)),
                "{name}: {texts:?}"
            );
        }
        assert!(!texts.iter().any(|drawn| drawn.contains('?')), "{texts:?}");
        let text = svg::file(&drawing);
        assert!(text.contains("犬") && text.contains("&lt;b&gt;&amp;&quot;"));
        assert!(pdf(&drawing).is_some() && png(&drawing, 150.0).is_some());
    }
}

#[test]
fn man_pages_cover_every_command() {
    let bench = Bench::new();
    let page = bench.succeed(&["man"]);
    assert!(
        page.contains(".TH noisescope 1") && page.contains("noisescope\\-export(1)"),
        "{page}"
    );
    bench.succeed(&["man", "--out", "man1"]);
    let pages = names(&bench.path("man1"));
    for name in [
        "noisescope.1",
        "noisescope-run.1",
        "noisescope-report.1",
        "noisescope-data-fetch.1",
    ] {
        assert!(pages.contains(name), "{name} of {pages:?}");
    }
    assert!(
        !pages.contains("noisescope-engine.1"),
        "a hidden command has a page"
    );
}
