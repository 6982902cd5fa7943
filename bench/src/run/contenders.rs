//! The tables of what is run, and with what.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ::boot::machine::qemu::Accel;
use anyhow::{Context, Result, ensure};

use super::Options;
use crate::boot::contenders::article;
use crate::boot::guest::Guest;

/// A program: `work.c` with arguments.
pub struct Program {
    pub name: &'static str,
    arguments: &'static [&'static str],
}

/// What is run. Throughput is measured with the first.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "true",
        arguments: &[],
    },
    Program {
        name: "40,000 system calls",
        arguments: &["copy", "20000"],
    },
    Program {
        name: "computing",
        arguments: &["collatz", "2000000"],
    },
];

/// `boot run` on each of its targets for this host.
const TARGETS: &[(&str, &[&str])] = &[
    ("boot run, um", &["--target", "um"]),
    (
        "boot run, QEMU (TCG)",
        &["--target", "x86_64", "--accel", "tcg"],
    ),
];

/// virtme-ng without KVM, with the processors and the memory that `boot run` gives a guest.
const VIRTME_NG: &[&str] = &["--disable-kvm", "--cpus", "1", "--memory", "512M", "--run"];

/// What `init.c` prints when the program has succeeded.
const SUCCEEDED: &str = "status: 0";

/// A way to run a program.
pub struct Contender {
    pub name: &'static str,
    what: What,
}

enum What {
    /// It ends with the program's exit status.
    Command(Vec<OsString>),
    /// It says on its console that the program has succeeded.
    Guest(Guest),
}

/// Everything that runs `program`. The first is what the others are compared with.
pub fn contenders(options: &Options, program: &Program, work: &Path) -> Result<Vec<Contender>> {
    let arguments = program.arguments.iter().map(OsString::from);
    let program_itself = || std::iter::once(options.work.clone().into()).chain(arguments.clone());
    let command = |name, runner: &Path, words: &[&str], more: &[OsString]| {
        let mut command = vec![runner.into()];
        command.extend(words.iter().map(OsString::from));
        command.extend(more.iter().cloned());
        command.push("--".into());
        command.extend(program_itself());
        Contender {
            name,
            what: What::Command(command),
        }
    };
    let guest = |guest: Guest| Contender {
        name: guest.name,
        what: What::Guest(guest),
    };
    let mut contenders = Vec::new();
    // It runs no program. It is what any guest of QEMU costs.
    if program.arguments.is_empty() {
        let mut systems = options.systems.iter();
        let system = systems.find(|system| system.target.name == "x86_64");
        let system = system.context("--system: the baseline needs x86_64=DIR")?;
        contenders.push(guest(system.baseline(|_| Ok(Accel::Tcg), work)?));
    }
    contenders.push(Contender {
        name: "the host",
        what: What::Command(program_itself().collect()),
    });
    for (name, words) in TARGETS {
        contenders.push(command(name, &options.run, words, &[]));
    }
    if let (Some(vng), Some(kernel)) = (&options.virtme_ng, &options.virtme_kernel) {
        let path = with_directory_of(vng)?;
        let words = VIRTME_NG.iter().map(OsString::from);
        let words: Vec<_> = [path, vng.into()].into_iter().chain(words).collect();
        let more = [words, vec![kernel.into()]].concat();
        contenders.push(command("virtme-ng", "env".as_ref(), &[], &more));
    }
    if let (Some(kernel), Some(initrd)) = (&options.article_kernel, &options.plain_initrd) {
        let words: Vec<_> = program_itself().collect();
        let words = words.join(" ".as_ref());
        let words = words.to_str().context("--work: the path is not UTF-8")?;
        let append = format!(" panic=-1 -- {words}");
        let article = article(kernel, initrd, Accel::Tcg, &append)?;
        contenders.push(Contender {
            name: "QEMU, the article's kernel",
            what: What::Guest(article.until(SUCCEEDED)),
        });
    }
    Ok(contenders)
}

/// `PATH` for env(1), with the directory of vng, which finds its other programs there.
fn with_directory_of(vng: &Path) -> Result<OsString> {
    let vng = std::path::absolute(vng).context("--virtme-ng")?;
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = vng.parent().map(Path::to_owned).into_iter();
    let path = env::join_paths(directories.chain(env::split_paths(&path)))?;
    let mut variable = OsString::from("PATH=");
    variable.push(path);
    Ok(variable)
}

impl Contender {
    /// Runs the program: the time until its exit status is known.
    pub fn run(&self) -> Result<Duration> {
        let command = match &self.what {
            What::Guest(guest) => return Ok(guest.boot()?.time),
            What::Command(command) => command,
        };
        let started = Instant::now();
        let output = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("starting {}", Path::new(&command[0]).display()))?;
        let time = started.elapsed();
        ensure!(
            output.status.success(),
            "{}: {command:?}: {}: {}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
        Ok(time)
    }
}
