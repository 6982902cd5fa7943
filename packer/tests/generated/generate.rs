//! Generates archives whose entries collide with each other and with the actions of another process.

use crate::extraction::is_root;
use crate::images::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Few names, so that entries collide, in all spellings, and some that lead out of the directory.
const PATHS: &[&str] = &[
    "a",
    "b",
    "c",
    "d",
    "d/a",
    "d/b",
    "d/d",
    "d/d/a",
    "a/a",
    "l",
    "A",
    "/a",
    "./a",
    "d/",
    "a/",
    "d//a",
    "d/./b",
    "/d/d/",
    ".",
    "/",
    "..",
    "d/..",
    "d/../a",
    "l/victim",
    "l/d/new",
    "../outside/victim",
    "../outside/new",
    "d/../../outside/dir",
    "\u{1b}[2J",
    "a\0b",
];

const TARGETS: &[&str] = &[
    "a",
    "d",
    ".",
    "..",
    "/",
    "nowhere",
    "../outside",
    "../outside/victim",
    "../outside/fifo",
    "../../outside/dir",
    "/dev/null",
];

/// A step of a plan.
#[derive(Clone, Debug)]
pub enum Step {
    Entry(E),
    /// The end of an archive, which may be compressed.
    Archive(bool),
    /// An action of another process.
    Act(Act),
}

/// An action of another process at a path in the directory.
#[derive(Clone, Debug)]
pub struct Act {
    pub path: &'static str,
    pub what: What,
}

/// The new file at the path.
#[derive(Clone, Debug)]
pub enum What {
    Nothing,
    Fifo,
    File,
    Directory,
    Symlink(&'static str),
    /// A hard link to something outside.
    Link(&'static str),
    /// The file at another path, which is renamed.
    Renamed(&'static str),
}

/// A sequence of archives with optional damage.
#[derive(Clone, Debug)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub damage: Vec<(Index, u8)>,
    pub cut: Option<Index>,
}

impl Plan {
    pub fn is_damaged(&self) -> bool {
        !self.damage.is_empty() || self.cut.is_some()
    }

    /// Whether there is neither damage nor another process.
    pub fn is_orderly(&self) -> bool {
        let is_act = |step: &Step| matches!(step, Step::Act(_));
        !self.is_damaged() && !self.steps.iter().any(is_act)
    }
}

pub fn plan() -> impl Strategy<Value = Plan> {
    let orderly = vec(step(), 1..24).prop_map(|steps| (steps, vec![], None));
    let acts = vec(
        prop_oneof![3 => step(), 1 => act().prop_map(Step::Act)],
        1..24,
    )
    .prop_map(|steps| (steps, vec![], None));
    let damaged = (
        vec(step(), 1..12),
        vec((any::<Index>(), any::<u8>()), 0..4),
        proptest::option::of(any::<Index>()),
    );
    prop_oneof![4 => orderly, 4 => acts, 1 => damaged].prop_map(|(steps, damage, cut)| Plan {
        steps,
        damage,
        cut,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![12 => entry().prop_map(Step::Entry), 1 => any::<bool>().prop_map(Step::Archive)]
}

fn act() -> impl Strategy<Value = Act> {
    let inside = || select(&["a", "b", "c", "d", "d/a", "d/b", "d/d", "d/d/a", "l", "new"][..]);
    let what = prop_oneof![
        2 => Just(What::Nothing),
        2 => Just(What::Fifo),
        1 => Just(What::File),
        1 => Just(What::Directory),
        3 => select(TARGETS).prop_map(What::Symlink),
        2 => select(&["victim", "fifo"][..]).prop_map(What::Link),
        2 => inside().prop_map(What::Renamed),
    ];
    (inside(), what).prop_map(|(path, what)| Act { path, what })
}

fn entry() -> impl Strategy<Value = E> {
    // Only root can set all owners and modes. Other users need permissions to read the result.
    let (ids, modes, needed) = match is_root() {
        true => (vec![0, 0, 1000, u32::MAX], 0o7777, 0),
        false => (vec![0], 0o1777, 0o700),
    };
    let contents = prop_oneof![
        3 => Just(vec![]),
        4 => vec(any::<u8>(), 1..9),
        1 => Just(vec![b'x'; 70_000]),
    ];
    let devices = select(&[(1, 7), (240, 1)][..]);
    let made = prop_oneof![
        3 => Just((DIR, vec![], (0, 0))),
        6 => contents.prop_map(|contents| (FILE, contents, (0, 0))),
        3 => select(TARGETS).prop_map(|target| (LINK, target.as_bytes().to_vec(), (0, 0))),
        2 => Just((FIFO, vec![], (0, 0))),
        1 => Just((SOCKET, vec![], (0, 0))),
        2 => (select(&[CHAR, BLOCK][..]), devices).prop_map(|(what, device)| (what, vec![], device)),
    ];
    let id = || select(ids.clone());
    let mode = prop_oneof![
        select(&[0o644, 0o755, 0o4755, 0o2711, 0o666, 0][..]),
        0..=0o7777u32
    ];
    // Use short paths, which collide most, twice as often.
    let path = prop_oneof![select(&PATHS[..9]), select(PATHS)];
    let link = (1..4u32, 1..3u32);
    (path, made, link, mode, (id(), id()), 1..9u32).prop_map(
        move |(path, made, link, mode, owner, mtime)| {
            let (file_type, contents, rdev) = made;
            E {
                ino: link.0,
                nlink: link.1,
                uid: owner.0,
                gid: owner.1,
                mtime,
                rdev,
                ..e(path, file_type | (mode & modes) | needed, contents)
            }
        },
    )
}
