//! Reading an exported CSV table (RFC 4180) row by row.

use std::borrow::Cow;

/// A table with its column names.
#[derive(Debug, Clone)]
pub(super) struct Csv<'a> {
    columns: Vec<Cow<'a, str>>,
    body: &'a str,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct CsvRow<'a> {
    columns: &'a [Cow<'a, str>],
    fields: Vec<Cow<'a, str>>,
}

impl<'a> Csv<'a> {
    /// The table in a text whose first row holds the column names.
    pub(super) fn new(text: &'a str) -> Self {
        let (columns, body) = fields(text);
        Self { columns, body }
    }

    /// Its rows, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = CsvRow<'_>> {
        let mut rest = self.body;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (fields, after) = fields(rest);
            rest = after;
            Some(CsvRow {
                columns: &self.columns,
                fields,
            })
        })
    }
}

impl CsvRow<'_> {
    /// The field in a column; empty if there is none, or no such column.
    pub(super) fn text(&self, column: &str) -> &str {
        let index = self.columns.iter().position(|name| name == column);
        index
            .and_then(|index| self.fields.get(index))
            .map_or("", Cow::as_ref)
    }

    /// The number in a column; `None` if there is none.
    pub(super) fn real(&self, column: &str) -> Option<f64> {
        self.text(column).parse().ok()
    }

    /// The integer in a column; `None` if there is none.
    pub(super) fn whole(&self, column: &str) -> Option<u64> {
        self.text(column).parse().ok()
    }

    /// Whether the field in a column is `true`.
    pub(super) fn is(&self, column: &str) -> bool {
        self.text(column) == "true"
    }
}

/// The fields of a text's first row, and the rest of the text.
fn fields(text: &str) -> (Vec<Cow<'_, str>>, &str) {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = rest.find([',', '\n']).unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (fields, after.strip_prefix('\n').unwrap_or(after)),
        }
    }
}

/// The content of a quoted field whose opening quote has been read, and the rest of the text.
fn unquoted(text: &str) -> (Cow<'_, str>, &str) {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let Some(end) = rest.find('"') else {
            // The closing quote is missing: take everything.
            field.push_str(rest);
            return (Cow::Owned(field), "");
        };
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return (Cow::Owned(field), rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_exported_is_read_as_it_was() {
        let csv = Csv::new("class,name,R,listed\n0,\"a, \"\"b\"\"\nc\",0.5,true\n1,犬,,false\n");
        let rows: Vec<CsvRow<'_>> = csv.rows().collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].text("name"), "a, \"b\"\nc");
        assert_eq!(
            (rows[0].whole("class"), rows[0].real("R")),
            (Some(0), Some(0.5))
        );
        assert_eq!((rows[1].text("name"), rows[1].real("R")), ("犬", None));
        assert!(rows[0].is("listed") && !rows[1].is("listed"));
        assert_eq!(rows[1].text("SNR"), "");
    }

    #[test]
    fn a_text_that_ends_early_has_the_fields_that_are_there() {
        let csv = Csv::new("a,b\n1,\"2");
        let rows: Vec<CsvRow<'_>> = csv.rows().collect();
        assert_eq!((rows[0].text("a"), rows[0].text("b")), ("1", "2"));
        assert_eq!(Csv::new("a,b\n").rows().count(), 0);
    }
}
