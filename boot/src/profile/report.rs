//! A boot as JSON. docs/report.md explains the fields and has an example.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::files::format::Format;
use crate::inspect::Inputs;
use crate::machine::accel::Acceleration;
use crate::machine::vm::{Runner, Vm};
use crate::profile::analysis::{Analysis, Silence};
use crate::profile::initcalls::Initcall;
use crate::profile::phases::Phase;
use crate::profile::timeline::seconds;
use crate::verdict::{Judgement, Verdict};

/// The version of the schema. It increases when a field changes its meaning or is removed, not when one is
/// added.
const VERSION: u32 = 2;

/// The largest number of delays of each kind.
const DELAYS: usize = 20;

/// A file of the boot, with its properties just before it.
#[derive(Debug, Serialize)]
struct Booted {
    path: String,
    format: String,
    size: u64,
    sha256: String,
}

impl Booted {
    fn new(path: &Path, format: Format) -> Result<Booted> {
        let mut hash = Sha256::new();
        let size = File::open(path)
            .and_then(|mut file| io::copy(&mut file, &mut hash))
            .with_context(|| format!("{}: cannot read it for the report", path.display()))?;
        Ok(Booted {
            path: path.to_string_lossy().into_owned(),
            format: format.to_string(),
            size,
            sha256: format!("{:x}", hash.finalize()),
        })
    }
}

/// The part of the report that is known before the boot.
#[derive(Debug, Serialize)]
pub struct Before {
    target: &'static str,
    machine: &'static str,
    accelerator: Option<Object<String, 2>>,
    qemu: Option<Command>,
    linux: Option<Command>,
    kernel: Booted,
    initrd: Booted,
    command_line: String,
}

#[derive(Debug, Serialize)]
struct Command {
    argv: Vec<String>,
    shell: String,
}

impl Before {
    /// Collects it. Reads both files completely.
    pub fn new(vm: &Vm, acceleration: Option<&Acceleration>, inputs: Inputs) -> Result<Before> {
        let arguments = vm.arguments();
        let words = [vm.program().as_os_str()].into_iter();
        let words = words.chain(arguments.iter().map(|word| word.as_os_str()));
        let command = Some(Command {
            argv: words.map(|word| word.to_string_lossy().into()).collect(),
            shell: vm.shell_line(),
        });
        let (qemu, linux) = match &vm.runner {
            Runner::Qemu(_) => (command, None),
            Runner::UserMode(_) => (None, command),
        };
        Ok(Before {
            target: vm.target.name,
            machine: vm.machine_name(),
            accelerator: acceleration.map(|acceleration| {
                let name = acceleration.accel.name().to_owned();
                Object([("name", name), ("why", acceleration.why.clone())])
            }),
            qemu,
            linux,
            kernel: Booted::new(&vm.kernel, inputs.kernel)?,
            initrd: Booted::new(&vm.initrd, inputs.initrd)?,
            command_line: vm.command_line(),
        })
    }
}

/// An object of fields of one type, in this order.
#[derive(Debug)]
struct Object<T, const FIELDS: usize>([(&'static str, T); FIELDS]);

impl<T: Serialize, const FIELDS: usize> Serialize for Object<T, FIELDS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    boot: &'static str,
    verdict: Option<Judgement<'a>>,
    error: Option<String>,
    #[serde(flatten)]
    before: &'a Before,
    shutdown: Option<&'a str>,
    host: Object<Option<f64>, 6>,
    guest: Object<Option<f64>, 3>,
    phases: &'a [Phase],
    initcalls: Option<Calls<'a>>,
    silences: &'a [Silence],
    console: Object<u64, 3>,
}

#[derive(Serialize)]
struct Calls<'a> {
    count: usize,
    clock: &'static str,
    total: f64,
    slowest: &'a [Initcall],
}

/// One of many boots.
#[derive(Debug)]
pub struct Run {
    /// Its place in the order in which the boots began, from 1 on.
    pub number: u32,
    /// How it ended.
    pub end: Result<Verdict>,
}

#[derive(Serialize)]
struct Repeated<'a> {
    version: u32,
    boot: &'static str,
    #[serde(flatten)]
    before: &'a Before,
    seconds: f64,
    failed: usize,
    runs: Vec<RunFacts<'a>>,
}

#[derive(Serialize)]
struct RunFacts<'a> {
    number: u32,
    verdict: Option<Judgement<'a>>,
    error: Option<String>,
}

/// The report on many boots, which took the time `took` together.
pub fn repeated(before: &Before, runs: &[Run], took: Duration) -> String {
    let has_failed = |run: &&Run| !matches!(run.end, Ok(Verdict::Seen { .. }));
    let report = Repeated {
        version: VERSION,
        boot: env!("CARGO_PKG_VERSION"),
        before,
        seconds: seconds(took),
        failed: runs.iter().filter(has_failed).count(),
        runs: runs
            .iter()
            .map(|run| RunFacts {
                number: run.number,
                verdict: run.end.as_ref().ok().map(Judgement::new),
                error: run.end.as_ref().err().map(|error| format!("{error:#}")),
            })
            .collect(),
    };
    json(&report)
}

fn json(report: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(report);
    json.expect("every key is a string") + "\n"
}

/// The report on a boot, from the facts `before` it, its end, and its analysis.
pub fn report(before: &Before, end: &Result<Verdict>, boot: &Analysis) -> String {
    let timeline = &boot.timeline;
    let (kernel, init) = (timeline.kernel.as_ref(), timeline.init.as_ref());
    let last = timeline.lines.iter().rev().find_map(|line| line.guest);
    let host = [
        ("ready", timeline.ready),
        ("first_byte", timeline.first_byte),
        ("kernel", kernel.map(|line| line.begun)),
        ("init", init.map(|line| line.begun)),
        ("expected", timeline.expected),
        ("end", Some(timeline.end)),
    ];
    let guest = [
        ("kernel", kernel.and_then(|line| line.guest)),
        ("init", init.and_then(|line| line.guest)),
        ("last", last),
    ];
    let calls = &boot.initcalls.calls;
    let report = Report {
        version: VERSION,
        boot: env!("CARGO_PKG_VERSION"),
        verdict: end.as_ref().ok().map(Judgement::new),
        error: end.as_ref().err().map(|error| format!("{error:#}")),
        before,
        shutdown: timeline.shutdown.as_deref(),
        host: Object(host.map(|(name, time)| (name, time.map(seconds)))),
        guest: Object(guest.map(|(name, time)| (name, time.map(seconds)))),
        phases: &boot.phases,
        initcalls: (!calls.is_empty()).then(|| Calls {
            count: calls.len(),
            clock: boot.initcalls.clock,
            total: seconds(boot.initcalls.total),
            slowest: &calls[..calls.len().min(DELAYS)],
        }),
        silences: &boot.silences[..boot.silences.len().min(DELAYS)],
        console: Object([
            ("bytes", timeline.bytes),
            ("lines", timeline.count()),
            ("dropped", timeline.dropped),
        ]),
    };
    json(&report)
}
