//! `boot explain` on the logs of boots, most of them of other kernels and images than ours.

use std::fs;
use std::path::{Path, PathBuf};

use boot::explain::Boot;
use boot::explain::read::read;
use boot::explain::show;
use boot::verdict::judge::Goal;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    log: Vec<Case>,
}

/// A log, and what is right about it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: String,
    /// How the log was made.
    #[serde(rename = "from")]
    _from: String,
    /// The kind of the verdict, of the last boot in the log.
    kind: String,
    /// The number of the first line that matters.
    line: Option<u64>,
    /// A part of that line.
    quote: Option<String>,
    /// Words; the sentence, the notes and the advice have one of them at least.
    advice: Vec<String>,
    exit: u8,
}

fn logs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs")
}

fn explain(log: &[u8]) -> Vec<Boot> {
    read(log, Goal::default()).unwrap()
}

/// What is wrong with the verdict for this log.
fn wrong(case: &Case) -> Vec<String> {
    let log = fs::read(logs().join(&case.file)).unwrap();
    let boots = explain(&log);
    let boot = boots.last().unwrap();
    let text = show::text("log", &boots, None).to_lowercase();
    let mut wrong = Vec::new();
    let mut expect = |what: &str, is: bool| {
        if !is {
            wrong.push(format!("{what}, not"));
        }
    };
    expect(
        &format!("kind {}", case.kind),
        boot.verdict.kind() == case.kind,
    );
    expect(
        &format!("exit {}", case.exit),
        show::exit_code(&boots) == case.exit,
    );
    if let Some(line) = case.line {
        let judged = boot.line();
        expect(
            &format!("line {line}"),
            judged.is_none() || judged == Some(line),
        );
        expect(
            &format!("line {line} shown"),
            text.contains(&format!("{line:>5} | ")),
        );
    }
    if let Some(quote) = &case.quote {
        expect(&format!("{quote:?}"), text.contains(&quote.to_lowercase()));
    }
    let advised = |word: &String| text.contains(&word.to_lowercase());
    expect(
        &format!("one of {:?}", case.advice),
        case.advice.is_empty() || case.advice.iter().any(advised),
    );
    if !wrong.is_empty() {
        wrong.insert(
            0,
            format!("{}:\n{}", case.file, show::text("log", &boots, None)),
        );
    }
    wrong
}

#[test]
fn every_log_gets_its_verdict() {
    let cases = fs::read_to_string(logs().join("cases.toml")).unwrap();
    let cases: Cases = toml::from_str(&cases).unwrap();
    let wrong: Vec<_> = cases
        .log
        .iter()
        .map(wrong)
        .filter(|wrong| !wrong.is_empty())
        .collect();
    for wrong in &wrong {
        println!("{}\n", wrong.join("\n  "));
    }
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong",
        wrong.len(),
        cases.log.len()
    );
    // A log without a case proves nothing.
    let files = fs::read_dir(logs()).unwrap();
    let logs = files.filter(|file| {
        file.as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|ext| ext == "log")
    });
    assert_eq!(logs.count(), cases.log.len());
}

/// The logs of failed boots.
fn failed() -> Vec<Vec<u8>> {
    let cases = fs::read_to_string(logs().join("cases.toml")).unwrap();
    let cases: Cases = toml::from_str(&cases).unwrap();
    let failed = cases.log.iter().filter(|case| case.exit == 1);
    failed
        .map(|case| fs::read(logs().join(&case.file)).unwrap())
        .collect()
}

/// The exit code for a log; 125 for one that is empty.
fn exit_code(log: &[u8]) -> u8 {
    read(log, Goal::default()).map_or(125, |boots| show::exit_code(&boots))
}

/// A message of the kernel that means nothing.
const HARMLESS: &[u8] = b"[    9.876543] usb 1-1: new device found\r\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn a_cut_makes_no_verdict_better(choice: prop::sample::Index, cut: prop::sample::Index, front: bool) {
        let logs = failed();
        let log = choice.get(&logs);
        // Without the line of the cause, a restart at the end is all that is left. So a cut at the front is before that line.
        let lines = explain(log).iter().find_map(Boot::line).unwrap_or(1);
        let cause: usize = log.split_inclusive(|byte| *byte == b'\n').take(lines as usize - 1).map(<[u8]>::len).sum();
        let rest = match front {
            true => &log[cut.index(cause + 1)..],
            false => &log[..cut.index(log.len())],
        };
        prop_assert_ne!(exit_code(rest), 0, "{}", String::from_utf8_lossy(rest));
    }

    #[test]
    fn messages_between_the_lines_change_nothing(choice: prop::sample::Index, places: Vec<prop::sample::Index>) {
        let logs = failed();
        let log = choice.get(&logs);
        let mut lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
        // A firmware's line after a message of the kernel begins a boot.
        let is_version = |line: &&[u8]| line.windows(13).any(|part| part == b"Linux version");
        let first = lines.iter().rposition(is_version).map_or(lines.len(), |line| line + 1);
        // Without Linux, the last line may be a prompt, which goes on.
        let places = if first < lines.len() { places } else { vec![] };
        for place in places {
            lines.insert(first + place.index(lines.len() + 1 - first), HARMLESS);
        }
        let kind = |log: &[u8]| explain(log).last().unwrap().verdict.kind();
        // A message of the kernel proves that it was started after all.
        if kind(log) != "no-kernel" {
            prop_assert_eq!(kind(&lines.concat()), kind(log));
        }
    }

    #[test]
    fn a_message_within_a_programs_line_makes_no_verdict_better(choice: prop::sample::Index, place: prop::sample::Index) {
        let logs = failed();
        let log = choice.get(&logs);
        // The kernel does not interrupt itself.
        let mut lines: Vec<_> = log.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let is_programs = |line: &&mut Vec<u8>| !line.contains(&b'[') && !line.starts_with(b"Kernel panic");
        let mut programs: Vec<_> = lines.iter_mut().filter(is_programs).collect();
        if !programs.is_empty() {
            let line = place.index(programs.len());
            let at = place.index(programs[line].len());
            programs[line].splice(at..at, HARMLESS.iter().copied());
        }
        let torn = lines.concat();
        prop_assert_ne!(exit_code(&torn), 0, "{}", String::from_utf8_lossy(&torn));
    }

    #[test]
    fn any_bytes_are_judged(bytes: Vec<u8>, choice: prop::sample::Index, at: prop::sample::Index) {
        let logs = failed();
        let mut log = choice.get(&logs).clone();
        let at = at.index(log.len());
        log.splice(at..at, bytes.iter().copied());
        for log in [&log, &bytes] {
            if let Ok(boots) = read(&log[..], Goal::default()) {
                // Carriage returns end lines, too, if nothing else does.
                let lines = 1 + log.iter().filter(|byte| b"\r\n".contains(byte)).count() as u64;
                prop_assert!(boots.iter().all(|boot| boot.first <= boot.last && boot.last <= lines));
                prop_assert!(!show::text("log", &boots, None).contains('\x1b'));
                let _ = show::json("log", &boots, None);
            }
        }
    }
}
