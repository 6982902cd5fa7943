//! The test of KVM, for a process of its own. Nothing here has a time limit.

use std::ffi::CStr;
use std::io::{self, Write};

use kvm_bindings::{KVM_MAX_CPUID_ENTRIES, kvm_segment, kvm_userspace_memory_region};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};
use rustix::io::Errno;

use super::guest::{self, Page};
use super::outcome::{Crash, Outcome, Part, VERSION};
use super::probe::RUNNING;

type Result<T> = std::result::Result<T, Outcome>;
type Error = kvm_ioctls::Error;

/// Tests `device` with a guest that has this `memory`. Writes two lines to stdout: [`RUNNING`] before the
/// guest runs, and the [`Outcome`] as JSON after it.
///
/// This may never return. Call it in a process that can be killed.
pub fn tell(device: &CStr, memory: Box<[Page]>) -> io::Result<()> {
    let mut stdout = io::stdout();
    let outcome = match prepare(device, memory) {
        Ok((_machine, cpu)) => {
            writeln!(stdout, "{RUNNING}")?;
            run(cpu)
        }
        Err(outcome) => outcome,
    };
    writeln!(stdout, "{}", serde_json::to_string(&outcome)?)
}

/// A virtual machine with that memory, and its CPU.
fn prepare(device: &CStr, memory: Box<[Page]>) -> Result<(VmFd, VcpuFd)> {
    let not_made = |part| move |error: Error| Outcome::NotMade(part, error.errno());
    let kvm = Kvm::new_with_path(device).map_err(|error| Outcome::NotOpened(error.errno()))?;
    match kvm.get_api_version() {
        VERSION => {}
        -1 => return Err(Outcome::NotKvm(Error::last().errno())),
        other => return Err(Outcome::OtherVersion(other)),
    }
    let machine = kvm.create_vm().map_err(not_made(Part::Machine))?;
    // Intel's CPUs need three pages of the guest's address space. This is QEMU's address for them.
    machine
        .set_tss_address(0xfeff_d000)
        .map_err(not_made(Part::Machine))?;
    give_memory(&machine, memory).map_err(not_made(Part::Memory))?;
    let cpu = machine.create_vcpu(0).map_err(not_made(Part::Cpu))?;
    set_up(&kvm, &cpu).map_err(not_made(Part::Cpu))?;
    Ok((machine, cpu))
}

#[allow(unsafe_code)]
fn give_memory(machine: &VmFd, memory: Box<[Page]>) -> std::result::Result<(), Error> {
    // Never freed, and without a reference while the guest writes to it.
    let memory = Box::into_raw(memory);
    let region = kvm_userspace_memory_region {
        slot: 0,
        flags: 0,
        guest_phys_addr: 0,
        memory_size: (memory.len() * size_of::<Page>()) as u64,
        userspace_addr: memory as *mut Page as u64,
    };
    // SAFETY: the region is the allocation, whole pages of it, which lives as long as the process
    // and which nothing else refers to. It is the machine's only one.
    unsafe { machine.set_user_memory_region(region) }
}

/// Sets the CPU to the guest's entry in PVH's initial state: 32-bit protected mode, flat, no paging.
fn set_up(kvm: &Kvm, cpu: &VcpuFd) -> std::result::Result<(), Error> {
    cpu.set_cpuid2(&kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)?)?;

    let code = kvm_segment {
        base: 0,
        limit: u32::MAX,
        selector: guest::CODE_SELECTOR,
        type_: 0xb, // execute, read, accessed
        present: 1,
        s: 1,
        db: 1,
        g: 1,
        ..Default::default()
    };
    let data = kvm_segment {
        selector: guest::DATA_SELECTOR,
        type_: 0x3, // read, write, accessed
        ..code
    };
    let mut system = cpu.get_sregs()?;
    system.cs = code;
    for segment in [
        &mut system.ds,
        &mut system.es,
        &mut system.fs,
        &mut system.gs,
        &mut system.ss,
    ] {
        *segment = data;
    }
    system.cr0 = 0x11; // PE, ET
    cpu.set_sregs(&system)?;

    let mut registers = cpu.get_regs()?;
    registers.rip = guest::ENTRY;
    registers.rsp = guest::STACK;
    registers.rflags = 0x2; // the bit that is always set
    cpu.set_regs(&registers)
}

