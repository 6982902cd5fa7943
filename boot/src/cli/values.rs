//! Parsers for the values of arguments.

use std::time::Duration;

use boot::machine::target::{TARGETS, Target};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// The name of a target.
pub fn target() -> impl TypedValueParser<Value = &'static Target> {
    PossibleValuesParser::new(TARGETS.iter().map(|target| target.name))
        .try_map(|name| Target::named(&name).ok_or("not in the table"))
}

/// A time in seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// A time in seconds, more than 0.
pub fn positive_seconds(text: &str) -> Result<Duration, String> {
    seconds(text).and_then(|time| {
        if time.is_zero() {
            Err("must be more than 0".to_owned())
        } else {
            Ok(time)
        }
    })
}

/// A user's id, and the group's, which is the same by default.
pub fn user(text: &str) -> Result<(u32, u32), String> {
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    let id = |text: &str| {
        text.parse()
            .map_err(|_| format!("`{text}` is no id of a user or a group"))
    };
    Ok((id(user)?, id(group)?))
}
