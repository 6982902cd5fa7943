//! The results of a boot beside its verdict: --report, --chart, --summary, --dry-run, --gdb.

mod common;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Fixture, Ran, kernel, wait_for};
use serde_json::Value;

const HELLO: &str = "echo '[    0.000000] Linux version 6.12.95'; sleep 0.1; \
    echo '[    0.390000] Run /init as init process'; sleep 0.1; echo 'Hello, world!'; exec sleep 1000";

fn report(fixture: &Fixture) -> Value {
    serde_json::from_slice(&fs::read(fixture.path("report.json")).unwrap()).unwrap()
}

#[track_caller]
fn seconds(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no time: {value}"))
}

#[test]
fn a_report_has_all_facts() {
    let fixture = Fixture::new();
    let ran = fixture.run(
        HELLO,
        &[
            "--report",
            "report.json",
            "--append",
            "a 'b'",
            "--cpu",
            "max",
            "--smp",
            "2",
        ],
    );
    ran.expect_seen("Hello, world!");
    let report = report(&fixture);
    assert_eq!(report["version"], 2);
    assert_eq!(report["boot"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["verdict"]["kind"], "seen");
    assert_eq!(report["verdict"]["exit_code"], 0);
    let sentence = report["verdict"]["sentence"].as_str().unwrap();
    assert_eq!(ran.stderr, format!("boot: {sentence}\n"));
    assert_eq!(report["accelerator"]["name"], "tcg");
    assert_eq!(report["accelerator"]["why"], "it was asked for");
    // From sha256sum.
    assert_eq!(report["kernel"]["size"], kernel().len());
    assert_eq!(report["kernel"]["format"], "a bzImage");
    assert_eq!(
        report["kernel"]["sha256"],
        "c0da3faded2e3862f5cbfa61cc7550b968afb7c0a0fa83bd6525440d67be983d"
    );
    assert_eq!(report["initrd"]["path"], "initrd");
    let line = report["command_line"].as_str().unwrap();
    assert!(line.starts_with("console=ttyS0 ") && line.ends_with(" a 'b'"));
    let argv = report["qemu"]["argv"].as_array().unwrap();
    assert!(argv.contains(&Value::from(line)));
    assert!(argv.windows(2).any(|pair| pair == ["-cpu", "max"]));
    assert!(argv.windows(2).any(|pair| pair == ["-smp", "2"]));

    let host = &report["host"];
    let order = ["first_byte", "init", "expected", "end"].map(|name| seconds(&host[name]));
    assert!(order.is_sorted() && order[1] - order[0] >= 0.05, "{host}");
    assert_eq!(host["kernel"], host["first_byte"]);
    assert_eq!(seconds(&report["guest"]["init"]), 0.39);
    let phases = report["phases"].as_array().unwrap();
    assert_eq!(phases.last().unwrap()["name"], "init");
    assert_eq!(phases.last().unwrap()["end"], host["expected"]);
    assert!(seconds(&report["silences"][0]["took"]) >= 0.05);
    assert_eq!(report["silences"][0]["before"], "Run /init as init process");
    assert_eq!(report["console"]["lines"], 3);
}

#[test]
fn the_reported_command_runs_the_same_machine() {
    let fixture = Fixture::new();
    fixture.run(HELLO, &["--report", "report.json", "--append", "it's"]);
    let shell = report(&fixture)["qemu"]["shell"]
        .as_str()
        .unwrap()
        .to_owned();
    let printed = fixture
        .run("exit 9", &["--dry-run", "--append", "it's"])
        .stdout;
    // Except for values that each run measures.
    let unmeasured = |line: &str| {
        let words = line.split(' ');
        let words = words.filter(|word| !word.starts_with("tsc_early_khz="));
        words.collect::<Vec<_>>().join(" ")
    };
    let printed = String::from_utf8(printed).unwrap();
    assert_eq!(unmeasured(printed.trim_end()), unmeasured(&shell));
    // The fake QEMU ignores its arguments, but prints them.
    let output = Command::new("sh")
        .args(["-c", &shell])
        .env("FAKE_QEMU", r#"for word; do echo "$word"; done"#)
        .output()
        .unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    let argv: Vec<_> = report(&fixture)["qemu"]["argv"].as_array().unwrap()[1..]
        .iter()
        .map(|word| word.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(words.lines().collect::<Vec<_>>(), argv);
}

#[test]
fn a_failure_is_reported_as_well() {
    let fixture = Fixture::new();
    let panic = "[    0.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000700";
    let ran = fixture.run(
        &format!("echo '{panic}'; sleep 0.1"),
        &["--report", "report.json", "--chart", "chart.svg"],
    );
    assert_eq!(ran.code, Some(1));
    let verdict = &report(&fixture)["verdict"];
    assert_eq!(verdict["kind"], "init-exited");
    assert_eq!(verdict["exit_code"], 1);
    assert!(verdict["help"].is_string());
    let chart = fs::read_to_string(fixture.path("chart.svg")).unwrap();
    let sentence = verdict["sentence"].as_str().unwrap();
    assert!(chart.contains(&sentence[..20]), "{chart}");
}

#[test]
fn an_error_of_the_host_is_reported_as_well() {
    let fixture = Fixture::new();
    let arguments = ["--report", "report.json", "--qemu", "/no/such/qemu"];
    assert_eq!(fixture.run("", &arguments).code, Some(125));
    let report = report(&fixture);
    assert!(report["verdict"].is_null());
    let error = report["error"].as_str().unwrap();
    assert!(
        error.starts_with("/no/such/qemu: cannot start QEMU"),
        "{error}"
    );
}

#[test]
fn a_summary_follows_the_verdict() {
    let ran = Fixture::new().run(HELLO, &["--summary"]);
    let (verdict, summary) = ran.stderr.split_once('\n').unwrap();
    assert!(verdict.starts_with("boot: saw "));
    assert!(
        summary.starts_with("Phases, by the host's clock "),
        "{summary}"
    );
    assert!(
        summary.contains("\n  Run /init as init process "),
        "{summary}"
    );
    assert!(
        summary.ends_with("said 390 ms when it ran init.\n"),
        "{summary}"
    );
}

#[test]
fn unusable_paths_are_reported_before_the_boot() {
    let fixture = Fixture::new();
    for (arguments, error) in [
        (
            &["--report", "no/such/report"][..],
            "boot: no/such/report: cannot write the report (name another file with --report FILE): ",
        ),
        (
            &["--chart", "."],
            "boot: .: cannot write the chart: it is a directory",
        ),
        (
            &["--chart", "./kernel"],
            "boot: ./kernel: cannot write the chart over kernel, which",
        ),
        (
            &["--report", "x", "--chart", "x"],
            "boot: x: cannot write the chart over x, which",
        ),
        (
            &["--log", "x", "--report", "x"],
            "boot: x: cannot write the report over x, which",
        ),
        (
            &["--summary", "--symbols", "kernel"],
            "boot: kernel: it is not a 64-bit ELF file (name the unstripped vmlinux with --symbols",
        ),
    ] {
        let ran = fixture.run("exec sleep 1000", arguments);
        assert!(ran.stderr.starts_with(error), "{}", ran.stderr);
        assert_eq!(ran.code, Some(125));
        assert!(!fixture.path("pid").exists(), "QEMU was started");
    }
    assert_eq!(fs::read(fixture.path("kernel")).unwrap(), kernel());
}

#[test]
fn a_dry_run_runs_nothing() {
    let fixture = Fixture::new();
    let ran = fixture.run("exit 9", &["--dry-run", "--", "-d", "in_asm,int"]);
    ran.expect(0, "");
    let line = String::from_utf8(ran.stdout).unwrap();
    assert!(line.ends_with(" -no-reboot -d in_asm,int\n"), "{line}");
    assert!(!fixture.path("pid").exists());
}

#[test]
fn a_dry_run_reports_that_it_cannot_print() {
    let fixture = Fixture::new();
    let full = fs::File::create("/dev/full").unwrap();
    let output = fixture.boot("exit 9", &["--dry-run"]).stdout(full).output();
    let ran: Ran = output.unwrap().into();
    let words =
        "boot: stdout: cannot print the command line: No space left on device (os error 28)\n";
    ran.expect(125, words);
}

#[test]
fn an_unbootable_file_is_reported_before_qemu_starts() {
    let fixture = Fixture::new();
    let ran: Ran = fixture
        .bare("exec sleep 1000")
        .args(["--kernel", "initrd", "--initrd", "kernel", "--dry-run"])
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, Some(125));
    assert!(
        ran.stderr
            .contains("cannot use it as the kernel: it is of no format"),
        "{}",
        ran.stderr
    );
}

/// A script for the fake QEMU: `event` on QMP, whose descriptor is in its arguments.
fn on_qmp(event: &str) -> String {
    format!("eval 'cat <<EVENT >&'${{2##*=}}'\n{event}\nEVENT'")
}

#[test]
fn a_stop_that_qmp_reports_counts() {
    for (reason, kind) in [("guest-shutdown", "powered-off"), ("guest-reset", "reset")] {
        let fixture = Fixture::new();
        let event = format!(r#"{{"event": "SHUTDOWN", "data": {{"reason": "{reason}"}}}}"#);
        let script = format!("echo x; {}", on_qmp(&event));
        fixture.run(&script, &["--report", "report.json"]);
        let report = report(&fixture);
        assert_eq!(report["shutdown"], reason);
        assert_eq!(report["verdict"]["kind"], kind);
    }
}

/// KVM fails, QEMU reports that on stderr and keeps running.
#[test]
fn a_failure_of_kvm_ends_the_boot_at_once() {
    let script = format!(
        "echo '[    0.000000] Linux version 6.12.0'; echo 'KVM internal error' >&2; {}; exec sleep 1000",
        on_qmp(r#"{"event": "STOP"}"#)
    );
    let started = Instant::now();
    let fixture = Fixture::new();
    let ran = fixture.run(&script, &["--timeout", "1000", "--report", "report.json"]);
    assert!(started.elapsed() < Duration::from_secs(30));
    let words =
        "qemu: KVM internal error\nboot: QEMU stopped the guest before \"Hello, world!\" was seen;";
    assert!(ran.stderr.starts_with(words), "{}", ran.stderr);
    assert_eq!(ran.code, Some(125));
    let verdict = &report(&fixture)["verdict"];
    assert_eq!(verdict["kind"], "qemu-stopped");
    assert_eq!(verdict["said"][0], "KVM internal error");
}

#[test]
fn a_guest_may_be_stopped_and_started_again() {
    let script = format!(
        "{}; {}; sleep 1.5; echo 'Hello, world!'; exec sleep 1000",
        on_qmp(r#"{"event": "STOP"}"#),
        on_qmp(r#"{"return": {"status": "paused", "running": false}}"#)
    );
    let ran = Fixture::new().run(&script, &[]);
    ran.expect_seen("Hello, world!");
}

/// A report that nobody reads: opening the FIFO waits for a reader.
#[test]
fn a_signal_after_the_boot_ends_boot() {
    let fixture = Fixture::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        fixture.path("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let mut boot = fixture
        .boot(
            "until [ -e go ]; do sleep 0.01; done; echo 'Hello, world!'",
            &["--report", "fifo"],
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // boot checks the file before the boot, so it needs a reader.
    drop(fs::File::open(fixture.path("fifo")).unwrap());
    fs::write(fixture.path("go"), "").unwrap();
    common::wait_for_death(fixture.qemu());
    common::send(rustix::process::Signal::TERM, boot.id());
    let status = wait_for("boot's end", || boot.try_wait().unwrap());
    assert_eq!(status.code(), Some(143));
}

#[test]
fn with_a_debugger_boot_prints_the_command_and_sets_no_limits() {
    let fixture = Fixture::new();
    let mut boot = fixture
        .boot(
            "echo 'Hello, world!'; until [ -e go ]; do sleep 0.01; done",
            &["--gdb=socket", "--symbols", "a vmlinux"],
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    fixture.qemu();
    // With a debugger, the text does not end the boot.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(boot.try_wait().unwrap().is_none());
    fs::write(fixture.path("go"), "").unwrap();
    let ran = wait_for("boot's end", || boot.try_wait().unwrap());
    assert_eq!(ran.code(), Some(0));
    let ran: Ran = boot.wait_with_output().unwrap().into();
    ran.expect(
        0,
        "boot: the guest waits for a debugger; in another terminal, type:\n  \
         gdb -ex 'target remote socket' -ex 'hbreak start_kernel' -ex continue 'a vmlinux'\n\
         boot: ended\n",
    );
    let refused = fixture.run("exit 9", &["--gdb", "--timeout", "9"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("cannot be used with"));
}
