//! Checks every system call of `init` with strace(1), which also injects faults.

mod common;

use common::{INIT, Running, eventually};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Panics unless the system calls of `init` after execve(2) are `expected`, ending inside pause(2).
/// `faults` are arguments of strace's `--inject`.
fn assert_calls(test: &str, faults: &[&str], expected: &[&str]) {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.strace"));
    let _ = fs::remove_file(&log);

    // With --daemonize, init is our child and strace its descendant, so killing init ends both.
    let mut strace = Command::new("strace");
    strace
        .args(["--daemonize", "--columns=0", "--quiet=all", "--output"])
        .arg(&log);
    strace.args(faults.iter().map(|fault| format!("--inject={fault}")));
    let _init = Running::start(strace.arg(INIT).stdout(Stdio::null()))
        .unwrap_or_else(|e| panic!("strace: {e}. This test needs it: apt-get install strace"));

    let mut calls = Vec::new();
    eventually("the last call is an unfinished pause", || {
        calls = fs::read_to_string(&log)
            .unwrap_or_default()
            .lines()
            .map(String::from)
            .collect();
        calls.len() > expected.len() && calls.last().is_some_and(|last| last == "pause(")
    });
    let exec = calls.remove(0);
    assert!(
        exec.starts_with("execve(") && exec.ends_with(" = 0"),
        "{exec}"
    );
    assert_eq!(calls, expected);
}

#[test]
fn writes_once_and_pauses() {
    assert_calls(
        "plain",
        &[],
        &[r#"write(1, "Hello, world!\n", 14) = 14"#, "pause("],
    );
}

#[test]
fn a_short_write_is_continued() {
    assert_calls(
        "short",
        &["write:retval=5:when=1"],
        &[
            r#"write(1, "Hello, world!\n", 14) = 5 (INJECTED)"#,
            r#"write(1, ", world!\n", 9) = 9"#,
            "pause(",
        ],
    );
}

#[test]
fn an_interrupted_write_is_repeated() {
    assert_calls(
        "interrupted",
        &["write:error=EINTR:when=1..2"],
        &[
            r#"write(1, "Hello, world!\n", 14) = -1 EINTR (Interrupted system call) (INJECTED)"#,
            r#"write(1, "Hello, world!\n", 14) = -1 EINTR (Interrupted system call) (INJECTED)"#,
            r#"write(1, "Hello, world!\n", 14) = 14"#,
            "pause(",
        ],
    );
}

#[test]
fn a_failed_write_is_not_repeated() {
    assert_calls(
        "failed",
        &["write:error=EIO"],
        &[
            r#"write(1, "Hello, world!\n", 14) = -1 EIO (Input/output error) (INJECTED)"#,
            "pause(",
        ],
    );
}

#[test]
fn a_write_of_nothing_is_not_repeated() {
    assert_calls(
        "nothing",
        &["write:retval=0"],
        &[
            r#"write(1, "Hello, world!\n", 14) = 0 (INJECTED)"#,
            "pause(",
        ],
    );
}

#[test]
fn a_pause_that_ends_is_followed_by_another() {
    assert_calls(
        "woken",
        &["pause:error=EINTR:when=1..2"],
        &[
            r#"write(1, "Hello, world!\n", 14) = 14"#,
            "pause() = -1 EINTR (Interrupted system call) (INJECTED)",
            "pause() = -1 EINTR (Interrupted system call) (INJECTED)",
            "pause(",
        ],
    );
}
