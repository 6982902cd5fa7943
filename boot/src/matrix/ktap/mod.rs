//! Test results in the output of a program or a kernel.
//!
//! The input is any bytes. The output is a list of test cases, if the bytes contain KTAP, version 1
//! (Documentation/dev-tools/ktap.rst in Linux), or TAP, version 13 or 14. A version line starts it. Lines that are no
//! part of it are kept as the log of the test that follows them.
//!
//! Where the specification is silent, this module does as tools/testing/kunit/kunit_parser.py in Linux does, with three
//! exceptions, which find more failures. A group that is `not ok` counts as failed even if its subtests passed. More tests
//! than planned are a failure. After the last planned test, another version line starts new results.

mod line;

use line::{Directive, Line, TestResult, parse as parse_line, without_printk_prefix};

/// Deeper groups are taken for unknown lines, so that no output makes this module use much memory.
const MOST_LEVELS: usize = 32;

/// The last lines that are kept for one test.
const MOST_LOG_LINES: usize = 200;

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, or it is missing.
    Failed,
    /// It was skipped, or it failed as expected.
    Skipped,
}

/// A test without subtests, or a group that failed although its subtests passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The names of its groups and its own, with dots.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, if the output says so.
    pub message: String,
    /// The lines before its result.
    pub log: Vec<String>,
}

/// The results in an output.
#[derive(Debug, Default, PartialEq)]
pub struct Results {
    /// All test cases, in their order.
    pub cases: Vec<Case>,
    /// The reason, if everything was skipped (`1..0 # SKIP REASON`).
    pub skipped: Option<String>,
}

impl Results {
    /// How many test cases ended like this.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.cases
            .iter()
            .filter(|case| case.outcome == outcome)
            .count()
    }
}

/// The results in `output`; nothing if it has no version line.
pub fn parse(output: &[u8]) -> Option<Results> {
    let mut parser = Parser::default();
    for line in output.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        parser.take(without_printk_prefix(line.trim_end()));
    }
    parser.end_document();
    parser.found.then_some(parser.results)
}

#[derive(Debug)]
struct Test {
    name: String,
    outcome: Outcome,
    message: String,
    log: Vec<String>,
    subtests: Vec<Test>,
}

/// A group of tests whose own result has not come.
#[derive(Debug)]
struct Group {
    name: Option<String>,
    indent: usize,
    /// Whether a `# Subtest` line started it. TAP 14 does not indent that line.
    by_header: bool,
    plan: Option<usize>,
    skip: Option<String>,
    tests: Vec<Test>,
    log: Vec<String>,
}

#[derive(Default)]
struct Parser {
    results: Results,
    found: bool,
    is_ktap: bool,
    /// The groups that are open; the first one is the document.
    open: Vec<Group>,
    /// The lines since the last result.
    log: Vec<String>,
    /// Whether a block of YAML is open, which describes the test before it.
    in_yaml: bool,
}

impl Parser {
    fn take(&mut self, line: &str) {
        let (indent, said) = parse_line(line);
        if !matches!(said, Line::Version { .. }) && self.open.is_empty() {
            return;
        }
        match said {
            Line::Version { is_ktap } => self.version(indent, is_ktap),
            Line::Subtest(name) => self.header(indent, name),
            Line::Plan { count, skip } => self.plan(indent, count, skip),
            Line::Result(result) if result.has_number || !self.is_ktap => {
                self.result(indent, &result);
            }
            Line::BailOut(reason) => self.bail_out(reason),
            Line::Result(_) | Line::Other => self.other(line),
        }
    }

    fn version(&mut self, indent: usize, is_ktap: bool) {
        self.leave_deeper(indent);
        let is_over = |root: &Group| {
            indent <= root.indent
                && (root.is_complete() || (root.plan.is_none() && !root.tests.is_empty()))
        };
        if self.open.len() == 1 && self.open.first().is_some_and(is_over) {
            self.end_document();
        }
        if self.open.is_empty() {
            self.found = true;
            self.is_ktap = is_ktap;
        }
        self.enter(indent, None);
    }

