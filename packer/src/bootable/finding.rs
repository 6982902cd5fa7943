//! What a check has found.

use crate::escape::escape;
use bstr::BString;
use std::fmt;

/// How bad a finding is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something to know, which stops no boot.
    Note,
    /// The boot may fail, or init may not be able to do what it wants.
    Warning,
    /// Linux cannot run this init.
    Error,
}

/// Something that can stop a boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The path of the entry that it is about. Empty if it is about no single entry.
    pub path: BString,
    /// What is wrong, in words that follow the path.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Finding {
    /// The path, the problem and the advice, without the severity.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", escape(&self.path))?;
        }
        write!(f, "{}", self.problem)?;
        match self.advice.is_empty() {
            true => Ok(()),
            false => write!(f, "; {}", self.advice),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}
