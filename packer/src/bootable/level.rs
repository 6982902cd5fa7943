//! The levels of x86-64, of the psABI.

use std::fmt;
use std::str::FromStr;

/// A level: each has all instructions of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u32);

impl Level {
    /// x86-64-v1, the baseline.
    pub const BASELINE: Self = Self(1);

    /// The highest of the levels in `GNU_PROPERTY_X86_ISA_1_NEEDED`, where each has a bit.
    pub(super) fn of_bits(bits: u32) -> Self {
        Self((u32::BITS - bits.leading_zeros()).max(1))
    }

    /// The level of QEMU's CPU model, such as `qemu64` or `qemu64,+rdrand`. `None` if the name does not tell.
    pub fn of_qemu(model: &str) -> Option<Self> {
        // More flags do not make these models another level.
        let name = model.split(',').next()?;
        let is_changed = model.contains("+avx") || model.contains("+sse");
        let is_baseline = matches!(name, "qemu64" | "kvm64" | "core2duo");
        (is_baseline && !is_changed).then_some(Self::BASELINE)
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix("x86-64-").unwrap_or(text);
        match number {
            "v1" => Ok(Self(1)),
            "v2" => Ok(Self(2)),
            "v3" => Ok(Self(3)),
            "v4" => Ok(Self(4)),
            _ => Err("expected a level of x86-64: v1, v2, v3 or v4".into()),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "x86-64-v{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        for (bits, level) in [(0, 1), (1, 1), (3, 2), (0b111, 3), (0b1000, 4)] {
            assert_eq!(Level::of_bits(bits), Level(level));
        }
        assert_eq!("v3".parse(), Ok(Level(3)));
        assert_eq!(
            "x86-64-v2".parse::<Level>().unwrap().to_string(),
            "x86-64-v2"
        );
        assert!("v5".parse::<Level>().is_err());
        assert_eq!(Level::of_qemu("qemu64,+rdrand"), Some(Level::BASELINE));
        assert_eq!(Level::of_qemu("qemu64,+avx2"), None);
        assert_eq!(Level::of_qemu("max"), None);
    }
}
