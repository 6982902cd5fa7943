//! `boot matrix`, with a stand-in for `boot run`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{send, wait_for, wait_for_death};
use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;

/// A directory with a file m.toml.
struct Fixture(TempDir);

impl Fixture {
    fn new(toml: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("m.toml"), toml).unwrap();
        Fixture(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boot"));
        command
            .args(["matrix", "m.toml"])
            .args(arguments)
            .env_remove("BOOT_GUESTS")
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// With the stand-in.
    fn matrix(&self, arguments: &[&str]) -> Command {
        let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-run");
        let mut command = self.command(arguments);
        command.arg("--runner").arg(fake);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.matrix(arguments).output().unwrap().into()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("out.json")).unwrap()).unwrap()
    }

    /// The process id that a cell has written.
    fn pid(&self, name: &str) -> Pid {
        let read = || {
            fs::read_to_string(self.path(name))
                .ok()?
                .trim()
                .parse()
                .ok()
        };
        Pid::from_raw(wait_for("a cell's start", read)).unwrap()
    }
}

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The lines of the table without the times.
fn table(stdout: &str) -> Vec<String> {
    let is_time = |word: &&str| word.parse::<f64>().is_ok() && word.contains('.');
    let line = |line: &str| {
        let words: Vec<_> = line
            .split_whitespace()
            .filter(|word| !is_time(word))
            .collect();
        words.join(" ")
    };
    stdout.lines().map(line).collect()
}

