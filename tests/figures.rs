//! Figures as images, in files and on terminals: what they show, and what is said where there is
//! nothing to show.

mod common;

#[path = "screens/everything.rs"]
mod everything;
#[path = "screens/synthetic.rs"]
#[allow(dead_code, reason = "shared with the tests of screens")]
mod synthetic;

use std::time::{Duration, Instant};

use common::pty::Pty;
use common::{Bench, finished};
use image::{Rgb, RgbImage};
use noisescope::drawing::{Background, Palette, Sheet, layout_faults, pdf, raster, svg};
use noisescope::export::{self, ExportFormat};
use noisescope::figure::{self, Figure};
use noisescope::session::Session;
use noisescope::session::config::Analysis;

fn map(class: usize, gamma: f64) -> Figure {
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

/// How blue and how orange an image is in all.
fn tints(image: &RgbImage) -> (u64, u64) {
    let of = |p: &Rgb<u8>| (i64::from(p.0[2]) - i64::from(p.0[0])).clamp(-99, 99);
    let sum = |sign: i64| image.pixels().map(|p| (sign * of(p)).max(0) as u64).sum();
    (sum(1), sum(-1))
}

#[test]
fn every_figure_of_a_session_can_be_drawn_on_every_sheet_and_has_a_name_of_its_own() {
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
        assert!(names.iter().any(|own| own == name), "{name} of {names:?}");
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), figures.len());
    let kept = std::env::var_os("KEEP_FIGURES").map(std::path::PathBuf::from);
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
        for (what, text) in [
            ("title", &drawing.title),
            ("alternative", &drawing.alt_text),
            ("caption", &drawing.caption),
        ] {
            assert!(
                text.len() > 5 && !text.contains("NaN"),
                "{name} {what}: {text}"
            );
        }
        assert!(
            drawing.caption.contains("seed 1"),
            "{name}: {}",
            drawing.caption
        );
        if let Some(folder) = &kept {
            let place = |ending: &str| folder.join(format!("{name}.{ending}"));
            std::fs::write(place("svg"), svg::file(&drawing)).unwrap();
            std::fs::write(place("pdf"), pdf(&drawing).unwrap()).unwrap();
            raster(&drawing, 8.0).save(place("png")).unwrap();
        }
    }
}

