//! What the guest does, and what boot says about it.

mod common;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::Fixture;

const PANIC: &str =
    "[    0.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000";

#[test]
fn the_text_is_success_even_without_a_newline() {
    let fixture = Fixture::new();
    let ran = fixture.run("printf 'login: '; exec sleep 1000", &["--expect", "login:"]);
    ran.expect_seen("login:");
    assert_eq!(ran.stdout, b"login: ");
}

#[test]
fn the_text_may_arrive_in_pieces() {
    let script =
        "printf Hel; sleep 0.1; printf 'lo, wor'; sleep 0.1; printf 'ld!'; exec sleep 1000";
    Fixture::new()
        .run(script, &["--expect", "Hello, world!"])
        .expect_seen("Hello, world!");
}

#[test]
fn without_a_terminal_hello_world_is_expected() {
    Fixture::new()
        .run("echo 'Hello, world!'; exec sleep 1000", &[])
        .expect_seen("Hello, world!");
}

#[test]
fn a_panic_is_told_with_its_reason_as_soon_as_qemu_ends() {
    let ran = Fixture::new().run(&format!("echo '{PANIC}'; sleep 0.1; echo rest"), &[]);
    ran.expect(
        1,
        "boot: kernel panic: Attempted to kill init! exitcode=0x00000000\n",
    );
    assert!(ran.stdout.ends_with(b"\nrest\n"));
}

#[test]
fn a_panic_ends_the_watching_even_if_qemu_stays() {
    let started = Instant::now();
    let ran = Fixture::new().run(&format!("echo '{PANIC}'; exec sleep 1000"), &[]);
    ran.expect(
        1,
        "boot: kernel panic: Attempted to kill init! exitcode=0x00000000\n",
    );
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_panic_outweighs_the_text() {
    let script = format!("echo '{PANIC}'; echo 'Hello, world!'; exec sleep 1000");
    assert_eq!(Fixture::new().run(&script, &[]).code, Some(1));
}

#[test]
fn a_panic_while_it_settles_is_a_failure() {
    let script = format!("echo 'Hello, world!'; sleep 0.2; echo '{PANIC}'; exec sleep 1000");
    let ran = Fixture::new().run(&script, &["--settle", "25"]);
    ran.expect(
        1,
        "boot: kernel panic: Attempted to kill init! exitcode=0x00000000\n",
    );
}

#[test]
fn a_guest_that_settles_is_a_success() {
    let started = Instant::now();
    let ran = Fixture::new().run(
        "echo 'Hello, world!'; exec sleep 1000",
        &["--settle", "0.5"],
    );
    ran.expect_seen("Hello, world!");
    assert!(started.elapsed() >= Duration::from_millis(500));
}

#[test]
fn a_guest_that_is_gone_too_soon_has_failed() {
    let ran = Fixture::new().run("printf 'one\\ntwo\\n\\n'", &[]);
    ran.expect(
        1,
        "boot: the guest powered off or reset before \"Hello, world!\" was seen; the last line was \"two\"\n",
    );
    let ran = Fixture::new().run("exit 0", &[]);
    ran.expect(
        1,
        "boot: the guest powered off or reset before \"Hello, world!\" was seen; the guest wrote nothing\n",
    );
}

#[test]
fn a_qemu_that_crashes_under_the_guest_is_told() {
    let ran = Fixture::new().run("echo one; kill -9 $$", &[]);
    ran.expect(
        1,
        "boot: QEMU ended with signal: 9 (SIGKILL) before \"Hello, world!\" was seen; the last line was \"one\"\n",
    );
}

#[test]
fn a_timeout_tells_what_was_last_seen() {
    let ran = Fixture::new().run("printf 'one\\ntw'; exec sleep 1000", &["--timeout", "1.5"]);
    ran.expect(
        124,
        "boot: \"Hello, world!\" was not seen in 1.5 s; the last line was \"tw\"\n",
    );
    let ran = Fixture::new().run("exec sleep 1000", &["--timeout", "0.1"]);
    ran.expect(
        124,
        "boot: \"Hello, world!\" was not seen in 0.1 s; the guest wrote nothing\n",
    );
}

#[test]
fn endless_output_without_a_line_takes_no_memory() {
    let fixture = Fixture::new();
    let mut boot = fixture.boot("exec tr '\\0' x < /dev/zero", &["--timeout", "2"]);
    let mut child = boot
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = None;
    let status = common::wait_for("boot's end", || {
        peak = peak_kib(child.id()).or(peak);
        child.try_wait().unwrap()
    });
    let peak = peak.expect("boot was never looked at");
    assert_eq!(status.code(), Some(124));
    assert!(peak < 32 * 1024, "{peak} KiB");
}

/// The most memory that a process has ever used, as long as it runs.
fn peak_kib(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.strip_suffix("kB")?.trim().parse().ok()
}

#[test]
fn the_log_and_stdout_have_the_bytes_as_they_came() {
    let fixture = Fixture::new();
    let ran = fixture.run(
        "printf 'a\\000b\\377\\033[2J\\r\\n'; printf 'Hello, world!'",
        &["--log", "log"],
    );
    let bytes = b"a\0b\xff\x1b[2J\r\nHello, world!";
    assert_eq!(ran.stdout, bytes);
    assert_eq!(fs::read(fixture.path("log")).unwrap(), bytes);
    ran.expect_seen("Hello, world!");
}

#[test]
fn what_has_been_written_with_the_text_still_counts() {
    let fixture = Fixture::new();
    let filling = "x".repeat(50_000);
    let output = format!("Hello, world!\n{filling}\nKernel panic - not syncing: late\n");
    fs::write(fixture.path("output"), &output).unwrap();
    let ran = fixture.run("cat output; exec sleep 1000", &["--log", "log"]);
    ran.expect(1, "boot: kernel panic: late\n");
    assert_eq!(ran.stdout, output.as_bytes());
    assert_eq!(fs::read(fixture.path("log")).unwrap(), output.as_bytes());
}

#[test]
fn a_full_log_is_the_hosts_fault() {
    let ran = Fixture::new().run("echo one; exec sleep 1000", &["--log", "/dev/full"]);
    ran.expect(
        2,
        "boot: cannot write the guest's output to the log: No space left on device (os error 28)\n",
    );
}

#[test]
fn what_qemu_says_is_passed_on() {
    let ran = Fixture::new().run(
        "echo careful >&2; sleep 0.1; echo one; sleep 0.1; echo bye >&2",
        &["--expect", "x"],
    );
    ran.expect(
        1,
        "qemu: careful\nqemu: bye\n\
         boot: the guest powered off or reset before \"x\" was seen; the last line was \"one\"\n",
    );
    let ran = Fixture::new().run("echo hm >&2; exec sleep 1000", &["--timeout", "0.5"]);
    ran.expect(
        124,
        "qemu: hm\nboot: \"Hello, world!\" was not seen in 0.5 s; the guest wrote nothing\n",
    );
}