#[test]
fn all_results_are_in_the_table_and_the_files() {
    let fixture = Fixture::new(
        r#"
machines = ["um", "x86_64"]
exclude = [{ machine = "x86_64", command = ["fails", "tap"] }]
[commands]
passes = ["sh", "-c", "echo out; echo err >&2"]
fails = { program = ["sh", "-c", "echo why >&2; exit 7"] }
wanted = { program = ["sh", "-c", "exit 7"], status = 7 }
tap = ["printf", 'TAP version 13\n1..2\nok 1 a\nnot ok 2 b\n']
"#,
    );
    let ran = fixture.run(&[
        "--logs", "logs", "--json", "out.json", "--junit", "out.xml", "--jobs", "3",
    ]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let expected = [
        "machine command result seconds status",
        "um passes passed exit status 0",
        "um fails failed exit status 7",
        "um wanted passed exit status 7",
        "um tap failed exit status 0; 1 of 2 tests failed",
        "x86_64 passes passed exit status 0",
        "x86_64 wanted passed exit status 7",
        "",
        "cells: 4 passed, 2 failed in s",
    ];
    assert_eq!(table(&ran.stdout), expected, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("\n  | why\n") && ran.stderr.contains("\n  | not ok: b\n"),
        "{}",
        ran.stderr
    );

    let read = |name: &str| fs::read_to_string(fixture.path("logs").join(name)).unwrap();
    assert_eq!(
        (
            read("um,passes/stdout").as_str(),
            read("um,passes/stderr").as_str()
        ),
        ("out\n", "err\n")
    );
    assert_eq!(read("um,fails/console"), "");

    let json = fixture.json();
    assert_eq!(json["counts"]["passed"], 4);
    assert_eq!(json["counts"]["failed"], 2);
    let tap = &json["cells"][3];
    assert_eq!(
        (&tap["name"], &tap["values"]["machine"]),
        (&"um,tap".into(), &"um".into())
    );
    assert_eq!(
        tap["runs"][0]["tests"][1],
        serde_json::json!({ "name": "b", "result": "failed", "message": "" })
    );
    assert!(
        tap["runs"][0]["logs"]
            .as_str()
            .unwrap()
            .ends_with("/logs/um,tap")
    );

    let junit = fs::read_to_string(fixture.path("out.xml")).unwrap();
    assert!(
        junit.contains("<testsuites name=\"m.toml\" tests=\"7\" failures=\"2\" errors=\"0\""),
        "{junit}"
    );
    assert!(junit.contains("<system-out>out\n</system-out>"), "{junit}");
}

#[test]
fn relative_paths_begin_at_the_file() {
    let fixture = Fixture::new("commands.a = ['sh', './program']");
    fs::write(fixture.path("program"), "exit 0\n").unwrap();
    let ran: Ran = fixture
        .matrix(&[])
        .current_dir("/")
        .args(["--logs"])
        .arg(fixture.path("logs"))
        .output()
        .unwrap()
        .into();
    // The directory of the test is not that of the file.
    assert_eq!(ran.code, Some(125), "{}", ran.stderr);
    let mut command = fixture.matrix(&[]);
    let arguments: Vec<_> = command.get_args().skip(2).map(ToOwned::to_owned).collect();
    command = Command::new(env!("CARGO_BIN_EXE_boot"));
    command
        .arg("matrix")
        .arg(fixture.path("m.toml"))
        .args(arguments)
        .current_dir("/");
    let ran: Ran = command.output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn a_cell_that_passes_when_it_runs_again_is_flaky() {
    let fixture = Fixture::new(
        "commands.late = ['sh', '-c', 'echo >>times; [ $(wc -l <times) = 3 ]']\ncommands.never = ['false']",
    );
    let all = [
        "--logs",
        "logs",
        "--json",
        "out.json",
        "--junit",
        "out.xml",
        "--retries",
        "3",
    ];
    let ran = fixture.run(&all);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(
        table(&ran.stdout)[1..3],
        [
            "late flaky exit status 0 in run 3; before: exit status 1",
            "never failed exit status 1 (4 runs)"
        ]
    );
    assert!(
        ran.stdout.ends_with(" s\n")
            && ran
                .stdout
                .contains("\ncells: 0 passed, 1 flaky, 1 failed in "),
        "{}",
        ran.stdout
    );
    assert!(
        fixture.path("logs/late/rerun-2/stdout").exists()
            && !fixture.path("logs/late/rerun-3").exists()
    );
    let junit = fs::read_to_string(fixture.path("out.xml")).unwrap();
    assert_eq!(
        (
            junit.matches("<flakyFailure").count(),
            junit.matches("<rerunFailure").count()
        ),
        (2, 3),
        "{junit}"
    );
    assert_eq!(
        fixture.json()["cells"][0]["runs"].as_array().unwrap().len(),
        3
    );
    // Without more runs, none of the earlier ones is left.
    fs::write(fixture.path("logs/never/rerun-1/mine"), "").unwrap();
    assert_eq!(fixture.run(&["--logs", "logs"]).code, Some(1));
    assert!(!fixture.path("logs/late/rerun-1").exists());
    assert!(!fixture.path("logs/never/rerun-3").exists());
    assert!(!fixture.path("logs/never/rerun-1/stdout").exists());
    assert!(fixture.path("logs/never/rerun-1/mine").exists());
    // Alone, it is no failure.
    fs::remove_file(fixture.path("times")).unwrap();
    let ran = fixture.run(&["--retries", "3", "--filter", "late"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn jobs_limit_how_many_cells_run() {
    let mut commands = String::new();
    for n in 0..6 {
        let script = format!(">run.{n}; ls run.* | wc -l >count.{n}; sleep 0.3; rm run.{n}");
        commands += &format!("commands.c{n} = ['sh', '-c', '{script}']\n");
    }
    let fixture = Fixture::new(&commands);
    assert_eq!(fixture.run(&["--jobs", "2"]).code, Some(0));
    let count = |n: usize| {
        fs::read_to_string(fixture.path(&format!("count.{n}")))
            .unwrap()
            .trim()
            .parse::<u32>()
            .unwrap()
    };
    assert!((0..6).all(|n| count(n) <= 2));
    assert!((0..6).any(|n| count(n) == 2));
}

#[test]
fn a_signal_ends_all_cells_and_the_results_are_written() {
    let fixture = Fixture::new(
        r#"
[commands]
quick = ["true"]
slow = ["sh", "-c", "echo $$ >slow; exec sleep 1000"]
stubborn = ["sh", "-c", "trap '' TERM USR1; echo $$ >stubborn; exec sleep 1000"]
late = ["true"]
"#,
    );
    let child = fixture
        .matrix(&[
            "--jobs",
            "2",
            "--json",
            "out.json",
            "--junit",
            "out.xml",
            "--retries",
            "5",
        ])
        .spawn()
        .unwrap();
    let cells = [fixture.pid("slow"), fixture.pid("stubborn")];
    send(Signal::TERM, child.id());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(143), "{}", ran.stderr);
    assert_eq!(
        table(&ran.stdout)[1..],
        [
            "quick passed exit status 0",
            "slow not run -",
            "stubborn not run -",
            "late not run -",
            "",
            "cells: 1 passed, 0 failed, 3 not run in s"
        ]
    );
    // They are gone, and not only about to go.
    for cell in cells {
        assert!(rustix::process::test_kill_process(cell).is_err());
    }
    assert_eq!(fixture.json()["counts"]["not-run"], 3);
    assert!(
        fs::read_to_string(fixture.path("out.xml"))
            .unwrap()
            .contains("skipped=\"3\"")
    );
}

#[test]
fn no_cell_outlives_boot() {
    let fixture = Fixture::new("commands.a = ['sh', '-c', 'echo $$ >a; exec sleep 1000']");
    let mut child = fixture.matrix(&[]).spawn().unwrap();
    let cell = fixture.pid("a");
    send(Signal::KILL, child.id());
    child.wait().unwrap();
    wait_for_death(cell);
}

#[test]
fn cells_can_be_listed_and_chosen() {
    let fixture = Fixture::new(
        "memory = [64, 128]\n[commands]\na = { program = ['echo', 'x y'], env = ['A=b'] }\nb = ['true']",
    );
    let ran = fixture.run(&["--list", "--filter", "64", "--filter", "a"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "64,a  run --memory=64 --env=A=b -- echo 'x y'\n")
    );
    let ran = fixture.run(&["--filter", "x"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            Some(125),
            "boot: no cell has a name that contains x; --list shows the names\n"
        )
    );
}

#[test]
fn bad_input_is_reported_before_anything_runs() {
    let good = "commands.a = ['touch', 'ran']";
    for (toml, arguments, code, error) in [
        (
            "commands.a = ['touch', 'ran'",
            &[][..],
            125,
            "boot: {}/m.toml: line 1, column 29: ",
        ),
        (
            "commands.a = { program = ['touch', 'ran'], memory = 0 }",
            &[],
            125,
            "boot: m.toml: a: invalid value '0' for '--memory <MIB>'",
        ),
        (
            "machines = ['vax']\ncommands.a = ['touch', 'ran']",
            &[],
            125,
            "boot: m.toml: vax,a: invalid value 'vax' for '--target <NAME>'",
        ),
        (
            "kernels = ['none']\ncommands.a = ['touch', 'ran']",
            &[],
            125,
            "boot: {}/m.toml: line 1, column 12: kernel {}/none: No such file or directory",
        ),
        (
            good,
            &["--junit", "none/out.xml"],
            125,
            "boot: none/out.xml: cannot write the junit (name another file with --junit FILE): ",
        ),
        (
            good,
            &["--json", "m.toml"],
            125,
            "boot: m.toml: cannot write the json over m.toml, ",
        ),
        (
            good,
            &["--json", "x", "--junit", "x"],
            125,
            "boot: x: cannot write the junit over x, ",
        ),
        (
            good,
            &["--logs", "m.toml"],
            125,
            "boot: m.toml: cannot make the directory for the output (name another one with --logs DIR): ",
        ),
        (
            good,
            &["--jobs", "0"],
            2,
            "error: invalid value '0' for '--jobs <NUMBER>'",
        ),
        (
            good,
            &["more"],
            2,
            "error: unexpected argument 'more' found",
        ),
    ] {
        let fixture = Fixture::new(toml);
        let ran = fixture.run(arguments);
        let error = error.replace("{}", &fixture.0.path().display().to_string());
        assert_eq!(ran.code, Some(code), "{toml} {arguments:?}: {}", ran.stderr);
        assert!(
            ran.stderr.starts_with(&error),
            "{toml} {arguments:?}: {}",
            ran.stderr
        );
        assert!(
            !fixture.path("ran").exists() && fixture.path("m.toml").exists(),
            "{toml}"
        );
        assert_eq!(fs::read_to_string(fixture.path("m.toml")).unwrap(), toml);
    }
    let ran: Ran = Fixture::new(good).command(&[]).output().unwrap().into();
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr
            .starts_with("boot: the directory with the guests is missing: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_cell_that_cannot_be_started_is_an_error_and_not_a_failure() {
    let fixture = Fixture::new("commands.a = ['true']");
    let ran: Ran = fixture
        .command(&["--runner", "/none"])
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, Some(125), "{}", ran.stderr);
    assert!(ran.stdout.contains("error"), "{}", ran.stdout);
    assert!(
        ran.stderr
            .contains("  | cannot start boot run: No such file or directory"),
        "{}",
        ran.stderr
    );
}
