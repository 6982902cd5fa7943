//! The options of `boot run`, as tables of a matrix have them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor,
};

/// What an option's value is in TOML, and what happens if two tables of a cell have the option.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A string. The later table's counts.
    Text,
    /// A string. All count, with blanks between them.
    Words,
    /// A list of strings. All count.
    Texts,
    /// A list of strings. The later table's counts.
    List,
    /// An integer. The later table's counts.
    Integer,
    /// An exit status. The later table's counts.
    Status,
    /// A number of seconds. The later table's counts.
    Seconds,
    /// `true` or `false`. The later table's counts.
    Flag,
}

/// The options. All but the last two are those of `boot run`.
const OPTIONS: [(&str, Kind); 24] = [
    ("target", Kind::Text),
    ("kernel", Kind::Text),
    ("modules", Kind::Text),
    ("guests", Kind::Text),
    ("qemu", Kind::Text),
    ("accel", Kind::Text),
    ("machine", Kind::Text),
    ("memory", Kind::Integer),
    ("smp", Kind::Integer),
    ("append", Kind::Words),
    ("share", Kind::Texts),
    ("pack", Kind::Flag),
    ("file", Kind::Texts),
    ("net", Kind::Flag),
    ("forward", Kind::Texts),
    ("init", Kind::Flag),
    ("env", Kind::Texts),
    ("cwd", Kind::Text),
    ("user", Kind::Text),
    ("timeout", Kind::Seconds),
    ("stall", Kind::Seconds),
    ("console", Kind::Flag),
    (PROGRAM, Kind::List),
    (STATUS, Kind::Status),
];

const PROGRAM: &str = "program";
const STATUS: &str = "status";

/// The names, for errors.
const NAMES: [&str; OPTIONS.len()] = {
    let mut names = [""; OPTIONS.len()];
    let mut place = 0;
    while place < OPTIONS.len() {
        names[place] = OPTIONS[place].0;
        place += 1;
    }
    names
};

/// The options of one table, or of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options(BTreeMap<&'static str, Vec<String>>);

impl Options {
    /// One option with one value.
    pub fn one(name: &'static str, value: String) -> Self {
        Options([(name, vec![value])].into())
    }

    /// The program and its arguments.
    pub fn program(words: Vec<String>) -> Self {
        Options([(PROGRAM, words)].into())
    }

    /// Adds the options of another table, which have precedence.
    pub fn extend(&mut self, other: &Options) {
        for (name, kind) in OPTIONS {
            let Some(values) = other.0.get(name) else {
                continue;
            };
            let own = self.0.entry(name).or_default();
            match kind {
                Kind::Texts => own.extend(values.iter().cloned()),
                Kind::Words if !own.is_empty() => {
                    *own = vec![[own.concat(), values.concat()].join(" ")];
                }
                _ => own.clone_from(values),
            }
        }
    }

    /// The kernel's path.
    pub fn kernel(&self) -> Option<&str> {
        self.0.get("kernel")?.first().map(String::as_str)
    }

    /// Whether there is a program.
    pub fn has_program(&self) -> bool {
        self.0.get(PROGRAM).is_some_and(|words| !words.is_empty())
    }

    /// The exit status that `boot run` must have.
    pub fn status(&self) -> i32 {
        let status = self.0.get(STATUS).and_then(|values| values.first());
        status.and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The arguments of `boot run`; `more` are options that the file does not have.
    pub fn arguments(&self, more: &[String]) -> Vec<String> {
        let mut arguments = Vec::new();
        for (name, kind) in OPTIONS
            .iter()
            .filter(|(name, _)| ![PROGRAM, STATUS].contains(name))
        {
            for value in self.0.get(name).into_iter().flatten() {
                match (kind, value.as_str()) {
                    (Kind::Flag, "true") => arguments.push(format!("--{name}")),
                    (Kind::Flag, _) => {}
                    _ => arguments.push(format!("--{name}={value}")),
                }
            }
        }
        arguments.extend(more.iter().cloned());
        arguments.push("--".into());
        arguments.extend(self.0.get(PROGRAM).into_iter().flatten().cloned());
        arguments
    }
}

/// The names of the options that are `boot run`'s.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES
        .into_iter()
        .filter(|name| ![PROGRAM, STATUS].contains(name))
}

impl<'de> Deserialize<'de> for Options {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor)
    }
}

