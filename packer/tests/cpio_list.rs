//! Lists of entries in gen_init_cpio's format.

use packer::{Tree, archive, cpio_list};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn insert(list: impl AsRef<[u8]>) -> Result<Tree, String> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("list");
    fs::write(&path, list).unwrap();
    let mut tree = Tree::new();
    match cpio_list::insert(&mut tree, &path) {
        Ok(()) => Ok(tree),
        Err(error) => {
            let error = error.to_string();
            let place = format!("{}:", path.display());
            Err(error.strip_prefix(&place).unwrap_or(&error).to_owned())
        }
    }
}

/// The entries of the archive, read with an independent library.
fn listing(tree: &Tree) -> Vec<String> {
    let archive = archive::write(tree, 0, Vec::new()).unwrap();
    let mut rest = &archive[..];
    let mut seen = Vec::new();
    loop {
        let mut reader = cpio::NewcReader::new(rest).unwrap();
        if reader.entry().is_trailer() {
            return seen;
        }
        let mut contents = String::new();
        reader.read_to_string(&mut contents).unwrap();
        let entry = reader.entry();
        seen.push(format!(
            "{} {:o} {}:{} nlink {} rdev {}:{} {contents}",
            entry.name(),
            entry.mode(),
            entry.uid(),
            entry.gid(),
            entry.nlink(),
            entry.rdev_major(),
            entry.rdev_minor()
        ));
        rest = reader.finish().unwrap();
    }
}

/// The expected lines are the sorted entries of the archive that gen_init_cpio of Linux 6.12 makes from the
/// same list. Comments show where that archive differs.
#[test]
fn is_what_gen_init_cpio_makes_of_it() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("words"), "words").unwrap();
    let words = directory.path().join("words");
    let words = words.display();
    let list = format!(
        "# a comment\n\
        \n\
        \x20  # an indented one\n\
        dir /dev 0755 0 0\n\
        nod /dev/console 0600 0 0 c 5 1\n\
        nod\t/dev/sda  660 0 6 b\t8 0   # the disk\n\
        dir /root 0700 0 0\n\
        file /etc/words {words} 0644 1 2\n\
        file bin/a {words} 4755 0 0 /bin/b /link\n\
        slink /bin/sh a 0777 0 0\n\
        slink rel ../x 777 1000 4294967294\n\
        pipe /run/initctl 0600 0 0\n\
        sock /run/socket 0666 7 8\n\
        dir / 0711 0 0\n\
        dir /win 0755 0 0\r\n\
        \r\n\
        file /last {words} 0600 0 0 /h\r\n\
        \x20\t\x0b\n\
        file /nonl {words} 0600 0 0"
    );
    let expected = [
        ". 40711 0:0 nlink 2 rdev 0:0 ",   // its name is empty there
        "bin 40755 0:0 nlink 2 rdev 0:0 ", // not there
        "bin/a 104755 0:0 nlink 3 rdev 0:0 ",
        "bin/b 104755 0:0 nlink 3 rdev 0:0 ",
        "bin/sh 120777 0:0 nlink 1 rdev 0:0 a", // a NUL follows
        "dev 40755 0:0 nlink 2 rdev 0:0 ",
        "dev/console 20600 0:0 nlink 1 rdev 5:1 ",
        "dev/sda 60660 0:6 nlink 1 rdev 8:0 ",
        "etc 40755 0:0 nlink 2 rdev 0:0 ", // not there
        "etc/words 100644 1:2 nlink 1 rdev 0:0 words",
        "h 100600 0:0 nlink 2 rdev 0:0 ", // not the last name there, so the contents are with the other
        "last 100600 0:0 nlink 2 rdev 0:0 words",
        "link 104755 0:0 nlink 3 rdev 0:0 words",
        "nonl 100600 0:0 nlink 1 rdev 0:0 words",
        "rel 120777 1000:4294967294 nlink 1 rdev 0:0 ../x", // a NUL follows
        "root 40700 0:0 nlink 2 rdev 0:0 ",
        "run 40755 0:0 nlink 2 rdev 0:0 ",         // not there
        "run/initctl 10600 0:0 nlink 1 rdev 0:0 ", // nlink 2
        "run/socket 140666 7:8 nlink 1 rdev 0:0 ", // nlink 2
        "win 40755 0:0 nlink 2 rdev 0:0 ",
    ];
    assert_eq!(listing(&insert(list).unwrap()), expected);
}

#[test]
fn names_are_bytes() {
    let tree = insert(b"slink /\xff \xfe/target 0777 0 0\ndir /\xc2\xa0 0755 0 0\n").unwrap();
    let paths: Vec<_> = tree.entries().map(|(path, _)| path.to_vec()).collect();
    // A no-break space does not separate fields.
    assert_eq!(paths, [b"\xc2\xa0".to_vec(), b"\xff".to_vec()]);
}

