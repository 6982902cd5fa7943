//! `packer create`.

use super::print::say;
use super::{input, parser, progress, signals};
use anyhow::{Context, Result, bail};
use bstr::BString;
use clap::{ArgGroup, Args};
use packer::closure::Graph;
use packer::escape::{escape, escape_path};
use packer::output::OutFile;
use packer::pattern::Pattern;
use packer::spec::{self, Spec};
use packer::{
    Compression, CreateOptions, DirectoryOptions, Owner, Tree, cpio_list, early, kernel_modules,
    program,
};
use std::io::{self, IsTerminal};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, thread};

/// Make an image
///
/// packer sorts the entries and adds missing parent directories, so the order of the options does not
/// matter. If two options add different entries with the same path, that is an error.
///
/// All entries belong to root, except those of a --list with other owners, and all times are SOURCE_DATE_EPOCH
/// (seconds since 1970) if it is set, otherwise 0. --owner, --keep-owner and --keep-times change this.
///
/// MODE is octal. The default is 0755 for a directory, 0600 for a device, and 0755 or 0644 for a file,
/// depending on whether the owner of SRC may execute it. If a name contains a `:`, name the MODE, too.
#[derive(Args)]
#[command(
    group = ArgGroup::new("entries").required(true).multiple(true)
        .args([
            "files", "dirs", "nodes", "symlinks", "trees", "lists", "closures", "programs", "modules", "microcode",
            "acpi", "onto",
        ]),
    override_usage = "packer create <OUT> <ENTRY>... [OPTIONS]",
    after_help = "Examples:\n  \
        packer create initramfs.cpio.gz --file /init=./init:0755 --node /dev/console=c:5:1:0600\n  \
        packer create initramfs.cpio.zst --tree ./root --compress zstd:19 --manifest initramfs.json\n  \
        packer create initramfs.cpio.gz --closure .attrs.json --symlink /init=/nix/store/...-init/bin/init"
)]
pub struct Create {
    /// The image file to make or to replace, or a device or a pipe to write the image to; - is standard output
    out: PathBuf,

    /// Add a file with the contents of SRC
    #[arg(help_heading = "Entries", long = "file", value_name = "DEST=SRC[:MODE]", value_parser = parser(spec::file))]
    files: Vec<Spec>,

    /// Add a directory
    #[arg(help_heading = "Entries", long = "dir", value_name = "DEST[:MODE]", value_parser = parser(spec::dir))]
    dirs: Vec<Spec>,

    /// Add a character (c) or block (b) device; needs no root privileges
    #[arg(help_heading = "Entries", long = "node", value_name = "DEST=c|b:MAJ:MIN[:MODE]", value_parser = parser(spec::node))]
    nodes: Vec<Spec>,

    /// Add a symbolic link
    #[arg(help_heading = "Entries", long = "symlink", value_name = "DEST=TARGET", value_parser = parser(spec::symlink))]
    symlinks: Vec<Spec>,

    /// Add the directory DIR and its contents at the absolute path AT [default: /]
    ///
    /// packer keeps the permission bits, also those of DIR itself. Hard links stay hard links, but in a
    /// Nix store they become separate files, because Nix makes these links only to save space.
    #[arg(help_heading = "Entries", long = "tree", value_name = "DIR[:AT]", value_parser = parser(spec::tree))]
    trees: Vec<(PathBuf, BString)>,

    /// Leave out of each --tree what matches PATTERN, by its path below DIR
    ///
    /// Without a `/` at its start, a PATTERN also matches the end of a path: .git matches every file of this name,
    /// and '*.pyc' every such file. /.git matches only the one in DIR itself. Of a directory, packer leaves out
    /// everything. * matches any characters, ? one character, and [a-z] one of these; all of them match a `/`, too.
    /// It is no error if a PATTERN matches nothing.
    #[arg(help_heading = "Entries", long = "exclude", value_name = "PATTERN", value_parser = parser(Pattern::parse), requires = "trees")]
    excluded: Vec<Pattern>,

    /// Keep the owners of the files of each --tree
    #[arg(help_heading = "Entries", long, requires = "trees")]
    keep_owner: bool,

    /// Keep the times of the files of each --tree, in seconds
    ///
    /// If SOURCE_DATE_EPOCH is set, newer files get that time. The image is then the same only if the times are.
    #[arg(help_heading = "Entries", long, requires = "trees")]
    keep_times: bool,

