//! Whether Linux can execute a script: `load_script()` of the kernel's fs/binfmt_script.c.

use super::Check;
use super::Severity::Warning;
use super::init::Refusal;
use super::options::build;
use crate::escape::escape;
use crate::program::SCRIPTS_MAX;
use crate::program::script::{self, HEAD, Shebang};
use crate::rootfs::Found;
use bstr::{BStr, BString, ByteSlice};

/// The directories in which env(1) looks. Linux gives init no PATH, so the C library chooses: glibc the first two, musl
/// all.
const SEARCH_PATH: [&str; 3] = ["/bin", "/usr/bin", "/usr/local/bin"];

impl Check<'_> {
    pub(super) fn script(
        &mut self,
        found: &Found,
        head: &[u8],
        depth: usize,
    ) -> Result<(), Refusal> {
        let refuse = |problem: String, advice: &str| Err((problem, advice.to_owned()));
        if self.lacks("BINFMT_SCRIPT") {
            return refuse(
                "is a script, and the kernel has no CONFIG_BINFMT_SCRIPT".into(),
                &build("BINFMT_SCRIPT", true),
            );
        }
        if depth == SCRIPTS_MAX {
            return refuse(
                "is the sixth script in a chain of interpreters; Linux follows at most five".into(),
                "name a program in the `#!` of one of them",
            );
        }
        let Some(shebang) = script::parse(head) else {
            return Ok(());
        };
        let interpreter: &BStr = shebang.interpreter;
        let shown = escape(interpreter).to_string();
        if interpreter.is_empty() {
            return refuse(
                "is a script whose first line names no interpreter".into(),
                "begin it with `#!/bin/sh`",
            );
        }
        let is_cut = head.len() == HEAD && !head.contains(&b'\n') && shebang.argument.is_none();
        if is_cut {
            return refuse(
                format!(
                    "is a script whose first line is longer than {HEAD} bytes, and Linux reads no more of it"
                ),
                "name an interpreter with a shorter path",
            );
        }
        const UNIX: &str =
            "convert the file to Unix line ends, for example with `sed -i 's/\\r$//'`";
        if interpreter.ends_with(b"\r") {
            return refuse(
                format!(
                    "is a script whose first line ends in a carriage return, so Linux looks for the interpreter {shown}"
                ),
                UNIX,
            );
        }
        if shebang
            .argument
            .is_some_and(|argument| argument.ends_with(b"\r"))
        {
            let problem = "is a script whose first line ends in a carriage return, which Linux passes to the interpreter \
                           as a part of the argument";
            self.report(Warning, &found.real, problem, UNIX);
        }
        let path = interpreter.to_owned();
        let needs = |problem: String| format!("is a script for {shown}, which {problem}");
        match self.files.lookup(&path) {
            Ok(interpreter) => self
                .program(path.as_bstr(), interpreter, depth + 1)
                .map_err(|(problem, advice)| (needs(problem), advice))?,
            Err(lost) => {
                let problem = needs(lost.to_string());
                return refuse(problem, "pack the interpreter with --program");
            }
        }
        self.run_by_env(found, &shebang, depth)
    }

    /// Checks the program that a script runs through env(1).
    fn run_by_env(
        &mut self,
        script: &Found,
        shebang: &Shebang,
        depth: usize,
    ) -> Result<(), Refusal> {
        let Some(name) = shebang.run_by_env() else {
            return Ok(());
        };
        let paths: Vec<BString> = match name.contains(&b'/') {
            true => vec![name.to_owned()],
            false => SEARCH_PATH
                .map(|directory| [directory.as_bytes(), b"/", name].concat().into())
                .into(),
        };
        for path in paths {
            if let Ok(found) = self.files.lookup(&path) {
                return self.program(path.as_bstr(), found, depth + 1).map_err(
                    |(problem, advice)| {
                        (
                            format!("is a script for {}, which {problem}", escape(&path)),
                            advice,
                        )
                    },
                );
            }
        }
        let problem = format!(
            "is a script for {}, which is not in {}, where env looks, because Linux gives init no PATH",
            escape(name),
            SEARCH_PATH.join(", ")
        );
        let advice = "name the interpreter itself in the first line";
        self.report(Warning, &script.real, problem, advice);
        Ok(())
    }
}
