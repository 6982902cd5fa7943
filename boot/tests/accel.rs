//! boot uses KVM if it works, and TCG otherwise, with a reason. It never hangs.

mod common;

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use boot::machine::accel::outcome::Outcome;
use boot::machine::accel::probe::{GUEST_LIMIT, START_LIMIT, probe};
use common::{Fixture, Ran, wait_for, wait_for_death};
use rustix::process::{Pid, Signal, geteuid, kill_process};

const BOOT: &str = env!("CARGO_BIN_EXE_boot");

/// Long before the processes of these tests end by themselves, even on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// A QEMU that shows its arguments and succeeds.
const QEMU: &str = "echo \"$@\"; echo 'Hello, world!'";

/// `boot`, with `trial` as the process that tests KVM.
fn boot(fixture: &Fixture, trial: &str, arguments: &[&str]) -> Command {
    let mut command = fixture.boot(QEMU, arguments);
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-kvm");
    command
        .env_remove("BOOT_ACCEL")
        .envs([("BOOT_KVM_TRIAL", fake.as_os_str())])
        .envs([("FAKE_KVM", trial), ("BOOT", BOOT)]);
    command
}

/// Runs boot and also returns QEMU's accelerator.
fn run(fixture: &Fixture, trial: &str, arguments: &[&str]) -> (Ran, Option<String>) {
    let ran = Ran::from(boot(fixture, trial, arguments).output().unwrap());
    let stdout = String::from_utf8_lossy(&ran.stdout);
    let accel = stdout
        .split_once("-accel ")
        .map(|(_, rest)| rest.split(' ').next().unwrap().to_owned());
    (ran, accel)
}

/// Checks a KVM that does not work because of `why`: boot uses TCG, or refuses KVM with advice.
#[track_caller]
fn useless(fixture: &Fixture, trial: &str, why: &str, advice: &str) {
    let started = Instant::now();
    let (ran, accel) = run(fixture, trial, &[]);
    let (first, rest) = ran.stderr.split_once('\n').unwrap();
    assert_eq!(first, format!("boot: accelerator: tcg, because {why}"));
    assert!(rest.starts_with("boot: saw \"Hello, world!\" "), "{rest}");
    assert_eq!((ran.code, accel.as_deref()), (Some(0), Some("tcg")));

    let (ran, accel) = run(fixture, trial, &["--accel", "kvm"]);
    ran.expect(125, &format!("boot: cannot use KVM: {why} ({advice})\n"));
    assert_eq!(accel, None, "QEMU was started");
    assert!(started.elapsed() < 2 * SOON, "{:?}", started.elapsed());
}

