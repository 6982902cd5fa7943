//! Linux's system calls on x86-64, see syscall(2), and the entry of the process.

use core::arch::{asm, global_asm};
use core::ffi::CStr;
use core::ptr::null;

use crate::signal::{Set, Signal};

const WRITE: usize = 1;
const RT_SIGPROCMASK: usize = 14;
const NANOSLEEP: usize = 35;
const FORK: usize = 57;
const EXECVE: usize = 59;
const EXIT: usize = 60;
const WAIT4: usize = 61;
const KILL: usize = 62;
const SETSID: usize = 112;
const RT_SIGTIMEDWAIT: usize = 128;
const SYNC: usize = 162;
const REBOOT: usize = 169;

// The kernel enters with the stack pointer a multiple of 16, as a function expects it before the
// call that enters it, and the arguments at it.
global_asm!(
    ".globl _start",
    "_start: mov rdi, rsp",
    "call {entered}",
    entered = sym entered,
);

extern "C" fn entered(stack: *const usize) -> ! {
    crate::main(Arguments(stack))
}

/// What the kernel puts on a new process's stack: the number of arguments, the addresses of these
/// strings, a null pointer, those of the environment, and another one.
pub struct Arguments(*const usize);

/// A process, or what else kill(2) takes for one.
pub type Pid = i32;

/// All processes but PID 1.
pub const EVERYBODY: Pid = -1;

/// system_call!(NUMBER, ARGUMENT...): what the kernel gives back, a negated errno among it.
///
/// It overwrites rcx and r11, and may write to whatever memory an argument says.
macro_rules! system_call {
    ($number:expr $(, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr)?)?)?)?) => {{
        let result: isize;
        asm!(
            "syscall",
            inlateout("rax") $number => result,
            $(in("rdi") $a, $(in("rsi") $b, $(in("rdx") $c, $(in("r10") $d,)?)?)?)?
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
        result
    }};
}

/// Writes to stdout what of `bytes` can be written.
pub fn write(bytes: &[u8]) {
    // SAFETY: write(2) only reads `bytes`.
    unsafe { system_call!(WRITE, 1_usize, bytes.as_ptr(), bytes.len()) };
}

/// fork(2): the child's id in the parent, nothing in the child; or an errno.
pub fn fork() -> Result<Option<Pid>, u32> {
    // SAFETY: the child has a copy of all memory, and there is no other thread that could be in the
    // middle of something.
    match unsafe { system_call!(FORK) } {
        0 => Ok(None),
        pid @ 1.. => Ok(Some(pid as Pid)),
        errno => Err(errno.unsigned_abs() as u32),
    }
}

/// execve(2) with the arguments, but for the program's name, and the environment of this process.
/// Comes back only if that fails, with an errno.
pub fn execute(program: &CStr, Arguments(stack): Arguments) -> u32 {
    // SAFETY: what is read is there, as `Arguments` says. The name of this program, which the kernel
    // puts before the arguments, is overwritten on the stack, where nobody else looks at it.
    let errno = unsafe {
        let arguments = stack.add(1);
        let environment = arguments.add(*stack + 1);
        arguments.cast_mut().write(program.as_ptr().addr());
        system_call!(EXECVE, program.as_ptr(), arguments, environment)
    };
    errno.unsigned_abs() as u32
}

/// _exit(2)
pub fn exit(status: u32) -> ! {
    loop {
        // SAFETY: touches no memory.
        unsafe { system_call!(EXIT, status as usize) };
    }
}

/// setsid(2)
pub fn new_session() {
    // SAFETY: touches no memory.
    unsafe { system_call!(SETSID) };
}

/// kill(2). That the process is gone by now is no error.
pub fn kill(process: Pid, signal: Signal) {
    // SAFETY: touches no memory of this process.
    unsafe { system_call!(KILL, process as isize, signal as usize) };
}

/// How [`wait`] found the children.
pub enum Ended {
    /// This one has ended, with this status.
    Child(Pid, u32),
    /// There are children, and all of them run.
    NotYet,
    NoChildren,
}

/// wait4(2) for any child, without waiting.
pub fn wait() -> Ended {
    const ANY: isize = -1;
    const WNOHANG: usize = 1;
    let mut status = 0_u32;
    // SAFETY: writes `status` alone.
    match unsafe { system_call!(WAIT4, ANY, &raw mut status, WNOHANG, null::<u8>()) } {
        0 => Ended::NotYet,
        pid @ 1.. => Ended::Child(pid as Pid, status),
        _ => Ended::NoChildren,
    }
}

const SIG_BLOCK: usize = 0;
const SIG_SETMASK: usize = 2;

/// Has the kernel keep `signals` for [`next_signal`].
pub fn block(signals: Set) {
    mask(SIG_BLOCK, signals);
}

/// What a program starts with, and inherits over execve(2).
pub fn unblock_all() {
    mask(SIG_SETMASK, 0);
}

/// sigprocmask(2)
fn mask(how: usize, signals: Set) {
    let signals = &raw const signals;
    // SAFETY: only reads `signals`, of as many bytes as the last argument says.
    unsafe { system_call!(RT_SIGPROCMASK, how, signals, null::<u8>(), size_of::<Set>()) };
}

/// Waits for one of `signals`, which must be blocked. sigtimedwait(2)
pub fn next_signal(signals: Set) -> Signal {
    loop {
        let signals = &raw const signals;
        let (information, for_ever) = (null::<u8>(), null::<u8>());
        const SIZE: usize = size_of::<Set>();
        // SAFETY: only reads `signals`, of as many bytes as the last argument says.
        let signal = unsafe { system_call!(RT_SIGTIMEDWAIT, signals, information, for_ever, SIZE) };
        // It is interrupted (EINTR) by a debugger, for one.
        if signal > 0 {
            return signal as Signal;
        }
    }
}

/// nanosleep(2), for less than a second.
pub fn sleep(nanoseconds: u32) {
    let time = [0, u64::from(nanoseconds)];
    // SAFETY: only reads `time`, of that layout.
    unsafe { system_call!(NANOSLEEP, time.as_ptr(), null::<u8>()) };
}

/// sync(2) and reboot(2). A machine without a switch is halted.
pub fn power_off() -> ! {
    const MAGIC: (usize, usize) = (0xfee1_dead, 672_274_793);
    const POWER_OFF: usize = 0x4321_fedc;
    loop {
        // SAFETY: touches no memory.
        unsafe {
            system_call!(SYNC);
            system_call!(REBOOT, MAGIC.0, MAGIC.1, POWER_OFF);
        }
    }
}
