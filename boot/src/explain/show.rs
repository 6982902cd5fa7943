//! The boots of a log as text and as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::explain::trace::Sources;
use crate::explain::{Boot, Line};
use crate::verdict::diagnosis::notes::Note;
use crate::verdict::exit_code::{self, ExitCode};
use crate::verdict::{Failure, Judgement, Verdict};

/// The version of the JSON form. It increases when a field changes its meaning or is removed, not when one is added.
const VERSION: u32 = 1;

impl Boot {
    /// The number of the first line that matters.
    pub fn line(&self) -> Option<u64> {
        match &self.verdict {
            Verdict::Failed(failure) => failure.cause.line,
            _ => None,
        }
    }
}

/// The boots as text. `name` is that of the log.
pub fn text(name: &str, boots: &[Boot], sources: Option<&Sources>) -> String {
    let mut text = String::new();
    for (index, boot) in boots.iter().enumerate() {
        if boots.len() > 1 {
            let Boot { first, last, .. } = boot;
            let number = index + 1;
            let _ = writeln!(
                text,
                "boot {number} of {}, lines {first} to {last}:",
                boots.len()
            );
        }
        one(&mut text, name, boot, sources);
    }
    text
}

fn one(text: &mut String, name: &str, boot: &Boot, sources: Option<&Sources>) {
    let place = boot
        .line()
        .map(|line| format!(":{line}"))
        .unwrap_or_default();
    let sentence = match boot.verdict {
        Verdict::Ended => "the guest shut down, and nothing reported a problem".to_owned(),
        _ => boot.verdict.sentence(),
    };
    let _ = writeln!(text, "{name}{place}: {sentence}");
    let is_shown = |number| boot.excerpt.iter().any(|line| line.number == number);
    if let Verdict::Failed(Failure { cause, .. }) = &boot.verdict {
        if let Some(number) = cause.line.filter(|number| !is_shown(*number)) {
            quote(text, ">", number, &cause.said);
        }
    }
    for line in &boot.excerpt {
        let is_cause = Some(line.number) == boot.line();
        quote(
            text,
            if is_cause { ">" } else { " " },
            line.number,
            &line.text,
        );
    }
    if let Verdict::Failed(failure) = &boot.verdict {
        let is_quoted = |said: &str| boot.excerpt.iter().any(|line| line.text.contains(said));
        for said in failure.programs_said.iter().filter(|said| !is_quoted(said)) {
            let _ = writeln!(text, "  init: {said}");
        }
        let last = boot.excerpt.last().map_or(0, |line| line.number);
        for finding in &failure.then {
            if let Some(number) = finding.line.filter(|line| *line > last) {
                quote(text, ">", number, &finding.said);
            }
        }
    }
    for (line, lines) in translated(boot, sources) {
        quote(text, " ", line.number, &line.text);
        for source in lines {
            let _ = writeln!(text, "            at {source}");
        }
    }
    for note in &boot.notes {
        let line = note
            .line
            .map(|line| format!(" in line {line}"))
            .unwrap_or_default();
        let _ = writeln!(text, "  also{line}: {}\n    {}", note.said, note.help);
    }
    if let Some(help) = boot.verdict.help() {
        let _ = writeln!(text, "  help: {help}");
    }
}

fn quote(text: &mut String, mark: &str, number: u64, line: &str) {
    let _ = writeln!(text, "  {mark} {number:>5} | {line}");
}

/// The lines of the stack trace that `sources` knows, each with its lines of source code.
fn translated<'a>(boot: &'a Boot, sources: Option<&Sources>) -> Vec<(&'a Line, Vec<String>)> {
    let Some(sources) = sources else {
        return Vec::new();
    };
    let lines = boot.trace.iter();
    let translated = lines.map(|line| (line, sources.lines(&line.text, boot.load_offset)));
    translated.filter(|(_, lines)| !lines.is_empty()).collect()
}

#[derive(Serialize)]
struct Log<'a> {
    version: u32,
    boot: &'static str,
    log: &'a str,
    exit_code: ExitCode,
    boots: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    first_line: u64,
    last_line: u64,
    line: Option<u64>,
    verdict: Judgement<'a>,
    excerpt: &'a [Line],
    trace: Vec<Frame<'a>>,
    notes: &'a [Note],
}

#[derive(Serialize)]
struct Frame<'a> {
    #[serde(flatten)]
    line: &'a Line,
    sources: Vec<String>,
}

/// The boots as JSON. docs/explain.md explains the fields.
pub fn json(name: &str, boots: &[Boot], sources: Option<&Sources>) -> String {
    let log = Log {
        version: VERSION,
        boot: env!("CARGO_PKG_VERSION"),
        log: name,
        exit_code: exit_code(boots),
        boots: boots
            .iter()
            .map(|boot| One {
                first_line: boot.first,
                last_line: boot.last,
                line: boot.line(),
                verdict: Judgement::new(&boot.verdict),
                excerpt: &boot.excerpt,
                trace: translated(boot, sources)
                    .into_iter()
                    .map(|(line, sources)| Frame { line, sources })
                    .collect(),
                notes: &boot.notes,
            })
            .collect(),
    };
    let json = serde_json::to_string_pretty(&log);
    json.expect("every key is a string") + "\n"
}

/// The exit code for all boots: that of a failed one, if there is one; else that of one that cannot be judged.
pub fn exit_code(boots: &[Boot]) -> ExitCode {
    const WORST_FIRST: [ExitCode; 3] = [
        exit_code::GUEST_FAILED,
        exit_code::TIME_RAN_OUT,
        exit_code::CANNOT_TEST,
    ];
    let codes: Vec<_> = boots.iter().map(|boot| boot.verdict.exit_code()).collect();
    WORST_FIRST
        .into_iter()
        .find(|code| codes.contains(code))
        .unwrap_or(exit_code::SUCCESS)
}
