//! Lines of a console that another program has put into a record of its own: JSON, or `key="value"`.

use serde_json::Value;

/// The line in a record, without the record around it. A message of the kernel in a journal gets `stamp`, because it has none of
/// its own.
pub fn unwrap(line: &str, stamp: &str) -> Option<String> {
    let text = json(line, stamp).or_else(|| logfmt(line))?;
    Some(text.trim_end().to_owned())
}

/// `{"log":"...\n","stream":"stdout",...}` of docker, `- {"dt": "...", "lvl": "target", "msg": "..."}` of LAVA,
/// `{"MESSAGE":"...",...}` of `journalctl -o json`.
fn json(line: &str, stamp: &str) -> Option<String> {
    let record = line.strip_prefix("- ").unwrap_or(line);
    if !record.starts_with('{') {
        return None;
    }
    let record: Value = serde_json::from_str(record).ok()?;
    let text = |key| record.get(key).and_then(Value::as_str);
    let is_kernel = text("_TRANSPORT") == Some("kernel");
    let head = if is_kernel { stamp } else { "" };
    let message = ["log", "msg", "MESSAGE"].into_iter().find_map(text)?;
    Some(format!("{head}{message}"))
}

/// `time="..." level=debug ... vmconsole="..."` of Kata Containers; `time="..." ... msg="..." name=kata-proxy ...` of older ones.
fn logfmt(line: &str) -> Option<String> {
    let fields = &line[line.find("time=\"")?..];
    let value = match fields.split_once(" vmconsole=\"") {
        Some((_, value)) => value,
        None if fields.contains(" source=agent") => fields.split_once(" msg=\"")?.1,
        None => return None,
    };
    Some(unescape(value))
}

/// The text up to the closing quotation mark, or up to the end if the line is cut off.
fn unescape(value: &str) -> String {
    let mut text = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n' | 'r') | None => {}
                Some('t') => text.push(' '),
                Some(c) => text.push(c),
            },
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_in_a_record_is_found() {
        for (line, text) in [
            (
                r#"{"log":"[    0.1] x \u001b[1m\"y\"\r\n","stream":"stdout"}"#,
                Some("[    0.1] x \u{1b}[1m\"y\""),
            ),
            (
                r#"- {"dt": "2024-02-07T17:58:01", "lvl": "target", "msg": "hello"}"#,
                Some("hello"),
            ),
            (r#"{"MESSAGE":"hello"}"#, Some("hello")),
            (
                r#"{"_TRANSPORT":"kernel","MESSAGE":"hello"}"#,
                Some("STAMP hello"),
            ),
            (
                r#"time="x" level=debug msg="reading guest console" pid=6 vmconsole="say \"hello\"""#,
                Some(r#"say "hello""#),
            ),
            (
                r#"May 27 host kata[1]: time="x" vmconsole="cut o"#,
                Some("cut o"),
            ),
            (
                r#"time="x" level=info msg="hello\n" name=kata-proxy source=agent"#,
                Some("hello"),
            ),
            (
                r#"time="x" level=info msg="hello\" name=kata-proxy source=agent"#,
                Some("hello\" name=kata-proxy source=agent"),
            ),
            (r#"time="x" level=info msg="hello" name=containerd"#, None),
            (r#"{"a": 1}"#, None),
            (r#"{"log": 1}"#, None),
            ("{", None),
            ("- hello", None),
            ("", None),
        ] {
            assert_eq!(unwrap(line, "STAMP ").as_deref(), text, "{line}");
        }
    }
}