    fn header(&mut self, indent: usize, name: &str) {
        self.leave_deeper(indent);
        let is_inner = self.open.len() > 1;
        match self.open.last_mut() {
            // It names the group of the version line before it.
            Some(top) if is_inner && top.name.is_none() && top.is_empty() => {
                top.name = Some(name.to_owned());
            }
            _ => self.enter(indent, Some(name)),
        }
    }

    /// Opens a group.
    fn enter(&mut self, indent: usize, name: Option<&str>) {
        if let [.., parent, top] = &mut self.open[..] {
            if top.by_header && top.is_empty() && name.is_none() {
                // The version line of a group that its header has opened.
                top.indent = indent;
                return;
            }
            // The next group of the same level. If nothing is indented, it may be a deeper one.
            if top.indent == indent && top.indent > parent.indent {
                self.leave("it has no result line");
            }
        }
        if self.open.len() == MOST_LEVELS {
            return;
        }
        self.open.push(Group {
            name: name.map(str::to_owned),
            indent,
            by_header: name.is_some(),
            plan: None,
            skip: None,
            tests: Vec::new(),
            log: std::mem::take(&mut self.log),
        });
    }

    fn plan(&mut self, indent: usize, count: usize, skip: Option<&str>) {
        self.follow_header(indent);
        self.leave_deeper(indent);
        if let Some(top) = self.open.last_mut().filter(|top| top.plan.is_none()) {
            top.plan = Some(count);
            top.skip = skip.map(str::to_owned);
        }
    }

    fn result(&mut self, indent: usize, result: &TestResult) {
        self.follow_header(indent);
        let mut subtests = Vec::new();
        let mut log = std::mem::take(&mut self.log);
        // Groups inside the one that this result is about have no result of their own.
        while self.open.len() > 2 && self.open[self.open.len() - 2].indent > indent {
            self.leave("it has no result line");
        }
        if let [.., parent, top] = &self.open[..] {
            let is_named = top.name.as_deref() == Some(result.name);
            let is_unindented = top.indent <= parent.indent;
            if indent < top.indent && !(is_named || top.name.is_none()) {
                self.leave("it has no result line");
            } else if indent < top.indent || (is_unindented && (is_named || top.is_complete())) {
                let group = self.open.pop().map(Group::closed);
                if let Some(mut group) = group {
                    group.log.append(&mut log);
                    (subtests, log) = (group.tests, group.log);
                }
            }
        }
        let number = self.open.last().map_or(0, |top| top.tests.len()) + 1;
        let name = match result.name {
            "" => format!("test {number}"),
            name => name.to_owned(),
        };
        let directive = result.directive.map(Directive::name).unwrap_or_default();
        self.add(Test {
            name,
            outcome: outcome(result),
            message: format!("{directive} {}", result.data).trim().to_owned(),
            log,
            subtests,
        });
    }

    fn bail_out(&mut self, reason: &str) {
        let log = std::mem::take(&mut self.log);
        let failed = Test {
            log,
            ..Test::failed("Bail out!".into(), reason)
        };
        self.add(failed);
        self.open.iter_mut().for_each(|group| group.plan = None);
        self.end_document();
    }

    fn other(&mut self, line: &str) {
        let text = line.trim();
        let top = self.open.last_mut();
        match top.and_then(|top| top.tests.last_mut()) {
            Some(test) if self.in_yaml || (text == "---" && self.log.is_empty()) => {
                self.in_yaml = text != "...";
                keep(&mut test.log, line);
            }
            _ if !text.is_empty() => keep(&mut self.log, line),
            _ => {}
        }
    }

    /// The first line of a group shows its indentation, if only a header has opened it.
    fn follow_header(&mut self, indent: usize) {
        if let Some(top) = self.open.last_mut() {
            if top.by_header && top.is_empty() && top.indent < indent {
                top.indent = indent;
            }
        }
    }

