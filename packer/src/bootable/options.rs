//! The options that a kernel needs for an image. A missing option for a program is in `init.rs`.

use super::Check;
use super::Severity::{self, Error, Note, Warning};
use super::config::Config;
use crate::early::Early;

/// An option that every kernel with an initramfs needs, or the opposite of one.
struct Row {
    option: &'static str,
    /// Whether it must be `y`, or must not be.
    wanted: bool,
    severity: Severity,
    /// What happens otherwise.
    problem: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        option: "BLK_DEV_INITRD",
        wanted: true,
        severity: Error,
        problem: "so it ignores the image",
    },
    Row {
        option: "INITRAMFS_FORCE",
        wanted: false,
        severity: Error,
        problem: "so it ignores the image, and takes the one that is built into it",
    },
    Row {
        option: "PRINTK",
        wanted: true,
        severity: Note,
        problem: "so it prints nothing, not even why it fails",
    },
    Row {
        option: "DEVTMPFS",
        wanted: true,
        severity: Note,
        problem: "so init cannot mount devtmpfs, and /dev has only the devices of the image",
    },
];

/// What the kernel needs for the files that the early loader reads.
const EARLY: &[(Early, &str, Severity, &str)] = &[
    (
        Early::Microcode,
        "MICROCODE",
        Note,
        "so it ignores the microcode in the image",
    ),
    (
        Early::AcpiTable,
        "ACPI_TABLE_UPGRADE",
        Warning,
        "so it ignores the ACPI tables in the image, and takes those of the firmware",
    ),
];

impl Check<'_> {
    pub(super) fn options(&mut self) {
        let Some(config) = &self.conditions.config else {
            return;
        };
        for row in ROWS {
            if config.is_built_in(row.option) != row.wanted {
                let state = state(config, row.option);
                let problem = format!("the kernel {state}, {}", row.problem);
                self.report(row.severity, "", problem, build(row.option, row.wanted));
            }
        }
        for (offset, format) in &self.collection.members {
            let option = format.kernel_option();
            if !config.is_built_in(option) {
                let state = state(config, option);
                let problem = format!(
                    "the kernel {state}, so it cannot unpack the {format} data at byte {offset} of the image"
                );
                let advice = format!(
                    "{}, or compress the image in another format",
                    build(option, true)
                );
                self.report(Error, "", problem, advice);
            }
        }
        for &(early, option, severity, problem) in EARLY {
            if self.collection.early.contains(&early) && !config.is_built_in(option) {
                let problem = format!("the kernel {}, {problem}", state(config, option));
                self.report(severity, "", problem, build(option, true));
            }
        }
        let console = self.conditions.target.and_then(|target| target.console);
        if let Some((device, option)) = console {
            if !config.is_built_in(option) {
                let state = state(config, option);
                let problem =
                    format!("the kernel {state}, so the serial console {device} stays silent");
                let advice = format!("{}, or look at another console", build(option, true));
                self.report(Warning, "", problem, advice);
            }
        }
    }

    /// Whether the kernel lacks an option. False if its configuration is unknown.
    pub(super) fn lacks(&self, option: &str) -> bool {
        let config = self.conditions.config.as_ref();
        config.is_some_and(|config| !config.is_built_in(option))
    }
}

/// What the configuration says about an option, in words that follow "the kernel".
fn state(config: &Config, option: &str) -> String {
    match config.value(option) {
        None => format!("has no CONFIG_{option}"),
        Some("m") => format!("has CONFIG_{option} as a module only"),
        Some(value) => format!("has CONFIG_{option}={value}"),
    }
}

pub(super) fn build(option: &str, wanted: bool) -> String {
    let value = if wanted { "y" } else { "n" };
    format!("build the kernel with CONFIG_{option}={value}")
}
