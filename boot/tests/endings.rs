//! boot is ended from outside and leaves no process.

mod common;

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Fixture, Ran, send, wait_for, wait_for_death};
use rustix::process::{Pid, Signal};

fn start(fixture: &Fixture, script: &str, arguments: &[&str]) -> Child {
    fixture
        .boot(script, arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_signal_ends_boot_and_qemu() {
    for (signal, number) in [
        (Signal::TERM, 15),
        (Signal::HUP, 1),
        (Signal::INT, 2),
        (Signal::QUIT, 3),
    ] {
        let fixture = Fixture::new();
        let boot = start(&fixture, "exec sleep 1000", &[]);
        let qemu = fixture.qemu();
        send(signal, boot.id());
        let ran: Ran = boot.wait_with_output().unwrap().into();
        ran.expect(128 + number, &format!("boot: ended by signal {number}\n"));
        wait_for_death(qemu);
    }
}

#[test]
fn qemu_ends_when_boot_is_killed() {
    let fixture = Fixture::new();
    let mut boot = start(&fixture, "exec sleep 1000", &[]);
    let qemu = fixture.qemu();
    boot.kill().unwrap();
    boot.wait().unwrap();
    wait_for_death(qemu);
}

#[test]
fn processes_of_a_wrapper_end_with_boot() {
    let script = "sleep 1000 & echo $! > inner; echo 'Hello, world!'; wait";
    for (arguments, code) in [(&[][..], 0), (&["--log", "/dev/full"], 125)] {
        let fixture = Fixture::new();
        assert_eq!(fixture.run(script, arguments).code, Some(code));
        let inner = fs::read_to_string(fixture.path("inner")).unwrap();
        wait_for_death(Pid::from_raw(inner.trim().parse().unwrap()).unwrap());
    }
}

/// A wrapper whose children leave its process group, and its session.
const ESCAPING: &str = "setsid sh -c 'echo $$ > new; mv new escaped; exec sleep 1000 >/dev/null 2>&1' & \
    sh -c 'echo $$ > inner.new; mv inner.new inner; exec sleep 1000 >/dev/null 2>&1' & \
    until [ -e escaped ] && [ -e inner ]; do sleep 0.01; done; ";

fn process(fixture: &Fixture, file: &str) -> Pid {
    let read = || fs::read_to_string(fixture.path(file)).ok();
    let id = wait_for(file, read);
    Pid::from_raw(id.trim().parse().unwrap()).unwrap()
}

#[test]
fn processes_outside_of_the_wrappers_group_end_with_boot() {
    for (end, code) in [
        ("echo 'Hello, world!'; wait", 0),
        ("echo 'Hello, world!'; exit 0", 0),
        ("exit 3", 125),
    ] {
        let fixture = Fixture::new();
        let script = format!("{ESCAPING} {end}");
        assert_eq!(
            fixture.run(&script, &["--timeout", "3"]).code,
            Some(code),
            "{end}"
        );
        // It has ended when boot has ended, not some time later.
        for file in ["escaped", "inner"] {
            let test = rustix::process::test_kill_process(process(&fixture, file));
            assert!(test.is_err(), "{file} of {end}");
        }
    }
}

#[test]
fn processes_of_a_wrapper_end_when_boot_is_killed() {
    let fixture = Fixture::new();
    let mut boot = start(&fixture, &format!("{ESCAPING} wait"), &[]);
    let processes = ["escaped", "inner"].map(|file| process(&fixture, file));
    boot.kill().unwrap();
    boot.wait().unwrap();
    processes.into_iter().for_each(wait_for_death);
    wait_for_death(fixture.qemu());
}

/// Killing the reaper, QEMU's parent, kills QEMU.
#[test]
fn qemu_does_not_outlive_the_reaper() {
    let fixture = Fixture::new();
    let boot = start(
        &fixture,
        "echo $PPID > parent; echo x; exec sleep 1000",
        &[],
    );
    wait_for("the reaper", || {
        fs::read_to_string(fixture.path("parent"))
            .ok()
            .filter(|id| id.ends_with('\n'))
    });
    send(
        Signal::KILL,
        process(&fixture, "parent").as_raw_nonzero().get() as u32,
    );
    let ran: Ran = boot.wait_with_output().unwrap().into();
    ran.expect(
        125,
        "boot: QEMU ended with signal: 9 (SIGKILL) before \"Hello, world!\" was seen; the last line was \"x\"\n",
    );
    wait_for_death(fixture.qemu());
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let fixture = Fixture::new();
    let boot = fixture.boot(
        "until [ -e go ]; do sleep 0.01; done; echo 'Hello, world!'",
        &[],
    );
    // As nohup(1) does it.
    let mut nohup = Command::new("/bin/sh");
    nohup
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(boot.get_program())
        .args(boot.get_args());
    let variables = boot
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    nohup
        .envs(variables)
        .current_dir(fixture.path(""))
        .stdin(Stdio::null());
    let mut boot = nohup
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    fixture.qemu();
    send(Signal::HUP, boot.id());
    std::thread::sleep(Duration::from_millis(300));
    fs::write(fixture.path("go"), "").unwrap();
    assert_eq!(boot.wait().unwrap().code(), Some(0));
}

#[test]
fn every_verdict_ends_qemu() {
    for (script, code) in [
        ("echo 'Hello, world!'; exec sleep 1000", 0),
        ("echo 'Kernel panic - not syncing: x'; exec sleep 1000", 1),
        ("exec sleep 1000", 124),
        // Streams closed, and still running.
        ("exec sleep 1000 > /dev/null 2>&1", 1),
    ] {
        let fixture = Fixture::new();
        let ran = fixture.run(script, &["--timeout", "3"]);
        assert_eq!(ran.code, Some(code), "{script}: {}", ran.stderr);
        wait_for_death(fixture.qemu());
    }
}

#[test]
fn boot_ends_quietly_when_its_reader_closes_the_pipe() {
    let fixture = Fixture::new();
    let mut boot = start(
        &fixture,
        "while echo line; do sleep 0.01; done",
        &["--expect", "x"],
    );
    let mut stdout = boot.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 5]).unwrap();
    drop(stdout);
    let ran: Ran = boot.wait_with_output().unwrap().into();
    ran.expect(141, "boot: ended, since nobody reads its output any more\n");
    wait_for_death(fixture.qemu());
}

