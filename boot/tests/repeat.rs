//! Many boots: --repeat and --jobs.

mod common;

use std::fs;

use common::{Fixture, Ran, wait_for};
use rustix::process::{Pid, Signal, kill_process};

/// Each QEMU writes its process id to a file.
const COUNTED: &str = "echo >qemu.$$; echo 'Hello, world!'; exec sleep 1000";

/// The process ids of all QEMUs of the test.
fn qemus(fixture: &Fixture) -> Vec<i32> {
    let entries = fs::read_dir(fixture.path(".")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| name.strip_prefix("qemu.")?.parse().ok())
        .collect()
}

#[test]
fn every_boot_runs_and_no_qemu_is_left() {
    let fixture = Fixture::new();
    let ran = fixture.run(COUNTED, &["--repeat", "25", "--jobs", "4"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let line = ran.stderr.strip_prefix("boot: 25 boots, 0 failed, ");
    assert!(
        line.is_some_and(|line| line.lines().count() == 1),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.is_empty());
    let qemus = qemus(&fixture);
    assert_eq!(qemus.len(), 25);
    for qemu in qemus {
        let gone = |pid| rustix::process::test_kill_process(pid).is_err();
        assert!(Pid::from_raw(qemu).is_some_and(gone), "{qemu}");
    }
}

#[test]
fn a_failure_is_reported_and_the_other_boots_run() {
    let fixture = Fixture::new();
    let script = "n=$(ls | grep -c ^qemu); echo >qemu.$$; \
        [ $n != 2 ] || { echo '[    1.000000] Kernel panic - not syncing: test'; exec sleep 1000; }; \
        echo 'Hello, world!'; exec sleep 1000";
    let ran = fixture.run(script, &["--repeat", "5", "--report", "report.json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let report = fs::read(fixture.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["failed"], 1);
    let kinds = report["runs"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|run| &run["verdict"]["kind"]).collect();
    assert_eq!(kinds, ["seen", "seen", "panic", "seen", "seen"]);
    assert_eq!(report["target"], "x86_64");
    assert!(ran.stderr.starts_with("boot: number 3: "), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("\nboot: 5 boots, 1 failed, "),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_signal_ends_all_boots() {
    let fixture = Fixture::new();
    let script = "echo >qemu.$$; exec sleep 1000";
    let mut boot = fixture.boot(script, &["--repeat", "100", "--jobs", "2"]);
    let child = boot.stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_for("two QEMUs", || (qemus(&fixture).len() == 2).then_some(()));
    let pid = Pid::from_raw(child.id() as i32).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(143), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("boot: 2 boots, 2 failed, "),
        "{}",
        ran.stderr
    );
}

/// QEMU ignores boot's request to end, and boot kills it.
#[test]
fn a_signal_while_qemu_ends_is_not_lost() {
    let fixture = Fixture::new();
    let script = format!("eval 'echo \"{{\\\"return\\\": {{}}}}\" >&'${{2##*=}}; {COUNTED}");
    let mut boot = fixture.boot(&script, &["--repeat", "100"]);
    let child = boot.stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_for("a QEMU", || (qemus(&fixture).len() == 1).then_some(()));
    // The text has come or comes now; boot then takes half a second to end QEMU.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let pid = Pid::from_raw(child.id() as i32).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(143), "{}", ran.stderr);
    let last = ran.stderr.lines().last().unwrap_or_default();
    assert!(
        last.contains(" boots, ") && last.contains(" failed, "),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_host_error_counts_as_a_failure() {
    let fixture = Fixture::new();
    let mut boot = fixture.boot("", &["--repeat", "3"]);
    let ran = Ran::from(boot.env("BOOT_QEMU", "no-such-qemu").output().unwrap());
    assert_eq!(ran.code, Some(125), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("\nboot: number 2: no-such-qemu: cannot start QEMU "),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("\nboot: 3 boots, 3 failed, "),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_verdict_quotes_qemu() {
    let script = "echo one; sleep 0.1; echo why >&2; sleep 0.1; kill -9 $$";
    let ran = Fixture::new().run(script, &["--repeat", "1"]);
    let words = "boot: number 1: QEMU ended with signal: 9 (SIGKILL) before \"Hello, world!\" was seen; \
        the last line was \"one\"\n  qemu: why\n";
    assert!(ran.stderr.starts_with(words), "{}", ran.stderr);
}

/// If another QEMU inherited the channel, it would stay open until that QEMU ends.
#[test]
fn no_qemu_inherits_the_channel_of_another() {
    let fixture = Fixture::new();
    let script =
        "ls -l /proc/$$/fd | grep -c socket > sockets.$$; echo 'Hello, world!'; exec sleep 1000";
    let ran = fixture.run(script, &["--repeat", "64", "--jobs", "16"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let entries = fs::read_dir(fixture.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let counts = entries.filter(|path| path.to_string_lossy().contains("sockets."));
    let counts: Vec<_> = counts
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(counts.len(), 64);
    assert!(counts.iter().all(|count| count == "1\n"), "{counts:?}");
}

#[test]
fn options_that_write_files_are_refused_with_repeat() {
    for option in ["--log=l", "--chart=c", "--summary", "--gdb", "--timestamps"] {
        let ran = Fixture::new().run("", &["--repeat", "2", option]);
        assert_eq!(ran.code, Some(2), "{option}");
    }
    assert_eq!(Fixture::new().run("", &["--jobs", "2"]).code, Some(2));
}
