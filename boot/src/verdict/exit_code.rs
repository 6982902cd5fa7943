//! The exit codes of `boot`, as `git bisect run` wants them: 0 is good, 125 cannot be tested, other
//! codes below 128 are bad, and from 128 on it gives up.

use std::error::Error;
use std::fmt;

/// An exit code.
pub type ExitCode = u8;

/// The expected text was seen, or the user ended the session.
pub const SUCCESS: ExitCode = 0;
/// The guest failed.
pub const GUEST_FAILED: ExitCode = 1;
/// The command line makes no sense.
pub const USAGE: ExitCode = 2;
/// As `timeout(1)` has it.
pub const TIME_RAN_OUT: ExitCode = 124;
/// What is wrong says nothing about the guest.
pub const CANNOT_TEST: ExitCode = 125;

/// As a shell has it.
pub fn of_signal(signal: i32) -> ExitCode {
    ExitCode::try_from(128 + signal).unwrap_or(ExitCode::MAX)
}

/// What is wrong with the command line, with the cure.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

/// What `error` says about the guest: nothing.
pub fn of_error(error: &anyhow::Error) -> ExitCode {
    if error.is::<Usage>() {
        USAGE
    } else {
        CANNOT_TEST
    }
}

/// All of them, for `--help`.
pub const HELP: &str = "\
Exit codes:
    0  the expected text was seen, or the user ended the session
    1  the guest failed: its kernel said why, or it was gone before the text
    2  the command line makes no sense
  124  time ran out (--timeout, --stall), and the guest's kernel did not say why
  125  it could not be tried: QEMU or an image is missing or unusable, or QEMU failed
128+n  ended by signal n; 130 also if Ctrl-C came before the expected text";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_them_all() {
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
