//! Runs `init` as an ordinary process: it prints the greeting, and it never uses the CPU or ends.

mod common;

use common::{INIT, Running, eventually};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

#[test]
fn prints_the_line_and_sleeps() {
    let mut init = Running::start(Command::new(INIT).stdout(Stdio::piped())).unwrap();
    assert_sleeps(&mut init);
    init.0.kill().unwrap();
    let mut printed = String::new();
    init.0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    assert_eq!(printed, "Hello, world!\n");
}

/// EBADF: how PID 1 starts when the kernel finds no console.
#[test]
fn sleeps_when_stdout_is_closed() {
    let mut shell = Command::new("sh");
    assert_sleeps(&mut Running::start(shell.args(["-c", r#"exec "$0" >&-"#, INIT])).unwrap());
}

/// ENOSPC.
#[test]
fn sleeps_when_stdout_is_full() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert_sleeps(&mut Running::start(Command::new(INIT).stdout(full)).unwrap());
}

/// EPIPE. SIGPIPE does not kill PID 1. An ordinary process must ignore the signal.
#[test]
fn sleeps_when_the_reader_is_gone() {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"trap "" PIPE; read go; exec "$0""#, INIT]);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut init = Running::start(&mut shell).unwrap();
    drop(init.0.stdout.take());
    init.0.stdin.as_ref().unwrap().write_all(b"go\n").unwrap();
    assert_sleeps(&mut init);
}

/// EAGAIN. Repeating the write until somebody reads would use a whole CPU.
#[test]
fn sleeps_when_stdout_would_block() {
    let (mut stdout, _reader) = UnixStream::pair().unwrap();
    stdout.set_nonblocking(true).unwrap();
    let full = loop {
        if let Err(error) = stdout.write(&[0]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    assert_sleeps(&mut Running::start(Command::new(INIT).stdout(OwnedFd::from(stdout))).unwrap());
}

/// Panics unless the process becomes `init`, goes to sleep and stays asleep.
fn assert_sleeps(init: &mut Running) {
    let process = format!("/proc/{}/stat", init.0.id());
    eventually("init is asleep", || {
        assert_eq!(init.0.try_wait().unwrap(), None, "init ended");
        let stat = Stat::read(&process);
        stat.comm == "init" && stat.state == "S"
    });
    let before = Stat::read(&process);
    sleep(Duration::from_millis(300));
    assert_eq!(Stat::read(&process), before, "init woke up");
}

/// Some fields of a process's file `stat`, proc(5).
#[derive(Debug, PartialEq)]
struct Stat {
    comm: String,
    state: String,
    /// CPU time in clock ticks: in user mode, in the kernel.
    cpu: [String; 2],
}

impl Stat {
    fn read(path: &str) -> Self {
        let stat = fs::read_to_string(path).unwrap();
        let (before, after) = stat.rsplit_once(')').unwrap();
        let fields: Vec<_> = after.split_whitespace().map(String::from).collect();
        Self {
            comm: before.split_once('(').unwrap().1.to_owned(),
            state: fields[0].clone(),
            cpu: [fields[11].clone(), fields[12].clone()],
        }
    }
}
