//! Linux's system calls, with the types of Rust.

use core::ffi::CStr;
use core::ptr::null;

use crate::arch::numbers::*;
use crate::arch::system_call;

/// An errno(3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub u32);

impl Errno {
    /// Its three digits.
    pub fn digits(self) -> [u8; 3] {
        [100, 10, 1].map(|unit| b'0' + (self.0 / unit % 10) as u8)
    }
}

pub const ENOENT: Errno = Errno(2);
pub const EINTR: Errno = Errno(4);
pub const EAGAIN: Errno = Errno(11);
pub const EEXIST: Errno = Errno(17);
pub const ENOTDIR: Errno = Errno(20);
pub const EINVAL: Errno = Errno(22);

pub type Result<T> = core::result::Result<T, Errno>;

/// A file descriptor.
pub type Fd = i32;

const AT_FDCWD: usize = -100_isize as usize;
pub const O_RDWR: usize = 2;
pub const O_NOCTTY: usize = 0o400;
pub const O_NONBLOCK: usize = 0o4000;
pub const O_CLOEXEC: usize = 0o2_000_000;

/// A process id.
pub type Pid = i32;

/// All processes but this one, for [`kill`].
pub const EVERYBODY: Pid = -1;

pub const SIGKILL: u32 = 9;
pub const SIGCHLD: u32 = 17;

/// Makes a system call whose arguments are numbers, or addresses of memory that is valid for it.
macro_rules! call {
    ($number:expr $(, $argument:expr)*) => {{
        let mut arguments = [0_usize; 6];
        let given: &[usize] = &[$($argument),*];
        arguments[..given.len()].copy_from_slice(given);
        // SAFETY: the memory that the arguments say is valid, see each function.
        let result = unsafe { system_call($number, arguments) };
        if result < 0 { Err(Errno(result.unsigned_abs() as u32)) } else { Ok(result as usize) }
    }};
}

fn text(string: &CStr) -> usize {
    string.as_ptr().addr()
}

/// read(2)
pub fn read(fd: Fd, buffer: &mut [u8]) -> Result<usize> {
    call!(READ, fd as usize, buffer.as_mut_ptr().addr(), buffer.len())
}

/// pread(2)
pub fn read_at(fd: Fd, buffer: &mut [u8], place: u64) -> Result<usize> {
    let (start, length) = (buffer.as_mut_ptr().addr(), buffer.len());
    call!(PREAD64, fd as usize, start, length, place as usize)
}

pub const POSIX_FADV_RANDOM: usize = 1;
pub const POSIX_FADV_DONTNEED: usize = 4;

/// posix_fadvise(2) for a whole file.
pub fn advise(fd: Fd, advice: usize) -> Result<()> {
    call!(FADVISE64, fd as usize, 0, 0, advice).map(|_| ())
}

/// write(2)
pub fn write(fd: Fd, bytes: &[u8]) -> Result<usize> {
    call!(WRITE, fd as usize, bytes.as_ptr().addr(), bytes.len())
}