/// Runs the guest to its end.
fn run(mut cpu: VcpuFd) -> Outcome {
    let mut result = None;
    loop {
        match cpu.run() {
            Ok(exit) => {
                if let Some(outcome) = judge(exit, &mut result) {
                    return outcome;
                }
            }
            // The process was stopped and continued, for example.
            Err(error) if error.errno() == Errno::INTR.raw_os_error() => {}
            Err(error) => return Outcome::NotRun(error.errno()),
        }
    }
}

/// The outcome, if `exit` ends the test. A correct guest writes its result and then halts.
fn judge(exit: VcpuExit, result: &mut Option<u32>) -> Option<Outcome> {
    Some(match (exit, *result) {
        (VcpuExit::IoOut(guest::PORT, &[a, b, c, d]), None) => {
            *result = Some(u32::from_le_bytes([a, b, c, d]));
            return None;
        }
        (VcpuExit::Hlt, Some(guest::RESULT)) => Outcome::Works,
        (VcpuExit::Hlt, Some(other)) => Outcome::Wrong(other),
        (VcpuExit::Hlt, None) => Outcome::NoResult,
        (VcpuExit::Shutdown, _) => Outcome::Crashed(Crash::TripleFault),
        (VcpuExit::InternalError, _) => Outcome::Crashed(Crash::InternalError),
        (VcpuExit::FailEntry(reason, _), _) => Outcome::Crashed(Crash::FailedEntry(reason)),
        (other, _) => Outcome::UnexpectedExit(format!("{other:?}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome for a guest with these exits.
    fn judged<const N: usize>(exits: [VcpuExit; N]) -> Option<Outcome> {
        let mut result = None;
        let mut outcomes = exits.into_iter().map(|exit| judge(exit, &mut result));
        outcomes.find_map(|outcome| outcome)
    }

    #[test]
    fn only_the_result_and_then_a_halt_is_correct() {
        let right = guest::RESULT.to_le_bytes();
        let out = |port| VcpuExit::IoOut(port, &right);
        let unexpected = |words: &str| Some(Outcome::UnexpectedExit(words.to_owned()));
        assert_eq!(
            judged([out(guest::PORT), VcpuExit::Hlt]),
            Some(Outcome::Works)
        );
        assert_eq!(judged([out(guest::PORT)]), None);
        assert_eq!(judged([VcpuExit::Hlt]), Some(Outcome::NoResult));
        assert_eq!(
            judged([VcpuExit::IoOut(guest::PORT, &[1, 0, 0, 0]), VcpuExit::Hlt]),
            Some(Outcome::Wrong(1))
        );
        assert_eq!(
            judged([VcpuExit::IoOut(guest::PORT, &[7])]),
            unexpected("IoOut(244, [7])")
        );
        assert_eq!(
            judged([out(0x80)]),
            unexpected("IoOut(128, [254, 202, 13, 96])")
        );
        assert_eq!(
            judged([out(guest::PORT), out(guest::PORT)]),
            unexpected("IoOut(244, [254, 202, 13, 96])")
        );
        assert_eq!(
            judged([VcpuExit::MmioRead(0x9000, &mut [0; 2])]),
            unexpected("MmioRead(36864, [0, 0])")
        );
    }

    #[test]
    fn a_crash_counts_even_after_the_result() {
        let right = guest::RESULT.to_le_bytes();
        for (exit, crash) in [
            (VcpuExit::Shutdown, Crash::TripleFault),
            (VcpuExit::InternalError, Crash::InternalError),
            (VcpuExit::FailEntry(33, 0), Crash::FailedEntry(33)),
        ] {
            let exits = [VcpuExit::IoOut(guest::PORT, &right), exit];
            assert_eq!(judged(exits), Some(Outcome::Crashed(crash)));
        }
    }
}
