//! Tests of terminals: every colour depth, ASCII, any size, and text from outside the program.

use super::*;

#[test]
fn without_colour_no_cell_has_one_and_signs_are_still_visible() {
    let (session, all) = (accumulated(), experiments::measured());
    for unicode in [true, false] {
        let theme = Theme::new(Depth::Mono, Background::Dark, unicode);
        for view in VIEWS {
            for session in [&session, &all] {
                let buf = draw(session, &showing(view.name, (120, 40)), &theme);
                let plain = buf
                    .content
                    .iter()
                    .all(|c| (c.fg, c.bg) == (Color::Reset, Color::Reset));
                assert!(plain, "{}", styles(&buf));
            }
        }
        let maps = text(&draw(&session, &showing("Maps", (120, 40)), &theme));
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
                    let mut state = showing(view.name, size);
                    enlarge(&mut state, enlarged);
                    let screen = text(&draw(&session, &state, &theme));
                    assert!(screen.is_ascii(), "{screen}");
                }
            }
        }
    }
    let training = draw(
        &synthetic::in_training(),
        &showing("Training", (80, 24)),
        &theme,
    );
    assert!(text(&training).is_ascii());
}

#[test]
fn each_depth_uses_only_its_own_colours() {
    let (session, all) = (accumulated(), experiments::measured());
    let belongs = |depth: Depth, colour: Color| match colour {
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
                    let buf = draw(session, &showing(view.name, (120, 40)), &theme);
                    let allowed =
                        |c: &ratatui::buffer::Cell| belongs(depth, c.fg) && belongs(depth, c.bg);
                    assert!(
                        buf.content.iter().all(allowed),
                        "{depth:?}\n{}",
                        styles(&buf)
                    );
                }
            }
        }
    }
}

#[test]
fn nothing_blinks_and_text_uses_one_accent_and_one_warning_colour() {
    let mut session = accumulated();
    session.run.as_mut().expect("the session runs").problem =
        Some("no space left on device".into());
    for size in SIZES {
        let buf = draw(&session, &showing("Training", size), &theme());
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
fn a_problem_is_shown_in_the_header_of_every_view() {
    let mut session = accumulated();
    let problem = "checkpoint not written: No space left on device";
    session.run.as_mut().expect("the session runs").problem = Some(problem.into());
    for size in SIZES {
        for view in VIEWS {
            let screen = screen(&session, &showing(view.name, size));
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
fn external_text_cannot_control_the_terminal() {
    let mut session = accumulated();
    session.name = "evil\x1b[2J\u{202e}name\r\n".into();
    let run = session.run.as_mut().expect("the session runs");
    run.device = "gpu\x07\x1b]0;title\x07".into();
    run.problem = Some("a\x1b[31mb".into());
    run.log.push(LogLine {
        at: i64::MAX,
        text: "x\x1b[?1049ly\u{200b}\n".into(),
        warning: true,
    });
    for size in SIZES {
        let screen = screen(&session, &showing("Overview", size));
        let bad = |c: char| {
            c != '\n'
                && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200b}')
        };
        assert!(!screen.contains(bad), "{screen:?}");
    }
}

#[test]
fn a_screen_that_is_too_small_says_so_and_can_be_left() {
    let mut session = accumulated();
    session.run = None;
    for size in [(59, 17), (59, 40), (200, 17), (30, 5)] {
        let mut state = showing("Maps", size);
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
fn a_screen_that_is_too_small_names_a_key_that_leaves_it_whatever_is_open() {
    let session = accumulated();
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for overlay in [
        Overlay::Help(0),
        Overlay::FindKeys,
        Overlay::Palette,
        Overlay::Jump(JumpKind::Class),
        Overlay::Copy,
        Overlay::Note,
        Overlay::Extend,
    ] {
        let mut state = showing("Maps", (30, 5));
        state.overlay = overlay;
        let screen = screen(&session, &state);
        assert!(screen.contains("Ctrl-C leave"), "{overlay:?}\n{screen}");
        // The key that leaves a view is typed, or closes what is open.
        assert_eq!(
            press(&session, &mut state, &[KeyCode::Char('q')]),
            [Effect::Redraw]
        );
        state.overlay = overlay;
        assert_eq!(
            update::key(&mut state, &interrupt, &session, &theme()),
            Effect::Leave
        );
    }
}

#[test]
fn no_size_and_no_session_makes_a_view_panic() {
    let mut failed = accumulated();
    failed.run.as_mut().expect("the session runs").phase =
        Phase::Failed("the device is gone".into());
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
                        let mut state = showing(view.name, size);
                        state.overlay = overlay;
                        enlarge(&mut state, enlarged);
                        state.shared.class = ClassId(99);
                        draw(session, &state, &theme());
                    }
                }
            }
        }
    }
}
