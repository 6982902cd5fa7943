//! From the file of a matrix to its cells.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::matrix::file::{Axis, Entry, File, Names, Value};
use crate::matrix::options::Options;

/// The axes: a value of one, the key of its values in the file, and what an entry without options is.
///
/// A later axis has precedence: the command's options replace those of the others.
const AXES: [(&str, &str, &str); 4] = [
    ("kernel", "kernels", "a file, or a table of options"),
    (
        "machine",
        "machines",
        "the name of a target, or a table of options",
    ),
    ("memory", "memory", "a number of MiB, or a table of options"),
    (
        "command",
        "commands",
        "a list of a program and its arguments, or a table of options",
    ),
];

/// What is to be run.
#[derive(Debug)]
pub struct Plan {
    /// Where relative paths begin.
    pub directory: PathBuf,
    /// The axes that the file has.
    pub axes: Vec<&'static str>,
    /// The runs, with the last axis changing first.
    pub cells: Vec<Cell>,
}

/// One run.
#[derive(Debug)]
pub struct Cell {
    /// Its values on the axes that the file has.
    pub values: Vec<String>,
    /// Its options, and those of its values.
    pub options: Options,
}

impl Cell {
    /// Its name, which is also a directory's.
    pub fn name(&self) -> String {
        self.values.join(",")
    }
}

/// A value of an axis.
struct Point {
    name: String,
    options: Options,
}

impl Plan {
    /// Reads the file. Errors say where they are.
    pub fn read(path: &Path) -> Result<Plan> {
        let text = fs::read_to_string(path).with_context(|| {
            format!(
                "{}: cannot read the matrix (name another FILE)",
                path.display()
            )
        })?;
        let path = std::path::absolute(path).context("this directory is gone")?;
        let source = Source {
            path: &path,
            text: &text,
        };
        let file: File = toml::from_str(&text)
            .map_err(|error| source.wrong(error.span().unwrap_or(0..0), error.message()))?;
        source.plan(file)
    }
}

