//! "Will it boot?": looks in an image for what stops Linux from starting its init. Nothing is run.
//!
//! | Looked at | File |
//! | --- | --- |
//! | init: there, executable, not empty | `init.rs` |
//! | scripts and their interpreters | `script.rs` |
//! | ELF programs: the architecture, the ELF interpreter | `elf.rs` |
//! | the libraries | `libraries.rs` |
//! | the level of x86-64 that these need | `level.rs` |
//! | the options of the kernel | `options.rs` |
//! | the memory | `memory.rs` |
//! | odd entries: `/dev/console`, empty programs, missing hard links | `odd.rs` |
//!
//! What init opens or starts when it runs is not looked at, such as the programs that a script runs.
//!
//! ```
//! use packer::bootable::{Conditions, Config};
//! use packer::{Entry, Kind, Tree, archive, verify};
//! # let mut tree = Tree::new();
//! # tree.insert("/etc/hostname", Entry::new(Kind::Contents { bytes: b"guest\n".to_vec() }))?;
//! # let image = archive::write(&tree, 0, Vec::new())?;
//!
//! let conditions = Conditions {
//!     config: Config::parse(b"CONFIG_BLK_DEV_INITRD=y\n"),
//!     ..Conditions::default()
//! };
//! let report = verify::verify_boot(&image[..], None, &conditions)?;
//! assert!(report.findings[0].to_string().contains("/init"));
//! # Ok::<(), packer::Error>(())
//! ```

mod collect;
mod config;
mod contents;
mod elf;
mod finding;
mod init;
mod kernel;
mod level;
mod libraries;
mod memory;
mod odd;
mod options;
mod script;
mod target;

use crate::rootfs::Rootfs;
use bstr::BString;
pub(crate) use collect::Collection;
pub use config::Config;
pub(crate) use contents::Contents;
pub use finding::{Finding, Severity};
pub use kernel::{Effort, Kernel};
pub use level::Level;
pub use target::Target;

/// What is known about the boot. What is not known is not checked.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// The path of init, which the kernel's option `rdinit=` changes.
    pub init: BString,
    /// Whether the kernel's command line has `root=`. Then an image without init boots.
    pub has_root: bool,
    /// The architecture of the kernel.
    pub target: Option<&'static Target>,
    /// The kernel's configuration.
    pub config: Option<Config>,
    /// The CPU, if it is an x86-64 one.
    pub level: Option<Level>,
    /// The guest's memory in bytes.
    pub memory: Option<u64>,
    /// If the files have more bytes than this, nothing is found, and the rest of the image is not read.
    pub unpacked_max: u64,
}

impl Default for Conditions {
    /// `/init`, and nothing else is known.
    fn default() -> Self {
        Self {
            init: "/init".into(),
            has_root: false,
            target: None,
            config: None,
            level: None,
            memory: None,
            unpacked_max: u64::MAX,
        }
    }
}

/// A check in progress.
struct Check<'a> {
    files: &'a Rootfs,
    collection: &'a Collection,
    conditions: &'a Conditions,
    findings: Vec<Finding>,
    /// The inodes of the empty files that an error is about.
    empty: Vec<usize>,
}

/// Everything that stops a boot of the image that has been read to `files` and `collection`. The worst comes first.
pub(crate) fn check(
    files: &Rootfs,
    collection: &Collection,
    conditions: &Conditions,
) -> Vec<Finding> {
    let mut check = Check {
        files,
        collection,
        conditions,
        findings: Vec::new(),
        empty: Vec::new(),
    };
    check.init();
    check.options();
    check.memory();
    check.odd();
    let mut findings = check.findings;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

impl Check<'_> {
    fn report(
        &mut self,
        severity: Severity,
        path: impl AsRef<[u8]>,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let finding = Finding {
            severity,
            path: path.as_ref().into(),
            problem: problem.into(),
            advice: advice.into(),
        };
        // Two programs may lack the same library.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}
