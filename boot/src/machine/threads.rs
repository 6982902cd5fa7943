//! The threads of a guest's processes, from `/proc` (proc(5)).

use std::fs;
use std::time::Duration;

use crate::machine::stat::{Stat, processes};

/// A thread, with its times since it was started.
#[derive(Clone, Debug, PartialEq)]
pub struct Thread {
    /// Its id.
    pub id: i32,
    /// Whether it sleeps, or is stopped by its tracer: user-mode Linux traces its guest's processes. Waiting for
    /// a processor or a disk is not sleep.
    pub asleep: bool,
    /// Its time on a processor.
    pub ran: Duration,
    /// Its time of waiting for a processor.
    pub waited: Duration,
    /// The number of its page faults that needed a disk.
    pub faults: u64,
}

/// The threads of a process and of the processes that it has started: a wrapper may have started QEMU, and
/// user-mode Linux has a process for each of its guest's.
#[derive(Debug)]
pub struct Threads {
    processes: Vec<i32>,
}

impl Threads {
    /// Those of `process` and its present descendants.
    pub fn of(process: i32) -> Self {
        let processes: Vec<_> = processes().filter_map(|stat| Process::new(&stat)).collect();
        Threads {
            processes: family(process, &processes),
        }
    }

    /// Their present state. Nothing if the kernel does not report it, or if all have ended.
    pub fn look(&mut self) -> Option<Vec<Thread>> {
        self.add_children();
        let mut threads = Vec::new();
        for process in &self.processes {
            // Ignore processes that have ended.
            let tasks = fs::read_dir(format!("/proc/{process}/task"));
            for task in tasks.into_iter().flatten().flatten() {
                let directory = task.path();
                threads.extend(Stat::read(&directory).and_then(|stat| {
                    thread(
                        &stat,
                        &fs::read_to_string(directory.join("schedstat")).ok()?,
                    )
                }));
            }
        }
        // A kernel that does not count these times reports zeros.
        let counted = |thread: &Thread| !thread.ran.is_zero();
        threads.iter().any(counted).then_some(threads)
    }

    /// Adds processes that have been started meanwhile. (Reading all of /proc again would take too long. Where
    /// the kernel has no such files, the new processes are missed.)
    fn add_children(&mut self) {
        let mut next = 0;
        while let Some(process) = self.processes.get(next).copied() {
            next += 1;
            let path = format!("/proc/{process}/task/{process}/children");
            let children = fs::read_to_string(path).unwrap_or_default();
            let children = children.split_ascii_whitespace().map(str::parse);
            for child in children.flatten() {
                if !self.processes.contains(&child) {
                    self.processes.push(child);
                }
            }
        }
    }
}

/// A process, its parent and its group.
#[derive(Debug, PartialEq)]
struct Process {
    id: i32,
    parent: i32,
    group: i32,
}

impl Process {
    fn new(stat: &Stat) -> Option<Self> {
        Some(Process {
            id: stat.id,
            parent: stat.parent()?,
            group: stat.group()?,
        })
    }
}

/// `first`, all processes of its group, and all descendants of these.
fn family(first: i32, processes: &[Process]) -> Vec<i32> {
    let mut family = vec![first];
    let members = processes.iter().filter(|process| process.group == first);
    family.extend(members.map(|process| process.id).filter(|id| *id != first));
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        for process in processes.iter().filter(|process| process.parent == parent) {
            if !family.contains(&process.id) {
                family.push(process.id);
            }
        }
        next += 1;
    }
    family
}

/// A thread, from its `stat` and its `schedstat`.
fn thread(stat: &Stat, schedstat: &str) -> Option<Thread> {
    let mut times = schedstat.split_ascii_whitespace().map(str::parse);
    let mut time = || Some(Duration::from_nanos(times.next()?.ok()?));
    Some(Thread {
        id: stat.id,
        asleep: matches!(stat.state()?, 'S' | 't'),
        ran: time()?,
        waited: time()?,
        faults: stat.major_faults()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (qemu) x) S 6 5 4 0 -1 4194560 29 0 3 0 1 2 0 0 20 0 3 0 4711 1 1";

    fn stat(text: &str) -> Stat {
        Stat::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_thread_and_a_process_are_parsed() {
        let expected = Thread {
            id: 7,
            asleep: true,
            ran: Duration::from_micros(12),
            waited: Duration::from_micros(34),
            faults: 3,
        };
        assert_eq!(thread(&stat(STAT), "12000 34000 5\n"), Some(expected));
        let running = thread(&stat(&STAT.replace("S 6", "R 6")), "12000 34000 5\n");
        assert!(running.is_some_and(|thread| !thread.asleep));
        let process = Process {
            id: 7,
            parent: 6,
            group: 5,
        };
        assert_eq!(Process::new(&stat(STAT)), Some(process));
    }

    #[test]
    fn incomplete_files_are_nothing() {
        assert_eq!(thread(&stat(STAT), "1"), None);
        assert_eq!(thread(&stat("7 (qemu) S"), "1 1 1"), None);
    }

    #[test]
    fn the_family_has_the_group_and_all_descendants() {
        let processes = [
            (10, 1, 10),
            (11, 10, 10),
            (12, 11, 12),
            (13, 1, 10),
            (14, 13, 14),
            (20, 1, 20),
            (21, 20, 20),
        ];
        let processes = processes.map(|(id, parent, group)| Process { id, parent, group });
        let mut found = family(10, &processes);
        found.sort();
        assert_eq!(found, [10, 11, 12, 13, 14]);
        assert_eq!(family(30, &processes), [30]);
    }

    #[test]
    fn our_own_threads_are_seen() {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let sleeper = std::thread::spawn(move || receiver.recv());
        let mut threads = Threads::of(std::process::id() as i32);
        let look = threads.look().expect("this kernel keeps an account");
        assert!(look.len() >= 2);
        // This one runs.
        assert!(look.iter().any(|thread| !thread.asleep));
        drop(sender);
        let _ = sleeper.join();
        assert_eq!(Threads::of(i32::MAX).look(), None);
    }
}
