//! The outputs of `packer create`: it never overwrites its inputs, and never leaves an incomplete file.

use packer::Manifest;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PACKER: &str = env!("CARGO_BIN_EXE_packer");

/// A directory to run `packer` in, with an input of each kind, and with other names of the inputs.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("init"), "#!").unwrap();
    fs::hard_link(path("init"), path("hard")).unwrap();
    symlink("init", path("soft")).unwrap();
    symlink("new", path("dangling")).unwrap();
    fs::write(path("list"), "file /init init 0755 0 0\n").unwrap();
    fs::create_dir(path("tree")).unwrap();
    fs::write(path("tree/file"), "in a tree").unwrap();
    symlink("tree/new", path("into-tree")).unwrap();
    directory
}

fn create(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(PACKER);
    command
        .current_dir(directory)
        .env_remove("SOURCE_DATE_EPOCH")
        .arg("create")
        .args(arguments);
    command
}

fn succeeds(command: &mut Command) -> Vec<u8> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(
        status.success() && stderr.is_empty(),
        "{command:?}: {status}\n{stderr}"
    );
    stdout
}

/// Every file of `directory` with its inode number and its contents or target.
fn state(directory: &Path) -> BTreeMap<OsString, (u64, Vec<u8>)> {
    let mut state = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let contents = match metadata.file_type() {
            kind if kind.is_symlink() => {
                let target = fs::read_link(entry.path()).unwrap();
                target.into_os_string().into_encoded_bytes()
            }
            kind if kind.is_file() => fs::read(entry.path()).unwrap(),
            _ => Vec::new(),
        };
        state.insert(entry.file_name(), (metadata.ino(), contents));
    }
    state
}

#[test]
fn nothing_that_is_read_is_written_over() {
    let directory = directory();
    let read = "which is read for the image; name another file";
    let written = "which is also written; name another file";
    for (arguments, error) in [
        (
            &["init", "--file=/init=init"][..],
            format!("init: would replace init, {read}"),
        ),
        (
            &["./init", "--file=/init=init"],
            format!("./init: would replace init, {read}"),
        ),
        (
            &["hard", "--file=/init=init"],
            format!("hard: would replace init, {read}"),
        ),
        (
            &["soft", "--file=/init=init"],
            format!("soft: would replace init, {read}"),
        ),
        (
            &["init", "--file=/init=soft"],
            format!("init: would replace soft, {read}"),
        ),
        (
            &["list", "--list=list"],
            format!("list: would replace list, {read}"),
        ),
        (
            &["init", "--list=list"],
            format!("init: would replace init, {read}"),
        ),
        (
            &["out", "--manifest=list", "--list=list"],
            format!("list: would replace list, {read}"),
        ),
        (
            &["out", "--manifest=hard", "--file=/init=init"],
            format!("hard: would replace init, {read}"),
        ),
        (
            &["out", "--manifest=out", "--dir=/d"],
            format!("out: would replace out, {written}"),
        ),
        (
            &["tree/../out", "--manifest=out", "--dir=/d"],
            format!("out: would replace tree/../out, {written}"),
        ),
        (
            &["new", "--manifest=dangling", "--dir=/d"],
            format!("dangling: would replace new, {written}"),
        ),
        (
            &["soft", "--manifest=hard", "--dir=/d"],
            format!("hard: would replace soft, {written}"),
        ),
        (
            &["tree/out", "--tree=tree"],
            "tree/out: is inside tree, which is to be packed".into(),
        ),
        (
            &["tree/file", "--tree=tree"],
            "tree/file: is inside tree, which is to be packed".into(),
        ),
        (
            &["into-tree", "--tree=tree"],
            "into-tree: is inside tree, which is to be packed".into(),
        ),
        (
            &["out", "--manifest=into-tree", "--tree=tree"],
            "into-tree: is inside tree, which is to be packed".into(),
        ),
    ] {
        let before = [
            state(directory.path()),
            state(&directory.path().join("tree")),
        ];
        let Output { status, stderr, .. } = create(&directory, arguments).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(stderr, format!("{error}\n"), "{arguments:?}");
        assert_eq!(status.code(), Some(1), "{arguments:?}");
        let after = [
            state(directory.path()),
            state(&directory.path().join("tree")),
        ];
        assert_eq!(after, before, "{arguments:?}");
    }
    // Standard input may be an input, too.
    let mut command = create(&directory, &["list", "--list=-"]);
    let input = File::open(directory.path().join("list")).unwrap();
    let stderr = command.stdin(input).output().unwrap().stderr;
    let expected = format!("list: would replace /dev/stdin, {read}\n");
    assert_eq!(String::from_utf8(stderr).unwrap(), expected);

    // A file with the same name in another directory, or with the same contents, is another file.
    fs::copy(directory.path().join("init"), directory.path().join("copy")).unwrap();
    succeeds(&mut create(&directory, &["copy", "--file=/init=init"]));
}

