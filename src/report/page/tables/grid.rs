//! A table on a page: a caption, columns, and rows whose first cell names them.

use maud::{Markup, html};

/// Maximum number of rows of a table on a page.
const MOST_ROWS: usize = 100;

/// Tables with more columns than this are printed in smaller type.
const WIDE: usize = 12;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::report::page) struct Grid {
    /// The caption.
    pub caption: String,
    /// The column names; the first is that of the row names.
    pub columns: Vec<String>,
    /// The rows, each with one cell per column.
    pub rows: Vec<Vec<GridCell>>,
    /// Number of rows left out.
    pub left_out: usize,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report::page) enum GridCell {
    /// Text: left-aligned if the column has no numbers.
    Words(String),
    /// A number, right-aligned.
    Number(String),
    /// A missing number.
    Nothing,
}

impl GridCell {
    /// A formatted number.
    pub(in crate::report::page) fn number(shown: Option<String>) -> Self {
        shown.map_or(Self::Nothing, Self::Number)
    }

    /// The displayed text.
    fn shown(&self) -> &str {
        match self {
            Self::Words(shown) | Self::Number(shown) => shown,
            Self::Nothing => "–",
        }
    }
}

impl Grid {
    /// A table without rows.
    pub(in crate::report::page) fn new(caption: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            ..Self::default()
        }
    }

    /// Adds a row if there is room.
    pub(in crate::report::page) fn row(&mut self, cells: Vec<GridCell>) {
        match self.rows.len() < MOST_ROWS {
            true => self.rows.push(cells),
            false => self.left_out += 1,
        }
    }

    /// Whether all cells of a column are empty.
    fn is_empty(&self, column: usize) -> bool {
        let cell = |row: &Vec<GridCell>| {
            row.get(column)
                .is_none_or(|cell| *cell == GridCell::Nothing)
        };
        self.rows.iter().all(cell)
    }

    /// The alignment class of a column: that of text if it has no numbers.
    fn class(&self, column: usize) -> Option<&'static str> {
        let is_number = |row: &Vec<GridCell>| matches!(row.get(column), Some(GridCell::Number(_)));
        (column > 0 && !self.rows.iter().any(is_number)).then_some("t")
    }

    /// The table, with an id that is unique on the page. Empty columns are left out.
    pub(in crate::report::page) fn markup(&self, id: &str) -> Markup {
        let all = 0..self.columns.len();
        let shown: Vec<(usize, Option<&str>)> = all
            .filter(|&column| column == 0 || !self.is_empty(column))
            .map(|column| (column, self.class(column)))
            .collect();
        html! {
            div.scroll role="region" tabindex="0" aria-labelledby=(id) {
                table class=[(shown.len() > WIDE).then_some("wide")] {
                    caption { span.caption id=(id) {
                        (self.caption)
                        @if self.left_out > 0 {
                            " (the first " (self.rows.len()) " of " (self.rows.len() + self.left_out) " rows)"
                        }
                    } }
                    thead { tr {
                        @for &(column, class) in &shown {
                            th class=[class] scope="col" { (self.columns[column]) }
                        }
                    } }
                    tbody { @for row in &self.rows { tr {
                        @for &(column, class) in &shown {
                            @let words = row.get(column).map_or("–", GridCell::shown);
                            @if column == 0 {
                                th scope="row" { (words) }
                            } @else {
                                td class=[class] { (words) }
                            }
                        }
                    } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_its_rows_and_columns_and_leaves_out_what_is_empty() {
        let mut grid = Grid::new("Classes <1>", &["class", "R", "SNR", "so"]);
        let words = |text: &str| GridCell::Words(text.into());
        let number = GridCell::Number("0.5".into());
        grid.row(vec![words("a"), number, GridCell::Nothing, words("yes")]);
        grid.row(vec![
            words("b"),
            words("no"),
            GridCell::Nothing,
            GridCell::Nothing,
        ]);
        let text = grid.markup("t1").into_string();
        for part in [
            "<span class=\"caption\" id=\"t1\">Classes &lt;1&gt;</span>",
            "<th scope=\"col\">class</th><th scope=\"col\">R</th><th class=\"t\" scope=\"col\">so</th></tr>",
            "<th scope=\"row\">a</th><td>0.5</td><td class=\"t\">yes</td></tr>",
            "<th scope=\"row\">b</th><td>no</td><td class=\"t\">–</td></tr>",
            "role=\"region\" tabindex=\"0\" aria-labelledby=\"t1\"",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("SNR"));
    }

    #[test]
    fn rows_past_the_last_one_are_counted() {
        let mut grid = Grid::new("Many", &["class"]);
        (0..250).for_each(|row| grid.row(vec![GridCell::Number(row.to_string())]));
        assert_eq!((grid.rows.len(), grid.left_out), (100, 150));
        assert!(
            grid.markup("t")
                .into_string()
                .contains("(the first 100 of 250 rows)")
        );
    }
}