#[test]
fn locations() {
    // Cargo runs tests in the directory of the package, and sets variables for it.
    for location in [
        "Cargo.toml",
        "${CARGO_MANIFEST_DIR}/Cargo.toml",
        "${CARGO_MANIFEST_DIR}/../${CARGO_PKG_NAME}/Cargo.toml",
    ] {
        let tree = insert(format!("file /x {location} 0644 0 0")).unwrap();
        let size = fs::metadata("Cargo.toml").unwrap().len() as usize;
        assert!(archive::write(&tree, 0, Vec::new()).unwrap().len() > size);
    }
    // Other fields are not expanded.
    let tree = insert("slink /${HOME} ${HOME} 0777 0 0").unwrap();
    assert_eq!(
        listing(&tree),
        ["${HOME} 120777 0:0 nlink 1 rdev 0:0 ${HOME}"]
    );
}

#[test]
fn every_mistake_names_its_line() {
    let file = "file NAME LOCATION MODE UID GID [HARD LINK...]";
    for (line, error) in [
        ("dir", "is not `dir NAME MODE UID GID`"),
        ("dir /x 0755 0", "is not `dir NAME MODE UID GID`"),
        ("file /x Cargo.toml 0644 0", &format!("is not `{file}`")),
        (
            "nod /x 0600 0 0 c 5",
            "is not `nod NAME MODE UID GID b|c MAJOR MINOR`",
        ),
        (
            "slink /x 0777 0 0",
            "is not `slink NAME TARGET MODE UID GID`",
        ),
        ("pipe /x 0600", "is not `pipe NAME MODE UID GID`"),
        ("sock", "is not `sock NAME MODE UID GID`"),
        (
            "bogus /x 0755 0 0",
            "`bogus` is not file, dir, nod, slink, pipe or sock",
        ),
        (
            "d\x1bir /x 0755 0 0",
            "`d\\x1bir` is not file, dir, nod, slink, pipe or sock",
        ),
        (
            " dir /x 0755 0 0",
            "begins with a blank, and gen_init_cpio ignores such lines; remove it",
        ),
        ("dir /x 0755 0 0 /y", "`/y` is one field too many"),
        (
            "slink /x a b 0777 0 0",
            "`b` is not an octal mode from 0 to 7777",
        ),
        (
            "file /x Cargo.toml 0644 0 0 # comment",
            "`#` would be a hard link; a comment needs its own line",
        ),
        (
            "dir /x 07558 0 0",
            "`07558` is not an octal mode from 0 to 7777",
        ),
        (
            "dir /x 10000 0 0",
            "`10000` is not an octal mode from 0 to 7777",
        ),
        (
            "dir /x 0755 -1 0",
            "`-1` is not a user number from 0 to 4294967294",
        ),
        (
            "dir /x 0755 0 4294967295",
            "`4294967295` is not a group number from 0 to 4294967294",
        ),
        ("nod /x 0600 0 0 u 5 1", "`u` is not b or c"),
        (
            "nod /x 0600 0 0 c 4096 1",
            "`4096` is not a major number from 0 to 4095",
        ),
        (
            "nod /x 0600 0 0 c 5 x",
            "`x` is not a minor number from 0 to 1048575",
        ),
        (
            "file /x a/${NO_SUCH_VARIABLE}/b 0644 0 0",
            "the environment variable `NO_SUCH_VARIABLE` is not set",
        ),
        (
            "file /x ${} 0644 0 0",
            "the environment variable `` is not set",
        ),
        (
            "file /x ${HOME 0644 0 0",
            "${HOME: No such file or directory (os error 2)",
        ),
        (
            "file /x none 0644 0 0",
            "none: No such file or directory (os error 2)",
        ),
        ("file /x src 0644 0 0", "src: is a directory, not a file"),
        (
            "dir /../x 0755 0 0",
            "/../x: a path in the archive cannot contain `..`",
        ),
        (
            "dir /there 0700 0 0",
            "/there: is there already, as a directory with mode 0755",
        ),
        (
            "file /y Cargo.toml 0644 0 0 /y",
            "/y: is there already, as a file from Cargo.toml with mode 0644",
        ),
        (
            "file /y Cargo.toml 0644 0 0 /there",
            "/there: is there already, as a directory with mode 0755",
        ),
    ] {
        let list = format!("# one\ndir /there 0755 0 0\n{line}\ndir /z 0755 0 0\n");
        assert_eq!(insert(list).unwrap_err(), format!("3: {error}"), "{line}");
    }
}

#[test]
fn lists_that_cannot_be_read() {
    for (list, error) in [
        ("none", "none: No such file or directory (os error 2)"),
        ("src", "src: Is a directory (os error 21)"),
    ] {
        let result = cpio_list::insert(&mut Tree::new(), Path::new(list));
        assert_eq!(result.unwrap_err().to_string(), error);
    }
}

#[test]
fn a_list_from_standard_input() {
    let directory = TempDir::new().unwrap();
    let run = |list: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
        command.args(["create", "out", "--list", "-", "--compress", "none"]);
        command.current_dir(&directory);
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(list.as_bytes()).unwrap();
        drop(stdin);
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    };
    let list = "dir /x 0755 0 0\n";
    assert_eq!(run(list), "");
    let archive = fs::read(directory.path().join("out")).unwrap();
    let expected = archive::write(&insert(list).unwrap(), 0, Vec::new()).unwrap();
    assert_eq!(archive, expected);
    assert_eq!(
        run("\nx\n"),
        "stdin:2: `x` is not file, dir, nod, slink, pipe or sock\n"
    );
}
