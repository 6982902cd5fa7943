//! boot on a terminal: its input, its output, and that boot restores it.

mod common;

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Stdio};

use common::{Fixture, send, wait_for, wait_for_death};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{InputModes, LocalModes, OutputModes, tcgetattr};

/// Both ends of a terminal.
struct Terminal {
    user: File,
    boot: File,
    screen: String,
}

impl Terminal {
    fn new() -> Self {
        let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&user).unwrap();
        unlockpt(&user).unwrap();
        rustix::io::ioctl_fionbio(&user, true).unwrap();
        let name = ptsname(&user, Vec::new()).unwrap();
        let noctty = OpenptFlags::NOCTTY.bits() as i32;
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(noctty);
        let boot = options.open(OsStr::from_bytes(name.as_bytes())).unwrap();
        Terminal {
            user: user.into(),
            boot,
            screen: String::new(),
        }
    }

    fn start(&self, fixture: &Fixture, script: &str, arguments: &[&str]) -> Child {
        let stream = || Stdio::from(self.boot.try_clone().unwrap());
        let mut command = fixture.boot(script, arguments);
        command
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap()
    }

    fn modes(&self) -> String {
        format!("{:?}", tcgetattr(&self.boot).unwrap())
    }

    fn type_in(&mut self, keys: &[u8]) {
        self.user.write_all(keys).unwrap();
    }

    fn read(&mut self) -> &str {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = self.user.read(&mut buffer) {
            self.screen += std::str::from_utf8(&buffer[..length]).unwrap();
        }
        &self.screen
    }

    #[track_caller]
    fn wait_for(&mut self, text: &str) {
        wait_for(text, || self.read().contains(text).then_some(()));
    }

    #[track_caller]
    fn wait_for_end(&mut self, boot: &mut Child) -> Option<i32> {
        let status = wait_for("boot's end", || {
            self.read();
            boot.try_wait().unwrap()
        });
        self.read();
        status.code()
    }
}

/// A guest at its prompt. It reads all keys and does nothing.
const PROMPT: &str = "printf 'one\\n# '; exec sleep 1000";

#[test]
fn ctrl_c_ends_a_session_and_restores_the_terminal() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let before = terminal.modes();
    let mut boot = terminal.start(&fixture, PROMPT, &[]);
    terminal.wait_for("# ");
    let raw = tcgetattr(&terminal.boot).unwrap();
    assert!(
        !raw.local_modes
            .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    );
    assert!(
        !raw.input_modes
            .intersects(InputModes::ICRNL | InputModes::IXON)
    );
    assert!(raw.output_modes.contains(OutputModes::OPOST));
    terminal.type_in(b"\x03");
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
    assert_eq!(terminal.modes(), before);
    assert!(
        terminal.screen.ends_with("\r\nboot: ended\r\n"),
        "{:?}",
        terminal.screen
    );
    wait_for_death(fixture.qemu());
}

#[test]
fn ctrl_c_before_the_expected_text_is_not_a_success() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let script = "printf booting; exec sleep 1000";
    let mut boot = terminal.start(&fixture, script, &["--expect", "Hello"]);
    terminal.wait_for("booting");
    terminal.type_in(b"\x03");
    assert_eq!(terminal.wait_for_end(&mut boot), Some(130));
    assert!(
        terminal
            .screen
            .ends_with("boot: ended before \"Hello\" was seen\r\n"),
        "{:?}",
        terminal.screen
    );
}

#[test]
fn a_quiet_guest_causes_one_hint_on_its_own_line() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let mut boot = terminal.start(
        &fixture,
        "printf '# '; read x; printf 'more'; exec sleep 1000",
        &[],
    );
    let hint = "boot: the guest is quiet; Ctrl-C ends it\r\n";
    terminal.wait_for(&format!("# \r\n{hint}"));
    terminal.type_in(b"\n");
    terminal.wait_for("more");
    std::thread::sleep(std::time::Duration::from_millis(700));
    terminal.type_in(b"\x03");
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
    assert_eq!(
        terminal.screen,
        format!("# \r\n{hint}more\r\nboot: ended\r\n")
    );
}

#[test]
fn the_user_is_told_when_the_text_was_seen() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let script = "echo 'Hello, world!'; exec sleep 1000";
    let mut boot = terminal.start(&fixture, script, &[]);
    terminal.wait_for("Hello, world!\r\nboot: saw \"Hello, world!\" 0.");
    terminal.wait_for(" s after the start; Ctrl-C ends the guest\r\n");
    terminal.type_in(b"\x03");
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
}

#[test]
fn keys_reach_the_guest_without_an_echo() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let script = "printf 'login: '; read name; printf \"hello, $name\\n\"; exec sleep 1000";
    let mut boot = terminal.start(&fixture, script, &["--expect", "hello, root"]);
    terminal.wait_for("login: ");
    terminal.type_in(b"root\n");
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
    assert!(
        !terminal.screen.replace("hello, root", "").contains("root"),
        "{:?}",
        terminal.screen
    );
}

