//! Tests of choosing a protocol and of encoding for kitty.

use super::*;

fn decide(
    wanted: Protocol,
    variables: &[(&str, &str)],
    answer: Option<ask::GraphicsSupport>,
) -> TerminalDisplay {
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let theme = Theme::decide(variable);
    TerminalDisplay::decide(wanted, &theme, variable, || {
        answer.expect("the terminal must not be asked")
    })
}

#[test]
fn the_users_choices_outrank_the_environment() {
    let variable = |name: &str| (name == "COLORTERM").then(|| "truecolor".to_owned());
    let theme = Theme::new(Depth::Mono, Background::Light, false);
    let screen = TerminalDisplay::decide(Protocol::Auto, &theme, variable, || {
        panic!("the terminal must not be asked")
    });
    assert_eq!(
        (screen.protocol, screen.palette, screen.background),
        (Protocol::Block, Palette::Grey, Background::Light)
    );
    assert!(!screen.true_colour && !screen.unicode);
}

#[test]
fn the_terminal_is_queried_only_if_the_environment_does_not_decide() {
    let xterm = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")];
    let auto = |variables: &[(&str, &str)], answer| {
        let all = [&xterm[..], variables].concat();
        decide(Protocol::Auto, &all, answer).protocol
    };
    for variables in [("TMUX", "/tmp/tmux-0/default,1,0"), ("STY", "1.pts-0")] {
        assert_eq!(auto(&[variables], None), Protocol::Block);
    }
    let iterm = [("TERM_PROGRAM", "iTerm.app")];
    assert_eq!(auto(&iterm, None), Protocol::Iterm);
    let kitty = [("TERM", "xterm-kitty")];
    assert_eq!(
        decide(Protocol::Auto, &kitty, None).protocol,
        Protocol::Kitty
    );
    let tmux = [("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1")];
    assert_eq!(
        decide(Protocol::Auto, &tmux, None).protocol,
        Protocol::Block
    );
    let answer = |kitty, sixel| Some(ask::GraphicsSupport { kitty, sixel });
    assert_eq!(auto(&[], answer(true, true)), Protocol::Kitty);
    assert_eq!(auto(&[], answer(false, true)), Protocol::Sixel);
    assert_eq!(auto(&[], answer(false, false)), Protocol::Block);
}

#[test]
fn a_forced_protocol_is_not_queried_and_no_color_is_respected() {
    let tmux = [("TERM", "xterm"), ("TMUX", "x")];
    assert_eq!(
        decide(Protocol::Kitty, &tmux, None).protocol,
        Protocol::Kitty
    );
    let plain = [
        ("TERM", "xterm"),
        ("NO_COLOR", "1"),
        ("COLORTERM", "truecolor"),
    ];
    let screen = decide(Protocol::Auto, &plain, None);
    assert_eq!(
        (screen.protocol, screen.palette),
        (Protocol::Block, Palette::Grey)
    );
    assert!(!screen.true_colour);
}

#[test]
fn true_colour_is_used_only_if_it_is_announced() {
    let of = |variables: &[(&str, &str)]| decide(Protocol::Block, variables, None).true_colour;
    assert!(!of(&[("TERM", "xterm-256color")]));
    assert!(of(&[
        ("TERM", "xterm-256color"),
        ("COLORTERM", "truecolor")
    ]));
}

#[test]
fn kitty_gets_its_chunks_and_no_response_is_requested() {
    let image = RgbImage::from_fn(200, 200, |x, y| {
        image::Rgb([(x * y) as u8, (x ^ y) as u8, (x * 31 + y * 17) as u8])
    });
    let text = String::from_utf8(protocol::kitty(&image, 40).unwrap()).unwrap();
    let pieces: Vec<&str> = text.trim_end().split("\x1b\\").collect();
    assert!(pieces[0].starts_with("\x1b_Ga=T,f=100,q=2,c=40,m=1;"));
    let last = pieces[pieces.len() - 2];
    assert!(last.starts_with("\x1b_Gm=0;"), "{last}");
    let sizes = pieces.iter().map(|piece| piece.len());
    assert!(sizes.max() < Some(4096 + 64));
}