#[test]
fn kvm_that_works_is_used() {
    let fixture = Fixture::new();
    for arguments in [&[][..], &["--accel", "auto"], &["--accel", "kvm"]] {
        let (ran, accel) = run(&fixture, r#"echo running; echo '"works"'"#, arguments);
        ran.expect_seen("Hello, world!");
        assert_eq!(accel.as_deref(), Some("kvm"));
    }
}

#[test]
fn kvm_is_not_tested_without_need() {
    let fixture = Fixture::new();
    let (ran, accel) = run(&fixture, "touch tried", &["--accel", "tcg"]);
    ran.expect_seen("Hello, world!");
    assert_eq!(accel.as_deref(), Some("tcg"));
    // Nor for a boot that cannot start.
    fs::write(fixture.path("initrd"), "").unwrap();
    let (ran, _) = run(&fixture, "touch tried", &[]);
    assert!(ran.stderr.contains("initrd: "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("accelerator"), "{}", ran.stderr);
    assert!(!fixture.path("tried").exists());
}

#[test]
fn each_failure_has_its_sentence() {
    let fixture = Fixture::new();
    for (outcome, why, advice) in [
        (
            r#"{"not-opened":2}"#,
            "/dev/kvm does not exist",
            "enable virtualization in the firmware and load kvm_intel or kvm_amd; in a container, pass the device in; or use --accel tcg",
        ),
        (
            r#"{"not-opened":1}"#,
            "nobody may open /dev/kvm here",
            "allow the device in the container or service manager, for example with docker run --device /dev/kvm; or use --accel tcg",
        ),
        (
            r#"{"not-made":["machine",16]}"#,
            "KVM cannot create a virtual machine: Device or resource busy (os error 16)",
            "end the other hypervisor that uses the CPU's virtualization, such as VirtualBox; or use --accel tcg",
        ),
        (
            r#"{"crashed":"triple-fault"}"#,
            "a test guest crashed in KVM: triple fault",
            "use --accel tcg",
        ),
        (
            r#"{"wrong":1}"#,
            "a test guest in KVM got a wrong result, 0x00000001",
            "use --accel tcg",
        ),
    ] {
        useless(&fixture, &format!("echo '{outcome}'"), why, advice);
        useless(
            &fixture,
            &format!("echo running; echo '{outcome}'"),
            why,
            advice,
        );
    }
}

#[test]
fn a_failure_of_the_test_process_is_reported() {
    let fixture = Fixture::new();
    for (trial, why) in [
        (
            "exit 7",
            "the process that tested KVM ended with exit status: 7",
        ),
        (
            "echo running; kill -11 $$",
            "the process that tested KVM ended with signal: 11 (SIGSEGV)",
        ),
        (
            "printf '\"works\"'",
            "the process that tested KVM ended with exit status: 0",
        ),
        ("echo hello", r#"the process that tested KVM wrote "hello""#),
        // Only the waiting process can know this outcome.
        (
            r#"echo '{"died":"of laughter"}'"#,
            r#"the process that tested KVM wrote "{\"died\":\"of laughter\"}""#,
        ),
    ] {
        useless(&fixture, trial, why, "use --accel tcg");
    }
    let (ran, _) = run(&fixture, "", &["--kvm-trial", "nowhere"]);
    assert!(
        ran.stderr.starts_with(
            "boot: accelerator: tcg, because the process to test KVM cannot be started: \
             No such file or directory (os error 2)\n"
        ),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_test_process_that_hangs_is_killed() {
    let fixture = Fixture::new();
    for (trial, why) in [
        (
            "echo $$ > trial; exec sleep 1000",
            "KVM did not start a test guest within 400 ms",
        ),
        (
            "echo $$ > trial; echo running; trap '' HUP INT TERM; while :; do :; done",
            "a test guest hangs in KVM: it did not end within 100 ms",
        ),
        // Reading ends, too.
        (
            "echo $$ > trial; exec yes ''",
            r#"the process that tested KVM wrote """#,
        ),
    ] {
        useless(&fixture, trial, why, "use --accel tcg");
        let trial = fs::read_to_string(fixture.path("trial")).unwrap();
        assert!(!Path::new("/proc").join(trial.trim()).exists());
    }
}

#[test]
fn an_endless_line_is_cut() {
    let fixture = Fixture::new();
    let (ran, accel) = run(&fixture, "exec tr '\\0' x </dev/zero", &[]);
    assert_eq!((ran.code, accel.as_deref()), (Some(0), Some("tcg")));
    assert!(ran.stderr.len() < 5000, "{} bytes", ran.stderr.len());
}

/// `probe` leaves nothing behind, not even a dead process.
#[test]
fn the_test_process_is_reaped() {
    let fixture = Fixture::new();
    for (script, expected) in [
        ("echo '\"works\"'; exec sleep 1000", Outcome::Works),
        ("exit 1", Outcome::Died("exit status: 1".to_owned())),
        ("exec sleep 1000", Outcome::Stuck(START_LIMIT)),
        ("echo running; exec sleep 1000", Outcome::Spins(GUEST_LIMIT)),
    ] {
        let id = fixture.path("id");
        let mut command = Command::new("/bin/sh");
        let script = format!("echo $$ > {}; {script}", id.display());
        command.args(["-c", &script]);
        assert_eq!(probe(command), expected);
        let id = fs::read_to_string(id).unwrap();
        assert!(!Path::new("/proc").join(id.trim()).exists());
    }
}

#[test]
fn the_test_process_ends_with_boot() {
    let fixture = Fixture::new();
    let mut boot = boot(
        &fixture,
        "echo $$ > new; mv new trial; exec sleep 1000",
        &[],
    )
    .spawn()
    .unwrap();
    let trial = wait_for("the trial", || {
        fs::read_to_string(fixture.path("trial")).ok()
    });
    kill_process(Pid::from_child(&boot), Signal::KILL).unwrap();
    boot.wait().unwrap();
    wait_for_death(Pid::from_raw(trial.trim().parse().unwrap()).unwrap());
}

/// The outcome of testing `device` with `code`, or with the real code.
fn try_out(device: &Path, code: Option<&Path>) -> Outcome {
    let mut command = Command::new(BOOT);
    command.arg("--try-kvm").arg(device).args(code);
    let started = Instant::now();
    let outcome = probe(command);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    outcome
}

#[test]
fn other_devices_are_not_kvm() {
    const EACCES: i32 = 13;
    const EISDIR: i32 = 21;
    const ENOENT: i32 = 2;
    const ENOTTY: i32 = 25;
    const ENXIO: i32 = 6;
    let fixture = Fixture::new();
    let _listener = UnixListener::bind(fixture.path("socket")).unwrap();
    for (device, expected) in [
        ("nowhere", Outcome::NotOpened(ENOENT)),
        ("socket", Outcome::NotOpened(ENXIO)),
        (".", Outcome::NotOpened(EISDIR)),
        ("kernel", Outcome::NotKvm(ENOTTY)),
        ("/dev/null", Outcome::NotKvm(ENOTTY)),
    ] {
        assert_eq!(try_out(&fixture.path(device), None), expected, "{device}");
    }
    let locked = fixture.path("kernel");
    let mut permissions = fs::metadata(&locked).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0);
    fs::set_permissions(&locked, permissions).unwrap();
    let expected = if geteuid().is_root() {
        Outcome::NotKvm(ENOTTY) // Root may.
    } else {
        Outcome::NotOpened(EACCES)
    };
    assert_eq!(try_out(&locked, None), expected);
}

/// Real hardware, whatever this host has.
#[test]
fn the_real_test_ends_on_this_host() {
    let fixture = Fixture::new();
    let kvm = Path::new("/dev/kvm");
    let real = try_out(kvm, None);
    assert_eq!(real == Outcome::NotOpened(2), !kvm.exists(), "{real}");

    // boot comes to the same conclusion.
    let mut command = fixture.boot(QEMU, &["--accel", "auto"]);
    let started = Instant::now();
    let ran = Ran::from(command.output().unwrap());
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    let line = format!("boot: accelerator: tcg, because {real}\n");
    assert_eq!(
        ran.stderr.starts_with(&line),
        real != Outcome::Works,
        "{real}: {}",
        ran.stderr
    );

    // If guests run at all, guests with errors fail.
    let runs = match real {
        Outcome::NotOpened(_)
        | Outcome::NotKvm(_)
        | Outcome::OtherVersion(_)
        | Outcome::NotMade(..)
        | Outcome::NotRun(_)
        | Outcome::Stuck(_) => false,
        Outcome::Died(_)
        | Outcome::UnexpectedOutput(_)
        | Outcome::NotStarted(_)
        | Outcome::ReadFailed(_) => {
            panic!("{real}")
        }
        _ => true,
    };
    for (name, code, expected) in [
        ("jmp $", &b"\xeb\xfe"[..], Outcome::Spins(GUEST_LIMIT)),
        ("hlt", b"\xf4", Outcome::NoResult),
        ("out 0xf4, eax; hlt", b"\xe7\xf4\xf4", Outcome::Wrong(0)),
    ] {
        let file = fixture.path("code");
        fs::write(&file, code).unwrap();
        let injected = try_out(kvm, Some(&file));
        if runs {
            // A busy host may not start it in time.
            let is_late = matches!(injected, Outcome::Stuck(_));
            assert!(is_late || injected == expected, "{name}: {injected:?}");
        } else {
            assert_eq!(injected, real, "{name}");
        }
    }
}

/// The guest as a minimal 64-bit ELF file with a PVH entry.
#[cfg(target_arch = "x86_64")]
fn kernel(code: &[u8]) -> Vec<u8> {
    use boot::machine::accel::guest::{ENTRY, bytes, memory};
    // The guest does not need the first page of memory.
    const PAGE: usize = 0x1000;
    let memory = &bytes(&memory(code))[PAGE..];
    let (page, length) = (PAGE as u64, memory.len() as u64);
    // XEN_ELFNOTE_PHYS32_ENTRY
    let note = [4, 4, 18, u32::from_le_bytes(*b"Xen\0"), ENTRY as u32];

    let (magic, x86_64, sizes) = (0x0001_0102_464c_457f, 0x1_003e_0002, 0x38_0040 << 32);
    let header = [magic, 0, x86_64, ENTRY, 64, 0, sizes, 2];
    let (load, notes, offset) = ((7 << 32) | 1, 4, 64 + 2 * 56);
    let memory_segment = [load, page, page, page, length, length, page];
    let note_segment = [notes, offset, 0, 0, 20, 20, 4];

    let words = header.into_iter().chain(memory_segment).chain(note_segment);
    let mut file: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    file.extend(note.into_iter().flat_map(u32::to_le_bytes));
    file.resize(PAGE, 0);
    file.extend_from_slice(memory);
    file
}

/// On a host without a working KVM, only this test shows that the guest is correct.
#[test]
#[ignore = "wants qemu-system-x86_64"]
#[cfg(target_arch = "x86_64")]
fn the_test_guest_works_under_tcg() {
    use boot::machine::accel::guest;
    let fixture = Fixture::new();
    let exit_code = |cpu: &str, code: &[u8]| {
        fs::write(fixture.path("kernel"), kernel(code)).unwrap();
        let exit = format!("isa-debug-exit,iobase={},iosize=4", guest::PORT);
        let mut qemu = Command::new("qemu-system-x86_64")
            .args(["-nodefaults", "-no-user-config", "-no-reboot"])
            .args(["-machine", "microvm,acpi=off"])
            .args(["-accel", "tcg", "-cpu", cpu, "-m", "32"])
            .args(["-display", "none", "-device", &exit, "-kernel", "kernel"])
            .current_dir(fixture.path(""))
            .spawn()
            .unwrap();
        let started = Instant::now();
        while started.elapsed() < common::LONG {
            if let Some(status) = qemu.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        qemu.kill().unwrap();
        qemu.wait().unwrap();
        None
    };
    // The exit status that isa-debug-exit makes of the result.
    let right = Some(((guest::RESULT << 1) | 1) as i32 & 0xff);
    // Without XSAVE, and with it.
    for cpu in ["qemu64", "max"] {
        assert_eq!(exit_code(cpu, &guest::CODE), right, "{cpu}");
    }
    // A CPU that has no long mode, and other code.
    assert_eq!(exit_code("pentium3", &guest::CODE), Some(0));
    // xor eax, eax; out 0xf4, eax; hlt
    assert_eq!(exit_code("qemu64", b"\x31\xc0\xe7\xf4\xf4"), Some(1));
}