/// Hard links and open descriptors of a replaced file keep the old file.
#[test]
fn what_a_symbolic_link_leads_to_is_replaced() {
    let directory = directory();
    let path = |name: &str| directory.path().join(name);
    symlink("soft", path("chain")).unwrap();
    symlink(path("tree"), path("directory")).unwrap();
    symlink("../init", path("tree/up")).unwrap();
    succeeds(&mut create(&directory, &["expected", "--dir=/d"]));
    let expected = fs::read(path("expected")).unwrap();
    for (out, real) in [
        ("soft", "init"),
        ("chain", "init"),
        ("directory/up", "init"),
        ("dangling", "new"),
        ("directory/new-too", "tree/new-too"),
    ] {
        let is_link = path(out).is_symlink();
        succeeds(&mut create(&directory, &[out, "--dir=/d"]));
        assert_eq!(path(out).is_symlink(), is_link, "{out}");
        assert_eq!(fs::read(path(real)).unwrap(), expected, "{out}");
        fs::write(path(real), "old").unwrap();
    }
    assert_eq!(fs::read(path("hard")).unwrap(), b"#!");
}

#[test]
fn pipes_and_devices_are_written_to() {
    let directory = directory();
    let path = |name: &str| directory.path().join(name);
    succeeds(&mut create(&directory, &["expected", "--dir=/d"]));
    let expected = fs::read(path("expected")).unwrap();

    // A pipe.
    let stdout = ["/dev/stdout", "--dir=/d"];
    assert_eq!(succeeds(&mut create(&directory, &stdout)), expected);
    // An open file with contents.
    for open in [">", ">>"] {
        let script = format!(r#"{{ echo begin; "$@"; echo end; }} {open} "$OUT""#);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script, "sh", PACKER, "create"])
            .args(stdout);
        succeeds(shell.current_dir(&directory).env("OUT", "around"));
        let around = [b"begin\n", &expected[..], b"end\n"].concat();
        assert_eq!(fs::read(path("around")).unwrap(), around, "{open}");
        fs::remove_file(path("around")).unwrap();
    }
    // A FIFO, and the manifest of the image that it got.
    assert!(
        Command::new("mkfifo")
            .arg(path("fifo"))
            .status()
            .unwrap()
            .success()
    );
    let fifo = path("fifo");
    let reader = thread::spawn(move || fs::read(fifo).unwrap());
    let arguments = ["fifo", "--dir=/d", "--manifest=json"];
    succeeds(&mut create(&directory, &arguments));
    assert_eq!(reader.join().unwrap(), expected);
    let manifest = Manifest::read_json(File::open(path("json")).unwrap()).unwrap();
    assert_eq!(manifest, Manifest::of_image(&expected[..]).unwrap());

    // The directory for temporary files is full.
    let mut command = create(&directory, &stdout);
    let stderr = command.env("TMPDIR", "nowhere").output().unwrap().stderr;
    let stderr = String::from_utf8(stderr).unwrap();
    let expected =
        "/dev/stdout: cannot write a temporary file to nowhere: No such file or directory";
    assert!(stderr.starts_with(expected), "{stderr}");

    let full = File::options().write(true).open("/dev/full").unwrap();
    let Output { status, stderr, .. } = create(&directory, &stdout).stdout(full).output().unwrap();
    assert_eq!(status.code(), Some(1));
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(
        stderr,
        "/dev/stdout: No space left on device (os error 28)\n"
    );
}

#[test]
fn a_directory_that_cannot_be_written_to_is_named() {
    let directory = directory();
    let tree = directory.path().join("tree");
    let mut permissions = fs::metadata(&tree).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&tree, permissions).unwrap();
    // Root can write to it anyway.
    if File::create(tree.join("probe")).is_err() {
        let out = ["tree/file", "--dir=/d"];
        let stderr = create(&directory, &out).output().unwrap().stderr;
        let expected = "tree/file: cannot make a file in tree: Permission denied (os error 13)\n";
        assert_eq!(String::from_utf8(stderr).unwrap(), expected);
    }
}

