//! Time stamps and names that other programs write in front of a line: a CI, journalctl, dmesg, docker compose. And the marks of a
//! quotation: `> `.
//!
//! A line of the kernel keeps its time stamp, or gets one in the kernel's form: the time stamp shows that the kernel wrote the line.

use crate::explain::wrapped;

/// What the kernel would write in front of a message of its own.
const STAMP: &str = "[    0.000000] ";

/// The longest learned prefix, in bytes.
const LONGEST: usize = 80;

/// The number of lines in a row that must have a prefix before it is learned.
const LINES: u32 = 3;

/// Removes prefixes. It learns unknown ones from the lines of the kernel: a text that stands before the time stamps of several lines in
/// a row is a prefix.
#[derive(Debug, Default)]
pub struct Prefix {
    /// The prefix of the last lines of the kernel, with 0 for each digit.
    learned: String,
    /// How many lines of the kernel in a row had it.
    times: u32,
}

impl Prefix {
    /// `line` without its prefix.
    pub fn strip(&mut self, line: &str) -> String {
        let unwrapped = wrapped::unwrap(known(line), STAMP);
        let line = unwrapped.as_deref().map_or_else(|| known(line), known);
        if let Some(message) = of_kernel(line) {
            return format!("{STAMP}{message}");
        }
        if let Some(at) = stamp(line) {
            self.learn(&line[..at]);
            return line.to_owned();
        }
        let learned = self.times >= LINES && !self.learned.is_empty();
        let head = line.get(..self.learned.len()).filter(|_| learned);
        match head {
            Some(head) if pattern(head) == self.learned => line[head.len()..].to_owned(),
            _ => line.to_owned(),
        }
    }

    /// Takes the text in front of a time stamp.
    fn learn(&mut self, before: &str) {
        let pattern = match before.len() {
            0..=LONGEST => pattern(before),
            _ => String::new(),
        };
        self.times = match pattern == self.learned {
            true => self.times.saturating_add(1),
            false => 1,
        };
        self.learned = pattern;
    }
}

/// `text` with 0 for each digit.
fn pattern(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect()
}

/// Where the first time stamp of the kernel begins.
fn stamp(line: &str) -> Option<usize> {
    line.match_indices('[').map(|(at, _)| at).find(|at| {
        let (seconds, rest) = digits(line[at + 1..].trim_start());
        let (fraction, rest) = digits(rest.strip_prefix('.').unwrap_or_default());
        seconds > 0 && fraction == 6 && rest.starts_with(']')
    })
}

/// The number of digits at the beginning of `text`, and the rest.
fn digits(text: &str) -> (usize, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (text.len() - rest.len(), rest)
}

/// `line` without the times that CI systems and journals write in front of it, and without marks of a quotation.
fn known(line: &str) -> &str {
    let mut line = line.trim_start_matches('\u{feff}');
    while let Some(rest) = line.strip_prefix("> ").or_else(|| line.strip_prefix(">> ")) {
        line = rest;
    }
    // GitLab: time, number of the stream, O or E, and then a blank, or + in a continued line.
    while let Some(rest) = time(line) {
        line = gitlab(rest).unwrap_or(rest);
    }
    line
}

/// What follows a time and a blank, or a time in brackets.
fn time(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix('[') {
        let (time, rest) = rest.split_once(']')?;
        return is_time(time.trim()).then(|| rest.strip_prefix(' ').unwrap_or(rest));
    }
    let end = line.find([' ', '\t'])?;
    // "2024-05-01 12:34:56"
    let two = line[end + 1..].find([' ', '\t']).map(|more| end + 1 + more);
    let end = [two, Some(end)]
        .into_iter()
        .flatten()
        .find(|end| is_time(&line[..*end]))?;
    Some(&line[end + 1..])
}

/// Whether `text` is a time of the day, perhaps with a date before it: `12:34:56`, `2024-05-01T12:34:56.789Z`,
/// `2024-05-01 12:34:56,789+02:00`, `2024/05/01 12:34:56`, `12:34:56:789`.
fn is_time(text: &str) -> bool {
    let text = pattern(text).replace('/', "-");
    let text = match text.strip_prefix("0000-00-00") {
        Some(rest) => rest.trim_start_matches(['T', ' ']),
        None => &text,
    };
    let Some(rest) = text.strip_prefix("00:00:00") else {
        return false;
    };
    let rest = rest
        .strip_prefix(['.', ',', ':'])
        .unwrap_or(rest)
        .trim_start_matches('0');
    matches!(rest, "" | "Z" | "+00:00" | "-00:00" | "+0000" | "-0000")
}

fn gitlab(rest: &str) -> Option<&str> {
    let (count, after) = digits(rest);
    let after = after.strip_prefix(['O', 'E'])?;
    (count == 2).then(|| after.strip_prefix([' ', '+']).unwrap_or(after))
}

/// The kernel's message in a line of a journal, of `dmesg -T` or of `dmesg -r`, which have no time stamps in the kernel's form.
fn of_kernel(line: &str) -> Option<&str> {
    raw(line)
        .or_else(|| syslog(line))
        .or_else(|| dmesg(line))
        .filter(|message| stamp(message) != Some(0))
}

