//! The results for people: a table and a line with the counts.

use std::time::Duration;

use crate::matrix::plan::Plan;
use crate::matrix::result::{CellResult, Verdict};

/// How many cells ended like this.
pub fn count(results: &[CellResult], verdict: Verdict) -> usize {
    results
        .iter()
        .filter(|result| result.verdict == verdict)
        .count()
}

/// The table, with a line for each cell.
pub fn table(plan: &Plan, results: &[CellResult]) -> String {
    let mut rows = vec![
        plan.axes
            .iter()
            .map(|axis| (*axis).to_owned())
            .collect::<Vec<_>>(),
    ];
    rows[0].extend(["result", "seconds", "status"].map(String::from));
    for result in results {
        let mut row = plan.cells[result.cell].values.clone();
        let seconds = match result.attempts.is_empty() {
            true => "-".into(),
            false => format!("{:.2}", result.time().as_secs_f64()),
        };
        row.extend([result.verdict.word().into(), seconds, result.words()]);
        rows.push(row);
    }
    let widths: Vec<_> = (0..rows[0].len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let is_number = rows[0].len() - 2;
    let line = |row: &Vec<String>| {
        let cells =
            row.iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (text, &width))| match column {
                    column if column == is_number => format!("{text:>width$}"),
                    _ => format!("{text:<width$}"),
                });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The last line.
pub fn summary(results: &[CellResult], time: Duration) -> String {
    // The usual ones are always there, so that a script can look for them.
    let is_shown = |verdict| {
        matches!(verdict, Verdict::Passed | Verdict::Failed) || count(results, verdict) > 0
    };
    let shown = Verdict::ALL
        .into_iter()
        .filter(|verdict| is_shown(*verdict));
    let counts: Vec<_> = shown
        .map(|verdict| format!("{} {}", count(results, verdict), verdict.word()))
        .collect();
    format!(
        "cells: {} in {:.1} s",
        counts.join(", "),
        time.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::options::Options;
    use crate::matrix::plan::Cell;
    use crate::matrix::result::tests::attempt;

    #[test]
    fn a_table_has_a_line_for_each_cell() {
        let cell = |machine: &str, command: &str| Cell {
            values: vec![machine.into(), command.into()],
            options: Options::default(),
        };
        let plan = Plan {
            directory: "/".into(),
            axes: vec!["machine", "command"],
            cells: vec![
                cell("um", "true"),
                cell("x86_64", "fails"),
                cell("um", "late"),
            ],
        };
        let [good, bad] = [0, 7].map(|status| attempt(0, status, "", ""));
        let results = [vec![good], vec![bad], vec![]].into_iter().enumerate();
        let results: Vec<_> = results
            .map(|(cell, runs)| CellResult::new(cell, runs))
            .collect();
        let expected = "\
machine  command  result   seconds  status
um       true     passed      1.50  exit status 0
x86_64   fails    failed      1.50  exit status 7
um       late     not run        -
";
        assert_eq!(table(&plan, &results), expected);
        let expected = "cells: 1 passed, 1 failed, 1 not run in 2.5 s";
        assert_eq!(summary(&results, Duration::from_millis(2500)), expected);
    }
}
