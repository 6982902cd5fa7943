//! The names of a kernel's functions, from its unstripped vmlinux.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail};
use object::elf::FileHeader64;
use object::read::elf::ElfFile;
use object::{Endianness, Object, ObjectSymbol, ReadCache, SymbolKind};

/// An unstripped vmlinux.
pub type Vmlinux<'data> = ElfFile<'data, FileHeader64<Endianness>, &'data ReadCache<File>>;

/// A function of a kernel.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// Reads the vmlinux at `path`, and calls `take` with it and with its functions. Fails if it has none.
pub fn read_vmlinux<T>(
    path: &Path,
    take: impl FnOnce(&Vmlinux<'_>, Vec<Function>) -> Result<T>,
) -> Result<T> {
    let shown = path.display();
    let cure = "name the unstripped vmlinux with --symbols FILE or BOOT_DEBUG_KERNEL=FILE";
    let file = File::open(path)
        .with_context(|| format!("{shown}: cannot read the kernel's symbols ({cure})"))?;
    let cache = ReadCache::new(file);
    let elf = Vmlinux::parse(&cache)
        .with_context(|| format!("{shown}: it is not a 64-bit ELF file ({cure})"))?;
    let functions: Vec<_> = elf
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text)
        .filter_map(|symbol| {
            Some(Function {
                name: symbol.name().ok()?.to_owned(),
                address: symbol.address(),
                size: symbol.size(),
            })
        })
        .collect();
    if functions.is_empty() {
        bail!("{shown}: it has no symbols ({cure})");
    }
    take(&elf, functions)
}

/// Functions by their address.
#[derive(Debug, Default)]
pub struct Symbols(HashMap<u64, String>);

impl Symbols {
    /// Those of the vmlinux at `path`.
    pub fn read(path: &Path) -> Result<Symbols> {
        read_vmlinux(path, |_, functions| {
            let names = functions.into_iter();
            Ok(names
                .map(|function| (function.address, function.name))
                .collect())
        })
    }

    /// The name of the function at `address`, in the kernel's notation `0x...`.
    pub fn name(&self, address: &str) -> Option<&str> {
        let address = u64::from_str_radix(address.strip_prefix("0x")?, 16).ok()?;
        self.0.get(&address).map(String::as_str)
    }
}

impl FromIterator<(u64, String)> for Symbols {
    fn from_iter<T: IntoIterator<Item = (u64, String)>>(symbols: T) -> Self {
        Symbols(symbols.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Numbers of `width` bytes each.
    fn numbers(width: usize, numbers: &[u64]) -> Vec<u8> {
        let bytes = numbers.iter().map(|number| number.to_le_bytes());
        bytes.flat_map(|bytes| bytes[..width].to_vec()).collect()
    }

    /// An ELF file with a table of two symbols, a function and a variable.
    fn vmlinux() -> Vec<u8> {
        let section = |kind, offset, size, link, entry| {
            let words = [numbers(4, &[0, kind]), numbers(8, &[0, 0, offset, size])];
            let rest = [numbers(4, &[link, 0]), numbers(8, &[1, entry])];
            [words, rest].concat().concat()
        };
        let symbol = |name, kind, address| {
            let head = [
                numbers(4, &[name]),
                numbers(1, &[kind, 0]),
                numbers(2, &[1]),
            ];
            [head.concat(), numbers(8, &[address, 8])].concat()
        };
        [
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
            // An executable for x86_64 without segments; three sections, at 64.
            numbers(2, &[2, 62]),
            numbers(4, &[1]),
            numbers(8, &[0, 0, 64]),
            numbers(4, &[0]),
            numbers(2, &[64, 0, 0, 64, 3, 2]),
            section(0, 0, 0, 0, 0),
            // The symbols (SHT_SYMTAB), and their names (SHT_STRTAB).
            section(2, 256, 72, 2, 24),
            section(3, 328, 13, 0, 0),
            symbol(0, 0, 0),
            symbol(1, 2, 0xffff_ffff_8165_e881), // STT_FUNC
            symbol(8, 1, 0xffff_ffff_8165_e900), // STT_OBJECT
            b"\0f_init\0data\0".to_vec(),
        ]
        .concat()
    }

    #[test]
    fn functions_are_found_by_their_address() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vmlinux");
        fs::write(&path, vmlinux()).unwrap();
        let symbols = Symbols::read(&path).unwrap();
        assert_eq!(symbols.name("0xffffffff8165e881"), Some("f_init"));
        for nothing in ["0xffffffff8165e882", "0xffffffff8165e900", "f_init", "0xzz"] {
            assert_eq!(symbols.name(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_file_without_symbols_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vmlinux");
        let error = |path: &Path| format!("{:#}", Symbols::read(path).unwrap_err());
        assert!(error(&path).contains("cannot read the kernel's symbols"));
        fs::write(&path, "text").unwrap();
        assert!(error(&path).contains("it is not a 64-bit ELF file"));
        let kernel = crate::inspect::tiny_kernel(62, true);
        fs::write(&path, kernel).unwrap();
        assert!(error(&path).contains("it has no symbols"));
    }
}
