//! The TOML file of a matrix: its tables and lists, with their places for errors.

use std::fmt;

use serde::de::{
    Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
};
use toml::Spanned;

use crate::matrix::options::Options;

/// The whole file.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Options of all cells.
    #[serde(default)]
    pub defaults: Options,
    pub kernels: Option<Spanned<Axis>>,
    pub machines: Option<Spanned<Axis>>,
    pub memory: Option<Spanned<Axis>>,
    pub commands: Option<Spanned<Axis>>,
    /// Cells that are left out.
    #[serde(default)]
    pub exclude: Vec<Exclusion>,
}

/// The values of an axis, in the order of the file.
#[derive(Debug)]
pub struct Axis(pub Vec<Entry>);

/// A value of an axis.
#[derive(Debug)]
pub struct Entry {
    /// In a list, a value has no name of its own.
    pub name: Option<Spanned<String>>,
    pub value: Spanned<Value>,
}

/// What is written for a value.
#[derive(Debug)]
pub enum Value {
    Text(String),
    Integer(i64),
    List(Vec<String>),
    Table(Options),
}

/// The cells that have these values.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    pub kernel: Option<Names>,
    pub machine: Option<Names>,
    pub memory: Option<Names>,
    pub command: Option<Names>,
}

/// One or more names of values.
#[derive(Debug)]
pub struct Names(pub Vec<Spanned<Name>>);

/// A name, or a number that is one.
#[derive(Debug)]
pub struct Name(pub String);

struct AxisVisitor;

impl<'de> Deserialize<'de> for Axis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AxisVisitor)
    }
}

impl<'de> Visitor<'de> for AxisVisitor {
    type Value = Axis;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of values, or a table with their names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Axis, A::Error> {
        let mut entries = Vec::new();
        while let Some(value) = list.next_element()? {
            entries.push(Entry { name: None, value });
        }
        Ok(Axis(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Axis, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, value)) = map.next_entry::<Spanned<String>, _>()? {
            entries.push(Entry {
                name: Some(name),
                value,
            });
        }
        // A table is sorted by its keys.
        entries.sort_by_key(|entry| entry.name.as_ref().map(|name| name.span().start));
        Ok(Axis(entries))
    }
}

struct ValueVisitor;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a string, an integer, a list of strings, or a table of options")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(Value::List(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        Options::deserialize(MapAccessDeserializer::new(map)).map(Value::Table)
    }
}

struct NameVisitor;

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor)
    }
}

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
        Ok(Name(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Name, E> {
        Ok(Name(number.to_string()))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Spanned::<OneOrMore>::deserialize(deserializer)?;
        let span = value.span();
        Ok(Names(match value.into_inner() {
            OneOrMore::One(name) => vec![Spanned::new(span, name)],
            OneOrMore::More(names) => names,
        }))
    }
}

enum OneOrMore {
    One(Name),
    More(Vec<Spanned<Name>>),
}

struct OneOrMoreVisitor;

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMoreVisitor)
    }
}

impl<'de> Visitor<'de> for OneOrMoreVisitor {
    type Value = OneOrMore;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a value, or a list of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMore, E> {
        NameVisitor.visit_str(text).map(OneOrMore::One)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<OneOrMore, E> {
        NameVisitor.visit_i64(number).map(OneOrMore::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMore, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            names.push(name);
        }
        Ok(OneOrMore::More(names))
    }
}