/// `<6>MESSAGE` of `dmesg -r`, and `6,12,3456,-;MESSAGE` of /dev/kmsg.
fn raw(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix('<') {
        let (count, rest) = digits(rest);
        return (count > 0).then(|| rest.strip_prefix('>')).flatten();
    }
    let (head, message) = line.split_once(';')?;
    let head = pattern(head);
    let fields: Vec<_> = head.split(',').collect();
    let is_number = |field: &&str| !field.is_empty() && field.bytes().all(|byte| byte == b'0');
    (fields.len() >= 4 && fields[..3].iter().all(is_number)).then_some(message)
}

/// `Nov 26 12:00:00 HOST kernel: MESSAGE`; the date may be missing, because it is removed as a time.
fn syslog(line: &str) -> Option<&str> {
    let (head, message) = line.split_once(" kernel: ").or_else(|| {
        let message = line.strip_prefix("kernel: ")?;
        Some(("", message))
    })?;
    let words: Vec<_> = head.split_whitespace().collect();
    let is_head = match words[..] {
        [] | [_] => true,
        [_month, _day, time, _host] => is_time(time),
        _ => false,
    };
    is_head.then_some(message)
}

/// `[Tue Nov 26 12:00:00 2024] MESSAGE`
fn dmesg(line: &str) -> Option<&str> {
    let (date, message) = line.strip_prefix('[')?.split_once("] ")?;
    let words: Vec<_> = date.split_whitespace().collect();
    match words[..] {
        [_weekday, _month, _day, time, year] if is_time(time) && pattern(year) == "0000" => {
            Some(message)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_other_programs_are_removed() {
        for (line, stripped) in [
            ("2024-05-01T12:34:56.7890123Z Hello", "Hello"),
            ("2024-05-01T12:34:56.789012Z 00O Hello", "Hello"),
            ("2024-05-01T12:34:56.789012Z 01E+Hello", "Hello"),
            ("2024-05-01 12:34:56,789 Hello", "Hello"),
            ("[2024-05-01T12:34:56+02:00] Hello", "Hello"),
            ("[12:34:56] Hello", "Hello"),
            ("12:34:56 Hello", "Hello"),
            ("[12:34:56:789] Hello", "Hello"),
            ("2024/05/01 12:34:56 Hello", "Hello"),
            ("[ 2024-05-01T12:34:56+02:00 ] Hello", "Hello"),
            ("12:34:56", "12:34:56"),
            ("> Hello", "Hello"),
            ("> > [    0.123456] Hello", "[    0.123456] Hello"),
            (">Hello", ">Hello"),
            (r#"2024-05-01T12:34:56Z {"log":"Hello\n"}"#, "Hello"),
            (
                r#"{"_TRANSPORT":"kernel","MESSAGE":"Hello"}"#,
                "[    0.000000] Hello",
            ),
            ("12 Hello", "12 Hello"),
            ("[12:34:56] [    0.123456] Hello", "[    0.123456] Hello"),
            ("Nov 26 12:00:00 host kernel: Hello", "[    0.000000] Hello"),
            (
                "Nov 26 12:00:00 host kernel: [    0.1] x",
                "[    0.000000] [    0.1] x",
            ),
            (
                "Nov 26 12:00:00 host kernel: [    0.123456] Hello",
                "Nov 26 12:00:00 host kernel: [    0.123456] Hello",
            ),
            (
                "2024-05-01T12:34:56+0200 host kernel: Hello",
                "[    0.000000] Hello",
            ),
            ("kernel: Hello", "[    0.000000] Hello"),
            ("I love the kernel: Hello", "I love the kernel: Hello"),
            ("[Tue Nov 26 12:00:00 2024] Hello", "[    0.000000] Hello"),
            ("<6>Hello", "[    0.000000] Hello"),
            ("<6>[    0.123456] Hello", "<6>[    0.123456] Hello"),
            ("6,12,3456,-;Hello", "[    0.000000] Hello"),
            ("a,b;Hello", "a,b;Hello"),
            ("", ""),
            ("[", "["),
            ("é[é] é", "é[é] é"),
        ] {
            assert_eq!(Prefix::default().strip(line), stripped, "{line}");
        }
    }

    #[test]
    fn a_prefix_is_learned_from_the_kernel() {
        let mut prefix = Prefix::default();
        for second in 1..=3 {
            let line = format!("qemu-1  | 0{second} [    0.00000{second}] x");
            assert_eq!(prefix.strip("qemu-1  | 00 Hello"), "qemu-1  | 00 Hello");
            assert_eq!(prefix.strip(&line), line);
        }
        assert_eq!(prefix.strip("qemu-1  | 17 Hello"), "Hello");
        assert_eq!(prefix.strip("qemu-1  | xy Hello"), "qemu-1  | xy Hello");
        // A program's prompt before one message is not a prefix.
        prefix.strip("login: [    0.000001] x");
        assert_eq!(prefix.strip("login: Hello"), "login: Hello");
    }
}
