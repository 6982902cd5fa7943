//! `packer extract`, while another process replaces the extracted files as fast as it can.

mod extraction;
mod images;

use extraction::*;
use images::*;
use packer::Error;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::unix::fs::{MetadataExt, symlink as make_symlink};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// The names of all entries.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "p"];

enum Turn {
    Wait,
    Replace,
    End,
}

#[test]
fn nothing_else_is_touched() {
    let seconds = std::env::var("PACKER_FUZZ_SECONDS").ok();
    let seconds = seconds.map_or(1, |seconds| seconds.parse().unwrap());
    let place = Place::new();
    fs::create_dir(place.path("outside/dir")).unwrap();
    make_fifo(&place.path("outside/fifo"));
    let outside = ["", "dir", "victim", "fifo"].map(|name| place.path("outside").join(name));
    let state = || {
        outside
            .each_ref()
            .map(|path| state(&fs::metadata(path).unwrap()))
    };
    let before = state();
    // The other process makes hard links, and moves them.
    let own = WatchFlags::ATTRIB | WatchFlags::MOVE_SELF;
    let events = WatchFlags::ALL_EVENTS.difference(own);
    let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
    for path in &outside {
        inotify::add_watch(&inotify, path, events).unwrap();
    }

    let image = image();
    let inside = place.path("inside");
    // Make the files outside old enough that they are not new.
    thread::sleep(Duration::from_secs(4));
    // The task of the other process. It holds the lock while it does something.
    let turn = Mutex::new(Turn::Wait);
    let take = |next| *turn.lock().unwrap() = next;
    let (mut rounds, mut reported) = (0, 0);
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = 1;
            loop {
                match *turn.lock().unwrap() {
                    Turn::Replace => replace(&inside, &mut random),
                    Turn::Wait => {}
                    Turn::End => break,
                }
                thread::yield_now();
            }
        });
        let begin = Instant::now();
        let mut result = Ok(());
        while result.is_ok() && begin.elapsed() < Duration::from_secs(seconds) {
            let start = meanwhile(|| take(Turn::Replace));
            let (reports, end) = place.extract(start.chain(&image[..]));
            take(Turn::Wait);
            rounds += 1;
            reported += reports.len();
            result = end.and(fs::remove_dir_all(&inside).map_err(Error::Input));
        }
        take(Turn::End);
        result
    });
    result.unwrap();
    println!("{rounds} extracted, {reported} entries reported");
    assert!(reported > 0, "they get in each other's way");
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut touched = inotify::Reader::new(&inotify, &mut buffer);
    if let Ok(event) = touched.next() {
        let path = outside[event.wd() as usize - 1].display();
        panic!("{path}: {:?} {:?}", event.events(), event.file_name());
    }
    assert_eq!(state(), before);
}

/// An image with names that are written to again, linked, replaced and used as directories, many times.
fn image() -> Vec<u8> {
    let mut entries = Vec::new();
    for number in 0..50 {
        let evil = |entry: E| E {
            mode: entry.mode | 0o4777,
            uid: 1000,
            gid: 1000,
            mtime: 1,
            ..entry
        };
        entries.extend(
            [
                dir("d"),
                name("a", number, 3, "evil"),
                name("b", number, 3, ""),
                name("d/c", number, 3, "evil"),
                e("p", FIFO, ""),
                file("c", "evil"),
                symlink("d/l", "x"),
                dir("d/dir"),
                file("d/victim", "evil"),
                file("d/dir/new", "evil"),
                e("d/fifo", FIFO, ""),
                file("p", "evil"),
                symlink("c", "nowhere"),
            ]
            .map(evil),
        );
    }
    archive(&entries)
}

/// Replaces the file at a path.
fn replace(inside: &Path, random: &mut u32) {
    // xorshift32
    for shift in [13, -17, 5] {
        *random ^= match shift {
            0.. => *random << shift,
            _ => *random >> -shift,
        };
    }
    let name = |number: u32| inside.join(NAMES[number as usize % NAMES.len()]);
    let (path, other) = (name(*random >> 8), name(*random >> 16));
    let new = inside.join("new");
    let outside = inside.with_file_name("outside");
    // Remove the previous one, because renaming a name of a file to another name of it does nothing.
    let _ = fs::remove_file(&new);
    // Make the file elsewhere and rename it, so that the path always exists.
    let _ = match *random % 8 {
        0 => fs::hard_link(outside.join("victim"), &new),
        1 => fs::hard_link(outside.join("fifo"), &new),
        2 => make_symlink("../outside/victim", &new),
        3 => make_symlink("../outside", &new),
        4 => fs::create_dir(&new),
        5 => fs::rename(&other, &new),
        6 => fs::remove_file(&path),
        _ => File::create_new(&new).map(drop),
    };
    if fs::rename(&new, &path).is_err() {
        let _ = fs::rename(&path, inside.join("gone"));
        let _ = fs::rename(&new, &path);
    }
}

fn state(metadata: &Metadata) -> [i64; 6] {
    [
        metadata.mode().into(),
        metadata.uid().into(),
        metadata.gid().into(),
        metadata.size() as i64,
        metadata.mtime(),
        metadata.mtime_nsec(),
    ]
}
