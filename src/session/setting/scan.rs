//! Scanning RON text for the boundaries of values; their meaning is left to the parser.

use std::ops::Range;

/// Scans RON for the start and end of values, without interpreting them.
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// The current byte position.
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    /// Skips past the next `mark`, or to the end if there is none.
    fn past(&mut self, mark: &str) -> bool {
        let found = self.rest().find(mark);
        self.at = found.map_or(self.text.len(), |offset| self.at + offset + mark.len());
        found.is_some()
    }

    /// Skips white space and comments; block comments nest.
    pub(super) fn blank(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if self.rest().starts_with("//") {
                self.past("\n");
            } else if self.rest().starts_with("/*") {
                let mut depth = 0;
                loop {
                    let rest = self.rest();
                    match (rest.starts_with("/*"), rest.starts_with("*/")) {
                        (true, _) => (depth, self.at) = (depth + 1, self.at + 2),
                        (_, true) => (depth, self.at) = (depth - 1, self.at + 2),
                        _ => self.at += self.peek().map_or(0, char::len_utf8),
                    }
                    if depth == 0 || self.rest().is_empty() {
                        break;
                    }
                }
            } else {
                return;
            }
        }
    }

    /// A name or a number, possibly empty.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// One value, which ends before a comma, before a bracket that it did not open, or at the end.
    pub(super) fn value(&mut self) -> Result<Range<usize>, String> {
        self.blank();
        let start = self.at;
        let mut end = start;
        let mut open = Vec::new();
        loop {
            self.blank();
            let Some(next) = self.peek() else { break };
            match next {
                ',' if open.is_empty() => break,
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ')' | ']' | '}' => match open.pop() {
                    None => break,
                    Some(closer) if closer == next => {}
                    Some(closer) => return Err(format!("expected `{closer}` before `{next}`")),
                },
                _ => {}
            }
            self.token()?;
            end = self.at;
        }
        match open.pop() {
            Some(closer) => Err(format!("the closing `{closer}` is missing")),
            None if start == end => Err("expected a value".into()),
            None => Ok(start..end),
        }
    }

    /// One string, character, word or sign.
    fn token(&mut self) -> Result<(), String> {
        let unclosed = || Err("a string is not closed".into());
        let word = self.word();
        if matches!(word, "r" | "br") {
            let hashes = self.rest().len() - self.rest().trim_start_matches('#').len();
            if self.rest()[hashes..].starts_with('"') {
                self.at += hashes + 1;
                let mark = format!("\"{}", "#".repeat(hashes));
                return if self.past(&mark) { Ok(()) } else { unclosed() };
            }
        }
        if self.eat('"') {
            loop {
                if self.eat('"') {
                    return Ok(());
                }
                self.eat('\\');
                let Some(next) = self.peek() else {
                    return unclosed();
                };
                self.at += next.len_utf8();
            }
        }
        if word.is_empty() {
            let rest = self.rest();
            let mut chars = rest.chars();
            let length = match (chars.next(), chars.next(), chars.next()) {
                (Some('\''), Some('\\'), Some(escaped)) => {
                    let after = 2 + escaped.len_utf8();
                    rest[after..].find('\'').map_or(1, |end| after + end + 1)
                }
                (Some('\''), Some(held), Some('\'')) => 2 + held.len_utf8(),
                (first, ..) => first.map_or(0, char::len_utf8),
            };
            self.at += length;
        }
        Ok(())
    }

    /// Values up to the closing bracket.
    pub(super) fn items(&mut self) -> Vec<Range<usize>> {
        let mut items = Vec::new();
        while let Ok(item) = self.value() {
            items.push(item);
            if !self.eat(',') {
                break;
            }
        }
        items
    }

    /// Named values up to the closing parenthesis; `None` if the values have no names.
    pub(super) fn fields(&mut self) -> Option<Vec<(&'a str, Range<usize>)>> {
        let mut fields = Vec::new();
        loop {
            self.blank();
            if self.eat(')') {
                return Some(fields);
            }
            let name = self.word();
            self.blank();
            if name.is_empty() || !self.eat(':') {
                return None;
            }
            fields.push((name, self.value().ok()?));
            self.blank();
            self.eat(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(text: &str) -> Result<&str, String> {
        Scanner::new(text).value().map(|span| &text[span])
    }

    #[test]
    fn a_value_ends_where_its_neighbour_begins() {
        for value in [
            "7",
            "-1.5e-3",
            "Mlp",
            "Train((epochs: 3, batch: 2))",
            "[0.0, 0.3]",
            r#""a, b) \"c\" \\""#,
            r###"r#"a "quoted", thing)"#"###,
            r#"r"a\""#,
            r###"r##"a "# b, )"##"###,
            r##"[1, r#"# a"#]"##,
            "','",
            r"'\''",
            "{1: (2, [3])}",
            "(a /* ) , /* ( */ */, b // ]\n)",
        ] {
            for after in ["", ", next", ")", "]", " // a comment", "/* another */, x"] {
                assert_eq!(first(&format!(" {value}{after}")), Ok(value));
            }
        }
    }

    #[test]
    fn a_character_ends_at_its_own_quote() {
        for value in ["'b'", r"'\''", r"'\u{41}'"] {
            assert_eq!(first(&format!("{value},'a'")), Ok(value));
        }
    }

    #[test]
    fn unmatched_brackets_are_not_a_value() {
        for text in ["(", "[1, (2]", "", ")", ", 1", "\"open", "r#\"open\""] {
            assert!(first(text).is_err(), "{text}");
        }
        assert_eq!(first("(1]"), Err("expected `)` before `]`".into()));
        assert_eq!(first("[(1])"), Err("expected `)` before `]`".into()));
    }

    proptest! {
        #[test]
        fn scanning_ends_for_any_text(text in "[()\\[\\]{}\"'rb#,:/*\\\\ a-c0é\n]{0,60}") {
            let mut scanner = Scanner::new(&text);
            let _ = scanner.value();
            prop_assert!(scanner.at <= text.len());
            let _ = Scanner::new(&text).items();
            let _ = Scanner::new(&text).fields();
        }
    }
}
