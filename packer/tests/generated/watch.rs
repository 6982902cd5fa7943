//! Whether something is opened that must not be, or touched at all.

use crate::extraction::{Place, make_fifo};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One for all cases, one after the other: to close it takes ten times as long as all else in a case.
static INOTIFY: LazyLock<OwnedFd> =
    LazyLock::new(|| inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap());

/// Sees, by inotify(7), what is done to what is outside, and that a device, a FIFO or a socket inside is
/// opened. Nothing of that is seen of what is only named, by `O_PATH`.
pub struct Watch {
    /// What is watched.
    paths: HashMap<i32, PathBuf>,
    /// What other processes put inside, by device and inode.
    foreign: HashMap<(u64, u64), State>,
}

type State = (u32, u32, u32, u64, i64, i64);

impl Watch {
    /// Makes something outside, and watches it.
    pub fn new(place: &Place) -> Self {
        let outside = place.path("outside");
        fs::create_dir(outside.join("dir")).unwrap();
        make_fifo(&outside.join("fifo"));
        let mut watch = Self {
            paths: HashMap::new(),
            foreign: HashMap::new(),
        };
        // What is still there is about a case before.
        watch.events();
        for name in ["", "victim", "fifo", "dir"] {
            watch.add(outside.join(name), WatchFlags::ALL_EVENTS);
        }
        watch
    }

    /// Watches what has come to be inside.
    pub fn inside(&mut self, directory: &Path) {
        each(directory, &mut |path, metadata| {
            if !metadata.is_file() && !metadata.is_dir() && !metadata.is_symlink() {
                self.add(path, WatchFlags::OPEN);
            }
        });
    }

    /// Does what another process does, removing what is at `path` at first.
    pub fn act(&mut self, path: &Path, act: impl FnOnce(), makes: bool) {
        self.check();
        let foreign = &mut self.foreign;
        let mut forget = |metadata: &Metadata| foreign.remove(&key(metadata));
        if let Ok(metadata) = fs::symlink_metadata(path) {
            forget(&metadata);
            if metadata.is_dir() {
                each(path, &mut |_, metadata| {
                    forget(metadata);
                });
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        act();
        if let (true, Ok(metadata)) = (makes, fs::symlink_metadata(path)) {
            self.foreign.insert(key(&metadata), state(&metadata));
        }
        self.events();
    }

    /// Fails if something was opened or touched that must not be.
    pub fn check(&self) {
        let events = self.events();
        assert!(events.is_empty(), "touched: {events:?}");
    }

    /// Fails if what other processes put inside is not there as they left it.
    pub fn check_foreign(mut self, directory: &Path) {
        each(directory, &mut |path, metadata| {
            if let Some(before) = self.foreign.remove(&key(metadata)) {
                assert_eq!(before, state(metadata), "changed: {}", path.display());
            }
        });
        assert!(self.foreign.is_empty(), "removed: {:?}", self.foreign);
    }

    fn add(&mut self, path: PathBuf, events: WatchFlags) {
        let flags = events | WatchFlags::DONT_FOLLOW | WatchFlags::MASK_ADD;
        let watched = inotify::add_watch(&*INOTIFY, &path, flags).unwrap();
        self.paths.insert(watched, path);
    }

    fn events(&self) -> Vec<(&Path, ReadFlags)> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&*INOTIFY, &mut buffer);
        let mut events = Vec::new();
        while let Ok(event) = reader.next() {
            let what = event.events();
            assert!(!what.contains(ReadFlags::QUEUE_OVERFLOW));
            let is_gone = what.intersects(ReadFlags::IGNORED | ReadFlags::DELETE_SELF);
            if let (false, Some(path)) = (is_gone, self.paths.get(&event.wd())) {
                events.push((&**path, what));
            }
        }
        events
    }
}

fn key(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn state(metadata: &Metadata) -> State {
    // The size and times of a directory depend on what is in it.
    let is_file = metadata.is_file();
    let of_file = |value| if is_file { value } else { 0 };
    (
        metadata.mode(),
        metadata.uid(),
        metadata.gid(),
        if is_file { metadata.size() } else { 0 },
        of_file(metadata.mtime()),
        of_file(metadata.mtime_nsec()),
    )
}

/// Calls `visit` with all that is below a directory. No symbolic link is followed.
pub fn each(directory: &Path, visit: &mut dyn FnMut(PathBuf, &Metadata)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        visit(path.clone(), &metadata);
        if metadata.is_dir() {
            each(&path, visit);
        }
    }
}
