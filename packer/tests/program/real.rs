//! Programs of this machine, and programs that its compiler makes.

use super::Root;
use packer::Manifest;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PACKER: &str = env!("CARGO_BIN_EXE_packer");

fn succeeds(command: &mut Command) -> String {
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
    String::from_utf8(stdout).unwrap()
}

/// Packs the programs, and extracts the image to the directory `root` beside it.
fn pack_and_extract(programs: &[&Path]) -> TempDir {
    let directory = TempDir::new().unwrap();
    let mut create = Command::new(PACKER);
    create
        .current_dir(&directory)
        .args(["create", "out", "--compress=none", "--quiet"]);
    for program in programs {
        create.arg("--program").arg(program);
    }
    succeeds(&mut create);
    succeeds(
        Command::new(PACKER)
            .current_dir(&directory)
            .args(["extract", "out", "root"]),
    );
    directory
}

/// Runs a program with `root` as its root directory. `None` if this machine does not allow that.
fn run_in(root: &Path, program: &[&str]) -> Option<Output> {
    let probe = Command::new("unshare")
        .args(["-r", "chroot", "/", PACKER, "--version"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("not run: this machine does not allow user namespaces");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-r", "chroot"]).arg(root).args(program);
    Some(command.output().unwrap())
}

/// The first file of this name in PATH.
fn which(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap();
    let mut files = env::split_paths(&path).map(|directory| directory.join(name));
    files
        .find(|file| file.is_absolute() && file.is_file())
        .expect(name)
}

#[test]
fn packer_itself_starts_from_its_closure() {
    let directory = pack_and_extract(&[Path::new(PACKER)]);
    let root = directory.path().join("root");

    let interpreter = interpreter_of(PACKER);
    let directories = library_directories(&root);
    let listed = succeeds(
        Command::new(root.join(interpreter.strip_prefix("/").unwrap()))
            .args(["--inhibit-cache", "--library-path", &directories, "--list"])
            .arg(root.join(PACKER.trim_start_matches('/'))),
    );
    let paths: Vec<_> = listed
        .lines()
        .filter_map(|line| line.split_once(" => "))
        .collect();
    assert!(
        paths.iter().any(|(name, _)| name.contains("libc.so")),
        "{listed}"
    );
    for (_, path) in paths {
        assert!(
            path.contains(root.to_str().unwrap()) || path.starts_with("/lib64/ld"),
            "{listed}"
        );
    }

    if let Some(output) = run_in(&root, &[PACKER, "--version"]) {
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            succeeds(Command::new(PACKER).arg("--version"))
        );
    }
}

/// The `PT_INTERP` of a program, by searching its first bytes: no code in common with packer's.
fn interpreter_of(program: &str) -> PathBuf {
    let bytes = fs::read(program).unwrap();
    let is_interpreter =
        |text: &&[u8]| text.starts_with(b"/") && text.windows(4).any(|part| part == b"/ld-");
    let text = bytes[..4096]
        .split(|byte| *byte == 0)
        .find(is_interpreter)
        .unwrap();
    PathBuf::from(String::from_utf8(text.to_vec()).unwrap())
}

/// All directories below `root` with a library, separated by colons.
fn library_directories(root: &Path) -> String {
    let mut found = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                pending.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains(".so") {
                found.push(directory.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found.dedup();
    found.join(":")
}

#[test]
fn a_script_for_env_starts_from_its_closure() {
    let directory = TempDir::new().unwrap();
    let script = directory.path().join("script");
    let env = which("env");
    fs::write(&script, format!("#!{} sh\necho packed\n", env.display())).unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let packed = pack_and_extract(&[&script]);
    let root = packed.path().join("root");
    for program in [&script, &env, &which("sh")] {
        let packed = root.join(program.strip_prefix("/").unwrap());
        assert!(packed.symlink_metadata().is_ok(), "{packed:?}");
    }
    if let Some(output) = run_in(&root, &[script.to_str().unwrap()]) {
        assert_eq!(output.stdout, b"packed\n", "{output:?}");
    }
}

#[test]
fn a_name_is_looked_up_in_path_and_a_mistake_is_named() {
    let directory = TempDir::new().unwrap();
    let create = |program: &str| {
        let mut command = Command::new(PACKER);
        command
            .current_dir(&directory)
            .args(["create", "out", "--program", program]);
        command.output().unwrap()
    };
    assert!(create("env").status.success());
    let manifest = Manifest::of_image(File::open(directory.path().join("out")).unwrap()).unwrap();
    let env = which("env");
    assert!(
        manifest
            .entries
            .iter()
            .any(|entry| entry.path == env.to_str().unwrap())
    );

    let output = create("./none");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let path = directory.path().canonicalize().unwrap().join("none");
    assert_eq!(
        stderr,
        format!(
            "{}: does not exist; install it, or name another program\n",
            path.display()
        )
    );
}

/// ld.so does not read /etc/ld.so.conf. So the library is found only with the cache.
#[test]
fn a_library_of_ld_so_conf_is_found_through_the_cache() {
    let base = pack_and_extract(&[Path::new(PACKER)]);
    let base = base.path().join("root");
    let sources = TempDir::new().unwrap();
    let path = |name: &str| sources.path().join(name);
    fs::write(path("a.c"), "int answer(void) { return 42; }").unwrap();
    fs::write(
        path("p.c"),
        "int answer(void); int main(void) { return answer(); }",
    )
    .unwrap();
    let cc = |arguments: &[&str]| {
        succeeds(Command::new("cc").current_dir(&sources).args(arguments));
    };
    let root = Root::new();
    let name = "liba9.so.10";
    cc(&[
        "-shared",
        "-fPIC",
        "-o",
        name,
        "a.c",
        &format!("-Wl,-soname={name}"),
    ]);
    cc(&["-o", "p", "p.c", name]);

    // The C library of this machine in a root of its own.
    fs::remove_dir_all(root.path("/lib")).unwrap();
    fs::remove_dir(root.0.path()).unwrap();
    fs::rename(&base, root.0.path()).unwrap();
    root.file("/opt/a/liba9.so.10", &fs::read(path(name)).unwrap(), 0o755);
    root.file("/opt/a/liba10.so.9", &fs::read(path(name)).unwrap(), 0o755);
    root.file("/bin/p", &fs::read(path("p")).unwrap(), 0o755);
    root.file("/etc/ld.so.conf", b"/opt/a\n", 0o644);

    let mut tree = packer::Tree::new();
    root.closure(&["/bin/p"])
        .unwrap()
        .insert(&mut tree)
        .unwrap();
    let image = packer::archive::write(&tree, 0, Vec::new()).unwrap();
    let guest = TempDir::new().unwrap();
    let mut report = |error| panic!("{error}");
    packer::extract::extract(&image[..], guest.path(), Default::default(), &mut report).unwrap();

    let cache = guest.path().join("etc/ld.so.cache");
    if let Ok(output) = Command::new("ldconfig")
        .args(["-p", "-C"])
        .arg(&cache)
        .output()
    {
        let listed = String::from_utf8(output.stdout).unwrap();
        assert!(
            listed.contains("liba9.so.10 (libc6") && listed.contains("=> /opt/a/liba9.so.10"),
            "{listed}"
        );
        assert!(listed.starts_with("1 libs found"), "{listed}");
    }
    if let Some(output) = run_in(guest.path(), &["/bin/p"]) {
        assert_eq!(output.status.code(), Some(42), "{output:?}");
        fs::remove_file(&cache).unwrap();
        let output = run_in(guest.path(), &["/bin/p"]).unwrap();
        assert_eq!(output.status.code(), Some(127), "{output:?}");
    }
}
