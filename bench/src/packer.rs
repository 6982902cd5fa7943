//! Packing trees of files with packer, and with what else there is for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::measure;
use crate::print::{print, progress};
use crate::report::{Machine, Report, Row, Tree};

/// Packs trees of files with packer and with its peers
///
/// In the table, the others are divided by the first of each compression. CPU is the processor time
/// of all processes. Memory is that of the largest process. This works in a directory of its own in
/// TMPDIR, with three times the files of a tree.
#[derive(clap::Args)]
pub struct Options {
    /// A tree to pack: files and directories, with `:` between them. Each --tree is packed by itself
    #[arg(long, value_name = "[NAME=]PATHS", env = "BENCH_TREE", required = true)]
    tree: Vec<String>,

    /// How often each contender runs; the slow ones, once
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,

    /// Leave out the slow ones, which take most of a minute and more
    #[arg(long)]
    quick: bool,

    /// Only these compressions, with `,` between them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,

    /// File to write the results to, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// A way to pack.
struct Contender {
    /// The others with the same compression are compared with the first.
    compression: &'static str,
    name: &'static str,
    /// Shell text that makes `out` from `tree`.
    script: &'static str,
    /// It runs once.
    slow: bool,
}

/// Makes `tree` from the directories that it is given: on the file system that everybody writes to,
/// and in the page cache. Makes what some contenders want beside it, too: `files`, the list of all
/// that is in it, and `archive`, for the copy that nobody can beat.
const PREPARE: &str = r#"
    mkdir tree
    for directory; do cp -a "$directory" tree/; done
    chmod -R u+w tree
    cd tree
    find . -mindepth 1 | cut -c 3- | LC_ALL=C sort > ../files
    packer create ../archive --tree . --compress none
"#;

/// Shell text: GNU cpio, and then a compressor.
macro_rules! cpio_then {
    ($compressor:literal) => {
        concat!(
            "cd tree; cpio -o -H newc --reproducible --quiet <../files | ",
            $compressor,
            " >../out"
        )
    };
}

#[rustfmt::skip] // a table
const CONTENDERS: &[Contender] = &[
    quick("none", "packer none", "packer create out --tree tree --compress none"),
    quick("none", "cat of the finished archive", "cat archive >out"),
    quick("none", "3cpio", "cd tree; 3cpio --create ../out <../files"),
    quick("none", "GNU cpio", "cd tree; cpio -o -H newc --reproducible --quiet <../files >../out"),
    quick("none", "bsdcpio", "cd tree; bsdcpio -o -H newc --quiet <../files >../out"),

    quick("gzip", "packer gzip:6", "packer create out --tree tree --compress gzip:6"),
    quick("gzip", "packer gzip:7", "packer create out --tree tree --compress gzip:7"),
    quick("gzip", "packer gzip:8", "packer create out --tree tree --compress gzip:8"),
    quick("gzip", "packer gzip:9", "packer create out --tree tree --compress gzip:9"),
    slow("gzip", "packer gzip:12", "packer create out --tree tree --compress gzip:12"),
    slow("gzip", "cpio | gzip -9", cpio_then!("gzip -9")),
    quick("gzip", "cpio | pigz -6", cpio_then!("pigz -6")),
    slow("gzip", "cpio | pigz -9", cpio_then!("pigz -9")),

    quick("zstd", "packer zstd:3", "packer create out --tree tree --compress zstd:3"),
    quick("zstd", "cpio | zstd -3", cpio_then!("zstd -q -T0 -3")),
    slow("zstd", "packer zstd:12", "packer create out --tree tree --compress zstd:12"),
    slow("zstd", "packer zstd:15", "packer create out --tree tree --compress zstd:15"),
    slow("zstd", "packer zstd:19", "packer create out --tree tree --compress zstd:19"),
    slow("zstd", "cpio | zstd -19", cpio_then!("zstd -q -T0 -19")),

    slow("xz", "packer xz:3", "packer create out --tree tree --compress xz:3"),
    slow("xz", "packer xz:6", "packer create out --tree tree --compress xz:6"),
    slow("xz", "cpio | xz -6", cpio_then!("xz -T0 -6")),
];

const fn quick(compression: &'static str, name: &'static str, script: &'static str) -> Contender {
    Contender {
        compression,
        name,
        script,
        slow: false,
    }
}

const fn slow(compression: &'static str, name: &'static str, script: &'static str) -> Contender {
    Contender {
        slow: true,
        ..quick(compression, name, script)
    }
}

/// Packs each tree, prints the results, and writes them to a file if the user wants that.
pub fn run(options: &Options) -> Result<()> {
    if let Some(parent) = options.json.as_deref().and_then(Path::parent) {
        fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    }
    let chosen = |contender: &&Contender| {
        let wanted = |name| name == contender.compression;
        !(options.quick && contender.slow)
            && (options.only.is_empty() || options.only.iter().any(wanted))
    };
    let contenders: Vec<_> = CONTENDERS.iter().filter(chosen).collect();
    ensure!(
        !contenders.is_empty(),
        "--only: none, gzip, zstd and xz are the compressions"
    );
    let trees = options.tree.iter().map(|tree| {
        let (name, paths) = tree.split_once('=').unwrap_or(("tree", tree));
        measure_tree(name, paths, &contenders, options.runs).with_context(|| tree.clone())
    });
    let report = Report {
        machine: Machine::here(),
        trees: trees.collect::<Result<_>>()?,
    };
    // If nobody gets to see them, they are still to be in the files.
    let printed = print(&report);
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&report)?;
        fs::write(path, json + "\n").with_context(|| path.display().to_string())?;
    }
    printed
}

/// Runs all contenders once, then all once more, and so on, so that whatever else the machine does
/// meanwhile hits all of them.
fn measure_tree(name: &str, paths: &str, contenders: &[&Contender], runs: u16) -> Result<Tree> {
    let work = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let work = work.path();
    let paths: Vec<_> = paths
        .split(':')
        .map(|path| fs::canonicalize(path).with_context(|| path.to_owned()))
        .collect::<Result<_>>()?;
    measure::run(PREPARE, &paths, work).context("preparing")?;
    let mut rows: Vec<_> = contenders
        .iter()
        .map(|contender| Row::new(contender.compression, contender.name, contender.script))
        .collect();

    let out = work.join("out");
    for round in 0..runs {
        for (contender, row) in contenders.iter().zip(&mut rows) {
            if round > 0 && contender.slow {
                continue;
            }
            let cost = measure::run(contender.script, &[], work)?;
            let bytes = fs::metadata(&out).context(contender.name)?.len();
            fs::remove_file(&out)?;
            row.add(&cost, bytes);
            progress(format_args!(
                "{name}: round {}: {}: {:.2} s",
                round + 1,
                contender.name,
                cost.time.as_secs_f64()
            ));
        }
    }
    Ok(Tree {
        name: name.to_owned(),
        subject: subject(&work.join("files"), &work.join("archive"))?,
        rows,
    })
}

/// What is packed, in words.
fn subject(files: &Path, archive: &Path) -> Result<String> {
    let entries = fs::read_to_string(files)?.lines().count();
    let bytes = fs::metadata(archive)?.len();
    Ok(format!("{entries} files, {bytes} bytes as an archive"))
}
