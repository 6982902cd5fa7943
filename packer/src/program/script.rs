//! The first line of a script, as the kernel's fs/binfmt_script.c reads it.

use bstr::{BStr, ByteSlice};

/// How many bytes of a file the kernel looks at: `BINPRM_BUF_SIZE`.
pub(crate) const HEAD: usize = 256;

/// The interpreter of a script, and the one argument that it gets before the path of the script.
#[derive(Debug, PartialEq)]
pub(crate) struct Shebang<'a> {
    pub interpreter: &'a BStr,
    pub argument: Option<&'a BStr>,
}

/// Reads the first line of a file. `None` if the file does not begin with `#!`.
pub(crate) fn parse(head: &[u8]) -> Option<Shebang<'_>> {
    let line = head.strip_prefix(b"#!")?.split_str("\n").next()?;
    let line = line.trim_with(is_blank);
    let (interpreter, argument) = match line.find_byteset(b" \t\0") {
        Some(end) => (&line[..end], line[end..].trim_with(is_blank)),
        None => (line, &line[line.len()..]),
    };
    Some(Shebang {
        interpreter: interpreter.as_bstr(),
        argument: (!argument.is_empty()).then_some(argument.as_bstr()),
    })
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\0')
}

impl Shebang<'_> {
    /// The program that the interpreter runs, if the interpreter is env(1).
    pub fn run_by_env(&self) -> Option<&BStr> {
        if super::root::file_name(self.interpreter) != b"env" {
            return None;
        }
        let argument = self.argument?;
        // The kernel passes the rest of the line as one argument, and only -S splits it.
        if !argument.starts_with(b"-") {
            return Some(argument);
        }
        let mut words = argument.fields_with(is_blank);
        while let Some(word) = words.next() {
            match word {
                b"-u" | b"--unset" | b"-C" | b"--chdir" => drop(words.next()),
                _ => {
                    // The program may follow -S without a blank.
                    let name = [&b"-S"[..], b"-vS", b"-iS", b"--split-string="]
                        .iter()
                        .find_map(|option| word.strip_prefix(*option))
                        .unwrap_or(word);
                    if !name.is_empty() && !name.starts_with(b"-") && !name.contains(&b'=') {
                        return Some(name.as_bstr());
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_kernel_reads_it() {
        for (head, interpreter, argument) in [
            ("#!/bin/sh\nexit", "/bin/sh", None),
            ("#!/bin/sh", "/bin/sh", None),
            ("#! \t/bin/sh -e\t \n", "/bin/sh", Some("-e")),
            ("#!/bin/awk -f  x\n", "/bin/awk", Some("-f  x")),
            ("#!\n/bin/sh", "", None),
        ] {
            let expected = Shebang {
                interpreter: interpreter.into(),
                argument: argument.map(Into::into),
            };
            assert_eq!(parse(head.as_bytes()), Some(expected), "{head}");
        }
        for head in ["", "#", " #!/bin/sh", "\x7fELF"] {
            assert_eq!(parse(head.as_bytes()), None);
        }
    }

    #[test]
    fn programs_that_env_runs() {
        for (line, program) in [
            ("#!/usr/bin/env sh", Some("sh")),
            ("#!/bin/env -S sh -e", Some("sh")),
            ("#!/usr/bin/env -SA=1 -u B sh -e", Some("sh")),
            ("#!/usr/bin/env --split-string=awk -f", Some("awk")),
            ("#!/usr/bin/env", None),
            ("#!/usr/bin/env -i", None),
            ("#!/bin/sh -e", None),
        ] {
            let line = parse(line.as_bytes()).unwrap();
            assert_eq!(line.run_by_env(), program.map(Into::into), "{line:?}");
        }
    }
}
