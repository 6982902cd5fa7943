//! The JUnit file: one test suite for each cell, in the format of Maven's Surefire plugin, which Jenkins, GitLab and others
//! read.
//!
//! A suite has a test case for each test in the cell's output. It has one for the command itself if the output has no
//! tests, or if the tests do not explain why the cell failed. If a cell ran several times, a test case that passed at last
//! has its earlier failures as `flakyFailure`, and one that failed has its later failures as `rerunFailure`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::matrix::ktap::Outcome;
use crate::matrix::plan::Plan;
use crate::matrix::result::{Attempt, CellResult, Verdict};

/// The end of an output that is in the file, in bytes.
const MOST_OUTPUT: u64 = 64 << 10;

/// A test case of one run.
struct Case {
    name: String,
    end: End,
    time: Option<Duration>,
}

#[derive(Clone)]
enum End {
    Passed,
    Skipped(String),
    /// It did not pass.
    Bad(Bad),
}

#[derive(Clone)]
struct Bad {
    /// Whether it could not be tried.
    is_error: bool,
    message: String,
    details: String,
}

/// A test case of all runs.
struct Merged {
    case: Case,
    /// The failures of other runs.
    others: Vec<Bad>,
}

/// The file for these results.
pub fn junit(plan: &Plan, title: &str, results: &[CellResult]) -> Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    write(&mut writer, plan, title, results).context("cannot write the JUnit file")?;
    let mut text = String::from_utf8(writer.into_inner()).context("the JUnit file")?;
    text.push('\n');
    Ok(text)
}

fn write(
    writer: &mut Writer<Vec<u8>>,
    plan: &Plan,
    title: &str,
    results: &[CellResult],
) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites: Vec<_> = results
        .iter()
        .map(|result| (result, merged(plan, result)))
        .collect();
    let all: Vec<_> = suites.iter().flat_map(|(_, cases)| cases).collect();
    let time = results.iter().map(CellResult::time).sum();
    let mut element = writer.create_element("testsuites");
    for (name, value) in counts(title, &all, time) {
        element = element.with_attribute((name, value.as_str()));
    }
    element.write_inner_content(|writer| {
        suites
            .iter()
            .try_for_each(|(result, cases)| suite(writer, plan, result, cases))
    })?;
    Ok(())
}

