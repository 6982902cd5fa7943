//! Whether the image fits into the guest's memory.

use super::Check;
use super::Severity::{Error, Warning};

const MIB: u64 = 1 << 20;

impl Check<'_> {
    pub(super) fn memory(&mut self) {
        let Some(memory) = self.conditions.memory else {
            return;
        };
        let (packed, unpacked) = (self.collection.packed, self.collection.unpacked);
        let mib = |bytes: u64| bytes.div_ceil(MIB);
        let sizes = format!(
            "the image has {} MiB, and its files have {} MiB",
            mib(packed),
            mib(unpacked)
        );
        let more = format!(
            "give the guest more memory with --memory {}, or pack less",
            // Linux and its init need some, too.
            mib(packed + 2 * unpacked) + 16
        );
        if packed + unpacked > memory {
            let problem = format!(
                "{sizes}, and Linux holds both in memory while it unpacks: the guest has only {} MiB",
                memory / MIB
            );
            self.report(Error, "", problem, more);
        } else if unpacked > memory / 2 {
            let problem = format!(
                "{sizes}, more than half of the guest's {} MiB: if the file system for them is tmpfs, it holds only half \
                 of the memory",
                memory / MIB
            );
            self.report(Warning, "", problem, more);
        }
    }
}
