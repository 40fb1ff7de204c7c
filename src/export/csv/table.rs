//! A CSV table with typed fields (RFC 4180, but lines end with a line feed).

use std::borrow::Cow;

use csv::Writer;

/// A CSV table.
#[derive(Debug)]
pub struct CsvTable {
    writer: Writer<Vec<u8>>,
    rows: usize,
}

/// One field of a table.
pub enum CsvField<'a> {
    /// Text, quoted if necessary.
    Text(Cow<'a, str>),
    /// A count or an index.
    Whole(u64),
    /// A signed integer, such as a strength.
    Signed(i64),
    /// A real number; empty if not finite.
    Real(f64),
    /// A missing number.
    Empty,
}

impl From<u64> for CsvField<'_> {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for CsvField<'_> {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<i64> for CsvField<'_> {
    fn from(value: i64) -> Self {
        Self::Signed(value)
    }
}

impl From<f64> for CsvField<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<bool> for CsvField<'_> {
    fn from(value: bool) -> Self {
        Self::Text(Cow::Borrowed(if value { "true" } else { "false" }))
    }
}

impl<'a> From<&'a str> for CsvField<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<Cow<'a, str>> for CsvField<'a> {
    fn from(value: Cow<'a, str>) -> Self {
        Self::Text(value)
    }
}

impl<'a, T: Into<CsvField<'a>>> From<Option<T>> for CsvField<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl CsvField<'_> {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text.into_owned(),
            Self::Whole(value) => value.to_string(),
            Self::Signed(value) => value.to_string(),
            Self::Real(value) if value.is_finite() => value.to_string(),
            Self::Real(_) | Self::Empty => String::new(),
        }
    }
}

impl CsvTable {
    /// A table without rows.
    pub fn new(columns: &[&str]) -> Self {
        let mut writer = Writer::from_writer(Vec::new());
        let written = writer.write_record(columns);
        debug_assert!(written.is_ok(), "writing to memory cannot fail");
        Self { writer, rows: 0 }
    }

    /// The number of rows, without the header.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The whole table as text.
    pub fn into_text(self) -> String {
        // Writing to memory cannot fail, and every field is text.
        let bytes = self.writer.into_inner().unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, fields: [CsvField<'_>; N]) {
        let written = self.writer.write_record(fields.map(CsvField::into_text));
        debug_assert!(written.is_ok(), "a row has a field for each column");
        self.rows += 1;
    }
}

/// Adds a row of values that convert to fields.
macro_rules! row {
    ($table:expr, $($field:expr),+ $(,)?) => {
        $table.row([$(CsvField::from($field)),+])
    };
}

pub(super) use row;

#[cfg(test)]
mod tests {
    use super::{CsvField, CsvTable};

    #[test]
    fn fields_are_quoted_only_if_necessary() {
        let mut table = CsvTable::new(&["text", "whole", "signed", "real", "flag"]);
        row!(table, "a, \"b\"\r\nc", 3_u64, -2_i64, 0.25_f64, true);
        row!(table, " plain; 犬 ", None::<u64>, 0_i64, f64::NAN, false);
        assert_eq!(table.rows(), 2);
        assert_eq!(
            table.into_text(),
            "text,whole,signed,real,flag\n\"a, \"\"b\"\"\r\nc\",3,-2,0.25,true\n plain; 犬 ,,0,,false\n"
        );
    }
}
