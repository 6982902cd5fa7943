//! Detects that the extraction opens or touches a file that it must not.

use crate::extraction::{Place, make_fifo};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One instance for all cases, because closing it takes ten times as long as the rest of a case.
static INOTIFY: LazyLock<OwnedFd> =
    LazyLock::new(|| inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap());

/// Watches the files outside for any event, and devices, FIFOs and sockets inside for being opened, with
/// inotify(7). Opening a file with `O_PATH` causes no event.
pub struct Watch {
    /// The watched paths.
    paths: HashMap<i32, PathBuf>,
    /// The files that other processes have put inside, by device and inode number.
    foreign: HashMap<(u64, u64), State>,
}

type State = (u32, u32, u32, u64, i64, i64);

impl Watch {
    /// Makes files outside, and watches them.
    pub fn new(place: &Place) -> Self {
        let outside = place.path("outside");
        fs::create_dir(outside.join("dir")).unwrap();
        make_fifo(&outside.join("fifo"));
        let mut watch = Self {
            paths: HashMap::new(),
            foreign: HashMap::new(),
        };
        // Discard events of the previous case.
        watch.events();
        for name in ["", "victim", "fifo", "dir"] {
            watch.add(outside.join(name), WatchFlags::ALL_EVENTS);
        }
        watch
    }

    /// Watches the files that are inside now.
    pub fn inside(&mut self, directory: &Path) {
        each(directory, &mut |path, metadata| {
            if !metadata.is_file() && !metadata.is_dir() && !metadata.is_symlink() {
                self.add(path, WatchFlags::OPEN);
            }
        });
    }

    /// Removes the file at `path`, then does an action of another process.
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

    /// Fails if the extraction has opened or touched a file that it must not.
    pub fn check(&self) {
        let events = self.events();
        assert!(events.is_empty(), "touched: {events:?}");
    }

    /// Fails if a file that another process has put inside was changed.
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
    // The size and times of a directory depend on its contents.
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

/// Calls `visit` for every file below a directory. Symbolic links are not followed.
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