    /// Give to UID:GID what would belong to root, also the entries of a --list
    #[arg(help_heading = "Entries", long, value_name = "UID:GID", conflicts_with = "keep_owner", value_parser = parser(spec::owner))]
    owner: Option<Owner>,

    /// Add the entries of a list in the format of the kernel's gen_init_cpio; - is standard input
    #[arg(help_heading = "Entries", long = "list", value_name = "FILE")]
    lists: Vec<PathBuf>,

    /// Add a Nix closure, with every store path at its own path
    ///
    /// GRAPH is one of these: the output of `nix path-info --json --recursive`; the .attrs.json of a derivation
    /// with structured attributes and `exportReferencesGraph`; or the plain file that Nix writes for
    /// `exportReferencesGraph`. An incomplete closure is an error, and so is a store path that was changed. (The
    /// plain file does not show such a change.)
    #[arg(help_heading = "Entries", long = "closure", value_name = "GRAPH")]
    closures: Vec<PathBuf>,

    /// Add a program with its ELF interpreter and libraries, each at its own path
    ///
    /// packer finds the libraries as ld.so(8) does, but runs nothing. With a script, packer adds its interpreter.
    /// packer looks up a name without a `/` in PATH. It does not add files that the program opens or starts later.
    #[arg(help_heading = "Entries", long = "program", value_name = "FILE")]
    programs: Vec<PathBuf>,

    /// Add a kernel module with the modules that it needs, from the directory of --modules
    ///
    /// packer decompresses compressed modules. If the module is built into the kernel, packer adds nothing.
    #[arg(
        help_heading = "Entries",
        long = "module",
        value_name = "NAME",
        requires = "modules_dir"
    )]
    modules: Vec<String>,

    /// The directory of the kernel modules: /lib/modules/VERSION, or a root directory that contains one
    /// lib/modules/VERSION
    #[arg(
        long = "modules",
        id = "modules_dir",
        value_name = "DIR",
        requires = "modules"
    )]
    modules_dir: Option<PathBuf>,

    /// Put microcode of Intel or AMD before all else, where Linux looks for it before it unpacks the image
    ///
    /// packer sees from FILE who it is from, and puts all files of a vendor together. With --acpi, this is the first
    /// archive of the image, and not compressed.
    #[arg(
        help_heading = "Other archives",
        long = "microcode",
        value_name = "FILE"
    )]
    microcode: Vec<PathBuf>,

    /// Put a compiled ACPI table (.aml) before all else, where Linux looks for it
    #[arg(help_heading = "Other archives", long = "acpi", value_name = "FILE")]
    acpi: Vec<PathBuf>,

    /// Put the archives of IMAGE before the new one, unchanged
    ///
    /// Linux unpacks the new archive over those of IMAGE. With several images, they keep their order. So make the parts
    /// of an image first, each with a compression of its own, and put them together.
    #[arg(help_heading = "Other archives", long = "onto", value_name = "IMAGE")]
    onto: Vec<PathBuf>,

    /// Compression: none, gzip (levels 1 to 12), zstd (1 to 22), xz (0 to 9), bzip2 (1 to 9) or lzma (0 to 9)
    #[arg(long, value_name = "FORMAT[:LEVEL]", default_value_t)]
    compress: Compression,

    /// The number of threads, which does not change the image [default: one for each core]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZero<usize>>,

    /// Also write a manifest: a JSON file with every entry, its SHA-256, and the store paths of closures
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// Show no progress bar
    #[arg(long, short)]
    quiet: bool,

    /// Print the path of each entry on stderr
    #[arg(long, short)]
    verbose: bool,
}

/// What `-` stands for.
const STDOUT: &str = "/dev/stdout";

/// The directories of programs if `PATH` is not set, as of execvp(3).
const PATH: &str = "/bin:/usr/bin";

