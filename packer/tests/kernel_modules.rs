//! Finds what kernel modules need: `packer::kernel_modules`, and `packer create --module`.

use bstr::ByteSlice;
use packer::{Kind, Tree, archive, kernel_modules};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PACKER: &str = env!("CARGO_BIN_EXE_packer");

/// A root directory with the modules of the kernel 6.1.
struct Modules(TempDir);

const DEP: &str = "\
kernel/net/virtio-net.ko.xz: kernel/net/failover.ko.gz kernel/virtio/virtio_ring.ko.zst kernel/virtio/virtio.ko
kernel/net/failover.ko.gz:
kernel/virtio/virtio_ring.ko.zst: kernel/virtio/virtio.ko
kernel/virtio/virtio.ko:
kernel/fs/ext4.ko: kernel/fs/jbd2.ko
kernel/fs/jbd2.ko:
kernel/lib/crc32c_generic.ko:
";

impl Modules {
    fn new() -> Self {
        let modules = Self(TempDir::new().unwrap());
        let gzip = |bytes: &[u8]| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        // With CRC64, which is the default of xz(1), and which the kernel does not know.
        let xz = |bytes: &[u8]| {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        modules.file("modules.dep", DEP.as_bytes());
        modules.file("modules.builtin", b"kernel/drivers/virtio-blk.ko\n");
        modules.file("kernel/net/virtio-net.ko.xz", &xz(b"virtio-net"));
        modules.file("kernel/net/failover.ko.gz", &gzip(b"failover"));
        modules.file(
            "kernel/virtio/virtio_ring.ko.zst",
            &zstd::encode_all(&b"ring"[..], 3).unwrap(),
        );
        modules.file("kernel/virtio/virtio.ko", b"virtio");
        modules.file("kernel/fs/ext4.ko", b"ext4");
        modules.file("kernel/fs/jbd2.ko", b"jbd2");
        modules.file("kernel/lib/crc32c_generic.ko", b"crc32c");
        modules
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("lib/modules/6.1")
    }

    fn file(&self, path: &str, contents: &[u8]) {
        let path = self.dir().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// The paths in the order in which to load them, without the directory that all of them have.
    fn order(&self, names: &[&str]) -> Vec<String> {
        let closure = kernel_modules::closure(&self.dir(), names).unwrap();
        let path = |path: &Path| {
            path.strip_prefix("/lib/modules/6.1/kernel")
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        closure.paths().map(path).collect()
    }

    fn error(&self, dir: &str, names: &[&str]) -> String {
        let dir = self.0.path().join(dir);
        let error = kernel_modules::closure(&dir, names)
            .unwrap_err()
            .to_string();
        error.replace(self.0.path().to_str().unwrap(), "ROOT")
    }

    fn packer(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PACKER);
        command
            .current_dir(&self.0)
            .args(["create", "out", "--compress=none"]);
        command.args(arguments).output().unwrap()
    }
}

#[test]
fn a_module_comes_after_those_that_it_needs() {
    let modules = Modules::new();
    let net = [
        "virtio/virtio.ko",
        "virtio/virtio_ring.ko",
        "net/failover.ko",
        "net/virtio-net.ko",
    ];
    assert_eq!(modules.order(&["virtio_net"]), net);
    assert_eq!(
        modules.order(&["virtio-net", "virtio_ring", "virtio-net"]),
        net
    );
    assert_eq!(
        modules.order(&["failover", "virtio_ring"]),
        ["net/failover.ko", net[0], net[1]]
    );
    assert_eq!(
        modules.order(&["virtio_blk", "virtio-blk"]),
        [] as [&str; 0]
    );
}

/// Whatever the order in the lines is.
#[test]
fn every_line_of_modules_dep_counts() {
    let modules = Modules::new();
    modules.file("modules.dep", b"a/c.ko: b.ko a.ko\nb.ko: a.ko\na.ko:\n");
    let closure = kernel_modules::closure(&modules.dir(), &["c"]).unwrap();
    let paths: Vec<_> = closure.paths().collect();
    let expected = ["a.ko", "b.ko", "a/c.ko"].map(|path| Path::new("/lib/modules/6.1").join(path));
    assert_eq!(paths, expected);
    modules.file("modules.dep", b"a/c.ko: a.ko b.ko\nb.ko: a.ko\na.ko:\n");
    let closure = kernel_modules::closure(&modules.dir(), &["c"]).unwrap();
    assert_eq!(closure.paths().collect::<Vec<_>>(), expected);
}

#[test]
fn modules_are_stored_decompressed() {
    let modules = Modules::new();
    let mut tree = Tree::new();
    kernel_modules::closure(modules.0.path(), &["virtio-net"])
        .unwrap()
        .insert(&mut tree)
        .unwrap();
    let files: Vec<_> = tree
        .entries()
        .filter_map(|(path, entry)| {
            let contents = match &entry.kind {
                Kind::File { source } => fs::read(source).unwrap(),
                Kind::Contents { bytes } => bytes.clone(),
                _ => return None,
            };
            assert_eq!(entry.mode, Some(0o644));
            Some((path.to_string(), String::from_utf8(contents).unwrap()))
        })
        .collect();
    let expected = [
        ("net/failover.ko", "failover"),
        ("net/virtio-net.ko", "virtio-net"),
        ("virtio/virtio.ko", "virtio"),
        ("virtio/virtio_ring.ko", "ring"),
    ];
    let path = |path: &str| format!("lib/modules/6.1/kernel/{path}");
    assert_eq!(
        files,
        expected.map(|(name, contents)| (path(name), contents.to_owned()))
    );

    let image = archive::write(&tree, 0, Vec::new()).unwrap();
    let needle = b"lib/modules/6.1/kernel/net/virtio-net.ko\0\0virtio-net\0\0";
    assert!(image.windows(needle.len()).any(|part| part == needle));
}

#[test]
fn soft_dependencies_and_aliases() {
    let modules = Modules::new();
    assert_eq!(modules.order(&["ext4"]), ["fs/jbd2.ko", "fs/ext4.ko"]);
    modules.file(
        "modules.softdep",
        b"# a comment\nsoftdep ext4 pre: crc32c none post: failover\n",
    );
    assert_eq!(modules.order(&["ext4"]), ["fs/jbd2.ko", "fs/ext4.ko"]);
    modules.file(
        "modules.alias",
        b"alias crc32c crc32c_generic\nalias crypto-crc32c crc32c_generic\n",
    );
    assert_eq!(
        modules.order(&["ext4"]),
        ["lib/crc32c_generic.ko", "fs/jbd2.ko", "fs/ext4.ko"]
    );
    modules.file("modules.softdep", b"softdep ext4 pre: ext4 virtio-ring\n");
    assert_eq!(
        modules.order(&["ext4"]),
        [
            "virtio/virtio.ko",
            "virtio/virtio_ring.ko",
            "fs/jbd2.ko",
            "fs/ext4.ko"
        ]
    );
}

/// A module with nothing but the section `.modinfo`.
fn module(fields: &str) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(64, 0);
    let names = b"\0.modinfo\0";
    let info = fields.replace(' ', "\0") + "\0";
    let sections = [
        [0; 4],
        // The names' and the fields': the name, the type, the offset and the size.
        [0, 3, 64, names.len()],
        [1, 1, 64 + names.len(), info.len()],
    ];
    file.extend(names);
    file.extend(info.bytes());
    let at = file.len() as u64;
    for [name, kind, offset, size] in sections {
        let mut section = [0; 64];
        section[0] = name as u8;
        section[4] = kind as u8;
        section[24..32].copy_from_slice(&(offset as u64).to_le_bytes());
        section[32..40].copy_from_slice(&(size as u64).to_le_bytes());
        file.extend(section);
    }
    file[40..48].copy_from_slice(&at.to_le_bytes());
    // The size and the number of the sections, and which of them has the names.
    file[58..64].copy_from_slice(&[64, 0, 3, 0, 1, 0]);
    file
}

#[test]
fn without_modules_dep_the_modules_tell_what_they_need() {
    let modules = Modules::new();
    fs::remove_file(modules.dir().join("modules.dep")).unwrap();
    let xz = |bytes: &[u8]| {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let net = module("license=GPL depends=virtio_ring,virtio-x softdep=pre:\u{1f}failover");
    let net = net
        .iter()
        .map(|byte| if *byte == 0x1f { b' ' } else { *byte });
    modules.file("kernel/net/virtio-net.ko.xz", &xz(&net.collect::<Vec<_>>()));
    modules.file("kernel/net/failover.ko.gz", b"");
    fs::remove_file(modules.dir().join("kernel/net/failover.ko.gz")).unwrap();
    modules.file("kernel/net/failover.ko", &module("depends="));
    modules.file(
        "kernel/virtio/virtio_ring.ko.zst",
        &zstd::encode_all(&module("depends=")[..], 3).unwrap(),
    );
    modules.file("kernel/virtio/virtio-x.ko", &module("depends=virtio_ring"));
    assert_eq!(
        modules.order(&["virtio_net"]),
        [
            "net/failover.ko",
            "virtio/virtio_ring.ko",
            "virtio/virtio-x.ko",
            "net/virtio-net.ko"
        ]
    );
    let kernel = "ROOT/lib/modules/6.1/kernel";
    assert_eq!(
        modules.error("", &["virtio_nett"]),
        format!("{kernel}: has no kernel module virtio_nett; similar names: virtio_net")
    );
    assert_eq!(
        modules.error("", &["jbd2"]),
        format!(
            "{kernel}/fs/jbd2.ko: is not a kernel module: Could not read file magic; install it again"
        )
    );
    let other = module("").replace(".modinfo", ".modinfx");
    modules.file("kernel/fs/jbd2.ko", &other);
    assert_eq!(
        modules.error("", &["jbd2"]),
        format!(
            "{kernel}/fs/jbd2.ko: is not a kernel module: it has no section .modinfo; install it again"
        )
    );
}

#[test]
fn a_package_may_have_its_modules_below_usr() {
    let modules = Modules::new();
    let root = modules.0.path();
    fs::create_dir(root.join("usr")).unwrap();
    fs::rename(root.join("lib"), root.join("usr/lib")).unwrap();
    let closure = kernel_modules::closure(root, &["failover"]).unwrap();
    let paths: Vec<_> = closure.paths().collect();
    assert_eq!(
        paths,
        [Path::new("/lib/modules/6.1/kernel/net/failover.ko")]
    );
}

#[test]
fn mistakes_are_named() {
    let modules = Modules::new();
    let dep = "ROOT/lib/modules/6.1/modules.dep";
    assert_eq!(
        modules.error("", &["virtio_nett"]),
        format!("{dep}: has no kernel module virtio_nett; similar names: virtio_net")
    );
    assert_eq!(
        modules.error("", &["crc32c"]),
        format!("{dep}: has no kernel module crc32c; similar names: crc32c_generic")
    );
    assert_eq!(
        modules.error("", &["zzzzzzz"]),
        format!(
            "{dep}: has no kernel module zzzzzzz; look for its name there, or name another directory with --modules"
        )
    );
    assert_eq!(
        modules.error("none", &["ext4"]),
        "ROOT/none: No such file or directory (os error 2)"
    );
    assert_eq!(
        modules.error("lib", &["ext4"]),
        "ROOT/lib: has no kernel modules; name another directory with --modules: /lib/modules/VERSION, or a root directory that \
         has one"
    );

    modules.file("modules.dep", b"a.ko: b.ko\nwords\n");
    assert_eq!(
        modules.error("", &["a"]),
        format!("{dep}:2: the line has no `:`, so depmod(8) did not write it; run depmod(8) again")
    );
    modules.file("modules.dep", b"a.ko: b.ko\n");
    let error = modules.error("", &["a"]);
    assert!(
        error.starts_with(&format!("{dep}: has no kernel module b;")),
        "{error}"
    );

    fs::create_dir(modules.0.path().join("lib/modules/6.12")).unwrap();
    assert_eq!(
        modules.error("", &["ext4"]),
        "ROOT/lib/modules: has the modules of several kernels; name the directory of one kernel with --modules: 6.1, 6.12"
    );
}

#[test]
fn damaged_modules_are_errors() {
    for path in [
        "kernel/net/virtio-net.ko.xz",
        "kernel/net/failover.ko.gz",
        "kernel/virtio/virtio_ring.ko.zst",
    ] {
        let modules = Modules::new();
        let bytes = fs::read(modules.dir().join(path)).unwrap();
        for damaged in [&bytes[..bytes.len() / 2], b"ko", b""] {
            modules.file(path, damaged);
            let closure = kernel_modules::closure(&modules.dir(), &["virtio-net"]).unwrap();
            let error = closure.insert(&mut Tree::new()).unwrap_err().to_string();
            let expected = modules.dir().join(path);
            assert!(error.starts_with(expected.to_str().unwrap()), "{error}");
            assert!(error.ends_with("; install the module again"), "{error}");
        }
    }
}

#[test]
fn the_program_adds_modules_where_lib_leads() {
    let modules = Modules::new();
    let root = modules.0.path().to_str().unwrap();
    let names = [
        "--module",
        "virtio-net",
        "--module=ext4",
        "--module=virtio_blk",
    ];
    let output =
        modules.packer(&[&names[..], &["--modules", root, "--symlink=/lib=usr/lib"]].concat());
    assert!(output.status.success(), "{output:?}");
    let first = fs::read(modules.0.path().join("out")).unwrap();
    let list = Command::new(PACKER)
        .current_dir(&modules.0)
        .args(["list", "out"])
        .output()
        .unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(
        list.contains("\n-rw-r--r-- 0:0 10 0 /usr/lib/modules/6.1/kernel/net/virtio-net.ko\n"),
        "{list}"
    );
    assert!(
        list.contains("/usr/lib/modules/6.1/kernel/fs/jbd2.ko\n"),
        "{list}"
    );
    assert_eq!(list.matches(".ko\n").count(), 6);

    let dir = modules.dir();
    let directory = ["--modules", dir.to_str().unwrap(), "--symlink=/lib=usr/lib"];
    let output =
        modules.packer(&[&directory[..], &["--module=ext4", "--module=virtio_net"]].concat());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read(modules.0.path().join("out")).unwrap(), first);
}

#[test]
fn an_image_does_not_replace_a_module() {
    let modules = Modules::new();
    let out = modules.dir().join("kernel/net/virtio-net.ko.xz");
    let mut command = Command::new(PACKER);
    command
        .arg("create")
        .arg(&out)
        .arg("--modules")
        .arg(modules.0.path())
        .arg("--module=virtio-net");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(fs::read(out).unwrap().starts_with(b"\xfd7zXZ"));
}

#[test]
fn the_two_options_belong_together() {
    let modules = Modules::new();
    for arguments in [["--module", "ext4"], ["--modules", "."]] {
        assert_eq!(modules.packer(&arguments).status.code(), Some(2));
    }
}