#[test]
fn no_words_of_a_figure_lie_over_others_or_leave_the_sheet() {
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
fn a_map_shows_its_signs_as_two_colours_and_as_two_greys() {
    let session = everything::session();
    let drawn = |palette| {
        let sheet = Sheet {
            palette,
            ..Sheet::DOUBLE
        };
        let drawing = figure::draw(&session, &map(8, 0.3), sheet).unwrap();
        tints(&raster(&drawing, 4.0))
    };
    let (blue, orange) = drawn(Palette::BlueOrange);
    assert!(blue > 100_000 && orange > 100_000, "{blue} {orange}");
    assert_eq!(drawn(Palette::Grey), (0, 0));
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
        (
            Figure::Attack,
            "this session has no attack yet; Attack in the plan makes it",
        ),
        (
            Figure::Training,
            "this session has no training yet; only a network trained here has one",
        ),
        (
            map(8, 0.3),
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
        .map(|(name, table)| (name, table.text().lines().map(String::from).collect()))
        .collect()
}

#[test]
fn tables_are_tidy_and_what_there_is_not_is_an_empty_field() {
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
    let of = |name: &str| &tables.iter().find(|(own, _)| own == name).unwrap().1;
    assert_eq!(
        of("attack")[0],
        "source,pattern,target,target_name,weight,successes,n"
    );
    // At w = 1 of the mean image: everything but the target's own images.
    assert!(of("attack").contains(&"image,mean_image,0,0,1,891,900".to_string()));
    assert!(of("spike_triggered").contains(&"conv1,6,true,,,".to_string()));
    assert!(
        of("counts")
            .iter()
            .any(|line| line.starts_with("uniform,0,0,0,8,8,"))
    );
    // A clean network at γ 0: class 3 was never called.
    assert!(of("backdoor").contains(&"2,0,3,3,300000,0,,,,,".to_string()));
    assert!(of("predictions").contains(&"test,9,9,9,9,971".to_string()));
    assert!(tables_of_nothing().is_empty());
}

/// A session of everything, in which this experiment stands once more at the end of the plan.
fn with_twice(which: impl Fn(&Analysis) -> bool) -> Session {
    let mut session = everything::session();
    let at = session.config.analyses.iter().position(which).unwrap();
    let (plan, record) = (&mut session.config.analyses, &mut session.record.analyses);
    plan.push(plan[at].clone());
    record.push(record[at].clone());
    session
}

#[test]
fn an_experiment_that_stands_twice_in_the_plan_has_two_tables() {
    let session = with_twice(|it| matches!(it, Analysis::Attack(_)));
    let tables = tables(&session);
    let of = |name: &str| &tables.iter().find(|(own, _)| own == name).unwrap().1;
    assert_eq!(of("attack"), of("attack_2"));
}

#[test]
fn a_second_spike_triggered_analysis_has_arrays_of_its_own() {
    let session = with_twice(|it| matches!(it, Analysis::SpikeTriggered(_)));
    let mut out = std::io::Cursor::new(Vec::new());
    export::npz(&session, &mut out).unwrap();
    let mut archive = zip::ZipArchive::new(out).unwrap();
    let mut read = |name: &str| {
        let mut bytes = Vec::new();
        let mut file = archive.by_name(&format!("{name}.npy")).unwrap();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        bytes
    };
    assert_eq!(read("sta_conv1"), read("sta2_conv1"));
    assert_eq!(read("image_sta_conv1"), read("image_sta2_conv1"));
}

fn tables_of_nothing() -> Vec<(String, Vec<String>)> {
    tables(&synthetic::new())
}

#[test]
fn an_exported_folder_is_replaced_as_a_whole_and_no_other_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("tables");
    let session = everything::session();
    let names = |path: &std::path::Path| {
        let entries = std::fs::read_dir(path).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.collect::<std::collections::BTreeSet<String>>()
    };
    export::write(&session, ExportFormat::Csv, Some(&out)).unwrap();
    assert!(names(&out).contains("attack.csv"));
    let mut less = session.clone();
    less.record.analyses.truncate(1);
    less.config.analyses.truncate(1);
    export::write(&less, ExportFormat::Csv, Some(&out.join(""))).unwrap();
    assert!(!names(&out).contains("attack.csv"), "an old table is left");
    assert_eq!(names(folder.path()).len(), 1, "something is left beside it");

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

/// `show` on a terminal of its own, with more of the environment.
fn show(bench: &Bench, environment: &[&str], more: &[&str]) -> Pty {
    let mut words = vec!["env"];
    words.extend(environment);
    words.extend([env!("CARGO_BIN_EXE_noisescope"), "show", "done"]);
    words.extend(more);
    Pty::start_program(bench.folder.path(), &words, 100, 40)
}

fn has(pty: &Pty, bytes: &str) -> bool {
    String::from_utf8_lossy(&pty.bytes()).contains(bytes)
}

#[test]
fn show_needs_a_terminal_and_names_the_way_without() {
    let bench = finished();
    let words = bench.refuse(2, &["show", "done", "--map", "3"]);
    assert!(
        words.contains("noisescope export done --format png"),
        "{words}"
    );
    for arguments in [
        &["show", "done"][..],
        &["show", "done", "--map", "3", "--attack"],
        &["show", "done", "--training", "--gamma", "0.4"],
    ] {
        assert_eq!(
            bench.output(arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
    let mut pty = show(&bench, &[], &["--attack"]);
    assert_eq!(pty.exit_code(), 2);
    assert!(
        pty.text()
            .contains("this session has no attack yet; Attack in the plan makes it"),
        "{}",
        pty.text()
    );
}

#[test]
fn a_terminal_that_never_answers_costs_little_and_gets_blocks() {
    let bench = finished();
    let began = Instant::now();
    let mut pty = show(&bench, &[], &["--map", "3"]);
    assert_eq!(pty.exit_code(), 0);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert!(has(&pty, "\x1b_Gi=31,"), "it was not asked");
    assert!(!has(&pty, "a=T"));
    assert!(pty.text().matches('▄').count() > 500, "{}", pty.text());
}

#[test]
fn a_chart_is_not_shown_in_half_blocks_that_nobody_could_read() {
    let bench = finished();
    let mut pty = show(&bench, &[], &["--training", "--protocol", "block"]);
    assert_eq!(pty.exit_code(), 1);
    assert!(pty.text().contains("too coarse"), "{}", pty.text());
    assert!(pty.text().contains("--format png"), "{}", pty.text());
    // On a sheet of enough pixels it can be read.
    let wide = ["--training", "--protocol", "block", "--width", "300"];
    let mut pty = show(&bench, &[], &wide);
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn nothing_but_blocks_goes_through_tmux() {
    let bench = finished();
    let mut pty = show(
        &bench,
        &["TMUX=/tmp/none,1,0", "TERM=tmux-256color"],
        &["--map", "3"],
    );
    assert_eq!(pty.exit_code(), 0);
    assert!(
        !has(&pty, "\x1b_G") && !has(&pty, "\x1b[c"),
        "{}",
        pty.text()
    );
    assert!(pty.text().matches('▄').count() > 500, "{}", pty.text());
}

#[test]
fn without_colour_a_picture_is_letters() {
    let bench = finished();
    let mut pty = show(&bench, &["NO_COLOR=1"], &["--map", "3"]);
    assert_eq!(pty.exit_code(), 0);
    assert!(!has(&pty, "\x1b["), "{}", pty.text());
    assert!(pty.text().contains('▒'), "{}", pty.text());
}

#[test]
fn a_forced_protocol_is_written_unasked() {
    let bench = finished();
    for (protocol, begins) in [
        ("kitty", "\x1b_Ga=T,f=100,q=2,c=60,"),
        ("iterm", "\x1b]1337;File=inline=1;"),
        ("sixel", "\x1bP0;1q\"1;1;600;"),
    ] {
        let mut pty = show(
            &bench,
            &[],
            &["--training", "--width", "60", "--protocol", protocol],
        );
        assert_eq!(pty.exit_code(), 0);
        assert!(has(&pty, begins) && !has(&pty, "a=q"), "{protocol}");
    }
}

#[test]
fn a_terminal_that_answers_is_taken_at_its_word() {
    let bench = finished();
    // Under load an answer may come too late once, not five times.
    let shown = (0..5).any(|_| {
        let mut pty = show(&bench, &[], &["--map", "3"]);
        let began = Instant::now();
        while !has(&pty, "\x1b[c") && began.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(1));
        }
        pty.press("\x1b_Gi=31;OK\x1b\\\x1b[?62;4c");
        assert_eq!(pty.exit_code(), 0);
        has(&pty, "\x1b_Ga=T,f=100")
    });
    assert!(shown);
}

#[test]
fn a_key_shows_the_figure_of_the_view_and_enter_comes_back_to_it() {
    let bench = finished();
    let mut pty = Pty::start(bench.folder.path(), &["attach", "done"], 100, 30);
    pty.wait_for("finished");
    pty.press("3");
    pty.wait_for("3 Maps");
    pty.wait("the maps", |text| text.matches('▀').count() > 200);
    // The words of an earlier look still stand on the main screen.
    let looked = |pty: &Pty, times: usize| {
        common::wait_until("the picture", || {
            let bytes = pty.bytes();
            String::from_utf8_lossy(&bytes)
                .matches("Enter: back")
                .count()
                == times
        });
    };
    for times in 1..3 {
        pty.press("i");
        looked(&pty, times);
        assert!(!pty.on_alternate_screen() && !pty.cursor_hidden());
        assert!(pty.text().matches('▄').count() > 200, "{}", pty.text());
        pty.press("\r");
        pty.wait("the maps again", |text| text.matches('▀').count() > 200);
        assert!(pty.on_alternate_screen());
        assert!(pty.text().contains("3 Maps"), "{}", pty.text());
    }
    pty.press("i");
    looked(&pty, 3);
    let pid = pty.child.process_id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(pty.exit_code(), 143);
    pty.wait_restored();
}
