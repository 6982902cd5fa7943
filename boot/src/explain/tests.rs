use super::*;
use crate::explain::read::read;

fn boots(log: &str, expect: Option<&str>) -> Vec<Boot> {
    let goal = Goal {
        expect: expect.map(str::to_owned),
        ..Goal::default()
    };
    read(log.as_bytes(), goal).unwrap()
}

fn kinds(log: &str, expect: Option<&str>) -> Vec<&'static str> {
    boots(log, expect)
        .iter()
        .map(|boot| boot.verdict.kind())
        .collect()
}

const VERSION: &str = "[    0.000000] Linux version 6.12.95 (a@b)\n";
const RUN: &str = "[    0.300000] Run /init as init process\n";
const PANIC: &str =
    "[    0.400000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00006500\n";
const OFF: &str = "[    0.500000] reboot: Power down\n";

#[test]
fn each_boot_of_a_log_has_its_verdict() {
    let log = format!(
        "SeaBIOS (version 1)\n{VERSION}{RUN}Hello\n{PANIC}\nSeaBIOS (version 1)\n{VERSION}{RUN}Hello\n{OFF}\n\n"
    );
    let boots = boots(&log, None);
    let found: Vec<_> = boots
        .iter()
        .map(|boot| (boot.first, boot.last, boot.line(), boot.verdict.kind()))
        .collect();
    assert_eq!(
        found,
        [(1, 6, Some(5), "init-exited"), (7, 13, None, "ended")]
    );
    let excerpt: Vec<_> = boots[0].excerpt.iter().map(|line| line.number).collect();
    assert_eq!(excerpt, [2, 3, 4, 5]);
    assert_eq!(kinds(&log, Some("Hello")), ["init-exited", "seen"]);
}

#[test]
fn a_boot_without_its_first_lines_ends_before_the_next_one() {
    let log = format!("{RUN}{PANIC}SeaBIOS (version 1)\n{VERSION}{RUN}{OFF}");
    assert_eq!(kinds(&log, None), ["init-exited", "ended"]);
    // A message before the version begins no boot.
    let log = format!("[    0.000000] Booting Linux on physical CPU 0x0\n{VERSION}{RUN}{OFF}");
    assert_eq!(kinds(&log, None), ["ended"]);
}

#[test]
fn the_version_in_a_programs_output_begins_no_boot() {
    let log = format!("{VERSION}{RUN}Linux version 6.12.95 (a@b)\n{OFF}");
    assert_eq!(kinds(&log, None), ["ended"]);
    // A kernel that writes no times.
    let plain = "Linux version 6.12.95\nRun /init as init process\nLinux version 6.12.95\nreboot: Power down\n";
    assert_eq!(kinds(plain, None), ["log-ended", "ended"]);
}

#[test]
fn a_log_that_just_ends_does_not_tell() {
    let log = format!("{VERSION}{RUN}login: ");
    assert_eq!(kinds(&log, None), ["log-ended"]);
    assert_eq!(show::exit_code(&boots(&log, None)), 125);
    assert_eq!(show::exit_code(&boots(&log, Some("login:"))), 0);
    assert_eq!(show::exit_code(&boots(&log, Some("Hello"))), 1);
    // The kernel repeats its command line.
    assert_eq!(
        kinds(
            &format!("{VERSION}[    0.000000] Command line: Hello\n"),
            Some("Hello")
        ),
        ["log-ended"]
    );
}

