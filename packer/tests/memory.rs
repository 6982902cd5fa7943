//! The memory of `list`, `cat` and `extract` does not depend on the number of files.

mod extraction;
mod images;

use extraction::Place;
use images::*;
use packer::cat::cat;
use packer::reader::Reader;
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The allocator of the system, which counts.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is done by the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(now, Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes that `work` needs at the worst.
fn most(work: impl FnOnce()) -> usize {
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    work();
    MOST.load(Relaxed) - before
}

fn image(files: usize) -> Vec<u8> {
    let file = |number| file(format!("directory/file number {number}"), "contents");
    let entries: Vec<_> = [dir("directory"), symlink("link", "directory")]
        .into_iter()
        .chain((0..files).map(file))
        .collect();
    archive(&entries)
}

// One test, because other tests would allocate at the same time.
#[test]
fn it_does_not_grow_with_the_number_of_files() {
    let images = [image(100), image(20_000)];
    for (what, work) in [
        ("list", (|image| list(image)) as fn(&[u8])),
        ("cat", |image| {
            let (mut out, path) = (Vec::new(), "link/file number 7");
            let mut report = |error| panic!("{error}");
            cat(&mut Cursor::new(image), &[path], &mut out, &mut report).unwrap();
            assert_eq!(out, b"contents");
        }),
        ("extract", |image| {
            let place = Place::in_memory();
            let (reports, result) = place.extract(image);
            result.unwrap();
            assert_eq!(reports, [""; 0]);
        }),
    ] {
        let [few, many] = images.each_ref().map(|image| most(|| work(image)));
        // A byte for each file would be more.
        assert!(many < few + 16 * 1024, "{what}: {few} bytes, then {many}");
    }
}

fn list(image: &[u8]) {
    let mut reader = Reader::new(image);
    while reader.next_item().unwrap().is_some() {}
}
