//! Every kind of terminal, every size, every text from outside.

use super::*;

#[test]
fn without_colour_no_cell_has_one_and_the_sign_still_shows() {
    let (session, all) = (accumulated(), experiments::measured());
    for unicode in [true, false] {
        let theme = Theme::new(Depth::Mono, Background::Dark, unicode);
        for view in VIEWS {
            for session in [&session, &all] {
                let buf = draw(session, &at(view.name, (120, 40)), &theme);
                let plain = buf
                    .content
                    .iter()
                    .all(|c| (c.fg, c.bg) == (Color::Reset, Color::Reset));
                assert!(plain, "{}", styles(&buf));
            }
        }
        let maps = text(&draw(&session, &at("Maps", (120, 40)), &theme));
        assert!(maps.contains(theme.glyphs.positive[1]) && maps.contains(theme.glyphs.negative[1]));
    }
}

#[test]
fn without_unicode_every_character_is_ascii() {
    let theme = Theme::new(Depth::Indexed, Background::Dark, false);
    let mut session = accumulated();
    session.name = "müller–π".into();
    for session in [session, experiments::measured()] {
        for size in SIZES {
            for view in VIEWS {
                for enlarged in [false, true] {
                    let mut state = at(view.name, size);
                    enlarge(&mut state, enlarged);
                    let screen = text(&draw(&session, &state, &theme));
                    assert!(screen.is_ascii(), "{screen}");
                }
            }
        }
    }
    let training = draw(&synthetic::in_training(), &at("Training", (80, 24)), &theme);
    assert!(text(&training).is_ascii());
}

#[test]
fn each_depth_uses_its_own_colours_only() {
    let (session, all) = (accumulated(), experiments::measured());
    let of_depth = |depth: Depth, colour: Color| match colour {
        Color::Reset => true,
        Color::Rgb(..) => depth == Depth::True,
        Color::Indexed(_) => depth == Depth::Indexed,
        _ => depth == Depth::Sixteen,
    };
    for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
        for background in [Background::Dark, Background::Light] {
            let theme = Theme::new(depth, background, true);
            for view in VIEWS {
                for session in [&session, &all] {
                    let buf = draw(session, &at(view.name, (120, 40)), &theme);
                    let own =
                        |c: &ratatui::buffer::Cell| of_depth(depth, c.fg) && of_depth(depth, c.bg);
                    assert!(buf.content.iter().all(own), "{depth:?}\n{}", styles(&buf));
                }
            }
        }
    }
}

#[test]
fn nothing_blinks_and_only_one_accent_and_one_warning_colour_stand_outside_maps() {
    let mut session = accumulated();
    session.run.as_mut().expect("it runs").problem = Some("no space left on device".into());
    for size in SIZES {
        let buf = draw(&session, &at("Training", size), &theme());
        let dump = styles(&buf);
        assert!(!dump.contains("BLINK"), "{dump}");
        let mut colours: Vec<Color> = buf.content.iter().map(|c| c.fg).collect();
        colours.sort_by_key(|c| c.to_string());
        colours.dedup();
        // Default, dim, accent, warning.
        assert!(colours.len() <= 4, "{colours:?}");
    }
}

#[test]
fn a_problem_stands_in_the_header_of_every_view() {
    let mut session = accumulated();
    let problem = "checkpoint not written: No space left on device";
    session.run.as_mut().expect("it runs").problem = Some(problem.into());
    for size in SIZES {
        for view in VIEWS {
            let screen = screen(&session, &at(view.name, size));
            assert!(
                screen
                    .lines()
                    .nth(1)
                    .is_some_and(|l| l.contains("▲ checkpoint not")),
                "{screen}"
            );
        }
    }
}

#[test]
fn text_from_outside_cannot_steer_the_terminal() {
    let mut session = accumulated();
    session.name = "evil\x1b[2J\u{202e}name\r\n".into();
    let run = session.run.as_mut().expect("it runs");
    run.device = "gpu\x07\x1b]0;title\x07".into();
    run.problem = Some("a\x1b[31mb".into());
    run.log.push(LogLine {
        at: i64::MAX,
        text: "x\x1b[?1049ly\u{200b}\n".into(),
        warning: true,
    });
    for size in SIZES {
        let screen = screen(&session, &at("Overview", size));
        let bad = |c: char| {
            c != '\n'
                && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200b}')
        };
        assert!(!screen.contains(bad), "{screen:?}");
    }
}

#[test]
fn too_small_a_screen_asks_for_more_and_still_leaves() {
    let mut session = accumulated();
    session.run = None;
    for size in [(59, 17), (59, 40), (200, 17), (30, 5)] {
        let mut state = at("Maps", size);
        state.shared.connection = Connection::ReadOnly;
        let screen = screen(&session, &state);
        assert!(
            screen.contains("60×18") && screen.contains("q leave"),
            "{screen}"
        );
        assert_eq!(
            press(&session, &mut state, &[KeyCode::Char('q')]),
            [Effect::Leave]
        );
    }
}

#[test]
fn no_size_and_no_session_makes_it_panic() {
    let mut failed = accumulated();
    failed.run.as_mut().expect("it runs").phase = Phase::Failed("the device is gone".into());
    let mut bare = synthetic::new();
    bare.config.analyses.clear();
    bare.record.analyses.clear();
    let sessions = [
        synthetic::new(),
        synthetic::in_training(),
        accumulated(),
        failed,
        bare,
        experiments::measured(),
        experiments::attacking(3),
    ];
    let sizes = [
        (0, 0),
        (1, 1),
        (59, 17),
        (60, 18),
        (61, 300),
        (400, 19),
        (500, 200),
        (0, 40),
        (40, 0),
    ];
    for session in &sessions {
        for size in sizes {
            for view in VIEWS {
                for overlay in [Overlay::None, Overlay::Help(3), Overlay::Stop] {
                    for enlarged in [false, true] {
                        let mut state = at(view.name, size);
                        state.overlay = overlay;
                        enlarge(&mut state, enlarged);
                        state.shared.class = 99;
                        draw(session, &state, &theme());
                    }
                }
            }
        }
    }
}