/// This also happens when boot's caller is killed.
#[test]
fn a_silent_boot_ends_when_its_reader_has_ended() {
    let fixture = Fixture::new();
    let mut boot = start(&fixture, "exec sleep 1000", &["--timeout", "25"]);
    let qemu = fixture.qemu();
    drop(boot.stdout.take());
    let ran: Ran = boot.wait_with_output().unwrap().into();
    ran.expect(141, "boot: ended, since nobody reads its output any more\n");
    wait_for_death(qemu);
}

#[test]
fn a_reader_that_ends_at_the_text_does_not_cause_a_failure() {
    let fixture = Fixture::new();
    let mut boot = start(&fixture, "echo 'Hello, world!'; exec sleep 1000", &[]);
    let mut stdout = boot.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 13]).unwrap();
    drop(stdout);
    let ran: Ran = boot.wait_with_output().unwrap().into();
    ran.expect_seen("Hello, world!");
}

#[test]
fn a_reader_that_ends_at_the_text_does_not_hide_a_later_failure() {
    let fixture = Fixture::new();
    // Not at rest until then: a second of work, in lines that nobody reads.
    let script = "echo 'Hello, world!'; \
        until [ -e go ]; do echo line; done; \
        echo '[    1.000000] Kernel panic - not syncing: x'; exec sleep 1000";
    let mut boot = start(&fixture, script, &["--settle", "20"]);
    let mut stdout = boot.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 13]).unwrap();
    drop(stdout);
    // Longer than boot waits after the end of its reader.
    std::thread::sleep(Duration::from_millis(500));
    fs::write(fixture.path("go"), "").unwrap();
    let ran: Ran = boot.wait_with_output().unwrap().into();
    ran.expect_sentence(1, "boot: kernel panic: x");
}

