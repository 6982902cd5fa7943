//! Entries that stop no boot alone, but are hardly meant so.

use super::Check;
use super::Severity::{Note, Warning};
use crate::manifest::ManifestKind;
use bstr::ByteSlice;

impl Check<'_> {
    pub(super) fn odd(&mut self) {
        self.console();
        for path in &self.collection.empty_programs {
            let is_empty = self.files.lookup(path).is_ok_and(|found| {
                !self.collection.contents.contains_key(&found.node)
                    && !self.empty.contains(&found.node)
            });
            if is_empty {
                self.report(
                    Note,
                    path,
                    "is executable, but empty",
                    "pack the file again",
                );
            }
        }
        let lone = &self.collection.lone_links;
        if let Some((path, count, claimed)) = lone.first() {
            let others = match lone.len() - 1 {
                0 => String::new(),
                1 => " (1 more file lacks names)".into(),
                more => format!(" ({more} more files lack names)"),
            };
            let problem = format!(
                "claims {claimed} names (hard links), and the archive has only {count} of them{others}"
            );
            let advice = "if something opens another name, pack that name, too";
            self.report(Note, path, problem, advice);
        }
    }

    /// Linux opens /dev/console before it starts init. It makes the device itself, in the initramfs that is built into
    /// it, so an image needs none.
    fn console(&mut self) {
        const CONSOLE: &str = "/dev/console";
        const ADVICE: &str = "leave it out, or pack the device: --node /dev/console=c:5:1";
        match self.files.lookup(CONSOLE.as_bytes()) {
            Ok(found) => {
                let kind = &self.files.entry(found.node).kind;
                if !matches!(kind, ManifestKind::CharDevice { .. }) {
                    let problem = format!(
                        "is a {}, and no device: what init prints goes there",
                        kind.file_type().name()
                    );
                    self.report(Warning, CONSOLE, problem, ADVICE);
                }
                return;
            }
            // It replaces the device that Linux has made.
            Err(lost) if self.files.node(&CONSOLE.into()).is_some() => {
                let problem = format!("{lost}: init has no stdin, stdout and stderr");
                return self.report(Warning, CONSOLE, problem, ADVICE);
            }
            Err(_) => {}
        }
        let source = self.conditions.config.as_ref();
        let source = source.and_then(|config| config.value("INITRAMFS_SOURCE"));
        if let Some(source) = source.filter(|source| !source.is_empty()) {
            let problem = format!(
                "is not in the image, and this kernel has an initramfs of its own ({}) in place of the usual one, which \
                 has this device: without it, init has no stdin, stdout and stderr",
                source.as_bytes().as_bstr()
            );
            let advice =
                "pack it with --node /dev/console=c:5:1, or see that it is in the other initramfs";
            self.report(Warning, CONSOLE, problem, advice);
        }
    }
}
