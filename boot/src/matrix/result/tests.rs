use super::*;

/// A run with these outputs.
pub fn attempt(wanted: i32, status: i32, stdout: &str, stderr: &str) -> Attempt {
    let outputs = Outputs {
        stdout: stdout.into(),
        stderr: stderr.into(),
        console: Vec::new(),
    };
    Attempt::new(
        wanted,
        Some(status),
        &outputs,
        Duration::from_millis(1500),
        Path::new("/logs/x"),
    )
}

#[test]
fn a_run_has_a_verdict_in_words() {
    use Verdict::*;
    let tap = "TAP version 13\n1..2\nok 1 a\nnot ok 2 b\n";
    for (wanted, status, stdout, stderr, verdict, words) in [
        (0, 0, "", "", Passed, "exit status 0"),
        (7, 7, "", "", Passed, "exit status 7"),
        (0, 7, "", "", Failed, "exit status 7"),
        (7, 0, "", "", Failed, "exit status 0, and not 7"),
        (0, 137, "", "", Failed, "exit status 137 (SIGKILL)"),
        (0, 0, tap, "", Failed, "exit status 0; 1 of 2 tests failed"),
        (0, 1, tap, "", Failed, "exit status 1; 1 of 2 tests failed"),
        (
            0,
            250,
            "",
            "boot: the kernel panicked",
            Failed,
            "the guest failed",
        ),
        (
            0,
            251,
            "",
            "x\nboot: the program did not end\n",
            Failed,
            "time ran out",
        ),
        (
            0,
            252,
            "",
            "boot: /x: missing\n",
            Error,
            "could not be tried",
        ),
        (
            0,
            252,
            "",
            "error: unexpected argument",
            Error,
            "could not be tried",
        ),
        (
            0,
            127,
            "",
            "boot: x: there is no such program",
            Failed,
            "no such program",
        ),
        (
            0,
            126,
            "",
            "boot: x: cannot",
            Failed,
            "the program cannot be executed",
        ),
        (
            250,
            250,
            "",
            "boot: the kernel panicked",
            Passed,
            "the guest failed",
        ),
        // The program's own.
        (0, 250, "", "my error", Failed, "exit status 250"),
        (0, 127, "", "sh: not found", Failed, "exit status 127"),
        (
            0,
            4,
            "TAP version 13\n1..0 # SKIP no device\n",
            "",
            Skipped,
            "no device",
        ),
        (
            0,
            0,
            "TAP version 13\n1..0 # SKIP\n",
            "",
            Skipped,
            "exit status 0",
        ),
        (0, 4, "", "", Failed, "exit status 4"),
    ] {
        let found = attempt(wanted, status, stdout, stderr);
        assert_eq!(
            (found.verdict, found.words.as_str()),
            (verdict, words),
            "{status} {stderr}"
        );
    }
}

#[test]
fn the_console_has_results_too() {
    let outputs = Outputs {
        console: b"[    0.1] KTAP version 1\r\n[    0.1] 1..1\r\n[    0.1] not ok 1 a\r\n".into(),
        ..Outputs::default()
    };
    let found = Attempt::new(0, Some(0), &outputs, Duration::ZERO, Path::new("/"));
    assert_eq!((found.verdict, found.cases.len()), (Verdict::Failed, 1));
}

#[test]
fn a_cell_that_passes_late_is_flaky() {
    let [bad, good] = [1, 0].map(|status| move || attempt(0, status, "", ""));
    let result = CellResult::new(0, vec![bad(), good()]);
    assert_eq!(result.verdict, Verdict::Flaky);
    assert_eq!(
        result.words(),
        "exit status 0 in run 2; before: exit status 1"
    );
    assert_eq!(result.time(), Duration::from_secs(3));
    let result = CellResult::new(0, vec![bad(), bad()]);
    assert_eq!(
        (result.verdict, result.words().as_str()),
        (Verdict::Failed, "exit status 1 (2 runs)")
    );
    assert_eq!(CellResult::new(0, vec![good()]).verdict, Verdict::Passed);
    assert_eq!(CellResult::new(0, vec![]).verdict, Verdict::NotRun);
}

#[test]
fn the_message_is_boots_last_one() {
    let stderr = "boot: accelerator: tcg\n[ 0.1] panic\nboot: the kernel panicked\n  because\n";
    assert_eq!(own_message(stderr), "boot: the kernel panicked\n  because");
    assert_eq!(own_message("the program's\n"), "");
}
