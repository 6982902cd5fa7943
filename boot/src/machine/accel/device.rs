//! Who may open `/dev/kvm`, and so what somebody who may not can do about it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::getgroups;

/// What its group may do so that a member of it can use it: read and write.
const GROUP: u32 = 0o060;

/// The device's owner and mode, and whoever wants to use it.
#[derive(Debug)]
pub struct Device {
    mode: u32,
    group: u32,
    /// The group's name, if it has one here.
    name: Option<String>,
    /// Whether this process is in the group, and whether its user is by the books.
    joined: bool,
    listed: bool,
}

impl Device {
    /// As it is, if it can be seen.
    pub fn look() -> Option<Self> {
        let metadata = fs::metadata("/dev/kvm").ok()?;
        let user = std::env::var("USER").unwrap_or_default();
        let group = metadata.gid();
        let book = fs::read_to_string("/etc/group").unwrap_or_default();
        let entry = entry(&book, group);
        let groups = getgroups().unwrap_or_default();
        Some(Device {
            mode: metadata.mode() & 0o7777,
            group,
            name: entry.map(|(name, _)| name.to_owned()),
            joined: groups.iter().any(|joined| joined.as_raw() == group),
            listed: entry.is_some_and(|(_, members)| members.split(',').any(|name| name == user)),
        })
    }

    /// What to do if opening it is refused (`EACCES`).
    pub fn advice(&self) -> String {
        let name = self.name.clone().unwrap_or_else(|| self.group.to_string());
        // Joining root's group would give more than that away.
        if self.mode & GROUP != GROUP || self.group == 0 {
            return format!(
                "its mode is {:04o} and its group {name}, so that joining a group does not help: `sudo chown root:kvm /dev/kvm && \
                 sudo chmod 0660 /dev/kvm` gives it to one, which `sudo usermod -aG kvm $USER` and a new login join; `sudo setfacl \
                 -m u:$USER:rw /dev/kvm` gives it to you alone",
                self.mode
            );
        }
        if self.joined {
            return format!(
                "this process is in its group, {name}, which may open it: ask `getfacl /dev/kvm` and the security modules who forbids \
                 it"
            );
        }
        if self.listed {
            return format!(
                "this user is in its group, {name}, but was not at the login: log in again"
            );
        }
        format!("join the group that owns it: sudo usermod -aG {name} $USER, and log in again")
    }
}

/// The name of a group in group(5), and its members.
fn entry(book: &str, group: u32) -> Option<(&str, &str)> {
    book.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(group)).then(|| (name, fields.next().unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_mode_and_group() {
        for (mode, group, joined, listed, part) in [
            (
                0o660,
                108,
                false,
                false,
                "sudo usermod -aG kvm $USER, and log in again",
            ),
            (
                0o660,
                108,
                false,
                true,
                "but was not at the login: log in again",
            ),
            (0o660, 108, true, true, "getfacl"),
            (
                0o600,
                108,
                false,
                false,
                "its mode is 0600 and its group kvm",
            ),
            (0o600, 0, false, false, "sudo chmod 0660"),
            (0o640, 108, true, true, "its mode is 0640"),
            (0o660, 0, false, false, "joining a group does not help"),
        ] {
            let device = Device {
                mode,
                group,
                name: Some("kvm".to_owned()),
                joined,
                listed,
            };
            let advice = device.advice();
            assert!(advice.contains(part), "{device:?}: {advice}");
        }
    }

    #[test]
    fn a_group_has_its_name_from_the_book() {
        let book = "root:x:0:\nkvm:x:108:me,you\nlibvirt:x:109\n";
        assert_eq!(entry(book, 108), Some(("kvm", "me,you")));
        assert_eq!(entry(book, 109), Some(("libvirt", "")));
        assert_eq!(entry(book, 10), None);
        assert_eq!(entry("nonsense", 0), None);
    }
}
