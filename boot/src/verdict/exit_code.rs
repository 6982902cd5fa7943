//! boot's exit codes, chosen for `git bisect run`: 0 is good, 125 cannot be tested, other codes below
//! 128 are bad, and codes from 128 on end the bisection.

use std::error::Error;
use std::fmt;

/// An exit code.
pub type ExitCode = u8;

/// The expected text was seen, or the user ended the session.
pub const SUCCESS: ExitCode = 0;
/// The guest failed.
pub const GUEST_FAILED: ExitCode = 1;
/// The command line is invalid.
pub const USAGE: ExitCode = 2;
/// Time ran out, as for `timeout(1)`.
pub const TIME_RAN_OUT: ExitCode = 124;
/// boot failed, for a reason that does not concern the guest.
pub const CANNOT_TEST: ExitCode = 125;

/// `boot run`: the program cannot be executed, as in a shell.
pub const NOT_EXECUTABLE: ExitCode = 126;
/// `boot run`: there is no such program, as in a shell.
pub const NOT_FOUND: ExitCode = 127;

/// `boot run` exits with the program's codes, so its own are unusual ones, unless `for_bisect`.
pub fn of_run(code: ExitCode, for_bisect: bool) -> ExitCode {
    match code {
        code if for_bisect => code,
        // The guest must not end before the program does.
        SUCCESS | GUEST_FAILED => 250,
        TIME_RAN_OUT => 251,
        USAGE | CANNOT_TEST => 252,
        code => code,
    }
}

/// The exit code for an end by `signal`, as in a shell.
pub fn of_signal(signal: i32) -> ExitCode {
    ExitCode::try_from(128 + signal).unwrap_or(ExitCode::MAX)
}

/// An error in the command line, with advice.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

/// The exit code for `error`.
pub fn of_error(error: &anyhow::Error) -> ExitCode {
    if error.is::<Usage>() {
        USAGE
    } else {
        CANNOT_TEST
    }
}

/// The exit codes, for `--help`.
pub const HELP: &str = "\
Exit codes:
    0  the expected text was seen; or no text was expected, and the session ended normally
    1  the guest failed: its kernel reported a problem, or the guest ended or reset too early
    2  the command line is invalid
  124  --timeout or --stall expired, and the kernel reported no problem
  125  the boot could not be tried: QEMU or an image is missing or unusable, or QEMU failed
128+n  signal n ended boot; 130 also if Ctrl-C came before the expected text";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_exit_code() {
        for code in [SUCCESS, GUEST_FAILED, USAGE, TIME_RAN_OUT, CANNOT_TEST] {
            assert!(
                HELP.lines()
                    .any(|line| line.starts_with(&format!("{code:>5}  "))),
                "{code}"
            );
        }
        assert_eq!(of_signal(15), 143);
    }
}
