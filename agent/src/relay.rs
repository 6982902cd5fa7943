//! The loop while the program runs: it passes streams and signals, and reaps whoever ends.

use agent::protocol::{
    CLOSE, CREDIT, DATA, FILE, HEADER, PAYLOAD, SEGMENT, SIGNAL, SIZE, Segment, WINDOW, number,
};

use crate::channel::Channel;
use crate::input::Input;
use crate::program::{Program, set_size};
use crate::say;
use crate::system::{
    self, EAGAIN, EINTR, EVERYBODY, Fd, POLLIN, POLLOUT, Pid, Poll, SIGCHLD, SIGKILL,
};

/// One of the program's outputs.
#[derive(Clone, Copy)]
struct Output {
    fd: Option<Fd>,
    credit: usize,
}

/// All that the loop knows.
struct Relay {
    pid: Pid,
    input: Input,
    /// The answer to a [`FILE`], to be sent.
    opened: Option<bool>,
    /// The streams 1, 2 and 0. A terminal is one of them.
    outputs: [Output; 3],
    terminal: Option<Fd>,
    /// For a frame with output.
    frame: &'static mut [u8],
}

/// Runs until the program has ended, and everything that it wrote has been sent. Returns its wait(2) status.
pub fn run(channel: &mut Channel, program: Program) -> u32 {
    let ends = system::signals(1 << (SIGCHLD - 1));
    let frame = system::allocate(HEADER + PAYLOAD);
    let Program {
        pid,
        streams: [stdin, stdout, stderr],
        terminal,
        terminals,
    } = program;
    // The output of a terminal goes to the first of stdout and stderr that is one, else to stream 0, which boot writes to
    // the terminal that is its stdin.
    let of_terminal = match terminals >> 1 {
        0 => 2,
        2 => 1,
        _ => 0,
    };
    let mut outputs = [stdout, stderr, None].map(|fd| Output { fd, credit: WINDOW });
    if let (Some(terminal), None) = (terminal, outputs[of_terminal].fd) {
        outputs[of_terminal].fd = Some(terminal);
    }
    let input = match terminals & 1 {
        1 => Input::new(terminal, true),
        _ => Input::new(stdin, false),
    };
    let (Ok(ends), Ok(input), Ok(frame)) = (ends, input, frame) else {
        return SIGKILL;
    };
    let mut relay = Relay {
        pid,
        input,
        opened: None,
        outputs,
        terminal,
        frame,
    };
    let mut status = None;
    loop {
        channel.frames(|kind, stream, payload| {
            relay.take(kind, stream, payload);
            true
        });
        if let Some(opened) = relay.opened.take() {
            channel.send(FILE, u8::from(opened), &[]);
        }
        // When the program has ended, send what it wrote. Nobody else writes then.
        if let Some(status) = status {
            if relay.outputs.iter().all(|output| output.fd.is_none()) {
                return status;
            }
        }
        let mut waits = relay.waits(channel.fd(), ends);
        let patience = (status.is_some() && !relay.waits_for_credit()).then_some(0);
        let found = system::poll(&mut waits, patience).unwrap_or(0);
        if found == 0 && patience.is_some() {
            // All that was written has been read.
            return status.unwrap_or(0);
        }
        let [commands, ended, writable, readable @ ..] = waits;
        if commands.found != 0 && !channel.receive() {
            // boot has ended.
            system::power_off();
        }
        if writable.found != 0 {
            relay.input.write(channel);
        }
        for (index, wait) in readable.into_iter().enumerate() {
            if wait.found != 0 {
                relay.read_output(channel, index);
            }
        }
        if ended.found != 0 {
            let _ = system::read(ends, &mut [0; 128]);
            while let Some((child, how)) = system::wait() {
                if child == pid {
                    status = Some(how);
                    system::kill(EVERYBODY, SIGKILL);
                }
            }
        }
    }
}

