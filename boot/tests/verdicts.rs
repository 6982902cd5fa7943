//! The actions of a guest and boot's verdicts about them.

mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Fixture, Ran};

const PANIC: &str =
    "[    0.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000";

/// boot's sentence about it.
const RETURNED: &str = "boot: init returned (exit status 0): PID 1 must never exit";

#[test]
fn the_text_counts_without_a_newline() {
    let fixture = Fixture::new();
    let ran = fixture.run("printf 'login: '; exec sleep 1000", &["--expect", "login:"]);
    ran.expect_seen("login:");
    // boot's message is on the next line.
    assert_eq!(ran.stdout, b"login: \n");
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
fn a_panic_is_reported_as_soon_as_qemu_ends() {
    let ran = Fixture::new().run(&format!("echo '{PANIC}'; sleep 0.1; echo rest"), &[]);
    ran.expect_sentence(1, RETURNED);
    assert!(ran.stdout.ends_with(b"\nrest\n"));
}

#[test]
fn a_panic_ends_the_watching_even_if_qemu_stays() {
    let started = Instant::now();
    let ran = Fixture::new().run(&format!("echo '{PANIC}'; exec sleep 1000"), &[]);
    ran.expect_sentence(1, RETURNED);
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
    ran.expect_sentence(1, RETURNED);
}

/// Work of the fake QEMU between the text and its failure.
const WORKS: &str = "i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done";

#[test]
fn a_failure_after_the_text_counts_by_default() {
    for script in [
        format!("echo 'Hello, world!'; {WORKS}; echo '{PANIC}'; exec sleep 1000"),
        // Started by a wrapper that only waits.
        format!("(echo 'Hello, world!'; {WORKS}; echo '{PANIC}'; exec sleep 1000) & wait"),
        // Started by a wrapper that also works.
        format!("(echo 'Hello, world!'; sleep 0.01; {WORKS}; echo '{PANIC}'; exec sleep 1000)"),
    ] {
        Fixture::new()
            .run(&script, &[])
            .expect_sentence(1, RETURNED);
    }
}

#[test]
fn the_wait_for_a_guest_that_never_rests_is_limited() {
    let started = Instant::now();
    for script in [
        "echo 'Hello, world!'; while :; do :; done",
        "echo 'Hello, world!'; while :; do echo and so on; done",
    ] {
        Fixture::new().run(script, &[]).expect_seen("Hello, world!");
    }
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_text_does_not_count_if_the_kernel_writes_it() {
    let fixture = Fixture::new();
    let script = "printf '[    0.000000] Linux version 6.12.95\\r\\n'; \
        printf '[    0.000000] Command line: x -- Hello, world!\\r\\n'; exec sleep 1000";
    let ran = fixture.run(script, &["--timeout", "0.5"]);
    ran.expect_sentence(
        124,
        "boot: \"Hello, world!\" was not seen in 0.5 s; \
         the last line was \"[    0.000000] Command line: x -- Hello, world!\"",
    );
    assert!(ran.stderr.contains("--expect-anywhere"), "{}", ran.stderr);

    let anywhere = ["--expect-anywhere", "Hello, world!"];
    fixture.run(script, &anywhere).expect_seen("Hello, world!");
    let mut boot = fixture.boot(script, &[]);
    let ran: Ran = boot
        .env("BOOT_EXPECT_ANYWHERE", "Command line")
        .output()
        .unwrap()
        .into();
    ran.expect_seen("Command line");
    let both = [&anywhere[..], &["--expect", "x"]].concat();
    assert_eq!(fixture.run(script, &both).code, Some(2));
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
fn a_guest_that_ends_before_the_text_has_failed() {
    let ran = Fixture::new().run("printf 'one\\ntwo\\n\\n'", &[]);
    ran.expect_sentence(
        1,
        "boot: the guest reset or powered off without a message from its kernel before \"Hello, world!\" was seen; \
         the last line was \"two\"",
    );
    let ran = Fixture::new().run("exit 0", &[]);
    ran.expect_sentence(
        1,
        "boot: the guest reset or powered off without a message from its kernel before \"Hello, world!\" was seen; \
         the guest wrote nothing",
    );
}

#[test]
fn a_crash_of_qemu_is_reported() {
    let ran = Fixture::new().run("echo one; kill -9 $$", &[]);
    ran.expect(
        125,
        "boot: QEMU ended with signal: 9 (SIGKILL) before \"Hello, world!\" was seen; the last line was \"one\"\n",
    );
}

#[test]
fn a_timeout_quotes_the_last_line() {
    let ran = Fixture::new().run("printf 'one\\ntw'; exec sleep 1000", &["--timeout", "1.5"]);
    ran.expect_sentence(
        124,
        "boot: \"Hello, world!\" was not seen in 1.5 s; the last line was \"tw\"",
    );
    let ran = Fixture::new().run("exec sleep 1000", &["--timeout", "0.1"]);
    ran.expect_sentence(
        124,
        "boot: \"Hello, world!\" was not seen in 0.1 s; the guest wrote nothing",
    );
    assert!(
        ran.stderr
            .contains("\n  help: The kernel may have too little memory")
    );
}

#[test]
fn the_first_finding_is_the_cause() {
    let script = "echo '[    0.210000] Initramfs unpacking failed: read error'; \
        echo '[    0.470000] Kernel panic - not syncing: No working init found.  Try'";
    let ran = Fixture::new().run(script, &[]);
    let (words, help) = ran.stderr.split_once("\n  help: ").unwrap();
    assert_eq!(
        words,
        "boot: the kernel could not unpack the initramfs (read error): it is cut short; \
         then the kernel found no init to run\n  \
         kernel: Initramfs unpacking failed: read error\n  \
         kernel: Kernel panic - not syncing: No working init found.  Try"
    );
    assert!(help.starts_with("Build it again"), "{help}");
    assert_eq!(ran.code, Some(1));
}

/// Consoles from bug reports, with boot's sentences and quotes.
#[test]
fn logs_from_bug_reports_are_understood() {
    for (log, sentence, parts) in [
        (
            "cpu-level",
            "init exited with status 127: a loader exits with this status when it does not find a library, a shell when it does not find a command",
            &[
                "\n  init: /lib/libc.so.6: CPU ISA level is lower than required\n",
                "(--cpu max)",
            ][..],
        ),
        (
            "initrd-disabled",
            "the kernel did not look at the initramfs, and found no init to run",
            &[
                "\n  kernel: Initrd not found or empty - disabling initrd\n",
                "\n  kernel: Kernel panic - not syncing: Requested init /sbin/init failed (error -2).\n",
            ],
        ),
        (
            "interleaved-panic",
            "init exited with status 101: a Rust program exits with this status when it panics",
            &[
                "\n  init: thread 'main' panicked at src/main.rs:83:52:\n  init: called `Result::unwrap()` on an `Err` value",
                "NotFound, message: \"No such fil\n",
            ],
        ),
        (
            "no-futex",
            "init was killed by SIGSEGV: it accessed memory that it must not access",
            &[
                "\n  init: The futex facility returned an unexpected error code.\n",
                "CONFIG_FUTEX=y",
                "`userland`",
            ],
        ),
        (
            "padded-lz4",
            "the kernel could not unpack the initramfs (Decoding failed): some of its bytes have changed, or something follows it; \
             then the kernel has no root file system",
            &["zeros follow an archive"],
        ),
    ] {
        let fixture = Fixture::new();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/logs/{log}.log"));
        fs::copy(path, fixture.path("output")).unwrap();
        let ran = fixture.run("cat output", &[]);
        ran.expect_sentence(1, &format!("boot: {sentence}"));
        for part in parts {
            assert!(ran.stderr.contains(part), "{log}: {part}: {}", ran.stderr);
        }
    }
}

#[test]
fn an_initramfs_that_restarts_because_of_panic_is_explained() {
    let script = "echo 'ALERT!  /dev/vda does not exist.  Dropping to a shell!'; \
        echo 'Rebooting automatically due to panic= boot argument'; \
        echo '[    3.621019] reboot: Restarting system'";
    let ran = Fixture::new().run(script, &[]);
    assert!(
        ran.stderr.starts_with(
            "boot: init gave up: the device with the root file system did not appear; then the guest restarted before"
        ),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("--append panic="), "{}", ran.stderr);
}

#[test]
fn only_an_oops_or_a_panic_outweighs_the_text() {
    let after = "; echo 'Hello, world!'; exec sleep 1000";
    let complaint = "echo 'Initramfs unpacking failed: read error'";
    Fixture::new()
        .run(&format!("{complaint}{after}"), &[])
        .expect_seen("Hello, world!");
    let oops = "echo '[    1.000000] Oops: invalid opcode: 0000 [#1]'";
    let started = Instant::now();
    for after in ["; exec sleep 1000", after] {
        let ran = Fixture::new().run(&format!("{oops}{after}"), &[]);
        let sentence = "boot: the kernel ran into a bug of its own (an oops)";
        assert!(ran.stderr.starts_with(sentence), "{}", ran.stderr);
        assert_eq!(ran.code, Some(1));
    }
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn silence_ends_the_watching() {
    let started = Instant::now();
    let script = "for i in 1 2 3; do printf .; sleep 0.4; done; exec sleep 1000";
    let ran = Fixture::new().run(script, &["--stall", "0.7"]);
    ran.expect_sentence(
        124,
        "boot: the guest was silent for 0.7 s before \"Hello, world!\" was seen; the last line was \"...\"",
    );
    // Each byte postpones the end.
    assert!(started.elapsed() >= Duration::from_millis(1500));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_guest_may_be_silent_after_the_text() {
    let arguments = &["--stall", "0.2", "--settle", "0.6"];
    let script = "echo 'Hello, world!'; exec sleep 1000";
    Fixture::new()
        .run(script, arguments)
        .expect_seen("Hello, world!");
}

#[test]
fn a_halt_ends_the_watching() {
    let started = Instant::now();
    let script = "echo '[    0.413480] reboot: Power off not available: System halted instead'; exec sleep 1000";
    let ran = Fixture::new().run(script, &[]);
    let sentence = "boot: the guest halted before \"Hello, world!\" was seen;";
    assert!(ran.stderr.starts_with(sentence), "{}", ran.stderr);
    assert_eq!(ran.code, Some(1));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn timestamps_are_shown_and_not_logged() {
    let fixture = Fixture::new();
    let script = "printf 'one\\ntw'; sleep 0.5; printf 'o\\nHello, world!'; exec sleep 1000";
    let ran = fixture.run(script, &["--timestamps", "--log", "log"]);
    ran.expect_seen("Hello, world!");
    assert_eq!(
        fs::read(fixture.path("log")).unwrap(),
        b"one\ntwo\nHello, world!"
    );
    let shown = String::from_utf8(ran.stdout).unwrap();
    let (times, lines): (Vec<f64>, Vec<&str>) = shown
        .lines()
        .map(|line| line.split_at(9))
        .map(|(time, line)| (time.trim().parse::<f64>().unwrap(), line))
        .unzip();
    assert_eq!(lines, ["one", "two", "Hello, world!"]);
    // The second line began before the pause.
    assert!(
        times[1] < times[0] + 0.4 && times[2] > times[1] + 0.4,
        "{times:?}"
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

/// The peak memory of a running process.
fn peak_kib(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.strip_suffix("kB")?.trim().parse().ok()
}

#[test]
fn the_log_and_stdout_have_the_bytes_as_they_came_and_stdout_ends_its_last_line() {
    let fixture = Fixture::new();
    let ran = fixture.run(
        "printf 'a\\000b\\377\\033[2J\\r\\n'; printf 'Hello, world!'",
        &["--log", "log"],
    );
    let bytes = b"a\0b\xff\x1b[2J\r\nHello, world!";
    assert_eq!(ran.stdout, [&bytes[..], b"\n"].concat());
    assert_eq!(fs::read(fixture.path("log")).unwrap(), bytes);
    ran.expect_seen("Hello, world!");
}

#[test]
fn output_right_after_the_text_counts() {
    let fixture = Fixture::new();
    let filling = "x".repeat(50_000);
    let output = format!("Hello, world!\n{filling}\nKernel panic - not syncing: late\n");
    fs::write(fixture.path("output"), &output).unwrap();
    let ran = fixture.run("cat output; exec sleep 1000", &["--log", "log"]);
    ran.expect_sentence(1, "boot: kernel panic: late");
    assert_eq!(ran.stdout, output.as_bytes());
    assert_eq!(fs::read(fixture.path("log")).unwrap(), output.as_bytes());
}

#[test]
fn a_full_disk_for_the_log_is_a_host_error() {
    let ran = Fixture::new().run("echo one; exec sleep 1000", &["--log", "/dev/full"]);
    ran.expect(
        125,
        "boot: cannot write the guest's output to the log: No space left on device (os error 28)\n",
    );
}

#[test]
fn qemus_messages_are_shown() {
    let ran = Fixture::new().run(
        "echo careful >&2; sleep 0.1; echo one; sleep 0.1; echo bye >&2",
        &["--expect", "x"],
    );
    let words = "qemu: careful\nqemu: bye\nboot: the guest reset or powered off without a message";
    assert!(ran.stderr.starts_with(words), "{}", ran.stderr);
    let ran = Fixture::new().run("echo hm >&2; exec sleep 1000", &["--timeout", "0.5"]);
    let words =
        "qemu: hm\nboot: \"Hello, world!\" was not seen in 0.5 s; the guest wrote nothing\n";
    assert!(ran.stderr.starts_with(words), "{}", ran.stderr);
}

#[test]
fn the_first_and_last_of_many_lines_of_qemu_are_quoted() {
    let ran = Fixture::new().run("seq 1000 >&2; exit 1", &[]);
    let sentence = "boot: QEMU ended with exit status: 1 before the guest wrote anything:\n  qemu: 1\n  qemu: 2\n";
    assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
    let (_, quoted) = ran.stderr.split_once(sentence).unwrap();
    assert!(
        quoted.contains("\n  qemu: ... 900 more lines ...\n"),
        "{quoted}"
    );
    assert!(quoted.contains("\n  qemu: 1000\nTo see more"), "{quoted}");
}