/// The attributes of a suite, or of all of them.
fn counts(name: &str, cases: &[&Merged], time: Duration) -> [(&'static str, String); 6] {
    let count = |is: fn(&End) -> bool| {
        cases
            .iter()
            .filter(|merged| is(&merged.case.end))
            .count()
            .to_string()
    };
    [
        ("name", clean(name)),
        ("tests", cases.len().to_string()),
        (
            "failures",
            count(|end| matches!(end, End::Bad(bad) if !bad.is_error)),
        ),
        (
            "errors",
            count(|end| matches!(end, End::Bad(bad) if bad.is_error)),
        ),
        ("skipped", count(|end| matches!(end, End::Skipped(_)))),
        ("time", seconds(time)),
    ]
}

fn suite(
    writer: &mut Writer<Vec<u8>>,
    plan: &Plan,
    result: &CellResult,
    cases: &[Merged],
) -> io::Result<()> {
    let cell = &plan.cells[result.cell];
    let name = cell.name();
    let mut element = writer.create_element("testsuite");
    for (key, value) in counts(&name, &cases.iter().collect::<Vec<_>>(), result.time()) {
        element = element.with_attribute((key, value.as_str()));
    }
    element.write_inner_content(|writer| {
        writer
            .create_element("properties")
            .write_inner_content(|writer| {
                let properties = plan
                    .axes
                    .iter()
                    .copied()
                    .zip(cell.values.iter().map(String::as_str));
                for (axis, value) in properties.chain([("result", result.verdict.word())]) {
                    writer
                        .create_element("property")
                        .with_attribute(("name", axis))
                        .with_attribute(("value", value))
                        .write_empty()?;
                }
                Ok(())
            })?;
        cases
            .iter()
            .try_for_each(|merged| test_case(writer, &name, merged))?;
        let Some(last) = result.attempts.last() else {
            return Ok(());
        };
        for (element, file) in [("system-out", "stdout"), ("system-err", "stderr")] {
            // An unreadable file must not lose all results.
            let output =
                end_of(&last.directory.join(file)).unwrap_or_else(|error| error.to_string());
            if output.is_empty() {
                continue;
            }
            text(writer, element, &output)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn test_case(writer: &mut Writer<Vec<u8>>, class: &str, merged: &Merged) -> io::Result<()> {
    let case = &merged.case;
    let mut element = writer
        .create_element("testcase")
        .with_attribute(("name", clean(&case.name).as_str()))
        .with_attribute(("classname", class));
    if let Some(time) = case.time {
        element = element.with_attribute(("time", seconds(time).as_str()));
    }
    if matches!(case.end, End::Passed) && merged.others.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        let other = match &case.end {
            End::Bad(found) => {
                let element = if found.is_error { "error" } else { "failure" };
                bad(writer, element, found, false)?;
                ["rerunFailure", "rerunError"]
            }
            End::Skipped(why) => {
                let element = writer.create_element("skipped");
                element
                    .with_attribute(("message", clean(why).as_str()))
                    .write_empty()?;
                return Ok(());
            }
            End::Passed => ["flakyFailure", "flakyError"],
        };
        merged
            .others
            .iter()
            .try_for_each(|found| bad(writer, other[usize::from(found.is_error)], found, true))
    })?;
    Ok(())
}

/// A failure. One of another run has its details in an element of its own.
fn bad(
    writer: &mut Writer<Vec<u8>>,
    element: &str,
    bad: &Bad,
    of_other_run: bool,
) -> io::Result<()> {
    let written = writer
        .create_element(element)
        .with_attribute(("message", clean(&bad.message).as_str()))
        .with_attribute(("type", if bad.is_error { "error" } else { "failure" }));
    let details = clean(&bad.details);
    if of_other_run {
        written.write_inner_content(|writer| text(writer, "stackTrace", &details))?;
    } else {
        written.write_text_content(BytesText::new(&details))?;
    }
    Ok(())
}

fn text(writer: &mut Writer<Vec<u8>>, element: &str, text: &str) -> io::Result<()> {
    writer
        .create_element(element)
        .write_text_content(BytesText::new(&clean(text)))?;
    Ok(())
}

/// The test cases of all runs of a cell.
fn merged(plan: &Plan, result: &CellResult) -> Vec<Merged> {
    let command = plan.cells[result.cell]
        .values
        .last()
        .cloned()
        .unwrap_or_default();
    let mut runs: Vec<_> = result
        .attempts
        .iter()
        .map(|attempt| cases(&command, attempt))
        .collect();
    let Some(last) = runs.pop() else {
        let end = End::Skipped("a signal came before it could run".into());
        let case = Case {
            name: command,
            end,
            time: None,
        };
        return vec![Merged {
            case,
            others: Vec::new(),
        }];
    };
    let with_no_others = |case| Merged {
        case,
        others: Vec::new(),
    };
    let mut merged: Vec<_> = last.into_iter().map(with_no_others).collect();
    let has_passed = !result.verdict.is_bad();
    for case in runs.into_iter().flatten() {
        let End::Bad(found) = case.end else { continue };
        let same = merged
            .iter_mut()
            .find(|merged| merged.case.name == case.name);
        match same {
            Some(Merged {
                case: Case {
                    end: End::Bad(end), ..
                },
                others,
            }) => {
                // The first failure is the main one.
                if others.is_empty() {
                    others.push(std::mem::replace(end, found));
                } else {
                    let place = others.len() - 1;
                    others.insert(place, found);
                }
            }
            Some(merged) => merged.others.push(found),
            // The last run does not have this test case.
            None if has_passed => {
                let case = Case {
                    end: End::Passed,
                    ..case
                };
                merged.push(Merged {
                    case,
                    others: vec![found],
                });
            }
            None => merged.push(with_no_others(Case {
                end: End::Bad(found),
                ..case
            })),
        }
    }
    merged
}

/// The test cases of one run.
fn cases(command: &str, attempt: &Attempt) -> Vec<Case> {
    let mut cases = Vec::new();
    // The same name twice would be one test case for the readers of the file.
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &attempt.cases {
        let times = seen.entry(&case.name).or_default();
        *times += 1;
        let name = match *times {
            1 => case.name.clone(),
            times => format!("{} ({times})", case.name),
        };
        let end = match case.outcome {
            Outcome::Passed => End::Passed,
            Outcome::Skipped => End::Skipped(case.message.clone()),
            Outcome::Failed => End::Bad(Bad {
                is_error: false,
                message: if case.message.is_empty() {
                    "not ok".into()
                } else {
                    case.message.clone()
                },
                details: case.log.join("\n"),
            }),
        };
        cases.push(Case {
            name,
            end,
            time: None,
        });
    }
    let is_explained = match attempt.verdict {
        // A program whose tests failed usually says so with its exit status, too. A message is about something else.
        Verdict::Failed => {
            attempt.message.is_empty() && cases.iter().any(|case| matches!(case.end, End::Bad(_)))
        }
        verdict => !verdict.is_bad(),
    };
    if cases.is_empty() || !is_explained {
        let end = match attempt.verdict {
            Verdict::Failed | Verdict::Error => End::Bad(Bad {
                is_error: attempt.verdict == Verdict::Error,
                message: attempt.words.clone(),
                details: match attempt.message.as_str() {
                    "" => attempt.last_lines.join("\n"),
                    message => message.to_owned(),
                },
            }),
            Verdict::Skipped => End::Skipped(attempt.words.clone()),
            _ => End::Passed,
        };
        cases.insert(
            0,
            Case {
                name: command.to_owned(),
                end,
                time: Some(attempt.time),
            },
        );
    }
    cases
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// The end of an output, with a line that says what is missing.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let before = file.metadata()?.len().saturating_sub(MOST_OUTPUT);
    file.seek(SeekFrom::Start(before))?;
    let mut bytes = Vec::new();
    file.take(MOST_OUTPUT).read_to_end(&mut bytes)?;
    let end = String::from_utf8_lossy(&bytes);
    Ok(match before {
        0 => end.into_owned(),
        before => format!("[{before} bytes are left out]\n{end}"),
    })
}

/// `text` without characters that XML does not have. A control character becomes its picture: ␛ for Escape.
fn clean(text: &str) -> String {
    let clean = |character: char| match character {
        '\t' | '\n' | '\r' => character,
        '\0'..='\x1f' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => character,
    };
    text.replace("\r\n", "\n").chars().map(clean).collect()
}

#[cfg(test)]
mod tests;