impl Create {
    pub fn run(mut self) -> Result<ExitCode> {
        signals::clean_up()?;
        self.out = or_stdout(self.out)?;
        let epoch = source_date_epoch()?;
        let jobs = jobs(self.jobs);

        let mut tree = Tree::new();
        let specs = [self.files, self.dirs, self.nodes, self.symlinks];
        for Spec { path, entry } in specs.into_iter().flatten() {
            tree.insert(path, entry)?;
        }
        for (dir, at) in &self.trees {
            for output in [Some(&self.out), self.manifest.as_ref()]
                .into_iter()
                .flatten()
            {
                OutFile::at(output)?.refuse_inside(dir)?;
            }
            let options = DirectoryOptions {
                excluded: &self.excluded,
                keep_owners: self.keep_owner,
                keep_times_until: self.keep_times.then(|| epoch.unwrap_or(u32::MAX)),
            };
            tree.insert_directory_with(dir, at, options)?;
        }
        for list in &self.lists {
            cpio_list::insert(&mut tree, list)?;
        }
        let mut closures: Option<Graph> = None;
        for file in &self.closures {
            let graph = Graph::read(file)?;
            match &mut closures {
                Some(closures) => closures.merge(graph)?,
                None => closures = Some(graph),
            }
        }
        let store_paths = match closures {
            Some(closures) => closures.insert(&mut tree, jobs)?,
            None => Vec::new(),
        };
        if !self.programs.is_empty() {
            let path = env::var_os("PATH").unwrap_or_else(|| PATH.into());
            program::closure(Path::new("/"), &path, &self.programs)?.insert(&mut tree)?;
        }
        // After the programs, which may add /lib as a symbolic link.
        let modules = self.modules_dir.as_deref();
        let modules = modules.map(|dir| kernel_modules::closure(dir, &self.modules));
        let modules = modules.transpose()?;
        if let Some(modules) = &modules {
            modules.insert(&mut tree)?;
        }

        if let Some(owner) = self.owner {
            tree.give_to(owner);
        }
        if self.verbose {
            for (path, _) in tree.entries() {
                let path = path
                    .strip_prefix(b".")
                    .filter(|rest| rest.is_empty())
                    .unwrap_or(path);
                say(format_args!("/{}", escape(path)));
            }
        }
        warn(&tree);
        let inputs = self.lists.iter().chain(&self.closures);
        let inputs = inputs.chain(&self.microcode).chain(&self.acpi);
        let inputs = inputs.map(|input| match input.to_str() {
            Some("-") => Path::new("/dev/stdin"),
            _ => input,
        });
        let modules = modules.iter().flat_map(|modules| modules.sources());
        let inputs: Vec<_> = inputs.chain(modules).collect();
        let onto: Vec<_> = self.onto.iter().map(PathBuf::as_path).collect();
        let options = CreateOptions {
            mtime: epoch.unwrap_or(0),
            compression: self.compress,
            jobs,
            manifest: self.manifest.as_deref(),
            inputs: &inputs,
            store_paths: &store_paths,
            early: early::tree(&self.microcode, &self.acpi)?,
            onto: &onto,
        };
        let bar = progress::bar(&tree, self.quiet);
        packer::create(&self.out, &tree, &options, &mut |bytes| bar.inc(bytes))?;
        bar.finish_and_clear();
        Ok(ExitCode::SUCCESS)
    }
}

/// The file to write to: standard output for `-`, unless it is a terminal.
pub fn or_stdout(out: PathBuf) -> Result<PathBuf> {
    if !input::is_dash(&out) {
        return Ok(out);
    }
    if io::stdout().is_terminal() {
        bail!(
            "stdout: is a terminal, and an image is not text; name a file, or connect a pipe or a file with `>OUT`"
        );
    }
    Ok(STDOUT.into())
}

/// The number of threads.
pub fn jobs(wanted: Option<NonZero<usize>>) -> NonZero<usize> {
    wanted.unwrap_or_else(|| {
        // If the number of cores is unknown, use one thread.
        thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
    })
}

/// Warns about file attributes that the image will not have.
fn warn(tree: &Tree) {
    const MANY: usize = 10;
    let mut lost = packer::lost(tree);
    for (source, what) in lost.by_ref().take(MANY) {
        let source = escape_path(source);
        say(format_args!("warning: {source}: {what}"));
    }
    match lost.count() {
        0 => {}
        more => say(format_args!("warning: {more} more files lose attributes")),
    }
}

/// <https://reproducible-builds.org/specs/source-date-epoch/>, as far as newc can express it.
fn source_date_epoch() -> Result<Option<u32>> {
    let Some(value) = env::var_os("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let value = value.to_string_lossy();
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| value.parse().ok())
        .flatten()
        .map(Some)
        .with_context(|| {
            format!(
                "SOURCE_DATE_EPOCH: `{value}` is not a number of seconds from 0 to {}",
                u32::MAX
            )
        })
}