/// Otherwise, after a power failure, the file could have its name but no contents.
#[test]
fn an_image_is_on_the_disk_before_it_has_its_name() {
    let directory = directory();
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-o", "trace", "-e", "trace=fsync,/^rename"])
        .args([PACKER, "create", "out", "--dir=/d"])
        .current_dir(&directory);
    succeeds(&mut strace);
    let trace = fs::read_to_string(directory.path().join("trace")).unwrap();
    let calls = trace.lines().filter_map(|line| {
        let (call, _) = line.split_once('(')?;
        call.split_whitespace().last()
    });
    let calls: Vec<_> = calls.collect();
    assert!(
        matches!(calls[..], ["fsync", rename, "fsync"] if rename.starts_with("rename")),
        "{trace}"
    );
}

/// Starts a program that hangs midway, because nobody reads from the FIFO for the manifest.
fn stuck(directory: &TempDir, prefix: &str) -> std::process::Child {
    let fifo = directory.path().join("fifo");
    if !fifo.exists() {
        assert!(
            Command::new("mkfifo")
                .arg(&fifo)
                .status()
                .unwrap()
                .success()
        );
    }
    let mut shell = Command::new("sh");
    let script = format!(r#"{prefix} exec "$@""#);
    shell
        .args(["-c", &script, "sh", PACKER, "create"])
        .args(["out", "--dir=/d", "--manifest=fifo"])
        .current_dir(directory)
        .stderr(Stdio::null());
    let child = shell.spawn().unwrap();
    wait_until(|| begun(directory));
    child
}

fn begun(directory: &TempDir) -> bool {
    let mut names = fs::read_dir(directory).unwrap();
    names.any(|entry| {
        entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".packer-")
    })
}

fn wait_until(condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_signal_leaves_nothing_behind() {
    let directory = directory();
    let signals = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];
    for signal in signals.into_iter().filter(|signal| !is_ignored(*signal)) {
        let mut child = stuck(&directory, "ulimit -c 0;");
        kill_process(Pid::from_child(&child), signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        assert!(!begun(&directory), "{signal:?}");
        assert!(!directory.path().join("out").exists());
    }
}

/// Whether whoever runs the tests ignores the signal, as a shell does with SIGINT for its background jobs. packer inherits that.
fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
    mask & (1 << (signal.as_raw() - 1)) != 0
}

/// As with nohup(1).
#[test]
fn a_signal_that_is_ignored_stays_so() {
    let directory = directory();
    let mut child = stuck(&directory, r#"trap "" HUP;"#);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    let manifest = fs::read(directory.path().join("fifo")).unwrap();
    assert!(child.wait().unwrap().success());
    let image = File::open(directory.path().join("out")).unwrap();
    assert_eq!(
        Manifest::read_json(&manifest[..]).unwrap(),
        Manifest::of_image(image).unwrap()
    );
}
