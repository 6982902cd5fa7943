//! One line of KTAP or TAP.

/// What a line says.
#[derive(Debug, PartialEq)]
pub enum Line<'a> {
    /// `KTAP version 1` or `TAP version 14`.
    Version {
        /// Whether it is KTAP's.
        is_ktap: bool,
    },
    /// `# Subtest: NAME`.
    Subtest(&'a str),
    /// `1..N`.
    Plan {
        count: usize,
        /// The reason after `# SKIP`.
        skip: Option<&'a str>,
    },
    /// `ok 1 NAME # DIRECTIVE DATA`.
    Result(TestResult<'a>),
    /// `Bail out! REASON`.
    BailOut(&'a str),
    /// Something else.
    Other,
}

/// A result line.
#[derive(Debug, PartialEq)]
pub struct TestResult<'a> {
    pub is_ok: bool,
    /// KTAP demands a number. Without that rule, an unknown line such as "ok then" would be a result.
    pub has_number: bool,
    pub name: &'a str,
    pub directive: Option<Directive>,
    /// What follows the directive, or the `#`.
    pub data: &'a str,
}

/// A directive that changes what a result means, or explains it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Directive {
    Skip,
    Todo,
    ExpectedFailure,
    Timeout,
    Error,
}

/// By their beginning, because TAP's examples have `# Skipped: reason`, too.
const DIRECTIVES: [(&str, Directive); 5] = [
    ("SKIP", Directive::Skip),
    ("TODO", Directive::Todo),
    ("XFAIL", Directive::ExpectedFailure),
    ("TIMEOUT", Directive::Timeout),
    ("ERROR", Directive::Error),
];

impl Directive {
    /// Its name in KTAP.
    pub fn name(self) -> &'static str {
        let row = DIRECTIVES.iter().find(|(_, directive)| *directive == self);
        row.map_or("", |(name, _)| name)
    }
}

/// A line without what printk puts before it: `<6>`, `[    1.234567] `, `[    1.234567][    T1] `.
pub fn without_printk_prefix(line: &str) -> &str {
    let level = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let mut rest = match level {
        Some((level, rest)) if is_number(level) => rest,
        _ => line,
    };
    let mut has_time = false;
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        let inside = inside.trim_start();
        let is_time = inside
            .split_once('.')
            .is_some_and(|(seconds, fraction)| is_number(seconds) && is_number(fraction));
        // The thread or the processor, with CONFIG_PRINTK_CALLER.
        let is_caller = has_time && inside.strip_prefix(['T', 'C']).is_some_and(is_number);
        if !is_time && !is_caller {
            break;
        }
        has_time = true;
        rest = after;
    }
    if has_time {
        rest.strip_prefix(' ').unwrap_or(rest)
    } else {
        rest
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The indentation of `line`, in characters, and what the line says.
pub fn parse(line: &str) -> (usize, Line<'_>) {
    let text = line.trim();
    (line.len() - line.trim_start().len(), classify(text))
}

fn classify(text: &str) -> Line<'_> {
    for (start, is_ktap) in [("KTAP version ", true), ("TAP version ", false)] {
        if text.strip_prefix(start).is_some_and(is_number) {
            return Line::Version { is_ktap };
        }
    }
    if let Some(name) = text.strip_prefix("# Subtest: ") {
        return Line::Subtest(name.trim());
    }
    if let Some(reason) = text.strip_prefix("Bail out!") {
        return Line::BailOut(reason.trim());
    }
    plan(text)
        .or_else(|| result(text).map(Line::Result))
        .unwrap_or(Line::Other)
}

fn plan(text: &str) -> Option<Line<'_>> {
    let (range, comment) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let count = range.strip_prefix("1..").filter(|count| is_number(count))?;
    let (directive, reason) = directive(comment.trim_start().strip_prefix('#').unwrap_or_default());
    let count = count.parse().ok()?;
    let skip = (directive == Some(Directive::Skip)).then_some(reason);
    Some(Line::Plan { count, skip })
}

fn result(text: &str) -> Option<TestResult<'_>> {
    let (is_ok, rest) = match text.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("ok")?),
    };
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let rest = rest.trim_start();
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let has_number = is_number(first);
    let rest = if has_number { after } else { rest };
    let (name, comment) = split_comment(rest);
    let name = name.trim();
    let name = name.strip_prefix("- ").unwrap_or(name).trim();
    let (directive, data) = directive(comment);
    // kselftest.h writes "ok 3 # SKIP NAME".
    let (name, data) = match (name, directive) {
        ("" | "-", Some(_)) => (data, ""),
        ("-", None) => ("", data),
        _ => (name, data),
    };
    Some(TestResult {
        is_ok,
        has_number,
        name,
        directive,
        data,
    })
}

