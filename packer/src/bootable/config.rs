//! The configuration of a kernel: `.config`, `/boot/config-VERSION` or `/proc/config.gz`.

use crate::Error;
use bstr::ByteSlice;
use flate2::read::GzDecoder;
use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;

/// The options of a kernel that are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The values by the names, without `CONFIG_`.
    values: HashMap<String, String>,
}

impl Config {
    /// Reads a file, which may be compressed with gzip.
    ///
    /// # Errors
    /// If it cannot be read, or is not a configuration.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut bytes = fs::read(path).map_err(|error| Error::at(path, error))?;
        if bytes.starts_with(b"\x1f\x8b") {
            let mut text = Vec::new();
            let unpacked = GzDecoder::new(&bytes[..]).read_to_end(&mut text);
            unpacked.map_err(|error| {
                Error::at(
                    path,
                    format!("the gzip data is corrupt or cut off: {error}"),
                )
            })?;
            bytes = text;
        }
        Self::parse(&bytes).ok_or_else(|| {
            let reason = "is not a kernel's configuration, because it has no line `CONFIG_NAME=VALUE`; name the \
                          .config of the kernel's build, /boot/config-VERSION, or a copy of /proc/config.gz";
            Error::at(path, reason)
        })
    }

    /// The options in `text`. `None` if there is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut values = HashMap::new();
        for line in text.lines() {
            let line = line.strip_prefix(b"CONFIG_");
            let Some((name, value)) = line.and_then(|line| line.split_once_str("=")) else {
                continue;
            };
            values.insert(
                name.to_str_lossy().into_owned(),
                value.to_str_lossy().into_owned(),
            );
        }
        (!values.is_empty()).then_some(Self { values })
    }

    /// The value of an option, without quotation marks. `None` if it is not set.
    pub fn value(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name)?;
        Some(value.trim_matches('"')).filter(|value| *value != "n")
    }

    /// Whether the option is `y`. A module cannot be loaded before init runs.
    pub fn is_built_in(&self, name: &str) -> bool {
        self.value(name) == Some("y")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let text = b"#\n# Linux\n#\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=\"a=b\"\nCONFIG_E=\"\"\n";
        let config = Config::parse(text).unwrap();
        assert!(config.is_built_in("A") && !config.is_built_in("B") && !config.is_built_in("C"));
        assert_eq!(config.value("B"), Some("m"));
        assert_eq!(config.value("C"), None);
        assert_eq!(config.value("D"), Some("a=b"));
        assert_eq!(config.value("E"), Some(""));
        assert_eq!(Config::parse(b"A=y\n"), None);
    }
}