/// write(2) until everything is written.
pub fn write_all(fd: Fd, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match write(fd, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// open(2) of a file that exists.
pub fn open(path: &CStr, flags: usize) -> Result<Fd> {
    call!(OPENAT, AT_FDCWD, text(path), flags, 0).map(|fd| fd as Fd)
}

/// open(2) of a device, for reading and writing. Its driver may need a while to make it.
pub fn open_device(path: &CStr, flags: usize) -> Result<Fd> {
    const MILLISECOND: u64 = 1_000_000;
    for _ in 0..10_000 {
        if let Ok(fd) = open(path, O_RDWR | O_NOCTTY | flags) {
            return Ok(fd);
        }
        let _ = poll(&mut [], Some(MILLISECOND));
    }
    open(path, O_RDWR | O_NOCTTY | flags)
}

/// open(2) of a new file for writing, with mode 644.
pub fn create(path: &CStr) -> Result<Fd> {
    const O_WRONLY_CREAT_EXCL: usize = 0o301;
    let flags = O_WRONLY_CREAT_EXCL | O_CLOEXEC;
    call!(OPENAT, AT_FDCWD, text(path), flags, 0o644).map(|fd| fd as Fd)
}

/// unlink(2)
pub fn remove(path: &CStr) -> Result<()> {
    call!(UNLINKAT, AT_FDCWD, text(path), 0).map(|_| ())
}

/// close(2)
pub fn close(fd: Fd) {
    let _ = call!(CLOSE, fd as usize);
}

/// pipe2(2): the reading end and the writing end.
pub fn pipe(flags: usize) -> Result<[Fd; 2]> {
    let mut ends = [0; 2];
    call!(PIPE2, ends.as_mut_ptr().addr(), flags)?;
    Ok(ends)
}

/// dup3(2). The two must differ.
pub fn duplicate(from: Fd, to: Fd) -> Result<()> {
    call!(DUP3, from as usize, to as usize, 0).map(|_| ())
}

/// Sets O_NONBLOCK, by ioctl(2) FIONBIO.
pub fn set_nonblocking(fd: Fd) -> Result<()> {
    const FIONBIO: usize = 0x5421;
    let mut on = 1_u32;
    ioctl(fd, FIONBIO, (&raw mut on).addr()).map(|_| ())
}

/// ioctl(2). If `argument` is an address, what the request reads and writes must be there.
pub fn ioctl(fd: Fd, request: usize, argument: usize) -> Result<usize> {
    call!(IOCTL, fd as usize, request, argument)
}

/// mkdir(2)
pub fn make_directory(path: &CStr) -> Result<()> {
    call!(MKDIRAT, AT_FDCWD, text(path), 0o755).map(|_| ())
}

/// symlink(2)
pub fn link(target: &CStr, path: &CStr) -> Result<()> {
    call!(SYMLINKAT, text(target), AT_FDCWD, text(path)).map(|_| ())
}

/// mount(2)
pub fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: usize, data: &CStr) -> Result<()> {
    call!(
        MOUNT,
        text(source),
        text(target),
        text(kind),
        flags,
        text(data)
    )
    .map(|_| ())
}

/// Opens the file `name` in a directory of the host, for reading. The directory is in a mount that has no place in the
/// guest, so no program sees it.
pub fn open_in_hostfs(directory: &CStr, name: &CStr) -> Result<Fd> {
    const CLOEXEC: usize = 1;
    const FSCONFIG_SET_STRING: usize = 1;
    const FSCONFIG_CMD_CREATE: usize = 6;
    const MOUNT_ATTR_RDONLY: usize = 1;
    let hostfs = text(c"hostfs");
    let context = call!(FSOPEN, hostfs, CLOEXEC)?;
    let source = text(directory);
    let configured = call!(FSCONFIG, context, FSCONFIG_SET_STRING, hostfs, source, 0);
    let mount = configured
        .and_then(|_| call!(FSCONFIG, context, FSCONFIG_CMD_CREATE, 0, 0, 0))
        .and_then(|_| call!(FSMOUNT, context, CLOEXEC, MOUNT_ATTR_RDONLY));
    close(context as Fd);
    let mount = mount?;
    let file = call!(OPENAT, mount, text(name), O_CLOEXEC, 0);
    close(mount as Fd);
    file.map(|fd| fd as Fd)
}

/// finit_module(2), without parameters.
pub fn load_module(file: Fd) -> Result<()> {
    call!(FINIT_MODULE, file as usize, text(c""), 0).map(|_| ())
}

/// chdir(2)
pub fn change_directory(path: &CStr) -> Result<()> {
    call!(CHDIR, text(path)).map(|_| ())
}

/// chroot(2)
pub fn change_root(path: &CStr) -> Result<()> {
    call!(CHROOT, text(path)).map(|_| ())
}

/// socket(2) for control of IPv4 interfaces.
pub fn internet_socket() -> Result<Fd> {
    const AF_INET: usize = 2;
    const SOCK_DGRAM: usize = 2;
    call!(SOCKET, AF_INET, SOCK_DGRAM, 0).map(|fd| fd as Fd)
}

/// setgroups(2) with none, setgid(2) and setuid(2).
pub fn become_user(user: u32, group: u32) -> Result<()> {
    call!(SETGROUPS, 0, 0)?;
    call!(SETGID, group as usize)?;
    call!(SETUID, user as usize).map(|_| ())
}

/// fchown(2)
pub fn give(fd: Fd, user: u32, group: u32) {
    let _ = call!(FCHOWN, fd as usize, user as usize, group as usize);
}

/// setsid(2)
pub fn new_session() {
    let _ = call!(SETSID);
}

/// fork(2): the child's id in the parent, nothing in the child.
pub fn fork() -> Result<Option<Pid>> {
    // The child has a copy of all memory, and this process has one thread.
    let pid = call!(CLONE, SIGCHLD as usize)?;
    Ok((pid != 0).then_some(pid as Pid))
}

/// execve(2). Both lists end with a null pointer. Returns only if that fails.
pub fn execute(path: &CStr, arguments: &[*const u8], environment: &[*const u8]) -> Errno {
    let failed = call!(
        EXECVE,
        text(path),
        arguments.as_ptr().addr(),
        environment.as_ptr().addr()
    );
    failed.err().unwrap_or(EINVAL)
}

/// _exit(2)
pub fn exit(status: u32) -> ! {
    loop {
        let _ = call!(EXIT_GROUP, status as usize);
    }
}

/// wait4(2) without waiting: a child that has ended, and its status.
pub fn wait() -> Option<(Pid, u32)> {
    const WNOHANG: usize = 1;
    let mut status = 0_u32;
    match call!(WAIT4, usize::MAX, (&raw mut status).addr(), WNOHANG, 0) {
        Ok(pid @ 1..) => Some((pid as Pid, status)),
        _ => None,
    }
}

/// kill(2). It is no error if the process has ended.
pub fn kill(process: Pid, signal: u32) {
    let _ = call!(KILL, process as isize as usize, signal as usize);
}

/// A set of signals: bit N - 1 for signal N.
pub type Signals = u64;

/// sigprocmask(2): blocks exactly these.
pub fn block(signals: Signals) {
    const SIG_SETMASK: usize = 2;
    let signals = &raw const signals;
    let _ = call!(
        RT_SIGPROCMASK,
        SIG_SETMASK,
        signals.addr(),
        0,
        size_of::<Signals>()
    );
}

/// signalfd(2): a descriptor that can be read when one of `signals` is pending.
pub fn signals(signals: Signals) -> Result<Fd> {
    let signals = &raw const signals;
    let flags = O_CLOEXEC | O_NONBLOCK;
    let new = usize::MAX;
    call!(SIGNALFD4, new, signals.addr(), size_of::<Signals>(), flags).map(|fd| fd as Fd)
}

/// A descriptor to wait for, poll(2).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Poll {
    pub fd: Fd,
    pub events: i16,
    pub found: i16,
}