/// The description, and what follows its `#`. A `#` inside a word belongs to the description.
fn split_comment(text: &str) -> (&str, &str) {
    let place = text
        .match_indices('#')
        .map(|(place, _)| place)
        .find(|place| text[..*place].is_empty() || text[..*place].ends_with(char::is_whitespace));
    place.map_or((text, ""), |place| (&text[..place], &text[place + 1..]))
}

fn directive(comment: &str) -> (Option<Directive>, &str) {
    let comment = comment.trim();
    let (word, rest) = comment
        .split_once(char::is_whitespace)
        .unwrap_or((comment, ""));
    let is = |(name, _): &&(&str, Directive)| {
        let start = word.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    match DIRECTIVES.iter().find(is) {
        Some((_, directive)) => (Some(*directive), rest.trim()),
        None => (None, comment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result_of(
        (is_ok, has_number, name): (bool, bool, &'static str),
        directive: Option<Directive>,
        data: &'static str,
    ) -> Line<'static> {
        Line::Result(TestResult {
            is_ok,
            has_number,
            name,
            directive,
            data,
        })
    }

    #[test]
    fn lines_are_recognised() {
        let plan = |count, skip| Line::Plan { count, skip };
        for (text, line) in [
            ("KTAP version 1", Line::Version { is_ktap: true }),
            ("TAP version 13", Line::Version { is_ktap: false }),
            ("TAP version", Line::Other),
            ("TAP version x", Line::Other),
            ("the TAP version 13", Line::Other),
            ("# Subtest: a suite", Line::Subtest("a suite")),
            ("1..3", plan(3, None)),
            ("1..0 # SKIP no hardware", plan(0, Some("no hardware"))),
            ("1..0 # Skipped: none", plan(0, Some("none"))),
            ("1..2x", Line::Other),
            ("1..99999999999999999999999", Line::Other),
            ("Bail out! no memory", Line::BailOut("no memory")),
            ("ok 1 name", result_of((true, true, "name"), None, "")),
            ("ok 1 - a name", result_of((true, true, "a name"), None, "")),
            ("ok 1", result_of((true, true, ""), None, "")),
            ("ok 1 -", result_of((true, true, ""), None, "")),
            ("ok", result_of((true, false, ""), None, "")),
            ("not ok 2 x", result_of((false, true, "x"), None, "")),
            ("ok - x", result_of((true, false, "x"), None, "")),
            ("okay 1 x", Line::Other),
            ("ok, 1 x", Line::Other),
            ("not  ok 1 x", Line::Other),
            ("ok 1 a#b", result_of((true, true, "a#b"), None, "")),
            (
                "ok 1 x # SKIP reason",
                result_of((true, true, "x"), Some(Directive::Skip), "reason"),
            ),
            (
                "not ok 1 x # skip",
                result_of((false, true, "x"), Some(Directive::Skip), ""),
            ),
            (
                "ok 3 # SKIP the name",
                result_of((true, true, "the name"), Some(Directive::Skip), ""),
            ),
            (
                "not ok 1 x # TIMEOUT 30 seconds",
                result_of((false, true, "x"), Some(Directive::Timeout), "30 seconds"),
            ),
            (
                "ok 5 check # rcode=0",
                result_of((true, true, "check"), None, "rcode=0"),
            ),
            (
                "not ok 1 x # TODO later",
                result_of((false, true, "x"), Some(Directive::Todo), "later"),
            ),
        ] {
            assert_eq!(parse(text).1, line, "{text}");
        }
        assert_eq!(parse("\t  ok 1 x").0, 3);
    }

    #[test]
    fn printk_prefixes_are_removed() {
        for (line, without) in [
            ("[    0.060000] \tok 1 x", "\tok 1 x"),
            ("[    0.060000][    T1] \tok 1 x", "\tok 1 x"),
            ("<6>[123456.060000]   ok 1 x", "  ok 1 x"),
            ("<6>ok 1 x", "ok 1 x"),
            ("<b>ok 1 x", "<b>ok 1 x"),
            ("[info] ok 1 x", "[info] ok 1 x"),
            ("[T1] ok 1 x", "[T1] ok 1 x"),
            ("[", "["),
            ("[1.", "[1."),
            ("", ""),
        ] {
            assert_eq!(without_printk_prefix(line), without, "{line}");
        }
    }
}
