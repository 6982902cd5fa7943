use super::*;
use crate::machine::target::TARGETS;
use crate::machine::vm::Runner;

fn qemu() -> Qemu {
    let target = TARGETS[0].qemu().unwrap();
    Qemu {
        target,
        program: "qemu".into(),
        machine: &target.machines[0],
        accel: Accel::Tcg,
        cpu: "max".into(),
        processors: 2,
        tsc_khz: Some(2_400_000),
        sandbox: false,
        gdb: None,
        more: vec![],
    }
}

fn vm(qemu: Qemu) -> Vm {
    Vm {
        target: &TARGETS[0],
        memory: 64,
        kernel: "a kernel".into(),
        initrd: "initrd,1".into(),
        append: "quiet".into(),
        runner: Runner::Qemu(qemu),
    }
}

fn value(arguments: &[OsString], option: &str) -> OsString {
    let at = arguments
        .iter()
        .position(|argument| argument == option)
        .unwrap();
    arguments[at + 1].clone()
}

#[test]
fn every_field_reaches_qemu_unchanged() {
    let arguments = vm(qemu()).arguments();
    for (option, expected) in [
        ("-machine", TARGETS[0].qemu().unwrap().machines[0].options),
        ("-accel", "tcg"),
        ("-cpu", "max"),
        ("-smp", "2"),
        ("-m", "64M"),
        ("-kernel", "a kernel"),
        ("-initrd", "initrd,1"),
        (
            "-append",
            "console=ttyS0 panic=-1 reboot=t nolapic_timer no_timer_check lpj=500000 \
             tsc_early_khz=2400000 quiet",
        ),
    ] {
        assert_eq!(value(&arguments, option), expected);
    }
    assert!(arguments.contains(&"-no-reboot".into()));
}

#[test]
fn the_sandbox_is_an_argument_if_wanted() {
    assert!(!vm(qemu()).arguments().contains(&"-sandbox".into()));
    let sandboxed = vm(Qemu {
        sandbox: true,
        ..qemu()
    });
    assert_eq!(value(&sandboxed.arguments(), "-sandbox"), sandbox::OPTIONS);
}

#[test]
fn the_accelerator_has_qemus_name() {
    let arguments = vm(Qemu {
        accel: Accel::Kvm,
        ..qemu()
    })
    .arguments();
    assert_eq!(value(&arguments, "-accel"), "kvm");
}

#[test]
fn the_guest_waits_for_a_debugger_on_a_socket() {
    assert!(!vm(qemu()).arguments().contains(&"-S".into()));
    let arguments = vm(Qemu {
        gdb: Some("/tmp/a,b".into()),
        ..qemu()
    })
    .arguments();
    assert!(arguments.contains(&"-S".into()));
    assert_eq!(value(&arguments, "-gdb"), "chardev:gdb");
    let line = "socket,id=gdb,server=on,wait=off,path=/tmp/a,,b";
    assert_eq!(arguments.last().unwrap(), line);
}

#[test]
fn more_arguments_come_last_so_that_they_can_override() {
    let more = ["-m", "1G"].map(OsString::from).to_vec();
    let arguments = vm(Qemu { more, ..qemu() }).arguments();
    assert!(arguments.ends_with(&["-m".into(), "1G".into()]));
}

#[test]
fn with_icount_the_kernel_gets_no_frequency() {
    for (word, told) in [
        ("-icount", false),
        ("--icount", false),
        ("-no-icount", true),
    ] {
        let more = [word, "shift=0"].map(OsString::from).to_vec();
        let line = vm(Qemu { more, ..qemu() }).command_line();
        assert_eq!(line.contains("tsc_early_khz="), told, "{word}");
    }
}

#[test]
fn devices_that_the_kernel_cannot_find_cause_a_warning() {
    let caution = |machine: usize, append: &str, device: &str| {
        let vm = Vm {
            append: append.into(),
            ..vm(Qemu {
                machine: &TARGETS[0].qemu().unwrap().machines[machine],
                more: ["-device", device].map(OsString::from).to_vec(),
                ..qemu()
            })
        };
        vm.caution().is_some()
    };
    assert!(caution(0, "quiet -- x", "virtio-rng-device"));
    assert!(!caution(0, "quiet --x", "virtio-rng-device"));
    assert!(!caution(0, "-- x", "isa-debug-exit"));
    assert!(!caution(2, "-- x", "virtio-rng-pci"));
}

#[test]
fn an_exit_status_that_the_guest_chose_is_recognised() {
    let exit = |more: &str, status, shutdown| {
        let more = more.split(' ').map(OsString::from).collect();
        Qemu { more, ..qemu() }.exit_of_guest(status, shutdown)
    };
    let chosen = |status, written| Some(GuestExit { status, written });
    let device = "-device isa-debug-exit,iobase=0xf4,iosize=0x04";
    assert_eq!(exit(device, 33, None), chosen(33, Some(16)));
    assert_eq!(exit(device, 1, None), chosen(1, Some(0)));
    // isa-debug-exit causes only odd statuses.
    assert_eq!(exit(device, 2, None), None);
    assert_eq!(exit("-semihosting", 7, None), chosen(7, None));
    assert_eq!(exit("", 7, Some("guest-shutdown")), chosen(7, None));
    assert_eq!(exit("", 7, Some("host-error")), None);
    assert_eq!(exit("", 1, None), None);
    assert_eq!(exit("-semihosting", 0, None), None);
}

#[test]
fn the_shell_line_is_safe_to_paste() {
    let line = vm(qemu()).shell_line();
    assert!(line.starts_with("qemu -nodefaults "), "{line}");
    assert!(
        line.contains(" -kernel 'a kernel' -initrd initrd,1 "),
        "{line}"
    );
}