#[test]
fn unread_keys_do_not_delay_ctrl_c() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let mut boot = terminal.start(&fixture, PROMPT, &[]);
    terminal.wait_for("# ");
    // More than the pipe to QEMU holds.
    for _ in 0..100 {
        let mut keys = &[b'x'; 1024][..];
        while !keys.is_empty() {
            keys = &keys[wait_for("room", || terminal.user.write(keys).ok())..];
        }
    }
    wait_for("room", || terminal.user.write(b"\x03").ok());
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
}

#[test]
fn ctrl_a_x_ends_a_session() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let before = terminal.modes();
    let mut boot = terminal.start(&fixture, "printf '# '; exec head -c 2", &[]);
    terminal.wait_for("# ");
    terminal.type_in(b"\x01x");
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
    assert_eq!(terminal.modes(), before);
    assert!(
        terminal.screen.contains("\u{1}x"),
        "QEMU sees the keys: {:?}",
        terminal.screen
    );
}

#[test]
fn a_session_succeeds_after_a_power_off_and_fails_after_a_silent_end() {
    for (script, code, sentence) in [
        (
            "echo '[    1.000000] reboot: Power down'",
            0,
            "boot: ended\r\n",
        ),
        (
            "echo '[    1.000000] reboot: System halted'; exec sleep 1000",
            0,
            "boot: ended\r\n",
        ),
        (
            "echo '# '",
            1,
            "boot: the guest reset or powered off without a message from its kernel; the last line was \"#\"\r\n",
        ),
        (
            "echo 'Kernel panic - not syncing: x'; exec sleep 1000",
            1,
            "boot: kernel panic: x\r\n",
        ),
    ] {
        let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
        let before = terminal.modes();
        let mut boot = terminal.start(&fixture, script, &[]);
        assert_eq!(terminal.wait_for_end(&mut boot), Some(code), "{script}");
        assert!(terminal.screen.contains(sentence), "{:?}", terminal.screen);
        assert_eq!(terminal.modes(), before);
    }
}

#[test]
fn an_oops_does_not_end_a_session() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let script = "echo '[    1.000000] Oops: invalid opcode: 0000 [#1]'; sleep 2; printf 'still # '; exec sleep 1000";
    let mut boot = terminal.start(&fixture, script, &[]);
    terminal.wait_for("still # ");
    terminal.type_in(b"\x03");
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
}

#[test]
fn colours_of_the_guest_are_reset() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let mut boot = terminal.start(&fixture, "printf '\\033[31mred# '; exec sleep 1000", &[]);
    terminal.wait_for("\u{1b}[31mred# ");
    terminal.type_in(b"\x03");
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
    let end = "red# \r\n\u{1b}[0m\u{1b}[?25hboot: ended\r\n";
    assert!(terminal.screen.ends_with(end), "{:?}", terminal.screen);
}

#[test]
fn a_terminal_without_input_gets_no_escape_sequences() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let stream = |terminal: &Terminal| Stdio::from(terminal.boot.try_clone().unwrap());
    let script =
        "printf '\\033]0;title\\007\\033[6n\\377\\n'; echo 'Hello, world!'; exec sleep 1000";
    let mut boot = fixture.boot(script, &["--log", "log"]);
    let mut boot = boot
        .stdout(stream(&terminal))
        .stderr(stream(&terminal))
        .spawn()
        .unwrap();
    assert_eq!(terminal.wait_for_end(&mut boot), Some(0));
    let shown = "^[]0;title^G^[[6n\u{fffd}\r\nHello, world!\r\n";
    assert!(terminal.screen.starts_with(shown), "{:?}", terminal.screen);
    let log = std::fs::read(fixture.path("log")).unwrap();
    assert!(log.starts_with(b"\x1b]0;title\x07\x1b[6n\xff\n"));
}

#[test]
fn a_host_error_restores_the_terminal() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let before = terminal.modes();
    for (script, arguments) in [
        ("", &["--qemu", "./nowhere"][..]),
        ("echo one; exec sleep 1000", &["--log", "/dev/full"]),
    ] {
        let mut boot = terminal.start(&fixture, script, arguments);
        assert_eq!(terminal.wait_for_end(&mut boot), Some(125));
        assert_eq!(terminal.modes(), before);
    }
}

#[test]
fn a_signal_restores_the_terminal_and_ends_qemu() {
    for (signal, number) in [
        (Signal::TERM, 15),
        (Signal::HUP, 1),
        (Signal::INT, 2),
        (Signal::QUIT, 3),
    ] {
        let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
        let before = terminal.modes();
        let mut boot = terminal.start(&fixture, PROMPT, &[]);
        terminal.wait_for("# ");
        assert_ne!(terminal.modes(), before);
        send(signal, boot.id());
        assert_eq!(terminal.wait_for_end(&mut boot), Some(128 + number));
        assert_eq!(terminal.modes(), before);
        wait_for_death(fixture.qemu());
    }
}

#[test]
fn closing_the_terminal_ends_boot_and_qemu() {
    let (fixture, mut terminal) = (Fixture::new(), Terminal::new());
    let mut boot = terminal.start(&fixture, PROMPT, &[]);
    terminal.wait_for("# ");
    let qemu = fixture.qemu();
    drop(terminal);
    let status = wait_for("boot's end", || boot.try_wait().unwrap());
    assert_eq!(status.code(), Some(129));
    wait_for_death(qemu);
}
