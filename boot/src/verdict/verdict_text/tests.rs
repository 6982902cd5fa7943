use std::time::Duration;

use super::*;
use crate::machine::vm::GuestExit;
use crate::verdict::QemuWords;
use crate::verdict::diagnosis;

fn failed(messages: &[&str], end: Option<Verdict>) -> Verdict {
    let mut findings = messages
        .iter()
        .map(|message| diagnosis::finding(message).unwrap());
    Verdict::Failed(Failure {
        cause: findings.next().unwrap(),
        then: findings.collect(),
        end: end.map(Box::new),
        programs_said: vec![],
    })
}

#[test]
fn sentences() {
    let text = || "Hello, world!".to_owned();
    let guest = |expected: Option<String>, last_line: Option<&str>| Unfinished {
        expected,
        last_line: last_line.map(Into::into),
        reached: Reached::Output,
        ..Unfinished::default()
    };
    let timeout = |seconds, expected, last_line| Verdict::Timeout {
        limit: Duration::from_secs_f64(seconds),
        guest: guest(expected, last_line),
    };
    for (verdict, sentence) in [
        (
            Verdict::Seen {
                text: text(),
                after: Some(Duration::from_millis(420)),
            },
            r#"saw "Hello, world!" 0.42 s after the start"#,
        ),
        (
            Verdict::PoweredOff(guest(None, None)),
            "the guest powered off; the guest wrote nothing",
        ),
        (
            Verdict::GuestExited {
                exit: GuestExit {
                    status: 33,
                    written: Some(16),
                },
                guest: guest(Some(text()), Some("bad")),
            },
            r#"the guest ended with exit status 33 (16 written to isa-debug-exit) before "Hello, world!" was seen; the last line was "bad""#,
        ),
        (
            Verdict::QemuCrashed {
                status: "signal 9".into(),
                said: QemuWords::default(),
                guest: guest(Some(text()), Some("it's")),
            },
            r#"QEMU ended with signal 9 before "Hello, world!" was seen; the last line was "it's""#,
        ),
        (
            timeout(1.5, Some(text()), None),
            r#""Hello, world!" was not seen in 1.5 s; the guest wrote nothing"#,
        ),
        (
            timeout(60.0, None, Some("#")),
            r##"the 60 s of --timeout have passed; the last line was "#""##,
        ),
        (
            Verdict::Stalled {
                limit: Duration::from_secs(5),
                guest: guest(Some(text()), Some("#")),
            },
            r##"the guest was silent for 5 s before "Hello, world!" was seen; the last line was "#""##,
        ),
        (
            failed(
                &[
                    "Initramfs unpacking failed: read error",
                    "Kernel panic - not syncing: No working init found.  Try passing init= option to kernel.",
                ],
                None,
            ),
            "the kernel could not unpack the initramfs (read error): it is cut short; then the kernel found no init to run",
        ),
        (
            failed(
                &[
                    "Out of memory and no killable processes...",
                    "Kernel panic - not syncing: System is deadlocked on memory",
                ],
                None,
            ),
            "the guest ran out of memory",
        ),
        (
            failed(
                &["BUG: unable to handle page fault for address: 1"],
                Some(timeout(2.0, None, None)),
            ),
            "the kernel ran into a bug of its own (an oops); then the 2 s of --timeout have passed; the guest wrote nothing",
        ),
    ] {
        assert_eq!(verdict.sentence(), sentence);
    }
}

#[test]
fn quotes_and_advice_are_on_their_own_lines() {
    let verdict = failed(
        &[
            "Failed to execute /init (error -8)",
            "Kernel panic - not syncing: No working init found.  Try",
        ],
        None,
    );
    let words = verdict.to_string();
    let lines: Vec<_> = words.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "the kernel cannot execute /init: it is for another architecture, or not a program (error -8, ENOEXEC); \
             then the kernel found no init to run",
            "  kernel: Failed to execute /init (error -8)",
            "  kernel: Kernel panic - not syncing: No working init found.  Try",
        ]
    );
    assert!(
        lines[3].starts_with("  help: `file` says what it is."),
        "{}",
        lines[3]
    );
    assert_eq!(lines.len(), 4);
    let verdict = Verdict::QemuFailed {
        status: "exit status: 1".into(),
        said: QemuWords {
            lines: vec!["no".into()],
            shown: false,
        },
        shell_line: "q -m 1".into(),
    };
    assert_eq!(
        verdict.to_string(),
        "QEMU ended with exit status: 1 before the guest wrote anything:\n  qemu: no\n\
         To see more, run QEMU by hand:\n  q -m 1",
    );
}

#[test]
fn the_fault_is_quoted_before_the_panic() {
    let mut verdict = failed(
        &["Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004"],
        None,
    );
    let Verdict::Failed(failure) = &mut verdict else {
        unreachable!()
    };
    let Cause::InitKilled { fault, .. } = &mut failure.cause.cause else {
        panic!("{failure:?}")
    };
    *fault = Some("traps: init[1] trap invalid opcode ip:401000".into());
    assert_eq!(
        verdict.quotes(),
        [
            ("kernel", "traps: init[1] trap invalid opcode ip:401000"),
            (
                "kernel",
                "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004"
            ),
        ]
    );
}
