//! Advice for a user who may not open `/dev/kvm`.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::{getgroups, getuid};

/// The permissions that the group needs: read and write.
const GROUP: u32 = 0o060;

/// The device's mode and group, and the groups of this process.
#[derive(Debug)]
pub struct Device {
    mode: u32,
    group: u32,
    /// The group's name, if /etc/group has it.
    name: Option<String>,
    /// Whether this process is in the group.
    joined: bool,
    /// Whether /etc/group lists the user as a member.
    listed: bool,
}

impl Device {
    /// The device's present state, if the device exists.
    pub fn look() -> Option<Self> {
        let metadata = fs::metadata("/dev/kvm").ok()?;
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let (users_file, groups_file) = (read("/etc/passwd"), read("/etc/group"));
        let user = entry(&users_file, getuid().as_raw()).map(|(name, _)| name);
        let group = metadata.gid();
        let entry = entry(&groups_file, group);
        let groups = getgroups().unwrap_or_default();
        Some(Device {
            mode: metadata.mode() & 0o7777,
            group,
            name: entry.map(|(name, _)| name.to_owned()),
            joined: groups.iter().any(|joined| joined.as_raw() == group),
            listed: entry
                .is_some_and(|(_, members)| members.split(',').any(|name| Some(name) == user)),
        })
    }

    /// The advice if the kernel refuses to open the device (`EACCES`).
    pub fn advice(&self) -> String {
        let name = self.name.clone().unwrap_or_else(|| self.group.to_string());
        // Do not advise to join root's group: that gives far more access.
        if self.mode & GROUP != GROUP || self.group == 0 {
            return format!(
                "its mode is {:04o} and its group {name}, so joining a group does not help: allow it for one user with `sudo setfacl \
                 -m u:$USER:rw /dev/kvm`, or for the group kvm with `sudo chown root:kvm /dev/kvm && sudo chmod 0660 /dev/kvm`, \
                 join that group with `sudo usermod -aG kvm $USER`, and log in again",
                self.mode
            );
        }
        if self.joined {
            return format!(
                "this process is in its group, {name}, which may open it: look for the rule that forbids it, with `getfacl /dev/kvm` \
                 and in the settings of SELinux or AppArmor"
            );
        }
        if self.listed {
            return format!("this user joined its group, {name}, after the login: log in again");
        }
        format!("join the group that owns it: sudo usermod -aG {name} $USER, and log in again")
    }
}

/// The name and the members of a group in `file`, in the format of group(5). Also finds the name of a user in
/// the format of passwd(5).
fn entry(file: &str, wanted: u32) -> Option<(&str, &str)> {
    file.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(wanted)).then(|| (name, fields.next().unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_depends_on_mode_and_group() {
        for (mode, group, joined, listed, part) in [
            (
                0o660,
                108,
                false,
                false,
                "sudo usermod -aG kvm $USER, and log in again",
            ),
            (0o660, 108, false, true, "after the login: log in again"),
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
    fn a_group_is_found_by_its_number() {
        let file = "root:x:0:\nkvm:x:108:me,you\nlibvirt:x:109\n";
        assert_eq!(entry(file, 108), Some(("kvm", "me,you")));
        assert_eq!(entry(file, 109), Some(("libvirt", "")));
        assert_eq!(entry(file, 10), None);
        assert_eq!(entry("nonsense", 0), None);
    }
}
