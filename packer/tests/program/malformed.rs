//! Damaged ELF files are errors, and never a panic.

use super::Root;
use super::elf::Elf;

fn everything() -> Elf {
    Elf::program()
        .needed("liba.so")
        .needed("libb.so")
        .soname("p")
        .runpath("/r")
        .rpath("/x")
}

fn root() -> Root {
    let root = Root::new();
    for name in ["liba.so", "libb.so"] {
        root.elf(&format!("/r/{name}"), &Elf::library());
    }
    root
}

#[test]
fn every_truncation_is_an_error() {
    for elf in [
        everything(),
        everything().with_32_bits(),
        everything().big_endian(),
    ] {
        let root = root();
        root.elf("/lib/ld.so", &elf);
        for name in ["liba.so", "libb.so"] {
            root.elf(&format!("/r/{name}"), &elf);
        }
        let bytes = elf.bytes();
        root.file("/bin/p", &bytes, 0o755);
        assert_eq!(root.files(&["p"]), ["/bin/p", "/r/liba.so", "/r/libb.so"]);
        for length in 0..bytes.len() {
            root.file("/bin/p", &bytes[..length], 0o755);
            let error = root.error(&["p"]);
            let expected = match length {
                0..4 => "neither an ELF program nor a script",
                4 => "is not an ELF file, or is cut off",
                _ => "ROOT/bin/p: is a malformed ELF file, or is cut off: ",
            };
            assert!(error.contains(expected), "{length}: {error}");
        }
    }
}

#[test]
fn a_cut_library_is_named() {
    let root = root();
    root.elf("/bin/p", &everything());
    for length in [0, 3] {
        root.file("/r/libb.so", &Elf::library().bytes()[..length], 0o755);
        assert_eq!(
            root.error(&["p"]),
            "ROOT/r/libb.so: is not an ELF file, or is cut off"
        );
    }
    root.file("/r/libb.so", &Elf::library().bytes()[..100], 0o755);
    let error = root.error(&["p"]);
    assert!(
        error.starts_with("ROOT/r/libb.so: is a malformed ELF file"),
        "{error}"
    );
}

/// Each byte is set to values that are extreme for numbers and offsets.
#[test]
fn no_changed_byte_is_a_panic() {
    for elf in [everything(), everything().with_32_bits()] {
        let root = root();
        let bytes = elf.bytes();
        let mut errors = 0;
        for place in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, bytes[place].wrapping_add(1)] {
                let mut changed = bytes.clone();
                changed[place] = value;
                root.file("/bin/p", &changed, 0o755);
                errors += u32::from(root.closure(&["p"]).is_err());
            }
        }
        assert!(errors > 100);
    }
}

/// Nix programs have such.
#[test]
fn a_long_runpath_is_read_to_its_end() {
    let root = root();
    let path = "/none:".repeat(2000) + "/r";
    root.elf("/bin/p", &Elf::program().needed("liba.so").runpath(&path));
    assert_eq!(root.files(&["p"]), ["/bin/p", "/r/liba.so"]);
}
