//! Reading an exported CSV table (RFC 4180) row by row.

use csv::{Reader, ReaderBuilder, StringRecord};

use crate::ids::{ClassId, Gamma};

/// A table with its column names.
#[derive(Debug, Clone)]
pub(super) struct Csv<'a> {
    columns: StringRecord,
    text: &'a str,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct CsvRow<'a> {
    columns: &'a StringRecord,
    fields: StringRecord,
}

impl<'a> Csv<'a> {
    /// The table in a text whose first row holds the column names.
    pub(super) fn new(text: &'a str) -> Self {
        let columns = reader(text).headers().cloned().unwrap_or_default();
        Self { columns, text }
    }

    /// Its rows, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = CsvRow<'_>> {
        // Reading text from memory cannot fail.
        let rows = reader(self.text).into_records().map_while(Result::ok);
        rows.map(|fields| CsvRow {
            columns: &self.columns,
            fields,
        })
    }
}

fn reader(text: &str) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes())
}

impl CsvRow<'_> {
    /// The field in a column; empty if there is none, or no such column.
    pub(super) fn text(&self, column: &str) -> &str {
        let index = self.columns.iter().position(|name| name == column);
        index
            .and_then(|index| self.fields.get(index))
            .unwrap_or_default()
    }

    /// The number in a column; `None` if there is none.
    pub(super) fn real(&self, column: &str) -> Option<f64> {
        self.text(column).parse().ok()
    }

    /// The integer in a column; `None` if there is none.
    pub(super) fn whole(&self, column: &str) -> Option<u64> {
        self.text(column).parse().ok()
    }

    /// The class in a column; `None` if there is none.
    pub(super) fn class(&self, column: &str) -> Option<ClassId> {
        self.text(column).parse().ok().map(ClassId)
    }

    /// The γ in a column; `None` if there is none.
    pub(super) fn gamma(&self, column: &str) -> Option<Gamma> {
        self.text(column).parse().ok()
    }

    /// Whether the field in a column is `true`.
    pub(super) fn is(&self, column: &str) -> bool {
        self.text(column) == "true"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exported_tables_are_read_back_unchanged() {
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
