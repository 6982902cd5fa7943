//! /etc/ld.so.conf, as ldconfig(8) reads it.

use super::root::{Root, file_name, parent};
use crate::Error;
use bstr::{BString, ByteSlice};
use std::fs;
use std::os::unix::ffi::OsStringExt;

/// How deep an `include` may be, as in glibc's elf/ldconfig.c.
const DEPTH: usize = 10;

/// The directories that a file and its includes name. None if there is no such file.
pub(super) fn directories(root: &Root, file: &[u8]) -> Result<Vec<BString>, Error> {
    let mut directories = Vec::new();
    read(root, file, 0, &mut directories)?;
    Ok(directories)
}

fn read(
    root: &Root,
    file: &[u8],
    depth: usize,
    directories: &mut Vec<BString>,
) -> Result<(), Error> {
    let at = |error| Error::at(root.source(file), error);
    let Some(found) = root.find_if_exists(file).map_err(at)? else {
        return Ok(());
    };
    if depth > DEPTH {
        let reason =
            "is included more than 10 times deep; remove the `include` that leads back to it";
        return Err(Error::at(root.source(file), reason));
    }
    for line in fs::read(&found.source).map_err(at)?.lines() {
        let line = line.split_str("#").next().unwrap_or_default().trim_ascii();
        let (word, rest) = match line.find_byteset(b" \t") {
            Some(end) => (&line[..end], &line[end..]),
            None => (line, &b""[..]),
        };
        match word {
            b"include" => {
                for pattern in rest.fields_with(char::is_whitespace) {
                    let pattern = match pattern {
                        [b'/', ..] => pattern.to_owned(),
                        _ => [parent(file), b"/", pattern].concat(),
                    };
                    for included in matching(root, &pattern)? {
                        read(root, &included, depth + 1, directories)?;
                    }
                }
            }
            b"hwcap" => {}
            _ => {
                // `DIRECTORY=TYPE` is an old form.
                let directory = line.split_str("=").next().unwrap_or_default();
                let directory = directory.trim_end_with(|c| c == '/' || c.is_whitespace());
                if directory.starts_with(b"/")
                    && !directories.iter().any(|known| known == directory)
                {
                    directories.push(directory.into());
                }
            }
        }
    }
    Ok(())
}

/// The files that match a pattern with `*` and `?` in its last name, sorted.
fn matching(root: &Root, pattern: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let (directory, pattern) = (parent(pattern), file_name(pattern));
    let at = |error| Error::at(root.source(directory), error);
    let Some(found) = root.find_if_exists(directory).map_err(at)? else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(&found.source).map_err(at)? {
        let name = entry.map_err(at)?.file_name().into_vec();
        let is_hidden = name.starts_with(b".") && !pattern.starts_with(b".");
        if !is_hidden && matches(pattern, &name) {
            files.push([directory, b"/", &name].concat());
        }
    }
    files.sort();
    Ok(files)
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|start| matches(rest, &name[start..])),
        ([b'?', pattern @ ..], [_, name @ ..]) => matches(pattern, name),
        ([one, pattern @ ..], [other, name @ ..]) => one == other && matches(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name) in [
            ("*.conf", "a.conf"),
            ("a?c", "abc"),
            ("*", "a"),
            ("a*b*c", "axbxc"),
        ] {
            assert!(
                matches(pattern.as_bytes(), name.as_bytes()),
                "{pattern} {name}"
            );
        }
        for (pattern, name) in [("*.conf", "a.conf~"), ("a?c", "ac"), ("a", ""), ("", "a")] {
            assert!(
                !matches(pattern.as_bytes(), name.as_bytes()),
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn includes_comments_and_old_forms() {
        let directory = tempfile::TempDir::new().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "etc/ld.so.conf",
            "# a\n/one/ # b\ninclude conf.d/*.conf\n/two=libc6\nhwcap 0 x\nrelative\n/one\n",
        );
        write("etc/conf.d/b.conf", "/b\n");
        write("etc/conf.d/a.conf", "/a\ninclude /etc/none/* /etc/deep/1\n");
        write("etc/deep/1", "include 2\n");
        write("etc/deep/2", "/deep\n");
        write("etc/conf.d/c", "/c\n");
        let root = Root(directory.path());
        let found = directories(&root, b"/etc/ld.so.conf").unwrap();
        assert_eq!(found, ["/one", "/a", "/deep", "/b", "/two"]);
        assert_eq!(directories(&root, b"/etc/none").unwrap(), [] as [&str; 0]);

        write("etc/loop", "include /etc/loop\n");
        let error = directories(&root, b"/etc/loop").unwrap_err().to_string();
        assert!(
            error.contains("/etc/loop: is included more than 10"),
            "{error}"
        );
    }
}
