//! Tests of names of classes whose letters take two columns each.

use super::*;

/// Letters of two columns, each with two letters of one column.
const LETTERS: [(&str, &str); 14] = [
    ("猫", "qa"),
    ("犬", "qb"),
    ("鳥", "qc"),
    ("魚", "qd"),
    ("馬", "qe"),
    ("牛", "qf"),
    ("羊", "qg"),
    ("豚", "qh"),
    ("虎", "qi"),
    ("象", "qj"),
    ("蛇", "qk"),
    ("亀", "ql"),
    ("蜂", "qm"),
    ("蟻", "qn"),
];

/// A session with names in wide letters, or as wide in narrow ones.
fn session(wide: bool) -> Session {
    let mut session = coloured::session(7);
    let name = |letters: &[(&str, &str)]| -> String {
        let letters = letters.iter();
        letters
            .map(|(two, one)| if wide { *two } else { *one })
            .collect()
    };
    let form = session.record.form.as_mut().expect("it has images");
    form.classes = LETTERS.chunks(2).map(name).collect();
    session
}

/// A screen as text, with narrow letters in place of wide ones.
fn in_narrow_letters(buf: &Buffer) -> String {
    let mut text = String::new();
    for row in buf.content.chunks(usize::from(buf.area.width)) {
        let mut cells = row.iter();
        while let Some(cell) = cells.next() {
            match LETTERS.iter().find(|(two, _)| *two == cell.symbol()) {
                Some((_, one)) => {
                    text.push_str(one);
                    // The wide letter covers the next cell.
                    cells.next();
                }
                None => text.push_str(cell.symbol()),
            }
        }
        text.push('\n');
    }
    text
}

#[test]
fn names_in_wide_letters_leave_every_column_in_its_place() {
    let sessions = [true, false].map(session);
    for size in SIZES {
        for entry in VIEWS {
            for (enlarged, table) in [(false, false), (true, false), (false, true)] {
                let mut state = showing(entry.name, size);
                enlarge(&mut state, enlarged);
                view_state::<MapsView>(&mut state).table = table;
                state.shared.class = ClassId(2);
                let screens = sessions
                    .each_ref()
                    .map(|session| in_narrow_letters(&draw(session, &state, &theme())));
                let [wide, narrow] = screens;
                assert!(
                    wide == narrow,
                    "{} {size:?}, enlarged {enlarged}, table {table}\n{wide}\n{narrow}",
                    entry.name
                );
            }
        }
    }
}