impl Relay {
    /// What to wait for: the channel, the end of a child, the input, the outputs.
    fn waits(&self, channel: Fd, ends: Fd) -> [Poll; 6] {
        let wait = |fd: Option<Fd>, events| Poll {
            // poll(2) ignores a negative one.
            fd: fd.unwrap_or(-1),
            events,
            found: 0,
        };
        let [stdout, stderr, terminal] = self
            .outputs
            .map(|output| wait(output.fd.filter(|_| output.credit > 0), POLLIN));
        [
            wait(Some(channel), POLLIN),
            wait(Some(ends), POLLIN),
            wait(self.input.waiting(), POLLOUT),
            stdout,
            stderr,
            terminal,
        ]
    }

    /// Whether an output cannot be sent until boot has room.
    fn waits_for_credit(&self) -> bool {
        let waits = |output: &Output| output.fd.is_some() && output.credit == 0;
        self.outputs.iter().any(waits)
    }

    /// Takes a frame.
    fn take(&mut self, kind: u8, stream: u8, payload: &[u8]) {
        let output = match (kind, stream) {
            (CREDIT, 0) => self.outputs.get_mut(2),
            (_, 1 | 2) => self.outputs.get_mut(usize::from(stream - 1)),
            _ => None,
        };
        match (kind, output) {
            (DATA, _) => self.input.add(payload),
            (FILE, _) => self.opened = Some(self.input.open(payload).is_ok()),
            (SEGMENT, _) => self.add_segment(Segment::decode(payload)),
            (CLOSE, None) => self.input.complete = true,
            (CLOSE, Some(output)) => {
                // The program gets SIGPIPE with its next write.
                if let Some(fd) = output.fd.take() {
                    system::close(fd);
                }
            }
            (CREDIT, Some(output)) => output.credit += number(payload, 0) as usize,
            (SIGNAL, _) => signal(self.pid, u32::from(stream)),
            (SIZE, _) => self.resize(payload),
            _ => {}
        }
    }

    fn add_segment(&mut self, segment: Segment) {
        if let Err(errno) = self.input.add_segment(segment) {
            // The program must not run on without these data.
            let [a, b, c] = errno.digits();
            say(b"agent: cannot read stdin in the file of boot: errno ");
            say(&[a, b, c, b'\n']);
            system::power_off();
        }
    }

    fn resize(&self, payload: &[u8]) {
        if let (Some(terminal), &[a, b, c, d]) = (self.terminal, payload) {
            set_size(
                terminal,
                [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])],
            );
        }
    }

    /// Sends what the program wrote to one of the outputs.
    fn read_output(&mut self, channel: &Channel, index: usize) {
        let stream = (index as u8 + 1) % 3;
        let Some(output) = self.outputs.get_mut(index) else {
            return;
        };
        let Some(fd) = output.fd else { return };
        let room = HEADER + output.credit.min(PAYLOAD);
        let Some(room) = self.frame.get_mut(HEADER..room) else {
            return;
        };
        match system::read(fd, room) {
            Ok(length @ 1..) => {
                output.credit -= length;
                channel.send_in_place(DATA, stream, self.frame, length);
            }
            Err(EAGAIN | EINTR) => {}
            // A terminal that nobody has open gives EIO.
            Ok(_) | Err(_) => {
                output.fd = None;
                if Some(fd) != self.terminal {
                    system::close(fd);
                }
                // For stream 0, that would mean the input.
                if stream > 0 {
                    channel.send(CLOSE, stream, &[]);
                }
            }
        }
    }
}

/// Sends the program a signal. A terminal sends SIGINT, SIGQUIT and SIGHUP to a whole group of processes; kill(1)
/// means one process.
pub fn signal(program: Pid, signal: u32) {
    const OF_TERMINALS: [u32; 3] = [1, 2, 3];
    let to = if OF_TERMINALS.contains(&signal) {
        -program
    } else {
        program
    };
    system::kill(to, signal);
}
