//! Reads and writes the JSON of a manifest.

use super::{Manifest, VERSION};
use crate::Error;
use crate::escape::{escape, unescape};
use bstr::BString;
use serde::Deserialize;
use std::io::{self, Read, Write};

impl Manifest {
    /// Writes the manifest as indented JSON.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }

    /// Reads the JSON that [`write`](Self::write) writes.
    ///
    /// # Errors
    /// [`Error::Input`] if `json` cannot be read, is not a manifest, or has another version.
    pub fn read_json(mut json: impl Read) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let mut text = Vec::new();
        json.read_to_end(&mut text).map_err(Error::Input)?;
        let invalid = |error: serde_json::Error| {
            Error::Input(io::Error::other(format!("is not a manifest: {error}")))
        };
        // Check the version first, because the fields of another version are not known.
        let Version { version } = serde_json::from_slice(&text).map_err(invalid)?;
        if version != VERSION {
            let reason = format!(
                "is a manifest of version {version}, not {VERSION}; make it again with this packer"
            );
            return Err(Error::Input(io::Error::other(reason)));
        }
        serde_json::from_slice(&text).map_err(invalid)
    }
}

pub(super) mod escaped {
    use super::{BString, Deserialize, escape, unescape};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &BString, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&escape(bytes))
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<BString, D::Error> {
        let text = String::deserialize(from)?;
        Ok(unescape(&text).into())
    }
}

pub(super) mod escaped_option {
    use super::{BString, Deserialize, escape, unescape};
    use serde::{Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &Option<BString>, to: S) -> Result<S::Ok, S::Error> {
        let text = bytes.as_ref().map(|bytes| escape(bytes).to_string());
        text.serialize(to)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Option<BString>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(text.map(|text| unescape(&text).into()))
    }
}

pub(super) mod octal {
    use super::Deserialize;
    use serde::{Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(mode: &u32, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{mode:04o}"))
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<u32, D::Error> {
        let text = String::deserialize(from)?;
        u32::from_str_radix(&text, 8).map_err(de::Error::custom)
    }
}
