//! The connection of a debugger to the guest.
//!
//! It is a socket in the file system and not a TCP port, so other users of the host cannot connect to it,
//! and two boots do not share a port. gdb accepts the path of a socket since version 8.3.

use std::env;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Result, bail};

use crate::machine::target::QemuTarget;
use crate::machine::user_mode::UserMode;
use crate::machine::vm::{Vm, quoted, shell_words};

/// The longest path in `sun_path`, without its NUL (unix(7)).
const LONGEST: usize = 107;

/// The socket's path: the user's, or one that no other boot uses.
pub fn socket(wanted: Option<PathBuf>) -> Result<PathBuf> {
    let path = wanted.unwrap_or_else(|| {
        // Prefer the directory that only the user can access.
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let directory = runtime.filter(|path| path.is_dir());
        let name = format!("boot-{}.gdb", process::id());
        directory.unwrap_or_else(env::temp_dir).join(name)
    });
    let length = path.as_os_str().len();
    if length > LONGEST {
        bail!(
            "{}: cannot create gdb's socket: its path has {length} bytes, and at most {LONGEST} are \
             possible (name another file with --gdb=FILE)",
            path.display()
        );
    }
    Ok(path)
}

/// The gdb command that stops the guest at the kernel's first C function. `symbols` is its unstripped
/// vmlinux.
pub fn command(target: &QemuTarget, socket: &Path, symbols: Option<&Path>) -> String {
    let connect = format!("target remote {}", socket.display());
    let mut words = vec!["gdb".to_owned()];
    match symbols {
        Some(_) => words.extend(["-ex", &connect, "-ex", "hbreak start_kernel"].map(Into::into)),
        // Without a file, gdb would assume a 32-bit guest or the host's architecture.
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

/// The gdb command that runs user-mode Linux and stops it at its first C function. `symbols` is the same kernel,
/// unstripped.
pub fn user_mode_command(vm: &Vm, host: &UserMode, symbols: Option<&Path>) -> String {
    // The kernel uses these signals itself: SIGSEGV for its programs' page faults.
    const HANDLE: &str = "handle SIGSEGV SIGALRM SIGUSR1 SIGUSR2 nostop noprint pass";
    let gdb = [
        "gdb",
        "-ex",
        HANDLE,
        "-ex",
        "break start_kernel",
        "-ex",
        "run",
        "--args",
    ];
    let mut words = host.environment_words();
    words.extend(gdb.map(Into::into));
    words.push(symbols.unwrap_or(vm.program()).into());
    words.extend(vm.arguments());
    shell_words(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::target::TARGETS;

    #[test]
    fn the_command_is_safe_to_paste() {
        let target = TARGETS[0].qemu().unwrap();
        let socket = Path::new("/run/boot-1.gdb");
        assert_eq!(
            command(target, socket, Some(Path::new("a vmlinux"))),
            "gdb -ex 'target remote /run/boot-1.gdb' -ex 'hbreak start_kernel' -ex continue 'a vmlinux'"
        );
        assert!(command(target, socket, None).contains("'set architecture i386:x86-64'"));
    }

    #[test]
    fn a_path_that_is_too_long_for_a_socket_is_refused() {
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
