//! `packer extract` and the reader, with generated images. By default, the images are always the same. If
//! `PACKER_FUZZ_SECONDS` is set, the test makes different images for that time (docs/development.md).
//!
//! There are few names, so that entries collide, and another process changes the directory. The extraction
//! must not touch anything outside, open anything but files and directories, or change a file that it has not
//! made. It must end. If no other process did anything, the result must be that of a model.

mod extraction;
#[path = "generated/generate.rs"]
mod generate;
mod images;
#[path = "generated/model.rs"]
mod model;
#[path = "../fuzz/properties.rs"]
mod properties;
#[path = "generated/watch.rs"]
mod watch;

use extraction::*;
use generate::{Act, Plan, Step, What, plan};
use images::*;
use model::Model;
use packer::extract::{ExtractOptions, extract};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use watch::{Watch, each};

/// The number of cases that are always the same.
const CASES: u32 = 600;

#[test]
fn extracting_touches_only_what_it_made() {
    let seconds = std::env::var("PACKER_FUZZ_SECONDS").ok();
    let Some(seconds) = seconds.map(|seconds| seconds.parse().unwrap()) else {
        return run(CASES, 1);
    };
    let begin = Instant::now();
    let seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        << 20;
    let mut rounds = 0;
    while begin.elapsed() < Duration::from_secs(seconds) {
        run(CASES, seed + rounds);
        rounds += 1;
        let cases = rounds * u64::from(CASES);
        println!("{cases} cases in {} s", begin.elapsed().as_secs());
    }
}

fn run(cases: u32, seed: u64) {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    });
    let result = runner.run(&plan(), |plan| {
        // In a separate thread, because it may never end.
        let (done, end) = mpsc::channel();
        let case = thread::spawn(move || {
            check(&plan);
            done.send(()).unwrap();
        });
        match end.recv_timeout(Duration::from_secs(30)) {
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("extracting does not end"),
            _ => case
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        }
        Ok(())
    });
    if let Err(failure) = result {
        panic!("seed {seed}: {failure}");
    }
}

fn check(plan: &Plan) {
    let place = Place::in_memory();
    let inside = place.path("inside");
    fs::create_dir(&inside).unwrap();
    let mut watch = Watch::new(&place);
    let mut image = Image {
        pieces: pieces(plan),
        place: &place,
        watch: &mut watch,
    };
    let mut reports = Vec::new();
    let mut report = |error: packer::Error| reports.push(error.to_string());
    let result = extract(&mut image, &inside, ExtractOptions::default(), &mut report);
    watch.check();

    if plan.is_damaged() {
        properties::reader(&bytes(plan));
        properties::extraction(&bytes(plan));
        properties::open_directories(&inside);
    } else {
        result.unwrap();
    }
    if plan.is_orderly() {
        check_model(plan, &inside, &reports);
    }
    watch.check_foreign(&inside);
    assert_eq!(fs::read(place.path("outside/victim")).unwrap(), b"precious");
    let names = fs::read_dir(place.0.path()).unwrap().count();
    assert_eq!(names, 2, "beside the directory");
}

fn check_model(plan: &Plan, inside: &Path, reports: &[String]) {
    let top = fs::metadata(inside).unwrap();
    static MAY_MAKE_DEVICES: LazyLock<bool> = LazyLock::new(may_make_devices);
    let mut model = Model::new(*MAY_MAKE_DEVICES);
    let mut reported = Vec::new();
    for step in &plan.steps {
        match step {
            Step::Entry(entry) if model.entry(entry) => reported.push(entry),
            Step::Entry(_) | Step::Act(_) => {}
            Step::Archive(_) => model.end_archive(),
        }
    }
    assert_eq!(
        reports.len(),
        reported.len(),
        "{reports:?}, not {reported:?}"
    );

    let mut found = BTreeMap::new();
    let mut names: HashMap<_, BTreeSet<_>> = HashMap::new();
    each(inside, &mut |path, metadata| {
        let relative = path.strip_prefix(inside).unwrap().to_str().unwrap();
        let name = format!("/{relative}");
        let (mode, is_symlink) = (metadata.mode(), metadata.is_symlink());
        let device = metadata.rdev();
        let node = model::Node {
            mode: if is_symlink { LINK } else { mode },
            owner: (metadata.uid(), metadata.gid()),
            mtime: metadata.mtime() as u32,
            rdev: (rustix::fs::major(device), rustix::fs::minor(device)),
            contents: match () {
                () if is_symlink => fs::read_link(&path)
                    .unwrap()
                    .as_os_str()
                    .as_bytes()
                    .to_vec(),
                () if metadata.is_file() => fs::read(&path).unwrap(),
                () => Vec::new(),
            },
        };
        let same = names.entry((metadata.dev(), metadata.ino())).or_default();
        same.insert(name.clone());
        found.insert(name, (node, metadata.ino(), metadata.dev()));
    });
    let found = found
        .into_iter()
        .map(|(name, (node, inode, device))| (name, (node, names[&(device, inode)].clone())));
    let mut expected = model.tree();
    // The model does not have the directory itself.
    let expected_top = expected.remove("/");
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
    if let Some((node, _)) = expected_top {
        let found = (top.mode(), (top.uid(), top.gid()), top.mtime());
        assert_eq!(found, (node.mode, node.owner, node.mtime.into()));
    }
}

