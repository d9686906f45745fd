//! Tables.

use std::fmt;

use comfy_table::presets::NOTHING;

use super::printable;

/// Rows in columns, without borders.
pub struct Table(comfy_table::Table);

impl Table {
    pub(crate) fn new() -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING);
        Self(table)
    }

    /// A table with these columns.
    #[must_use]
    pub fn with_header<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Self {
        let mut table = Self::new();
        table.0.set_header(header);
        table
    }

    /// The same for columns of a number that is not known here.
    pub(crate) fn of_columns<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut table = Self::new();
        table.0.set_header(header);
        table
    }

    /// Adds a row to such a table.
    pub(crate) fn cells(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells.into_iter().map(|cell| printable(&cell)));
    }

    /// Adds a row. Control characters in it are replaced.
    pub fn row<S: AsRef<str>, const COLUMNS: usize>(&mut self, cells: [S; COLUMNS]) {
        self.0.add_row(cells.map(|cell| printable(cell.as_ref())));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = self.0.clone();
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.lines().try_for_each(|line| writeln!(f, "{}", line.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_on_screen() {
        let mut table = Table::with_header(["NAME", "STATE", "REASON"]);
        table.row(["orders", "running", ""]);
        table.row(["価格", "failed", "no\nspace\x1b[2J"]);
        assert_eq!(table.to_string(), "NAME    STATE    REASON\norders  running\n価格    failed   no space [2J\n");
    }

    #[test]
    fn a_table_may_have_no_rows() {
        assert_eq!(Table::with_header(["NAME", "URL"]).to_string(), "NAME  URL\n");
    }
}
