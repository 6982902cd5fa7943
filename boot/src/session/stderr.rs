//! QEMU's stderr.

use std::collections::VecDeque;

use crate::streams::say;

/// The number of first lines that are kept, and of last lines.
const KEPT: usize = 50;

/// The lines of QEMU's stderr. They are held back until the guest writes something: if it never does, the
/// verdict quotes them. Later lines are shown at once.
#[derive(Debug)]
pub struct RunnerStderr {
    first: Vec<String>,
    last: VecDeque<String>,
    omitted: usize,
    hidden: bool,
    shown: bool,
}

impl RunnerStderr {
    /// No lines yet. If `hidden`, they are never shown.
    pub fn new(hidden: bool) -> Self {
        Self {
            first: Vec::new(),
            last: VecDeque::new(),
            omitted: 0,
            hidden,
            shown: false,
        }
    }

    /// Takes a line. If there are too many lines to hold back, shows them.
    pub fn add(&mut self, line: String) {
        if self.first.len() + self.last.len() == 2 * KEPT {
            self.show();
        }
        if self.shown {
            say(&format!("qemu: {line}"));
        }
        if self.first.len() < KEPT {
            self.first.push(line);
            return;
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
            self.omitted += 1;
        }
        self.last.push_back(line);
    }

    /// Shows the lines that were held back, and from now on every line at once.
    pub fn show(&mut self) {
        if self.hidden || std::mem::replace(&mut self.shown, true) {
            return;
        }
        for line in self.first.iter().chain(&self.last) {
            say(&format!("qemu: {line}"));
        }
    }

    /// Whether the lines have been shown.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    /// The first and the last lines, with the number of omitted lines between them.
    pub fn lines(&self) -> Vec<String> {
        let omitted = (self.omitted > 0).then(|| format!("... {} more lines ...", self.omitted));
        let first = self.first.iter().cloned().chain(omitted);
        first.chain(self.last.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_lines_are_kept() {
        let mut stderr = RunnerStderr::new(true);
        (0..1000).for_each(|number| stderr.add(number.to_string()));
        let lines = stderr.lines();
        assert_eq!(lines.len(), 2 * KEPT + 1);
        assert_eq!((lines[0].as_str(), lines[100].as_str()), ("0", "999"));
        assert_eq!(lines[KEPT], "... 900 more lines ...");
        assert!(!stderr.is_shown());
    }

    #[test]
    fn a_few_lines_are_all_kept() {
        let mut stderr = RunnerStderr::new(true);
        (0..2 * KEPT).for_each(|number| stderr.add(number.to_string()));
        assert_eq!(stderr.lines().len(), 2 * KEPT);
    }
}
