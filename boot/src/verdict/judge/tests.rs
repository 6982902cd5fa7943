use super::*;

/// A guest, with the expected text and its output.
struct Guest {
    goal: Goal,
    console: Console,
    findings: Findings,
    has_output: bool,
    user_quit: bool,
}

fn guest(expect: Option<&str>, output: &str) -> Guest {
    let mut guest = Guest {
        goal: Goal {
            expect: expect.map(Into::into),
            ..Goal::default()
        },
        console: Console::new(expect, false),
        findings: Findings::default(),
        has_output: !output.is_empty(),
        user_quit: false,
    };
    let Guest {
        console, findings, ..
    } = &mut guest;
    console.feed(output.as_bytes(), |message| findings.take(message));
    guest
}

impl Guest {
    fn verdict(&self, ending: Ending, qemu: RunnerEnd) -> Verdict {
        let observed = Observed {
            goal: &self.goal,
            console: &self.console,
            findings: &self.findings,
            has_output: self.has_output,
            seen_after: (self.console.seen() == Seen::Yes).then_some(Duration::ZERO),
            user_quit: self.user_quit,
        };
        observed.verdict(ending, qemu)
    }
}

const OOPS: &str = "[    0.500000] Oops: invalid opcode: 0000 [#1]\n";
const TRUNCATED: &str = "[    0.240000] Initramfs unpacking failed: read error\n";
const NO_INIT: &str = "[    0.470000] Kernel panic - not syncing: No working init found.  Try\n";

#[test]
fn a_panic_outweighs_the_text_and_the_user() {
    use Ending::*;
    for ending in [Expected, Interrupted, QemuGone, TimedOut, Panicked] {
        let guest = guest(Some("Hello"), "Hello\nKernel panic - not syncing: x");
        let verdict = guest.verdict(ending, RunnerEnd::default());
        assert_eq!(verdict.sentence(), "kernel panic: x");
        assert_eq!(verdict.exit_code(), 1);
    }
}

#[test]
fn nothing_outweighs_the_end_of_boot_itself() {
    let guest = guest(None, NO_INIT);
    for (ending, code) in [
        (Ending::Signal(15), 143),
        (Ending::StdoutClosed, 141),
        (Ending::TerminalGone, 129),
    ] {
        let verdict = guest.verdict(ending, RunnerEnd::default());
        assert_eq!(verdict.exit_code(), code);
    }
}

#[test]
fn the_first_finding_is_the_cause_of_a_failure() {
    use Ending::*;
    let both = format!("{TRUNCATED}{NO_INIT}");
    let gone = format!("{TRUNCATED}reboot: Power down\n");
    let hello = format!("{TRUNCATED}Hello\n");
    let hello_oops = format!("{OOPS}Hello\n");
    for (output, ending, kind, then, end) in [
        (NO_INIT, QemuGone, "no-init", &[][..], None),
        (&both, QemuGone, "unpacking-failed", &["no-init"], None),
        (
            TRUNCATED,
            TimedOut,
            "unpacking-failed",
            &[],
            Some("timeout"),
        ),
        (TRUNCATED, Stalled, "unpacking-failed", &[], Some("stalled")),
        (TRUNCATED, QemuGone, "unpacking-failed", &[], Some("reset")),
        (
            &gone,
            QemuGone,
            "unpacking-failed",
            &[],
            Some("powered-off"),
        ),
        (TRUNCATED, Interrupted, "abandoned", &[], None),
        (&hello, Expected, "seen", &[], None),
        (OOPS, Oopsed, "oops", &[], None),
        (OOPS, Interrupted, "abandoned", &[], None),
        (&hello_oops, Expected, "oops", &[], Some("seen")),
    ] {
        let guest = guest(Some("Hello"), output);
        let verdict = guest.verdict(ending, RunnerEnd::default());
        assert_eq!(verdict.kind(), kind, "{output} {ending:?}");
        if let Verdict::Failed(failure) = &verdict {
            let kinds = failure
                .then
                .iter()
                .map(|finding| finding.cause.words().kind);
            assert_eq!(kinds.collect::<Vec<_>>(), then, "{output} {ending:?}");
            let found = failure.end.as_ref().map(|end| end.kind());
            assert_eq!(found, end, "{output} {ending:?}");
        }
    }
}

