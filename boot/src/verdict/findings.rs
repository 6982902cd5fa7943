//! The kernel's messages that matter for the verdict, collected one by one.

use serde::Serialize;

use crate::console::author::starts_init;
use crate::console::message::PANIC;
use crate::verdict::diagnosis::init::{self, is_fault_of_init};
use crate::verdict::diagnosis::initramfs::UNPACKING;
use crate::verdict::diagnosis::notes::{self, Note};
use crate::verdict::diagnosis::{self, Cause, Finding, early, host, kernel};

/// The last stage of the boot that a guest reached, according to its output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reached {
    /// It wrote nothing.
    #[default]
    Nothing,
    /// It wrote something.
    Output,
    /// Linux began to boot.
    Kernel,
    /// Linux started init.
    Init,
}

/// How the kernel ends the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It powers the machine off.
    PowerOff,
    /// It stops and leaves the machine on: after `halt`, or if it cannot power off this machine.
    Halt,
    /// It restarts the machine.
    Restart,
}

/// The messages that announce these (`kernel/reboot.c`).
const SHUTDOWNS: &[(&str, Shutdown)] = &[
    ("reboot: Power down", Shutdown::PowerOff),
    ("reboot: Power off not available", Shutdown::Halt),
    ("reboot: System halted", Shutdown::Halt),
    ("reboot: Restarting system", Shutdown::Restart),
];

/// The message of initramfs-tools that it starts no shell, because of panic= on the kernel's command line (scripts/functions).
const AUTOMATICALLY: &str = "automatically due to panic= boot argument";

/// The number of notes that are kept.
const NOTES: usize = 20;

/// The findings so far.
#[derive(Debug, Default)]
pub struct Findings {
    /// The first one of each kind, in their order; nothing after a panic.
    list: Vec<Finding>,
    /// The first note of each kind, in their order.
    notes: Vec<Note>,
    /// The number of the current line, if the caller counts lines.
    line: Option<u64>,
    /// The last message that is not blank, and the number of its line.
    previous: (String, Option<u64>),
    /// An error of the EFI stub that the kernel survived. It may explain why there is no initramfs.
    stub: Option<Finding>,
    fault: Option<String>,
    reached: Reached,
    /// Whether the kernel has reported that it reads the initramfs. Unknown until the kernel prints its version: a kernel that
    /// prints neither may be quiet.
    looked_at_initramfs: Option<bool>,
    shutdown: Option<Shutdown>,
}

impl Findings {
    /// Sets the number of the line that the next message is in.
    pub fn at_line(&mut self, line: u64) {
        self.line = Some(line);
    }

    /// Takes a complete message.
    pub fn take(&mut self, message: &str) {
        if self.has_panic() && !self.disproves_panic(message) {
            self.place(message);
            self.complete_panic(message);
            return;
        }
        if message.starts_with("Linux version ") {
            self.reached = self.reached.max(Reached::Kernel);
            self.looked_at_initramfs.get_or_insert(false);
            self.started();
        } else if early::goes_on(message) {
            self.withdraw_no_kernel();
        } else if UNPACKING.contains(&message) {
            self.looked_at_initramfs = Some(true);
        } else if starts_init(message) {
            self.reached = Reached::Init;
        } else if message.contains(AUTOMATICALLY) {
            self.no_shell();
        } else if is_fault_of_init(message) {
            self.fault = Some(message.to_owned());
        } else if let Some((_, shutdown)) = SHUTDOWNS
            .iter()
            .find(|(beginning, _)| message.starts_with(beginning))
        {
            self.shutdown = self.shutdown.or(Some(*shutdown));
        } else if let Some(new) = self.finding(message) {
            match new.cause {
                Cause::EfiStubFailed { .. } => self.withdraw_no_kernel(),
                // The firmware tries the network before it gives up.
                Cause::NoKernel { .. } => {
                    self.list.retain(|known| !early::is_attempt(&known.cause))
                }
                Cause::NoRoot { .. } | Cause::NoInit { .. } | Cause::InitramfsIgnored => {
                    self.list.extend(self.stub.take())
                }
                _ => {}
            }
            self.list.push(new);
        } else {
            self.place(message);
            self.note(message);
        }
        if !message.is_empty() {
            message.clone_into(&mut self.previous.0);
            self.previous.1 = self.line;
        }
    }

    /// Whether the kernel continued after the panic, which was a program's words, then. Takes the panic back.
    fn disproves_panic(&mut self, message: &str) -> bool {
        let continues = SHUTDOWNS
            .iter()
            .any(|(beginning, _)| message.starts_with(beginning));
        if continues {
            self.list.pop();
        }
        continues
    }

    /// Takes init's exit status from a later message, if another output has torn the panic's line apart. The kernel repeats the reason
    /// at the end.
    fn complete_panic(&mut self, message: &str) {
        let Some(last) = self.list.last_mut() else {
            return;
        };
        let torn = matches!(&last.cause, Cause::Panic { reason } if reason.starts_with("Attempted to kill i"));
        if torn {
            if let Some(mut cause) = init::ended(message) {
                if let Cause::InitKilled { fault, .. } = &mut cause {
                    fault.clone_from(&self.fault);
                }
                last.cause = cause;
            }
        }
    }

