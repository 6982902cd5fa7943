//! PID 1 of `boot run`.
//!
//! It opens a channel to boot, takes the steps that boot sends (mounts, mostly), and runs the program as a child
//! in a session of its own. It passes the program's streams and signals, reaps orphans, and reports the
//! program's end. Or it executes the program in its own place, so that the program is PID 1. What the guest
//! looks like is decided by boot: this program knows system calls and the protocol (lib.rs), and neither file
//! systems nor options.

#![no_std]
#![no_main]

mod arch;
mod channel;
mod input;
mod memory;
mod modules;
mod network;
mod program;
mod relay;
mod steps;
mod system;

use core::ffi::CStr;

use agent::protocol::{EXITED, FAILED};

use channel::Channel;
use system::O_CLOEXEC;

/// The variable with the path of the channel's device, on the kernel's command line.
const CHANNEL: &[u8] = b"BOOT_CHANNEL=";

/// Called by `_start` in [`arch`], with the stack that the kernel made: the number of arguments, their addresses,
/// a null pointer, the addresses of the environment, and another one.
extern "C" fn entered(stack: *const usize) -> ! {
    // Before there is a child whose end could be missed.
    system::block(1 << (system::SIGCHLD - 1));
    let _ = system::make_directory(c"/dev");
    let _ = system::mount(c"dev", c"/dev", c"devtmpfs", 0, c"");
    modules::load();
    match channel_path(stack).map(open_channel) {
        Some(Some(channel)) => serve(channel),
        Some(None) => say(b"agent: the channel to boot cannot be opened\n"),
        None => say(b"agent: BOOT_CHANNEL is not set; boot run starts this program\n"),
    }
    system::power_off()
}

/// Does what boot says, to the end of the program.
fn serve(mut channel: Channel) {
    let Some((steps, signal)) = channel.steps() else {
        return say(b"agent: boot sent no steps\n");
    };
    let started = steps::take(steps).and_then(|prepared| match prepared.devices {
        Some(devices) => Err(prepared.become_init(devices)),
        None => prepared.start(),
    });
    match started {
        Ok(program) => {
            if let Some(signal) = signal {
                relay::signal(program.pid, signal);
            }
            let status = relay::run(&mut channel, program);
            // Files on a writable share of the host may still be in this kernel's memory.
            system::sync();
            channel.send(EXITED, 0, &status.to_le_bytes());
        }
        Err((step, errno)) => {
            let [a, b, c, d] = step.to_le_bytes();
            let [e, f, g, h] = errno.0.to_le_bytes();
            channel.send(FAILED, 0, &[a, b, c, d, e, f, g, h]);
        }
    }
    // boot ends this guest as soon as it knows how the program ended.
    channel.wait_for_end();
}

/// The value of [`CHANNEL`].
fn channel_path(stack: *const usize) -> Option<&'static CStr> {
    // SAFETY: the stack is as `entered` says, and stays.
    unsafe {
        let mut at = stack.add(1 + *stack + 1);
        while *at != 0 {
            let variable = CStr::from_ptr(*at as *const _).to_bytes_with_nul();
            if let Some(path) = variable.strip_prefix(CHANNEL) {
                return CStr::from_bytes_with_nul(path).ok();
            }
            at = at.add(1);
        }
    }
    None
}

/// Opens the channel's device.
fn open_channel(path: &CStr) -> Option<Channel> {
    let fd = system::open_device(path, O_CLOEXEC).ok()?;
    Channel::new(fd).ok()
}

/// Writes to the console.
fn say(line: &[u8]) {
    let _ = system::write_all(2, line);
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    say(b"agent: this is a bug\n");
    system::power_off()
}