/// The text, for the places of errors.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    /// An error at this place.
    fn wrong(&self, place: Range<usize>, what: &str) -> anyhow::Error {
        let before = self.text.get(..place.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let what = what.trim_end().replace('\n', ", ");
        anyhow!(
            "{}: line {line}, column {column}: {what}",
            self.path.display()
        )
    }

    fn plan(&self, file: File) -> Result<Plan> {
        let directory = self.path.parent().unwrap_or(Path::new("/")).to_owned();
        self.check_kernel(&directory, &file.defaults, 0..0)?;
        let mut axes = Vec::new();
        let mut cells = vec![Cell {
            values: Vec::new(),
            options: file.defaults,
        }];
        let of_file = [file.kernels, file.machines, file.memory, file.commands];
        for ((axis, key, wanted), values) in AXES.into_iter().zip(of_file) {
            let Some(values) = values else { continue };
            let place = values.span();
            let points = self.points(&directory, key, wanted, values.into_inner())?;
            if points.is_empty() {
                return Err(self.wrong(
                    place,
                    &format!("{key}: has no values; add one, or remove it"),
                ));
            }
            axes.push((
                axis,
                points
                    .iter()
                    .map(|point| point.name.clone())
                    .collect::<Vec<_>>(),
            ));
            cells = cells
                .iter()
                .flat_map(|cell| points.iter().map(|point| cell.with(point)))
                .collect();
        }
        for exclusion in file.exclude {
            let names = [
                exclusion.kernel,
                exclusion.machine,
                exclusion.memory,
                exclusion.command,
            ];
            let chosen = self.chosen(&axes, names)?;
            let is_chosen = |cell: &Cell| {
                chosen
                    .iter()
                    .zip(&cell.values)
                    .all(|(names, value)| names.as_ref().is_none_or(|names| names.contains(value)))
            };
            cells.retain(|cell| !is_chosen(cell));
        }
        if cells.is_empty() {
            return Err(self.wrong(0..0, "no cell is left; exclude fewer of them"));
        }
        if let Some(cell) = cells.iter().find(|cell| !cell.options.has_program()) {
            let what = match cell.values.is_empty() {
                true => "has no commands; add for example: commands.hello = [\"echo\", \"hello\"]"
                    .into(),
                false => format!(
                    "{}: has no program; give its command a `program`, a list with at least one string",
                    cell.name()
                ),
            };
            return Err(self.wrong(0..0, &what));
        }
        let axes = axes.into_iter().map(|(axis, _)| axis).collect();
        Ok(Plan {
            directory,
            axes,
            cells,
        })
    }

    /// The values of the axis `key`, with names that differ.
    fn points(&self, directory: &Path, key: &str, wanted: &str, axis: Axis) -> Result<Vec<Point>> {
        let mut points: Vec<Point> = Vec::new();
        for Entry { name, value } in axis.0 {
            let place = value.span();
            let value = value.into_inner();
            let (name, name_place) = match name {
                Some(name) => (name.as_ref().clone(), name.span()),
                None => (default_name(&value), place.clone()),
            };
            let advice = || format!("name it: {key}.NAME = ...");
            if name.is_empty() {
                return Err(self.wrong(
                    place,
                    &format!("{key}: this value has no name; {}", advice()),
                ));
            }
            if !is_file_name(&name) {
                let what = format!(
                    "{key}: `{name}` is a directory's name; take letters, digits and ._+- for it, or {}",
                    advice()
                );
                return Err(self.wrong(name_place, &what));
            }
            if points.iter().any(|point| point.name == name) {
                return Err(self.wrong(
                    place,
                    &format!("{key}: `{name}` is there twice; {}", advice()),
                ));
            }
            let options = match (key, value) {
                (_, Value::Table(options)) => options,
                ("kernels", Value::Text(path)) => Options::one("kernel", path),
                ("machines", Value::Text(target)) => Options::one("target", target),
                ("memory", Value::Integer(size)) if size > 0 => {
                    Options::one("memory", size.to_string())
                }
                ("commands", Value::List(words)) => Options::program(words),
                _ => return Err(self.wrong(place, &format!("{key}: `{name}` must be {wanted}"))),
            };
            self.check_kernel(directory, &options, place)?;
            points.push(Point { name, options });
        }
        Ok(points)
    }

    fn check_kernel(&self, directory: &Path, options: &Options, place: Range<usize>) -> Result<()> {
        let Some(kernel) = options.kernel() else {
            return Ok(());
        };
        let path = directory.join(kernel);
        let found = fs::metadata(&path).map_err(|error| error.to_string());
        match found {
            Ok(found) if found.is_file() => Ok(()),
            Ok(_) => Err("it is not a file".to_owned()),
            Err(error) => Err(error),
        }
        .map_err(|error| self.wrong(place, &format!("kernel {}: {error}", path.display())))
    }

    /// For each axis, the chosen values. Nothing stands for all.
    fn chosen(
        &self,
        axes: &[(&str, Vec<String>)],
        names: [Option<Names>; 4],
    ) -> Result<Vec<Option<Vec<String>>>> {
        let mut chosen = vec![None; axes.len()];
        for ((axis, key, _), names) in AXES.into_iter().zip(names) {
            let Some(Names(names)) = names else { continue };
            let place = axes.iter().position(|(other, _)| *other == axis);
            for name in &names {
                let wanted = &name.as_ref().0;
                if !place.is_some_and(|place| axes[place].1.contains(wanted)) {
                    return Err(self.wrong(
                        name.span(),
                        &format!("exclude: {key} has no value `{wanted}`"),
                    ));
                }
            }
            if let Some(place) = place {
                chosen[place] = Some(names.into_iter().map(|name| name.into_inner().0).collect());
            }
        }
        Ok(chosen)
    }
}

impl Cell {
    fn with(&self, point: &Point) -> Cell {
        let mut options = self.options.clone();
        options.extend(&point.options);
        let mut values = self.values.clone();
        values.push(point.name.clone());
        Cell { values, options }
    }
}

/// The name of a value in a list.
fn default_name(value: &Value) -> String {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    match value {
        Value::Text(text) => last(text),
        Value::Integer(number) => number.to_string(),
        Value::List(words) => words.first().map(|word| last(word)).unwrap_or_default(),
        Value::Table(_) => String::new(),
    }
}

/// Whether a part of a directory's name can be `name`. A comma separates the parts.
fn is_file_name(name: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    !name.is_empty() && !name.starts_with(['.', '-']) && name.bytes().all(is_good)
}

#[cfg(test)]
mod tests;
