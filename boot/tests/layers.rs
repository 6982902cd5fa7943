//! Modules import only from modules below them: the order is in lib.rs.

use std::fs;
use std::path::{Path, PathBuf};

/// From the top down.
const MODULES: [&str; 10] = [
    "matrix", "session", "profile", "verdict", "console", "inspect", "program", "machine", "files",
    "streams",
];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        return found.push(path.to_owned());
    }
    for entry in fs::read_dir(path).into_iter().flatten() {
        sources(&entry.unwrap().path(), found);
    }
}

#[test]
fn no_module_imports_from_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (place, module) in MODULES.iter().enumerate() {
        let mut files = Vec::new();
        sources(&root.join(module), &mut files);
        sources(&root.join(format!("{module}.rs")), &mut files);
        assert!(!files.is_empty(), "{module} has no sources");
        for file in files {
            let source = fs::read_to_string(&file).unwrap();
            for above in &MODULES[..place] {
                let import = format!("crate::{above}::");
                assert!(!source.contains(&import), "{}: {import}", file.display());
            }
        }
    }
}
