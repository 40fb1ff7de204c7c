//! A CSV table as text (RFC 4180, but lines end with a line feed).

use std::borrow::Cow;
use std::fmt::Write as _;

/// A CSV table as text.
#[derive(Debug, Clone)]
pub struct CsvTable {
    text: String,
    rows: usize,
    columns: usize,
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

impl CsvTable {
    /// A table without rows.
    pub fn new(columns: &[&str]) -> Self {
        Self {
            text: columns.join(",") + "\n",
            rows: 0,
            columns: columns.len(),
        }
    }

    /// The number of rows, without the header.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The whole table as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, fields: [CsvField<'_>; N]) {
        debug_assert_eq!(N, self.columns);
        for (index, field) in fields.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            // Writing to a string cannot fail.
            let _ = match field {
                CsvField::Text(text) if text.contains([',', '"', '\n', '\r']) => {
                    write!(self.text, "\"{}\"", text.replace('"', "\"\""))
                }
                CsvField::Text(text) => write!(self.text, "{text}"),
                CsvField::Whole(value) => write!(self.text, "{value}"),
                CsvField::Signed(value) => write!(self.text, "{value}"),
                CsvField::Real(value) if value.is_finite() => write!(self.text, "{value}"),
                CsvField::Real(_) | CsvField::Empty => Ok(()),
            };
        }
        self.text.push('\n');
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