/// The image, with the actions of another process between the entries.
enum Piece {
    Bytes(Vec<u8>),
    Act(Act),
    /// From here on, the files that are extracted so far are watched.
    Watch,
}

struct Image<'a> {
    pieces: VecDeque<Piece>,
    place: &'a Place,
    watch: &'a mut Watch,
}

impl Read for Image<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.pieces.front_mut() {
                None => return Ok(0),
                Some(Piece::Bytes(bytes)) if !bytes.is_empty() => {
                    let read = bytes.len().min(buffer.len());
                    buffer[..read].copy_from_slice(&bytes[..read]);
                    bytes.drain(..read);
                    return Ok(read);
                }
                Some(_) => {}
            }
            match self.pieces.pop_front() {
                Some(Piece::Act(act)) => perform(&act, self.place, self.watch),
                Some(Piece::Watch) => self.watch.inside(&self.place.path("inside")),
                Some(Piece::Bytes(_)) | None => {}
            }
            self.watch.check();
        }
    }
}

fn perform(act: &Act, place: &Place, watch: &mut Watch) {
    let inside = place.path("inside");
    let path = inside.join(act.path);
    let makes = !matches!(act.what, What::Nothing | What::Renamed(_) | What::Link(_));
    // Ignore errors, because the directory may not exist.
    let is_possible = path.parent().is_some_and(|parent| {
        parent.strip_prefix(&inside).is_ok() && !is_through_symlink(parent) && parent.is_dir()
    });
    if !is_possible {
        return;
    }
    let what = || {
        let _ = match &act.what {
            What::Nothing => Ok(()),
            What::Fifo => {
                make_fifo(&path);
                Ok(())
            }
            What::File => fs::write(&path, "theirs"),
            What::Directory => fs::create_dir(&path),
            What::Symlink(target) => std::os::unix::fs::symlink(target, &path),
            What::Link(name) => fs::hard_link(place.path("outside").join(name), &path),
            What::Renamed(from) if is_through_symlink(inside.join(from).parent().unwrap()) => {
                Ok(())
            }
            What::Renamed(from) => fs::rename(inside.join(from), &path),
        };
    };
    watch.act(&path, what, makes);
}

/// Of the names that are used, only the last two can be.
fn is_through_symlink(directory: &Path) -> bool {
    let parents = directory.ancestors().take(2);
    parents.into_iter().any(|path| path.is_symlink())
}

fn pieces(plan: &Plan) -> VecDeque<Piece> {
    if plan.is_damaged() {
        return [Piece::Bytes(bytes(plan))].into();
    }
    let mut pieces = VecDeque::new();
    let mut entries = Vec::new();
    let mut ends = plan.steps.iter().filter_map(|step| match step {
        Step::Archive(is_compressed) => Some(*is_compressed),
        _ => None,
    });
    let mut is_compressed = ends.next().unwrap_or(false);
    for step in plan.steps.iter().chain([&Step::Archive(false)]) {
        match step {
            Step::Entry(entry) if is_compressed => entries.push(entry.clone()),
            Step::Entry(entry) => pieces.extend([Piece::Bytes(entry.bytes()), Piece::Watch]),
            Step::Act(act) => pieces.push_back(Piece::Act(act.clone())),
            Step::Archive(_) => {
                let bytes = archive(&std::mem::take(&mut entries));
                let mut bytes = if is_compressed { gzip(&bytes) } else { bytes };
                // Where the next archive may begin.
                pad(&mut bytes, 4);
                pieces.extend([Piece::Bytes(bytes), Piece::Watch]);
                is_compressed = ends.next().unwrap_or(false);
            }
        }
    }
    pieces
}

/// The whole image, with its damage.
fn bytes(plan: &Plan) -> Vec<u8> {
    let whole = Plan {
        damage: Vec::new(),
        cut: None,
        ..plan.clone()
    };
    let mut bytes = Vec::new();
    for piece in pieces(&whole) {
        if let Piece::Bytes(more) = piece {
            bytes.extend(more);
        }
    }
    for (at, value) in &plan.damage {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    if let Some(end) = plan.cut {
        bytes.truncate(end.index(bytes.len()));
    }
    bytes
}
