//! What the kernel has said about how the boot goes, message by message.

use serde::Serialize;

use crate::console::author::starts_init;
use crate::console::message::PANIC;
use crate::verdict::diagnosis::{self, Cause, Finding, UNPACKING};

/// How far a guest came, as far as it has said so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reached {
    /// It has written nothing.
    #[default]
    Nothing,
    /// It has written something.
    Output,
    /// Linux has begun to boot.
    Kernel,
    /// Linux has started init.
    Init,
}

/// How the kernel ends the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It powers the machine off.
    PowerOff,
    /// It stops, and leaves the machine on: a machine that has no power switch, or `halt`.
    Halt,
    /// It restarts the machine.
    Restart,
}

/// How the kernel says so (`kernel/reboot.c`).
const SHUTDOWNS: &[(&str, Shutdown)] = &[
    ("reboot: Power down", Shutdown::PowerOff),
    ("reboot: Power off not available", Shutdown::Halt),
    ("reboot: System halted", Shutdown::Halt),
    ("reboot: Restarting system", Shutdown::Restart),
];

/// What has been found so far.
#[derive(Debug, Default)]
pub struct Findings {
    /// One of each kind, in their order; nothing after the panic.
    list: Vec<Finding>,
    fault: Option<String>,
    reached: Reached,
    /// Whether the kernel has said that it looks at the initramfs; nothing before it has said its version, without which its
    /// silence tells nothing.
    looked_at_initramfs: Option<bool>,
    shutdown: Option<Shutdown>,
}

impl Findings {
    /// Takes a message of the kernel's, which is complete.
    pub fn take(&mut self, message: &str) {
        if self.has_panic() {
            return;
        }
        if message.starts_with("Linux version ") {
            self.reached = self.reached.max(Reached::Kernel);
            self.looked_at_initramfs.get_or_insert(false);
        } else if UNPACKING.contains(&message) {
            self.looked_at_initramfs = Some(true);
        } else if starts_init(message) {
            self.reached = Reached::Init;
        } else if diagnosis::is_fault_of_init(message) {
            self.fault = Some(message.to_owned());
        } else if let Some((_, shutdown)) = SHUTDOWNS
            .iter()
            .find(|(beginning, _)| message.starts_with(beginning))
        {
            self.shutdown = self.shutdown.or(Some(*shutdown));
        } else {
            let new = self.finding(message);
            self.list.extend(new);
        }
    }

    /// What `message` adds to what has been found.
    fn finding(&self, message: &str) -> Option<Finding> {
        let mut finding = diagnosis::finding(message)?;
        match &mut finding.cause {
            Cause::InitKilled { fault, .. } => fault.clone_from(&self.fault),
            // "Run /init as init process" is as unimportant a message as that about the initramfs: both are shown, or none.
            Cause::NoInit { .. }
                if self.reached == Reached::Init && self.looked_at_initramfs == Some(false) =>
            {
                finding.cause = Cause::InitramfsIgnored;
            }
            _ => {}
        }
        let known = |known: &Finding| known.cause.kind() == finding.cause.kind();
        let is_panic = message.starts_with(PANIC);
        (is_panic || !self.list.iter().any(known)).then_some(finding)
    }

    /// Whether the kernel has panicked, and said why to the end of the line.
    pub fn has_panic(&self) -> bool {
        let last = self.list.last();
        last.is_some_and(|last| last.said.starts_with(PANIC))
    }

    /// Whether the kernel has found a bug in itself.
    pub fn has_oops(&self) -> bool {
        let mut list = self.list.iter();
        list.any(|finding| finding.cause == Cause::Oops)
    }

    /// What the kernel has complained about, a panic last. What was first is the cause of the rest, more
    /// likely than not. `unfinished` is the message that the kernel has begun.
    pub fn list(&self, unfinished: &str) -> Vec<Finding> {
        let unfinished = match self.has_panic() {
            true => None,
            false => self.finding(unfinished),
        };
        self.list.iter().cloned().chain(unfinished).collect()
    }

    /// How far the kernel has come.
    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// How the kernel has ended the guest.
    pub fn shutdown(&self) -> Option<Shutdown> {
        self.shutdown
    }
}

#[cfg(test)]
mod tests;
