//! Mode, owner and time of extracted files.

use super::Failure;
use super::node::Node;
use crate::{MODE_MAX, newc::Header};
use rustix::fs::{FileType, Gid, Mode, Timespec, Timestamps, Uid, fchmod, fchown, futimens};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::os::fd::AsFd;

/// Set-user-ID and set-group-ID.
const SET_ID: u32 = 0o6000;

/// For chown(2), this user or group means "leave it unchanged". So it does in an image.
const UNCHANGED: u32 = u32::MAX;

/// Mode, owner and time.
#[derive(Clone, Copy)]
pub(super) struct Attributes {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime: u32,
}

impl Attributes {
    pub fn new(header: &Header) -> Self {
        Self {
            mode: header.mode & MODE_MAX,
            uid: header.uid,
            gid: header.gid,
            mtime: header.mtime,
        }
    }

    /// The attributes of a directory after another entry for it, `next`.
    pub fn then(self, next: Self) -> Self {
        let id = |present, next| if next == UNCHANGED { present } else { next };
        Self {
            mode: next.mode,
            uid: id(self.uid, next.uid),
            gid: id(self.gid, next.gid),
            // Linux sets the times of directories at the end, in reverse order. So the time of the first
            // entry counts.
            mtime: self.mtime,
        }
    }

    /// Sets the attributes of an open file or directory.
    pub fn set_open(mut self, file: impl AsFd) -> Result<(), Failure> {
        // Set the owner before the mode, because changing the owner clears set-user-ID.
        let owned = self.own(|uid, gid| fchown(&file, uid, gid));
        if !matches!(owned, Ok(true)) {
            self.mode &= !SET_ID;
        }
        fchmod(&file, self.mode()).map_err(Failure::Os)?;
        futimens(&file, &self.times()).map_err(Failure::Os)?;
        owned.map(drop)
    }

    /// Sets the attributes of a device, a FIFO, a socket or a symbolic link.
    pub fn set_node(mut self, node: &Node) -> Result<(), Failure> {
        let owned = self.own(|uid, gid| node.change_owner(uid, gid));
        if !matches!(owned, Ok(true)) {
            self.mode &= !SET_ID;
        }
        // A symbolic link has no mode.
        if node.file_type() != FileType::Symlink {
            node.change_mode(self.mode())?;
        }
        node.change_times(&self.times())?;
        owned.map(drop)
    }

    /// If root extracts, changes the owner by calling `change`. Returns whether the owner was changed.
    fn own(
        self,
        change: impl FnOnce(Option<Uid>, Option<Gid>) -> Result<(), Errno>,
    ) -> Result<bool, Failure> {
        if !geteuid().is_root() {
            return Ok(false);
        }
        let Self { uid, gid, .. } = self;
        let user = (uid != UNCHANGED).then(|| Uid::from_raw(uid));
        let group = (gid != UNCHANGED).then(|| Gid::from_raw(gid));
        match change(user, group) {
            Ok(()) => Ok(true),
            Err(errno) => Err(Failure::entry(format!(
                "cannot belong to {uid}:{gid}: {errno}"
            ))),
        }
    }

    fn mode(self) -> Mode {
        Mode::from_raw_mode(self.mode)
    }

    fn times(self) -> Timestamps {
        let time = Timespec {
            tv_sec: self.mtime.into(),
            tv_nsec: 0,
        };
        Timestamps {
            last_access: time,
            last_modification: time,
        }
    }
}