#[test]
fn bytes_of_a_wrong_baud_rate_are_no_text() {
    let noise: Vec<u8> = (0..2000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let verdict = |log: &[u8]| {
        read(log, Goal::default())
            .unwrap()
            .pop()
            .unwrap()
            .verdict
            .kind()
    };
    assert_eq!(verdict(&noise), "garbage");
    // A panic counts, whatever is around it.
    let with_panic = [&noise[..], b"\n", PANIC.as_bytes()].concat();
    assert_eq!(verdict(&with_panic), "init-exited");
}

#[test]
fn an_unusable_log_is_an_error() {
    for (log, part) in [
        (&b""[..], "empty"),
        (b"\xff\xfeH\0", "iconv"),
        (b"\x28\xb5\x2f\xfd", "zstdcat"),
        (b"\xfd7zXZ\0", "xzcat"),
    ] {
        let error = read(log, Goal::default()).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn what_the_kernel_survived_is_no_cause() {
    let log = format!(
        "EFI stub: ERROR: Could not determine UEFI Secure Boot status.\n{VERSION}{RUN}[    0.4] WARNING: x\n\
        [    0.410000] WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2\n{OFF}"
    );
    let boots = boots(&log, None);
    assert_eq!(boots[0].verdict.kind(), "ended");
    assert_eq!(boots[0].notes[0].kind, "warning");
    assert_eq!(boots[0].notes[0].line, Some(5));
}

#[test]
fn a_problem_counts_even_if_the_guest_powers_off() {
    let log = format!(
        "{VERSION}{RUN}ALERT!  /dev/vda1 does not exist.  Dropping to a shell!\n(initramfs) {OFF}"
    );
    assert_eq!(kinds(&log, None), ["emergency-shell"]);
    assert_eq!(show::exit_code(&boots(&log, None)), 1);
}

#[test]
fn a_long_line_hides_nothing_and_takes_no_memory() {
    let log = format!("{VERSION}{}{PANIC}", "x".repeat(1 << 20));
    let boots = boots(&log, None);
    assert_eq!(boots[0].verdict.kind(), "init-exited");
    assert_eq!(boots[0].line(), Some(2));
}

#[test]
fn carriage_returns_alone_end_lines() {
    let log = format!("{VERSION}{RUN}/init: mount: not found\n{PANIC}CPU: 0\n").replace('\n', "\r");
    let boots = boots(&log, None);
    assert_eq!(boots[0].line(), Some(4));
    assert_eq!(boots[0].verdict.kind(), "init-exited");
}

#[test]
fn a_line_that_was_written_over_has_all_its_messages() {
    let log =
        "Loading 10%\rLoading 99%\rerror: no such partition.\r\r\nEntering rescue mode...\r\n";
    let boots = boots(log, None);
    assert_eq!(boots[0].line(), Some(1));
    let excerpt: Vec<_> = boots[0]
        .excerpt
        .iter()
        .map(|line| (line.number, line.text.as_str()))
        .collect();
    assert_eq!(
        excerpt,
        [
            (1, "Loading 10%"),
            (1, "Loading 99%"),
            (1, "error: no such partition."),
            (2, "Entering rescue mode...")
        ]
    );
}

#[test]
fn a_line_in_pieces_is_shown_as_a_whole() {
    let mut explainer = Explainer::new(Goal::default());
    explainer.take(b"[    0.4", false);
    explainer.take(
        b"00000] Kernel panic - not syncing: No working init found.",
        true,
    );
    let boots = explainer.end(Ending::LogEnded);
    assert_eq!(boots[0].line(), Some(1));
    assert_eq!(
        boots[0].excerpt[0].text,
        "[    0.400000] Kernel panic - not syncing: No working init found."
    );
}

#[test]
fn a_boot_ends_where_the_next_begins_even_if_its_beginning_is_cut_off() {
    let log = format!("{PANIC}{VERSION}{RUN}{OFF}");
    assert_eq!(kinds(&log, None), ["init-exited", "ended"]);
    // As on arm64.
    let first = "[    0.000000] Booting Linux on physical CPU 0x0\n";
    assert_eq!(kinds(&format!("{first}{VERSION}"), None).len(), 1);
}

#[test]
fn a_line_of_a_program_that_the_kernel_tears_apart_counts() {
    let log = format!(
        "{VERSION}{RUN}You are in emer[    0.450000] usb 1-1: x\ngency mode. After logging in\n{OFF}"
    );
    assert_eq!(kinds(&log, None), ["emergency-shell"]);
}

#[test]
fn words_of_a_boot_loader_count_only_before_linux() {
    let words = "error: no such device: x\n";
    assert_eq!(kinds(words, None), ["no-kernel"]);
    assert_eq!(
        kinds(&format!("{VERSION}{RUN}{words}"), None),
        ["log-ended"]
    );
}