#[test]
fn closed_standard_streams_cause_no_failure() {
    let fixture = Fixture::new();
    let boot = fixture.boot("echo 'Hello, world!'; exec sleep 1000", &[]);
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "exec \"$@\" >&- 2>&-", "sh"])
        .arg(boot.get_program())
        .args(boot.get_args());
    shell.envs(
        boot.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    shell.current_dir(fixture.path("")).stdin(Stdio::null());
    assert_eq!(shell.status().unwrap().code(), Some(0));
}

/// A boot whose guest has filled the pipe that is boot's stdout.
fn stuck(fixture: &Fixture, script: &str, arguments: &[&str]) -> Child {
    let boot = start(fixture, script, arguments);
    let pipe = boot.stdout.as_ref().unwrap();
    let mut before = 0;
    wait_for("the pipe to be full", || {
        std::thread::sleep(Duration::from_millis(100));
        let waiting = rustix::io::ioctl_fionread(pipe).unwrap();
        std::mem::replace(&mut before, waiting)
            .eq(&waiting)
            .then_some(())
            .filter(|()| waiting > 0)
    });
    boot
}

#[test]
fn a_reader_that_stops_reading_delays_neither_signals_nor_timeouts() {
    let fixture = Fixture::new();
    let mut boot = stuck(&fixture, "exec cat /dev/zero", &["--timeout", "1000"]);
    send(Signal::TERM, boot.id());
    let status = wait_for("boot's end", || boot.try_wait().unwrap());
    assert_eq!(status.code(), Some(143));
    wait_for_death(fixture.qemu());

    let fixture = Fixture::new();
    let mut boot = stuck(&fixture, "exec cat /dev/zero", &["--timeout", "1"]);
    let status = wait_for("boot's end", || boot.try_wait().unwrap());
    assert_eq!(status.code(), Some(124));
    wait_for_death(fixture.qemu());
}

/// ssh and Node.js start programs with such a stdout.
#[test]
fn a_non_blocking_stdout_loses_no_output() {
    let fixture = Fixture::new();
    let script = "head -c 300000 /dev/zero; echo 'Hello, world!'; exec sleep 1000";
    let (ours, theirs) = rustix::pipe::pipe().unwrap();
    rustix::io::ioctl_fionbio(&theirs, true).unwrap();
    let boot = {
        // The command has the pipe open, too, until it is dropped.
        let mut command = fixture.boot(script, &[]);
        command.stdout(theirs).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let reader = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        let mut read = Vec::new();
        fs::File::from(ours).read_to_end(&mut read).unwrap();
        read.len()
    });
    let ran: Ran = boot.wait_with_output().unwrap().into();
    ran.expect_seen("Hello, world!");
    assert_eq!(reader.join().unwrap(), 300_000 + "Hello, world!\n".len());
}

#[test]
fn a_slow_reader_gets_all_output() {
    let fixture = Fixture::new();
    // More than boot's pipe holds, less than that and QEMU's together: QEMU ends, its output waits.
    let script = "head -c 100000 /dev/zero; echo; echo 'Kernel panic - not syncing: x'";
    let boot = stuck(&fixture, script, &[]);
    // Longer than a reader would get if boot gave up on it once QEMU's stderr has ended.
    std::thread::sleep(Duration::from_millis(2500));
    let ran: Ran = boot.wait_with_output().unwrap().into();
    ran.expect_sentence(1, "boot: kernel panic: x");
    assert!(ran.stdout.len() > 100_000 && ran.stdout.ends_with(b": x\n"));
}

#[test]
fn a_signal_ends_boot_even_if_stderr_is_full() {
    let fixture = Fixture::new();
    let script = "echo one; exec tr '\\0' '\\n' < /dev/zero >&2";
    let mut boot = start(&fixture, script, &["--timeout", "1000", "--expect", "x"]);
    let qemu = fixture.qemu();
    // Nobody reads stderr. Wait until it is full; if that takes longer, the test checks less but passes.
    std::thread::sleep(Duration::from_millis(500));
    send(Signal::TERM, boot.id());
    let status = wait_for("boot's end", || boot.try_wait().unwrap());
    assert_eq!(status.code(), Some(143));
    wait_for_death(qemu);
}
