//! Takes boot's steps, each of which is a system call or two.

use core::ffi::CStr;

use agent::protocol::*;

use crate::network;
use crate::system::{self, EEXIST, EINVAL, Errno};

/// A step that failed, and why.
pub type Failure = (u32, Errno);

/// The program, ready to start.
pub struct Prepared {
    pub place: u32,
    pub user: Option<u64>,
    /// Its streams, if it becomes PID 1.
    pub devices: Option<Strings>,
    /// The rows and the columns of its terminal.
    pub size: [u16; 2],
    pub environment: Strings,
    pub paths: Strings,
    pub arguments: Strings,
    /// Which of its streams are a terminal, as bits.
    pub terminals: u64,
}

/// Strings of a step.
#[derive(Clone, Copy, Default)]
pub struct Strings {
    count: usize,
    bytes: &'static [u8],
}

impl Strings {
    pub fn count(&self) -> usize {
        self.count
    }

    /// The next string, which is removed.
    pub fn take(&mut self) -> Option<&'static CStr> {
        let (string, rest) = string(self.bytes)?;
        self.bytes = rest;
        CStr::from_bytes_until_nul(string).ok()
    }
}

/// Takes all steps.
pub fn take(steps: &'static [u8]) -> Result<Prepared, Failure> {
    let mut prepared = Prepared {
        place: 0,
        user: None,
        devices: None,
        size: [0; 2],
        environment: Strings::default(),
        paths: Strings::default(),
        arguments: Strings::default(),
        terminals: 0,
    };
    let mut rest = steps;
    while let Some((step, after)) = step(rest) {
        rest = after;
        let strings = Strings {
            count: step.count,
            bytes: step.strings,
        };
        match step.kind {
            LOOPBACK => network::switch_on_loopback(),
            USER => prepared.user = Some(step.number),
            TERMINAL => prepared.size = [step.number as u16, (step.number >> 16) as u16],
            INIT => prepared.devices = Some(strings),
            ENVIRONMENT => prepared.environment = strings,
            PATHS => prepared.paths = strings,
            EXECUTE => {
                prepared.arguments = strings;
                prepared.terminals = step.number;
                return Ok(prepared);
            }
            kind => {
                take_one(kind, step.number, strings).map_err(|errno| (prepared.place, errno))?
            }
        }
        prepared.place += 1;
    }
    Err((prepared.place, EINVAL))
}

fn take_one(kind: u8, number: u64, mut strings: Strings) -> system::Result<()> {
    let exists = |result: system::Result<()>| match result {
        Err(EEXIST) => Ok(()),
        result => result,
    };
    let mut next = || strings.take().ok_or(EINVAL);
    match kind {
        MKDIR => exists(system::make_directory(next()?)),
        MOUNT => system::mount(next()?, next()?, next()?, number as usize, next()?),
        SYMLINK => exists(system::link(next()?, next()?)),
        CHDIR => system::change_directory(next()?),
        NETWORK => network::configure(next()?, number as u32, (number >> 32) as u32),
        WRITE => {
            let path = next()?;
            let _ = system::remove(path);
            let file = system::create(path)?;
            let written = system::write_all(file, next()?.to_bytes());
            system::close(file);
            written
        }
        ROOT => {
            const MS_MOVE: usize = 1 << 13;
            system::change_directory(next()?)?;
            system::mount(c".", c"/", c"", MS_MOVE, c"")?;
            system::change_root(c".")?;
            system::change_directory(c"/")
        }
        _ => Err(EINVAL),
    }
}