    /// Closes the groups that are indented more than a line with this indentation. Their results are missing.
    fn leave_deeper(&mut self, indent: usize) {
        while self.open.len() > 1 && self.open.last().is_some_and(|top| top.indent > indent) {
            self.leave("it has no result line");
        }
    }

    /// Closes the innermost group, which is not the document.
    fn leave(&mut self, why: &str) {
        if let Some(group) = self.open.pop().map(Group::closed) {
            let name = group
                .name
                .unwrap_or_else(|| "a group without a name".into());
            self.add(Test {
                subtests: group.tests,
                log: group.log,
                ..Test::failed(name, why)
            });
        }
    }

    fn add(&mut self, test: Test) {
        self.in_yaml = false;
        if let Some(top) = self.open.last_mut() {
            top.tests.push(test);
        }
    }

    /// Closes everything.
    fn end_document(&mut self) {
        while self.open.len() > 1 {
            self.leave("the output ended before its result line");
        }
        let Some(root) = self.open.pop() else { return };
        let is_skipped = root.skip.is_some() || !self.is_ktap;
        if root.plan == Some(0) && root.tests.is_empty() && is_skipped {
            self.results.skipped = Some(root.skip.unwrap_or_default());
            return;
        }
        let mut root = root.closed();
        if root.tests.is_empty() {
            root.tests.push(Test {
                log: std::mem::take(&mut self.log),
                ..Test::failed("plan".into(), "no test ran")
            });
        }
        for test in root.tests {
            test.flatten("", &mut self.results.cases);
        }
        self.log.clear();
    }
}

impl Group {
    fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.plan.is_none()
    }

    fn is_complete(&self) -> bool {
        self.plan.is_some_and(|plan| self.tests.len() >= plan)
    }

    /// The group with a failure for what its plan and its tests do not have in common.
    fn closed(mut self) -> Self {
        let ran = self.tests.len();
        match self.plan {
            Some(plan) if plan > ran => {
                let name = match plan - ran {
                    1 => format!("test {plan}"),
                    _ => format!("tests {} to {plan}", ran + 1),
                };
                let why = format!("{plan} tests were planned, and {ran} ran");
                self.tests.push(Test::failed(name, &why));
            }
            Some(plan) if plan < ran => {
                let why = format!("{plan} tests were planned, and {ran} ran");
                self.tests.push(Test::failed("plan".into(), &why));
            }
            _ => {}
        }
        self
    }
}

impl Test {
    fn failed(name: String, why: &str) -> Self {
        Test {
            name,
            outcome: Outcome::Failed,
            message: why.to_owned(),
            log: Vec::new(),
            subtests: Vec::new(),
        }
    }

    /// Adds the test's cases to `cases`. The levels of groups have a limit, and so has this recursion.
    fn flatten(self, group: &str, cases: &mut Vec<Case>) {
        let name = match group {
            "" => self.name,
            group => format!("{group}.{}", self.name),
        };
        let first = cases.len();
        let has_subtests = !self.subtests.is_empty();
        for test in self.subtests {
            test.flatten(&name, cases);
        }
        let is_explained = cases[first..]
            .iter()
            .any(|case| case.outcome == Outcome::Failed);
        if !has_subtests || (self.outcome == Outcome::Failed && !is_explained) {
            cases.push(Case {
                name,
                outcome: self.outcome,
                message: self.message,
                log: self.log,
            });
        }
    }
}

fn outcome(result: &TestResult) -> Outcome {
    match (result.is_ok, result.directive) {
        (_, Some(Directive::Skip))
        | (false, Some(Directive::Todo | Directive::ExpectedFailure)) => Outcome::Skipped,
        (true, _) => Outcome::Passed,
        (false, _) => Outcome::Failed,
    }
}

/// Adds a line to a log. Old lines make room for it.
fn keep(log: &mut Vec<String>, line: &str) {
    if log.len() == MOST_LOG_LINES {
        log.remove(0);
    }
    log.push(line.to_owned());
}

#[cfg(test)]
mod tests;
