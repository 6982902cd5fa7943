//! The channel to boot.

use agent::protocol::{
    CREDIT, GREETING, HEADER, HELLO, PAYLOAD, SIGNAL, START, STEPS, header, number, parse_header,
};

use crate::system::{self, EAGAIN, EINTR, Fd, Result};

/// The longest payload of a frame that is not data, in bytes.
const SMALL: usize = 32;

/// The device, in a state in which it passes every byte.
pub struct Channel {
    fd: Fd,
    /// What was read and not taken: `buffer[..length]`.
    buffer: &'static mut [u8],
    length: usize,
}

/// The settings of a terminal, termios(3), as the kernel has them.
#[repr(C)]
struct Termios {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    line: u8,
    characters: [u8; 19],
}

impl Channel {
    pub fn new(fd: Fd) -> Result<Channel> {
        make_raw(fd);
        Ok(Channel {
            fd,
            buffer: system::allocate(2 * (HEADER + PAYLOAD))?,
            length: 0,
        })
    }

    /// The descriptor, to wait for.
    pub fn fd(&self) -> Fd {
        self.fd
    }

    /// Sends a frame with a short payload.
    pub fn send(&self, kind: u8, number: u8, payload: &[u8]) {
        let mut frame = [0; HEADER + SMALL];
        if let Some(room) = frame.get_mut(HEADER..HEADER + payload.len()) {
            room.copy_from_slice(payload);
            self.send_in_place(kind, number, &mut frame, payload.len());
        }
    }

    /// Sends a frame whose payload, of this length, is in `frame` after room for the header. Waits until boot has
    /// room for it, which boot always makes.
    pub fn send_in_place(&self, kind: u8, number: u8, frame: &mut [u8], length: usize) {
        if let Some(frame) = frame.get_mut(..HEADER + length) {
            frame[..HEADER].copy_from_slice(&header(kind, number, length));
            // A failure means that boot has ended. So will this guest.
            let _ = system::write_all(self.fd, frame);
        }
    }

    /// Says hello, and reads boot's steps, and a signal that comes with them.
    pub fn steps(&mut self) -> Option<(&'static [u8], Option<u32>)> {
        self.send(HELLO, 0, GREETING);
        let mut steps: Option<&'static mut [u8]> = None;
        let mut length = 0;
        let mut signal = None;
        loop {
            let mut credit = 0;
            let mut complete = false;
            self.frames(|kind, number_of_frame, payload| {
                match (kind, &mut steps) {
                    (START, None) => steps = system::allocate(number(payload, 0) as usize).ok(),
                    (STEPS, Some(steps)) => {
                        if let Some(room) = steps.get_mut(length..length + payload.len()) {
                            room.copy_from_slice(payload);
                            length += payload.len();
                            credit += payload.len();
                        }
                    }
                    (SIGNAL, _) => signal = Some(u32::from(number_of_frame)),
                    _ => {}
                }
                complete = steps.as_ref().is_some_and(|steps| steps.len() == length);
                // What follows is for the program.
                !complete
            });
            if credit > 0 {
                self.send(CREDIT, 0, &(credit as u32).to_le_bytes());
            }
            if complete {
                return steps.map(|steps| (&*steps, signal));
            }
            if !self.receive() {
                return None;
            }
        }
    }

    /// Reads once. False at the end of the channel.
    pub fn receive(&mut self) -> bool {
        let room = self.buffer.get_mut(self.length..).unwrap_or_default();
        match system::read(self.fd, room) {
            Ok(0) => false,
            Ok(length) => {
                self.length += length;
                true
            }
            Err(EINTR | EAGAIN) => true,
            Err(_) => false,
        }
    }

    /// Calls `take` with the kind, the number and the payload of each frame that has been read completely, until `take`
    /// returns false.
    pub fn frames(&mut self, mut take: impl FnMut(u8, u8, &[u8]) -> bool) {
        let mut taken = 0;
        let mut rest = self.buffer.get(..self.length).unwrap_or_default();
        while let Some(head) = rest.first_chunk() {
            let (kind, number, length) = parse_header(head);
            let Some(payload) = rest.get(HEADER..HEADER + length) else {
                break;
            };
            taken += HEADER + length;
            rest = rest.get(HEADER + length..).unwrap_or_default();
            if !take(kind, number, payload) {
                break;
            }
        }
        if taken > 0 {
            self.buffer.copy_within(taken..self.length, 0);
            self.length -= taken;
        }
    }

    /// Waits until boot closes the channel, or for some seconds.
    pub fn wait_for_end(&mut self) {
        const TENTH: u64 = 100_000_000;
        for _ in 0..100 {
            let mut wait = [system::Poll {
                fd: self.fd,
                events: system::POLLIN,
                found: 0,
            }];
            let ready = system::poll(&mut wait, Some(TENTH));
            self.frames(|_, _, _| true);
            if ready == Ok(1) && !self.receive() {
                return;
            }
        }
    }
}

/// Makes a device pass every byte, if it is a terminal. In user-mode Linux, the channel is one.
pub fn make_raw(fd: Fd) {
    const TCGETS: usize = 0x5401;
    const TCSETS: usize = 0x5402;
    const CREAD_CS8_38400: u32 = 0o200 | 0o60 | 0o17;
    const VMIN: usize = 6;
    let mut modes = Termios {
        input: 0,
        output: 0,
        control: 0,
        local: 0,
        line: 0,
        characters: [0; 19],
    };
    if system::ioctl(fd, TCGETS, (&raw mut modes).addr()).is_err() {
        return;
    }
    modes.input = 0;
    modes.output = 0;
    modes.control = CREAD_CS8_38400;
    modes.local = 0;
    modes.characters[VMIN] = 1;
    let _ = system::ioctl(fd, TCSETS, (&raw mut modes).addr());
}