/// Reads a table of options.
pub struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = Options;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a table of options")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Options, A::Error> {
        let mut options = Options::default();
        while let Some(Key(name, kind)) = map.next_key()? {
            options.0.insert(name, map.next_value_seed(kind)?);
        }
        Ok(options)
    }
}

/// The name of an option. A type of its own, so that an error is about this place and not about the table.
struct Key(&'static str, Kind);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let option = OPTIONS.iter().find(|(other, _)| *other == name);
        option
            .map(|(name, kind)| Key(name, *kind))
            .ok_or_else(|| D::Error::unknown_field(&name, &NAMES))
    }
}

impl<'de> DeserializeSeed<'de> for Kind {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Kind {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Kind::Text | Kind::Words => "a string",
            Kind::Texts | Kind::List => "a list of strings",
            Kind::Integer => "an integer, 0 or more",
            Kind::Status => "an exit status, 0 to 255",
            Kind::Seconds => "a number of seconds",
            Kind::Flag => "`true` or `false`",
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
        match self {
            Kind::Text | Kind::Words => Ok(vec![text.to_owned()]),
            _ => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Vec<String>, E> {
        match self {
            Kind::Integer if number >= 0 => Ok(vec![number.to_string()]),
            Kind::Status if (0..=255).contains(&number) => Ok(vec![number.to_string()]),
            Kind::Seconds => Ok(vec![number.to_string()]),
            _ => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Vec<String>, E> {
        match self {
            Kind::Seconds => Ok(vec![number.to_string()]),
            _ => Err(E::invalid_type(Unexpected::Float(number), &self)),
        }
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Vec<String>, E> {
        match self {
            Kind::Flag => Ok(vec![flag.to_string()]),
            _ => Err(E::invalid_type(Unexpected::Bool(flag), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        if !matches!(self, Kind::Texts | Kind::List) {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Options {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn options_become_arguments() {
        let options = options(
            "program = ['sh', '-c', 'x']\nmemory = 64\npack = true\nconsole = false\nenv = ['A=b', 'C']\n\
             timeout = 1.5\nappend = '-x'\nstatus = 7",
        );
        let expected = [
            "--memory=64",
            "--append=-x",
            "--pack",
            "--env=A=b",
            "--env=C",
            "--timeout=1.5",
            "--log=x",
            "--",
            "sh",
            "-c",
            "x",
        ];
        assert_eq!(options.arguments(&["--log=x".into()]), expected);
        assert_eq!(options.status(), 7);
    }

    #[test]
    fn a_later_table_replaces_or_adds() {
        let mut all =
            options("memory = 1\nappend = 'a'\nenv = ['A']\nprogram = ['x', 'y']\npack = true");
        all.extend(&options(
            "memory = 2\nappend = 'b'\nenv = ['B']\nprogram = ['z']\npack = false",
        ));
        assert_eq!(
            all.arguments(&[]),
            [
                "--memory=2",
                "--append=a b",
                "--env=A",
                "--env=B",
                "--",
                "z"
            ]
        );
    }

    #[test]
    fn wrong_values_are_errors() {
        for (text, error) in [
            (
                "memry = 1",
                "unknown field `memry`, expected one of `target`, ",
            ),
            (
                "memory = 'x'",
                "invalid type: string \"x\", expected an integer, 0 or more",
            ),
            (
                "memory = -1",
                "invalid value: integer `-1`, expected an integer, 0 or more",
            ),
            (
                "status = 256",
                "invalid value: integer `256`, expected an exit status, 0 to 255",
            ),
            ("memory = 1.5", "expected an integer, 0 or more"),
            (
                "pack = 1",
                "invalid value: integer `1`, expected `true` or `false`",
            ),
            (
                "env = 'A=b'",
                "invalid type: string \"A=b\", expected a list of strings",
            ),
            ("env = [1]", "invalid type: integer `1`, expected a string"),
            (
                "kernel = ['a']",
                "invalid type: sequence, expected a string",
            ),
            (
                "timeout = true",
                "invalid type: boolean `true`, expected a number of seconds",
            ),
        ] {
            let found = toml::from_str::<Options>(text).unwrap_err();
            assert!(
                found.message().contains(error),
                "{text}: {}",
                found.message()
            );
            // The errors are about the name or the value, and not about the table.
            let span = found.span().unwrap();
            assert!(span.start > 0 || span.end < text.len(), "{text}: {span:?}");
        }
    }
}