#[test]
fn the_verdict_on_qemus_end_depends_on_earlier_events() {
    let hello = Some("Hello");
    let failed = Some("exit status: 1");
    let power_down = "[    1.200000] reboot: Power down\n";
    let halted = "[    1.200000] reboot: System halted\n";
    let restarting = "[    1.200000] reboot: Restarting system\n";
    for (case, expect, output, typed, failure, kind) in [
        ("QEMU could not start", hello, "", "", failed, "qemu-failed"),
        ("QEMU crashed", hello, "Hel", "", failed, "qemu-crashed"),
        (
            "crashed, settling",
            hello,
            "Hello",
            "",
            failed,
            "qemu-crashed",
        ),
        ("gone while it settled", hello, "Hello", "", None, "seen"),
        (
            "power-off too soon",
            hello,
            power_down,
            "",
            None,
            "powered-off",
        ),
        ("halted too soon", hello, halted, "", None, "halted"),
        (
            "restarted too soon",
            hello,
            restarting,
            "",
            None,
            "restarted",
        ),
        ("triple fault", hello, "", "", None, "reset"),
        ("triple fault in a session", None, "# ", "", None, "reset"),
        (
            "power-off in a session",
            None,
            power_down,
            "",
            None,
            "ended",
        ),
        ("restart in a session", None, restarting, "", None, "ended"),
        (
            "an initramfs that gave up",
            None,
            "Rebooting automatically due to panic= boot argument\n\
             [    1.200000] reboot: Restarting system\n",
            "",
            None,
            "restarted",
        ),
        (
            "talk of it in a session",
            None,
            "# echo reboot: Power down\n",
            "",
            None,
            "reset",
        ),
        ("the user quit QEMU", None, "# ", "\x01x", None, "ended"),
        (
            "the user quit too soon",
            hello,
            "# ",
            "\x01x",
            None,
            "abandoned",
        ),
    ] {
        let mut guest = guest(expect, output);
        guest.user_quit = !typed.is_empty();
        let qemu = RunnerEnd {
            failure: failure.map(Into::into),
            ..RunnerEnd::default()
        };
        let verdict = guest.verdict(Ending::QemuGone, qemu);
        assert_eq!(verdict.kind(), kind, "{case}");
    }
}

#[test]
fn an_end_that_the_guest_chose_is_not_a_crash() {
    for (output, kind, code) in [
        ("", "guest-exited", 1),
        ("x", "guest-exited", 1),
        ("Hello", "seen", 0),
        (NO_INIT, "no-init", 1),
    ] {
        let guest_exit = Some(GuestExit {
            status: 33,
            written: Some(16),
        });
        let qemu = RunnerEnd {
            failure: Some("exit status: 33".into()),
            guest_exit,
            ..RunnerEnd::default()
        };
        let verdict = guest(Some("Hello"), output).verdict(Ending::QemuGone, qemu);
        assert_eq!((verdict.kind(), verdict.exit_code()), (kind, code));
    }
}

#[test]
fn a_reset_right_after_the_text_is_a_failure() {
    let qemu = RunnerEnd {
        shutdown: Some("guest-reset".into()),
        ..RunnerEnd::default()
    };
    let verdict = guest(Some("Hello"), "Hello\n").verdict(Ending::QemuGone, qemu);
    assert_eq!(
        verdict.sentence(),
        "the guest reset or powered off without a message from its kernel after \"Hello\" was seen; \
         the last line was \"Hello\""
    );
    assert!(verdict.help().is_some_and(|help| help.contains("panic")));
}

#[test]
fn the_help_explains_a_text_that_only_the_kernel_wrote() {
    let down = "[    1.200000] reboot: Power down\n";
    let verdict = guest(Some("Power down"), down);
    let verdict = verdict.verdict(Ending::QemuGone, RunnerEnd::default());
    assert_eq!(verdict.kind(), "powered-off");
    assert!(
        verdict
            .help()
            .is_some_and(|help| help.contains("--expect-anywhere"))
    );
}

#[test]
fn the_user_ends_the_boot_with_a_debugger() {
    for (expect, kind) in [(None, "ended"), (Some("Hello"), "abandoned")] {
        let qemu = RunnerEnd {
            debugged: true,
            ..RunnerEnd::default()
        };
        let verdict = guest(expect, "x").verdict(Ending::QemuGone, qemu);
        assert_eq!(verdict.kind(), kind);
    }
}

#[test]
fn qemu_reports_the_end_of_a_quiet_kernel() {
    let hello = Some("Hello");
    for (expect, output, reason, kind) in [
        (hello, "x", "guest-shutdown", "powered-off"),
        (None, "x", "guest-shutdown", "ended"),
        (hello, "x", "guest-reset", "reset"),
        (None, "x", "guest-reset", "reset"),
        (hello, "x", "host-signal", "qemu-crashed"),
        (hello, "Hello", "host-signal", "qemu-crashed"),
        (hello, "Hello", "guest-shutdown", "seen"),
        // A panic with loglevel=0, or a triple fault.
        (hello, "Hello", "guest-reset", "reset"),
        (hello, "Hello", "guest-panic", "reset"),
        (
            hello,
            "Hello\n[    1.200000] reboot: Restarting system\n",
            "guest-reset",
            "seen",
        ),
        (
            hello,
            "[    1.200000] reboot: Restarting system\n",
            "guest-reset",
            "restarted",
        ),
    ] {
        let qemu = RunnerEnd {
            shutdown: Some(reason.into()),
            ..RunnerEnd::default()
        };
        let verdict = guest(expect, output).verdict(Ending::QemuGone, qemu);
        assert_eq!(verdict.kind(), kind, "{reason} {output}");
    }
}