pub const POLLIN: i16 = 1;
pub const POLLOUT: i16 = 4;

/// ppoll(2), for ever or for some nanoseconds (less than a second).
pub fn poll(descriptors: &mut [Poll], nanoseconds: Option<u64>) -> Result<usize> {
    let time = nanoseconds.map(|nanoseconds| [0, nanoseconds]);
    let time = time.as_ref().map_or(null(), |time| time.as_ptr());
    call!(
        PPOLL,
        descriptors.as_mut_ptr().addr(),
        descriptors.len(),
        time.addr(),
        0,
        0
    )
}

/// `length` bytes of new memory, which are 0.
pub fn allocate(length: usize) -> Result<&'static mut [u8]> {
    const PROT_READ_WRITE: usize = 3;
    const MAP_PRIVATE_ANONYMOUS: usize = 0x22;
    let none = usize::MAX;
    let start = call!(
        MMAP,
        0,
        length.max(1),
        PROT_READ_WRITE,
        MAP_PRIVATE_ANONYMOUS,
        none,
        0
    )?;
    // SAFETY: the kernel has just mapped this memory for nobody else.
    Ok(unsafe { core::slice::from_raw_parts_mut(start as *mut u8, length) })
}

/// sync(2)
pub fn sync() {
    let _ = call!(SYNC);
}

/// reboot(2): powers off. A machine without a switch halts.
pub fn power_off() -> ! {
    const MAGIC: [usize; 2] = [0xfee1_dead, 672_274_793];
    const POWER_OFF: usize = 0x4321_fedc;
    loop {
        let _ = call!(REBOOT, MAGIC[0], MAGIC[1], POWER_OFF, 0);
    }
}
