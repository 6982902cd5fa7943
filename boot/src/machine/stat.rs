//! `/proc/PID/stat` and `/proc/PID/task/TID/stat` (proc(5)).

use std::fs;
use std::path::Path;
use std::str::FromStr;

/// A process or a thread, as its `stat` describes it.
#[derive(Debug)]
pub struct Stat {
    /// Its id.
    pub id: i32,
    /// The fields after the name.
    fields: Vec<String>,
}

/// All processes in `/proc`.
pub fn processes() -> impl Iterator<Item = Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit())
        .filter_map(|entry| Stat::read(&entry.path()))
}

impl Stat {
    /// The `stat` in a directory of `/proc`. Nothing if the process has ended.
    pub fn read(directory: &Path) -> Option<Stat> {
        Stat::parse(&fs::read(directory.join("stat")).ok()?)
    }

    /// Parses the contents of a `stat`.
    pub fn parse(stat: &[u8]) -> Option<Stat> {
        // The name in parentheses may contain any bytes.
        let stat = String::from_utf8_lossy(stat);
        let (before, rest) = stat.rsplit_once(')')?;
        Some(Stat {
            id: before.split(' ').next()?.parse().ok()?,
            fields: rest.split_ascii_whitespace().map(Into::into).collect(),
        })
    }

    /// The state: `R`, `S`, ...
    pub fn state(&self) -> Option<char> {
        self.field(3)
    }

    /// The id of the parent.
    pub fn parent(&self) -> Option<i32> {
        self.field(4)
    }

    /// The id of the process group.
    pub fn group(&self) -> Option<i32> {
        self.field(5)
    }

    /// The number of page faults that needed a disk.
    pub fn major_faults(&self) -> Option<u64> {
        self.field(12)
    }

    /// The field with this number in proc(5). The name is number 2.
    fn field<T: FromStr>(&self, number: usize) -> Option<T> {
        self.fields.get(number - 3)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_the_name() {
        for name in [&b"qemu"[..], b"a) S 1 (b", b"\xff\xc3"] {
            let stat = [b"7 (", name, b") S 6 5 4 0 -1 4194560 29 0 3 0 1 2"].concat();
            let stat = Stat::parse(&stat).unwrap();
            assert_eq!((stat.id, stat.state()), (7, Some('S')));
            assert_eq!((stat.parent(), stat.group()), (Some(6), Some(5)));
            assert_eq!(stat.major_faults(), Some(3));
        }
    }

    #[test]
    fn missing_fields_are_nothing() {
        assert!(Stat::parse(b"7 (qemu").is_none());
        let stat = Stat::parse(b"7 (qemu) S").unwrap();
        assert_eq!((stat.parent(), stat.major_faults()), (None, None));
    }
}
