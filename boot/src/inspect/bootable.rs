//! Warns of an image that cannot boot. Linux or init says so, too, but only after the boot, and in fewer words:
//! without a library, for example, init "exited with status 127".

use std::fs::File;
use std::path::Path;

use packer::bootable::{Conditions, Effort, Finding, Kernel, Level, Severity, Target};
use packer::verify;

use crate::machine::vm::{Runner, Vm};

/// A larger image is not examined, in bytes. The guest unpacks it, too, but on a slow guest that takes far longer.
const PACKED_MAX: u64 = 32 << 20;
const UNPACKED_MAX: u64 = 256 << 20;

/// The reasons why `vm` cannot boot, each for a line. An image that packer cannot read has none.
pub fn warnings(vm: &Vm) -> Vec<String> {
    let is_small = |file: &File| {
        let metadata = file.metadata();
        metadata.is_ok_and(|file| file.is_file() && file.len() <= PACKED_MAX)
    };
    let Some(image) = File::open(&vm.initrd).ok().filter(is_small) else {
        return Vec::new();
    };
    let report = verify::verify_boot(image, None, &conditions(vm));
    let findings = report.map(|report| report.findings).unwrap_or_default();
    let errors = findings
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| line(&vm.initrd, &finding)).collect()
}

fn line(initrd: &Path, finding: &Finding) -> String {
    format!("{}: {finding}", initrd.display())
}

fn conditions(vm: &Vm) -> Conditions {
    let kernel = Kernel::read(&vm.kernel, Effort::Quick).unwrap_or_default();
    let command_line = vm.command_line();
    let value = |option: &str| {
        let words = command_line.split_ascii_whitespace();
        words.rev().find_map(|word| word.strip_prefix(option))
    };
    let level = match &vm.runner {
        Runner::Qemu(qemu) => Level::of_qemu(&qemu.cpu),
        Runner::UserMode(_) => None,
    };
    let default = Conditions::default();
    Conditions {
        init: value("rdinit=").map_or(default.init, Into::into),
        has_root: value("root=").is_some(),
        target: kernel.target.or_else(|| Target::named(vm.target.name)),
        config: kernel.config,
        level,
        memory: Some(u64::from(vm.memory) << 20),
        unpacked_max: UNPACKED_MAX,
    }
}
