use super::*;
use crate::verdict::diagnosis::Cause;
use serde_json::{Value, json};

fn failed(cause: Cause) -> Verdict {
    Verdict::Failed(Failure {
        cause: Finding {
            cause,
            said: "it".into(),
            line: None,
        },
        then: vec![],
        end: None,
        programs_said: vec![],
    })
}

/// One of each.
fn all() -> Vec<Verdict> {
    let text = String::new;
    let guest = Unfinished::default;
    let limit = Duration::ZERO;
    let causes = [
        Cause::UnpackingFailed { reason: text() },
        Cause::NoInit { path: None },
        Cause::InitramfsIgnored,
        Cause::NoRoot {
            device: None,
            found: false,
            unpacked: None,
        },
        Cause::InitNotStarted {
            path: text(),
            error: 8,
        },
        Cause::InitExited { status: 7 },
        Cause::InitKilled {
            signal: 4,
            name: Some("SIGILL"),
            fault: None,
        },
        Cause::Panic { reason: text() },
        Cause::Oops { at: None },
        Cause::Lockup,
        Cause::HungTask { task: None },
        Cause::OutOfMemory { killed: None },
        Cause::NoConsole,
        Cause::QemuError { reason: text() },
        Cause::KvmError,
        Cause::NoKernel { reason: "" },
        Cause::EfiStubFailed { reason: text() },
        Cause::WrongCpu,
        Cause::DecompressorFailed { reason: None },
        Cause::EarlyException { vector: 14 },
        Cause::EmergencyShell { reason: "" },
        Cause::InitGaveUp { reason: "" },
    ];
    let others = [
        Verdict::Seen {
            text: text(),
            after: Some(limit),
        },
        Verdict::Ended,
        Verdict::Abandoned { expected: text() },
        Verdict::PoweredOff(guest()),
        Verdict::Halted(guest()),
        Verdict::LogEnded(guest()),
        Verdict::Garbage,
        Verdict::Restarted(guest()),
        Verdict::Reset(guest()),
        Verdict::GuestExited {
            exit: GuestExit {
                status: 33,
                written: Some(16),
            },
            guest: guest(),
        },
        Verdict::Timeout {
            limit,
            guest: guest(),
        },
        Verdict::Stalled {
            limit,
            guest: guest(),
        },
        Verdict::QemuFailed {
            status: text(),
            said: QemuWords::default(),
            shell_line: text(),
        },
        Verdict::QemuCrashed {
            status: text(),
            said: QemuWords::default(),
            guest: guest(),
        },
        Verdict::QemuStopped {
            run_state: None,
            said: QemuWords::default(),
            guest: guest(),
        },
        Verdict::StdoutClosed,
        Verdict::TerminalGone,
        Verdict::Signal { signal: 15 },
    ];
    causes.into_iter().map(failed).chain(others).collect()
}

#[test]
fn every_kind_is_the_tag_of_the_json_form() {
    let mut kinds = Vec::new();
    for verdict in all() {
        let json = serde_json::to_value(&verdict).unwrap();
        assert_eq!(json["kind"], verdict.kind(), "{json}");
        kinds.push(verdict.kind());
    }
    let all = kinds.len();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), all);
}

#[test]
fn every_kind_is_in_the_handbook_with_its_exit_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/boot.md");
    let Ok(handbook) = std::fs::read_to_string(path) else {
        return; // Builds do without the documents.
    };
    for verdict in all() {
        let (kind, code) = (verdict.kind(), verdict.exit_code());
        let row = handbook
            .lines()
            .find(|line| line.starts_with(&format!("| `{kind}` |")))
            .unwrap_or_else(|| panic!("docs/boot.md has no row for {kind}"));
        let last = row.trim_end_matches(" |").rsplit("| ").next();
        let general = match code {
            143 => "128 + n".to_owned(),
            code => code.to_string(),
        };
        assert_eq!(last, Some(general.as_str()), "{row}");
    }
}

#[test]
fn the_json_form_is_flat() {
    let guest = Unfinished {
        expected: Some("Hello".into()),
        reached: Reached::Kernel,
        ..Unfinished::default()
    };
    let timeout = Verdict::Timeout {
        limit: Duration::from_millis(1500),
        guest,
    };
    let Verdict::Failed(failure) = failed(Cause::InitKilled {
        signal: 4,
        name: Some("SIGILL"),
        fault: None,
    }) else {
        unreachable!()
    };
    let form = |verdict: &Verdict| -> Value { serde_json::to_value(verdict).unwrap() };
    assert_eq!(
        form(&timeout),
        json!({ "kind": "timeout", "limit": 1.5, "expected": "Hello", "seen": null, "elsewhere": false, "programs_said": [], "last_line": null, "reached": "kernel" })
    );
    assert_eq!(
        form(&Verdict::Failed(Failure {
            then: vec![Finding {
                cause: Cause::Oops { at: None },
                said: "BUG: x".into(),
                line: None,
            }],
            end: Some(Box::new(timeout.clone())),
            ..failure
        })),
        json!({
            "kind": "init-killed", "signal": 4, "name": "SIGILL", "fault": null, "said": "it",
            "then": [{ "kind": "oops", "said": "BUG: x" }],
            "end": form(&timeout),
            "programs_said": [],
        })
    );
}

#[test]
fn exit_codes_of_signals() {
    assert_eq!(Verdict::Signal { signal: 15 }.exit_code(), 143);
    assert_eq!(Verdict::StdoutClosed.exit_code(), 141);
    assert_eq!(Verdict::TerminalGone.exit_code(), 129);
}