    /// The initramfs restarts or halts in place of the shell that it announced.
    fn no_shell(&mut self) {
        for finding in &mut self.list {
            if let Cause::EmergencyShell { reason } = finding.cause {
                finding.cause = Cause::InitGaveUp { reason };
            }
        }
    }

    /// The firmware has found a kernel after all.
    pub fn withdraw_no_kernel(&mut self) {
        self.list
            .retain(|finding| !matches!(finding.cause, Cause::NoKernel { .. }));
    }

    /// Linux has started: all before it was no failure.
    fn started(&mut self) {
        for finding in std::mem::take(&mut self.list) {
            match finding.cause {
                Cause::EfiStubFailed { .. } => self.stub = Some(finding),
                cause if cause.is_before_linux() => {}
                // QEMU has continued.
                Cause::QemuError { reason } if !host::is_fatal(&reason) => {
                    self.note_at(&finding.said, finding.line);
                }
                _ => self.list.push(finding),
            }
        }
    }

    /// The finding in `message`, if it is new.
    fn finding(&self, message: &str) -> Option<Finding> {
        let mut finding = diagnosis::finding(message)?;
        finding.line = self.line;
        let runs = self.reached >= Reached::Kernel;
        // A program writes words that were a boot loader's before.
        let is_late = runs && finding.cause.is_before_linux();
        // QEMU goes on after most errors of a running guest; if not, the log ends.
        let is_survived = runs
            && matches!(&finding.cause, Cause::QemuError { reason } if !host::is_fatal(reason));
        // Only a log has QEMU's messages among the guest's.
        let is_a_programs = finding.cause.is_of_host() && self.line.is_none();
        if is_late || is_survived || is_a_programs {
            return None;
        }
        match &mut finding.cause {
            Cause::InitKilled { fault, .. } => fault.clone_from(&self.fault),
            Cause::DecompressorFailed { reason } if !self.previous.0.is_empty() => {
                *reason = Some(self.previous.0.clone());
                finding.line = self.previous.1;
            }
            Cause::NoRoot { unpacked, .. } => *unpacked = self.looked_at_initramfs,
            // This message and "Run /init as init process" have the same priority: the kernel prints both or neither.
            Cause::NoInit { .. }
                if self.reached == Reached::Init && self.looked_at_initramfs == Some(false) =>
            {
                finding.cause = Cause::InitramfsIgnored;
            }
            _ => {}
        }
        let known = |known: &Finding| {
            known.cause.words().kind == finding.cause.words().kind
                && (!early::is_attempt(&known.cause) || early::is_attempt(&finding.cause))
        };
        let is_panic = message.starts_with(PANIC);
        (is_panic || !self.list.iter().any(known)).then_some(finding)
    }

    /// Takes the place of an oops from a message after it.
    fn place(&mut self, message: &str) {
        let last = self
            .list
            .iter_mut()
            .find_map(|finding| match &mut finding.cause {
                Cause::Oops { at: at @ None } => Some(at),
                _ => None,
            });
        if let Some(at) = last {
            *at = kernel::place(message).map(str::to_owned);
        }
    }

    fn note(&mut self, message: &str) {
        self.note_at(message, self.line);
    }

    fn note_at(&mut self, message: &str, line: Option<u64>) {
        let note = notes::note(message).filter(|_| self.notes.len() < NOTES);
        let Some(mut note) = note else { return };
        if !self.notes.iter().any(|known| known.kind == note.kind) {
            note.line = line;
            self.notes.push(note);
        }
    }

    /// Whether the kernel has panicked, and the line with the reason is complete.
    pub fn has_panic(&self) -> bool {
        let last = self.list.last();
        last.is_some_and(|last| last.said.starts_with(PANIC))
    }

    /// Whether the kernel has reported an oops.
    pub fn has_oops(&self) -> bool {
        let mut list = self.list.iter();
        list.any(|finding| matches!(finding.cause, Cause::Oops { .. }))
    }

    /// The problems that the kernel has reported, a panic last. The first one probably caused the others.
    /// `unfinished` is the incomplete message at the end of the output.
    pub fn list(&self, unfinished: &str) -> Vec<Finding> {
        let unfinished = match self.has_panic() {
            true => None,
            false => self.finding(unfinished),
        };
        self.list.iter().cloned().chain(unfinished).collect()
    }

    /// The number of the line with the first problem, if the caller counts lines.
    pub fn cause_line(&self) -> Option<u64> {
        self.list.first().and_then(|finding| finding.line)
    }

    /// The problems that the guest survived.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The stage of the boot that the kernel has reached.
    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// How the kernel ended the guest, if it announced that.
    pub fn shutdown(&self) -> Option<Shutdown> {
        self.shutdown
    }
}

#[cfg(test)]
mod tests;
