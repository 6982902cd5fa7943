//! Starts the program, with its streams.

use crate::channel::make_raw;
use crate::steps::{Failure, Prepared, Strings};
use crate::system::{
    self, EINVAL, ENOENT, ENOTDIR, Errno, Fd, O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_RDWR, Pid,
};

/// The running program.
pub struct Program {
    pub pid: Pid,
    /// The agent's ends of its streams; nothing where a stream is the terminal.
    pub streams: [Option<Fd>; 3],
    /// The agent's end of its terminal, and which of the streams it is, as bits.
    pub terminal: Option<Fd>,
    pub terminals: u64,
}

impl Prepared {
    /// Starts the program.
    pub fn start(self) -> Result<Program, Failure> {
        let place = self.place;
        self.fork().map_err(|errno| (place, errno))
    }

    /// Becomes the program, with these devices as its streams. Returns only if that fails.
    pub fn become_init(mut self, devices: Strings) -> Failure {
        let errno = self.execute_on(devices).unwrap_or_else(|errno| errno);
        (self.place, errno)
    }

    fn execute_on(&mut self, mut devices: Strings) -> Result<Errno, Errno> {
        for stream in 0..3 {
            let path = devices.take().ok_or(EINVAL)?;
            let device = system::open_device(path, 0)?;
            match (self.terminals >> stream) & 1 {
                1 => set_size(device, self.size),
                _ => make_raw(device),
            }
            if device != stream {
                system::duplicate(device, stream)?;
                system::close(device);
            }
        }
        self.execute()
    }

    fn fork(mut self) -> Result<Program, Errno> {
        let mut theirs = [-1; 3];
        let mut program = Program {
            pid: 0,
            streams: [None; 3],
            terminal: None,
            terminals: self.terminals,
        };
        let mut terminal = None;
        if program.terminals != 0 {
            let (own, other) = open_terminal()?;
            set_size(own, self.size);
            program.terminal = Some(own);
            terminal = Some(other);
        }
        for (stream, theirs) in theirs.iter_mut().enumerate() {
            if let (Some(terminal), true) = (terminal, (program.terminals >> stream) & 1 == 1) {
                *theirs = terminal;
                continue;
            }
            let [reader, writer] = system::pipe(O_CLOEXEC)?;
            let (own, other) = if stream == 0 {
                (writer, reader)
            } else {
                (reader, writer)
            };
            system::set_nonblocking(own)?;
            program.streams[stream] = Some(own);
            *theirs = other;
        }
        // So that the program can open them again, as /dev/stdout.
        if let Some(user) = self.user {
            for fd in theirs {
                system::give(fd, user as u32, (user >> 32) as u32);
            }
        }
        // The child writes here why it cannot execute the program. The end of the file means that it did.
        let [failure, their_failure] = system::pipe(O_CLOEXEC)?;
        let Some(pid) = system::fork()? else {
            let errno = self.become_program(theirs, terminal);
            let _ = system::write_all(their_failure, &errno.0.to_le_bytes());
            system::exit(127);
        };
        program.pid = pid;
        for fd in theirs.into_iter().filter(|fd| Some(*fd) != terminal) {
            system::close(fd);
        }
        if let Some(terminal) = terminal {
            system::close(terminal);
        }
        system::close(their_failure);
        let mut errno = [0; 4];
        let length = system::read(failure, &mut errno)?;
        system::close(failure);
        match length {
            0 => Ok(program),
            _ => Err(Errno(u32::from_le_bytes(errno))),
        }
    }

    /// In the child: executes the program. Returns why that failed.
    fn become_program(&mut self, streams: [Fd; 3], terminal: Option<Fd>) -> Errno {
        const TIOCSCTTY: usize = 0x540e;
        system::new_session();
        if let Some(terminal) = terminal {
            let _ = system::ioctl(terminal, TIOCSCTTY, 0);
        }
        // The descriptors 0 to 2 are the console, so none of `streams` is one of them.
        for (to, from) in streams.into_iter().enumerate() {
            if let Err(errno) = system::duplicate(from, to as Fd) {
                return errno;
            }
        }
        self.execute().unwrap_or_else(|errno| errno)
    }

    /// Executes the first of the paths that exists. Returns why that failed.
    fn execute(&mut self) -> Result<Errno, Errno> {
        let arguments = pointers(self.arguments)?;
        let environment = pointers(self.environment)?;
        if let Some(user) = self.user {
            system::become_user(user as u32, (user >> 32) as u32)?;
        }
        system::block(0);
        let mut failure = ENOENT;
        while let Some(path) = self.paths.take() {
            match system::execute(path, arguments, environment) {
                ENOENT | ENOTDIR => {}
                errno => failure = errno,
            }
        }
        Ok(failure)
    }
}

/// The addresses of the strings, and a null pointer.
fn pointers(mut strings: Strings) -> Result<&'static [*const u8], Errno> {
    let length = (strings.count() + 1) * size_of::<*const u8>();
    let memory = system::allocate(length)?.as_mut_ptr().cast::<*const u8>();
    let mut count = 0;
    while let Some(string) = strings.take() {
        // SAFETY: the memory has room for one pointer more than there are strings.
        unsafe { memory.add(count).write(string.as_ptr().cast()) };
        count += 1;
    }
    // SAFETY: the same. The rest of the memory is 0, as the last pointer must be.
    Ok(unsafe { core::slice::from_raw_parts(memory, count + 1) })
}

/// A new pseudoterminal: the agent's end, and the program's.
fn open_terminal() -> Result<(Fd, Fd), Errno> {
    const TIOCSPTLCK: usize = 0x4004_5431;
    const TIOCGPTPEER: usize = 0x5441;
    let own = system::open(c"/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)?;
    let mut unlocked = 0_u32;
    system::ioctl(own, TIOCSPTLCK, (&raw mut unlocked).addr())?;
    let other = system::ioctl(own, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)?;
    Fd::try_from(other)
        .map(|other| (own, other))
        .map_err(|_| EINVAL)
}

/// Gives a terminal a size. Its programs get SIGWINCH.
pub fn set_size(terminal: Fd, [rows, columns]: [u16; 2]) {
    const TIOCSWINSZ: usize = 0x5414;
    let mut size = [rows, columns, 0, 0];
    let _ = system::ioctl(terminal, TIOCSWINSZ, size.as_mut_ptr().addr());
}
