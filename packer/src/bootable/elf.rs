//! Whether Linux can execute an ELF program: `load_elf_binary()` of the kernel's fs/binfmt_elf.c.

use super::Check;
use super::Severity::Note;
use super::contents::Contents;
use super::init::Refusal;
use super::libraries::Program;
use super::options::build;
use super::target::Support;
use crate::escape::escape;
use crate::manifest::ManifestKind;
use crate::program::elf::Elf;
use crate::rootfs::Found;
use std::rc::Rc;

impl Check<'_> {
    pub(super) fn elf(&mut self, found: &Found, elf: &Rc<Elf>) -> Result<(), Refusal> {
        let refuse = |problem: String, advice: &str| Err((problem, advice.to_owned()));
        if self.lacks("BINFMT_ELF") && self.lacks("COMPAT_BINFMT_ELF") {
            return refuse(
                "is an ELF program, and the kernel has no CONFIG_BINFMT_ELF".into(),
                &build("BINFMT_ELF", true),
            );
        }
        if !elf.is_executable {
            return refuse(
                "is an ELF file, but not a program: it may be an object file, a kernel module or a core dump".into(),
                "link it",
            );
        }
        let architecture = elf.architecture;
        if let Some(target) = self.conditions.target {
            match target.runs(architecture) {
                Support::Always => {}
                Support::With(option) if self.lacks(option) => {
                    return refuse(
                        format!("is for {architecture}, and the kernel has no CONFIG_{option}"),
                        &format!(
                            "{}, or build the program for {}",
                            build(option, true),
                            target.name
                        ),
                    );
                }
                Support::With(option) => {
                    if self.conditions.config.is_none() {
                        let problem =
                            format!("is for {architecture}: the kernel needs CONFIG_{option}");
                        self.report(Note, &found.real, problem, "");
                    }
                }
                Support::Never => {
                    return refuse(
                        format!("is for {architecture}, and the kernel for {}", target.name),
                        "build it for that, or take another kernel",
                    );
                }
            }
        }
        let Some(path) = &elf.interpreter else {
            return match &elf.needed[..] {
                [] => {
                    self.needed_levels(&[(found.real.clone(), Rc::clone(elf))]);
                    Ok(())
                }
                [library, ..] => refuse(
                    format!(
                        "needs the library {}, but names no ELF interpreter to load it; this may be a library, and not a \
                         program",
                        escape(library)
                    ),
                    "link it as a program",
                ),
            };
        };
        let shown = escape(path).to_string();
        const INSTALL: &str = "pack the program with --program, which adds the interpreter and the libraries, or link it statically";
        let interpreter = match self.files.lookup(path) {
            Ok(interpreter) => interpreter,
            Err(lost) => {
                let problem = format!("needs the ELF interpreter {shown}, which {lost}");
                return refuse(problem, INSTALL);
            }
        };
        let entry = self.files.entry(interpreter.node);
        let contents = self.collection.contents.get(&interpreter.node);
        let fault = match contents.and_then(Contents::elf) {
            _ if !matches!(entry.kind, ManifestKind::File { .. }) => {
                format!("is a {}", entry.kind.file_type().name())
            }
            _ if entry.mode & 0o111 == 0 => {
                format!("is not executable: its mode is {:04o}", entry.mode)
            }
            None if contents.is_none() => {
                self.empty.push(interpreter.node);
                "is empty".into()
            }
            None => "is not an ELF file".into(),
            Some(loader) if loader.architecture != architecture => {
                format!(
                    "is for {}, but the program is for {architecture}",
                    loader.architecture
                )
            }
            Some(_) => {
                let program = Program {
                    found,
                    elf,
                    interpreter: &interpreter,
                };
                self.libraries(path, &program);
                return Ok(());
            }
        };
        refuse(
            format!("needs the ELF interpreter {shown}, which {fault}"),
            INSTALL,
        )
    }
}
