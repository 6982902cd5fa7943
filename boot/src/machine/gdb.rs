//! How a debugger gets to the guest.
//!
//! Through a socket in the file system and not through a TCP port: nobody else on the host can
//! connect to it, and no two boots get in each other's way. gdb takes its path since 8.3.

use std::env;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Result, bail};

use crate::machine::command::quoted;
use crate::machine::target::Target;

/// What fits into `sun_path`, with the NUL after it (unix(7)).
const LONGEST: usize = 107;

/// Where the socket is to be: where the user wants it, or where no other boot has one.
pub fn socket(wanted: Option<PathBuf>) -> Result<PathBuf> {
    let path = wanted.unwrap_or_else(|| {
        // The user's own directory, where there is one.
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let directory = runtime.filter(|path| path.is_dir());
        let name = format!("boot-{}.gdb", process::id());
        directory.unwrap_or_else(env::temp_dir).join(name)
    });
    let length = path.as_os_str().len();
    if length > LONGEST {
        bail!(
            "{}: cannot make gdb's socket: its path has {length} bytes, and at most {LONGEST} are \
             possible (name another with --gdb=FILE)",
            path.display()
        );
    }
    Ok(path)
}

/// What to type so that gdb stops at the kernel's first C function, `symbols` being its unstripped
/// vmlinux.
pub fn command(target: &Target, socket: &Path, symbols: Option<&Path>) -> String {
    let connect = format!("target remote {}", socket.display());
    let mut words = vec!["gdb".to_owned()];
    match symbols {
        Some(_) => words.extend(["-ex", &connect, "-ex", "hbreak start_kernel"].map(Into::into)),
        // Without a file it would take the guest for one of 32 bits, or for one like the host.
        None => {
            let architecture = format!("set architecture {}", target.gdb);
            words.extend(["-ex", &architecture, "-ex", &connect].map(Into::into))
        }
    }
    words.extend(["-ex", "continue"].map(Into::into));
    words.extend(symbols.map(|path| path.display().to_string()));
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::target::TARGETS;

    #[test]
    fn the_command_is_safe_to_paste() {
        let target = &TARGETS[0];
        let socket = Path::new("/run/boot-1.gdb");
        assert_eq!(
            command(target, socket, Some(Path::new("a vmlinux"))),
            "gdb -ex 'target remote /run/boot-1.gdb' -ex 'hbreak start_kernel' -ex continue 'a vmlinux'"
        );
        assert!(command(target, socket, None).contains("'set architecture i386:x86-64'"));
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_refused() {
        assert_eq!(socket(Some("x".into())).unwrap(), Path::new("x"));
        let error = socket(Some("y".repeat(108).into()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("its path has 108 bytes"), "{error}");
        let own = socket(None).unwrap();
        let name = own.file_name().unwrap().to_str().unwrap();
        assert_eq!(name, format!("boot-{}.gdb", process::id()));
    }
}
