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
use crate::profile::analysis::Analysis;
use crate::profile::initcalls::Clock;
use crate::verdict::Verdict;

/// The version of the schema. It increases when a field changes its meaning or is removed, not when one is
/// added.
const VERSION: u32 = 2;

/// The largest number of delays of each kind.
const DELAYS: usize = 20;

/// A file of the boot, with its properties just before it.
#[derive(Debug, Serialize)]
pub struct Booted {
    path: String,
    format: String,
    size: u64,
    sha256: String,
}

/// The part of the report that is known before the boot.
#[derive(Debug, Serialize)]
pub struct Before {
    target: &'static str,
    machine: &'static str,
    accelerator: Option<Accelerator>,
    qemu: Option<Command>,
    linux: Option<Command>,
    kernel: Booted,
    initrd: Booted,
    command_line: String,
}

#[derive(Debug, Serialize)]
struct Accelerator {
    name: &'static str,
    why: String,
}

#[derive(Debug, Serialize)]
struct Command {
    argv: Vec<String>,
    shell: String,
}

impl Before {
    /// Collects it. Reads both files completely.
    pub fn new(vm: &Vm, acceleration: Option<&Acceleration>, inputs: Inputs) -> Result<Before> {
        let program = vm.program().as_os_str();
        let arguments = vm.arguments();
        let argv = std::iter::once(program).chain(arguments.iter().map(|word| word.as_os_str()));
        let command = Command {
            argv: argv
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            shell: vm.shell_line(),
        };
        let (qemu, linux) = match &vm.runner {
            Runner::Qemu(_) => (Some(command), None),
            Runner::UserMode(_) => (None, Some(command)),
        };
        Ok(Before {
            target: vm.target.name,
            machine: vm.machine_name(),
            accelerator: acceleration.map(|acceleration| Accelerator {
                name: acceleration.accel.name(),
                why: acceleration.why.clone(),
            }),
            qemu,
            linux,
            kernel: Booted::new(&vm.kernel, inputs.kernel)?,
            initrd: Booted::new(&vm.initrd, inputs.initrd)?,
            command_line: vm.command_line(),
        })
    }
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

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    boot: &'static str,
    verdict: Option<Judgement<'a>>,
    error: Option<String>,
    #[serde(flatten)]
    before: &'a Before,
    shutdown: Option<&'a str>,
    host: Host,
    guest: Guest,
    phases: Vec<Part>,
    initcalls: Option<Calls>,
    silences: Vec<Silence<'a>>,
    console: Console,
}

#[derive(Serialize)]
struct Judgement<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    sentence: String,
    help: Option<&'static str>,
    exit_code: u8,
}

#[derive(Serialize)]
struct Host {
    ready: Option<Seconds>,
    first_byte: Option<Seconds>,
    kernel: Option<Seconds>,
    init: Option<Seconds>,
    expected: Option<Seconds>,
    end: Seconds,
}

#[derive(Serialize)]
struct Guest {
    kernel: Option<Seconds>,
    init: Option<Seconds>,
    last: Option<Seconds>,
}

#[derive(Serialize)]
struct Part {
    name: &'static str,
    who: &'static str,
    start: Seconds,
    end: Seconds,
}

#[derive(Serialize)]
struct Calls {
    count: usize,
    clock: &'static str,
    total: Seconds,
    slowest: Vec<Call>,
}

#[derive(Serialize)]
struct Call {
    name: String,
    start: Seconds,
    took: Seconds,
}

#[derive(Serialize)]
struct Silence<'a> {
    after: &'a str,
    before: &'a str,
    start: Seconds,
    took: Seconds,
}

#[derive(Serialize)]
struct Console {
    bytes: u64,
    lines: u64,
    dropped: u64,
}

/// A time in seconds, rounded down to a microsecond.
struct Seconds(Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_micros() as f64 / 1e6)
    }
}

/// The report on a boot, from the facts `before` it, its end, and its analysis.
pub fn report(before: &Before, end: &Result<Verdict>, boot: &Analysis) -> String {
    let timeline = &boot.timeline;
    let moments = [timeline.kernel(), timeline.init()];
    let [kernel, init] = moments.map(|moment| moment.map(|at| Seconds(at.host)));
    let host = Host {
        ready: timeline.ready.map(Seconds),
        first_byte: timeline.first_byte().map(Seconds),
        kernel,
        init,
        expected: timeline.expected.map(Seconds),
        end: Seconds(timeline.end),
    };
    let [kernel, init] = moments.map(|moment| moment.and_then(|at| at.guest).map(Seconds));
    let last = timeline.lines().iter().rev().find_map(|line| line.guest);
    let guest = Guest {
        kernel,
        init,
        last: last.map(Seconds),
    };
    let phases = boot.phases.iter().map(|phase| Part {
        name: phase.name,
        who: phase.who.name(),
        start: Seconds(phase.start),
        end: Seconds(phase.end),
    });
    let silences = timeline.silences(DELAYS).into_iter();
    let report = Report {
        version: VERSION,
        boot: env!("CARGO_PKG_VERSION"),
        verdict: end.as_ref().ok().map(|verdict| Judgement {
            verdict,
            sentence: verdict.sentence(),
            help: verdict.help(),
            exit_code: verdict.exit_code(),
        }),
        error: end.as_ref().err().map(|error| format!("{error:#}")),
        before,
        shutdown: timeline.shutdown.as_deref(),
        host,
        guest,
        phases: phases.collect(),
        initcalls: initcalls(boot),
        silences: silences
            .map(|(before, after)| Silence {
                after: &before.text,
                before: &after.text,
                start: Seconds(before.ended),
                took: Seconds(after.begun.saturating_sub(before.ended)),
            })
            .collect(),
        console: Console {
            bytes: timeline.bytes(),
            lines: timeline.count(),
            dropped: timeline.dropped(),
        },
    };
    let json = serde_json::to_string_pretty(&report);
    json.expect("every key is a string") + "\n"
}

fn initcalls(boot: &Analysis) -> Option<Calls> {
    let initcalls = &boot.initcalls;
    if initcalls.calls.is_empty() {
        return None;
    }
    let call = |call: &crate::profile::initcalls::Initcall| Call {
        name: call.name.clone(),
        start: Seconds(call.start),
        took: Seconds(call.took),
    };
    Some(Calls {
        count: initcalls.calls.len(),
        clock: match initcalls.clock {
            Clock::Guest => "guest",
            Clock::Host => "host",
        },
        total: Seconds(initcalls.total()),
        slowest: initcalls.slowest(DELAYS).into_iter().map(call).collect(),
    })
}
