//! `nix run .#update`: writes a lock in `nix/toolchain/lock` anew.
//!
//! Reads the trees of `packages.nix`, resolves their dependencies in Debian's signed indexes and records for each package
//! what is needed to fetch it and to refuse anything else. Needs curl, gpgv, xz, ar, tar and nix in `PATH`.

mod index;
mod release;
mod resolve;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::json;

use index::Package;
use release::{Archive, check, run};
use resolve::{Suites, Tree, resolve};

/// Regenerates the lock of pinned Debian packages
#[derive(Parser)]
struct Args {
    /// Where to write the lock
    lock: PathBuf,
    /// Debian's name of the architecture, such as amd64
    #[arg(long)]
    architecture: String,
    /// Trees to resolve: packages.nix as JSON
    #[arg(long, env = "UPDATE_TREES")]
    trees: PathBuf,
    /// Keys that may sign the release index, as gpgv takes them
    #[arg(long, env = "UPDATE_KEYRING")]
    keyring: PathBuf,
    /// Debian mirror: the URL of the directory that holds dists/ and pool/
    #[arg(long, env = "DEBIAN_MIRROR")]
    mirror: String,
    /// Suites, the first one being where a plain name is looked up
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "bookworm,bookworm-backports"
    )]
    suites: Vec<String>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let trees = std::fs::read_to_string(&args.trees);
    let trees = trees.with_context(|| args.trees.display().to_string())?;
    let trees: BTreeMap<String, Tree> =
        serde_json::from_str(&trees).with_context(|| args.trees.display().to_string())?;

    let scratch = tempfile::tempdir()?;
    let archive = Archive {
        mirror: args.mirror,
        keyring: args.keyring,
        scratch: scratch.path().to_owned(),
    };
    let mut suites = Vec::new();
    let mut snapshot = String::new();
    for name in &args.suites {
        let suite = archive.suite(name, &args.architecture)?;
        snapshot = snapshot.max(suite.date);
        suites.push((name.clone(), suite.index));
    }

    let trees = resolve(&trees, &Suites(suites))?;
    let mut packages: BTreeMap<&str, &Package> = BTreeMap::new();
    for package in trees.values().flat_map(BTreeMap::values) {
        let known = packages.insert(&package.name, package);
        ensure!(
            known.is_none_or(|known| known == package),
            "{}: one tree takes it from one suite and one from another",
            package.name
        );
    }
    let busybox = packages.get("busybox-static");
    let busybox = busybox.context("packages.nix: no tree holds busybox-static")?;
    let busybox = busybox_hash(&archive, busybox)?;

    let lock = render(&snapshot, &busybox, &packages, &trees);
    std::fs::write(&args.lock, lock).with_context(|| args.lock.display().to_string())?;
    let bytes: u64 = packages.values().map(|package| package.size).sum();
    let written = writeln!(
        io::stdout(),
        "{}: {} packages, {} MB",
        args.lock.display(),
        packages.len(),
        bytes / 1_000_000
    );
    // println! would panic, as on a full disk. The lock is there all the same.
    written.context("standard output")
}

/// NAR hash of the directory that holds nothing but busybox-static's `bin/busybox`.
fn busybox_hash(archive: &Archive, package: &Package) -> Result<String> {
    let deb = archive.fetch(&package.path)?;
    check(&std::fs::read(&deb)?, &package.sha256).with_context(|| package.path.clone())?;
    let tree = archive.scratch.join("busybox");
    std::fs::create_dir(&tree)?;
    let unpack = r#"ar p "$1" data.tar.xz | tar -xJ -C "$2" ./bin/busybox"#;
    let shell = ["-e", "-c", unpack, "sh"];
    run(Command::new("sh").args(shell).arg(&deb).arg(&tree))?;
    nar_hash(&tree)
}

fn nar_hash(tree: &Path) -> Result<String> {
    let mut nix = Command::new("nix");
    nix.args([
        "--extra-experimental-features",
        "nix-command",
        "hash",
        "path",
    ]);
    Ok(run(nix.arg("--sri").arg(tree))?.trim().to_owned())
}

/// One line for each package and each tree, so that a change of the lock reads well as a diff.
fn render(
    snapshot: &str,
    busybox: &str,
    packages: &BTreeMap<&str, &Package>,
    trees: &BTreeMap<String, BTreeMap<String, Package>>,
) -> String {
    let packages = packages.iter().map(|(name, package)| {
        let entry = json!({
            "version": package.version, "path": package.path,
            "size": package.size, "sha256": package.sha256,
        });
        (json!(name), entry)
    });
    let trees = trees
        .iter()
        .map(|(name, packages)| (json!(name), json!(packages.keys().collect::<Vec<_>>())));
    let mut text = String::from("{\n");
    let (snapshot, busybox) = (json!(snapshot), json!(busybox));
    let _ = writeln!(
        text,
        "  \"snapshot\": {snapshot},\n  \"busybox\": {busybox},"
    );
    let _ = writeln!(text, "  \"packages\": {{\n{}\n  }},", lines(packages));
    let _ = writeln!(text, "  \"trees\": {{\n{}\n  }}\n}}", lines(trees));
    text
}

fn lines(entries: impl Iterator<Item = (serde_json::Value, serde_json::Value)>) -> String {
    let lines: Vec<String> = entries
        .map(|(name, entry)| format!("    {name}: {entry}"))
        .collect();
    lines.join(",\n")
}
