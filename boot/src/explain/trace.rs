//! Translates the addresses of a stack trace into lines of source code, with the kernel's unstripped vmlinux.
//!
//! The kernel writes `FUNCTION+0xOFFSET/0xSIZE` for an address, and `0xADDRESS` if it has no symbols (CONFIG_KALLSYMS).

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use addr2line::Context as Lines;
use anyhow::{Context, Result};
use gimli::{Dwarf, EndianRcSlice, RunTimeEndian, SectionId};
use object::{Object, ObjectSection};

use crate::profile::symbols::{Vmlinux, read_vmlinux};

/// An address in a stack trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An offset from the beginning of a function, with the function's size.
    InFunction {
        /// The function.
        name: String,
        /// The offset.
        offset: u64,
        /// The size.
        size: u64,
    },
    /// An address, which is where the kernel was loaded and not where it was linked.
    At(u64),
}

/// The first place in a line of a stack trace, and whether it is the current instruction and not a return address.
pub fn place(line: &str) -> Option<(Place, bool)> {
    let is_current = ["RIP: ", "pc : ", "epc : "]
        .iter()
        .any(|part| line.contains(part));
    // "?" marks what is only on the stack, and "[MODULE]" at the end a module, which has symbols of its own.
    if line.split(' ').any(|word| word == "?") || line.trim_end().ends_with(']') {
        return None;
    }
    let mut words = line.split([' ', '(', ')', ':']);
    let found = words.find_map(|word| in_function(word).or_else(|| at(word)));
    Some((found?, is_current))
}

fn in_function(word: &str) -> Option<Place> {
    let (name, rest) = word.split_once("+0x")?;
    let (offset, size) = rest.split_once("/0x")?;
    Some(Place::InFunction {
        name: name.to_owned(),
        offset: u64::from_str_radix(offset, 16).ok()?,
        size: u64::from_str_radix(size, 16).ok()?,
    })
}

/// An address of the kernel: user space has lower ones.
fn at(word: &str) -> Option<Place> {
    let word = word.trim_start_matches("[<").trim_end_matches(">]");
    let digits = word.strip_prefix("0x").unwrap_or(word);
    (digits.len() == 16 && digits.starts_with("ffffffff"))
        .then(|| u64::from_str_radix(digits, 16).ok().map(Place::At))
        .flatten()
}

/// How far from its link address the kernel was loaded: `Kernel Offset: 0xOFFSET from ...` (arch/x86/kernel/setup.c).
pub fn load_offset(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("Kernel Offset: 0x")?;
    u64::from_str_radix(rest.split(' ').next()?, 16).ok()
}

/// A kernel's functions, and its lines of source code, if it has them.
pub struct Sources {
    /// By name, the address and the size of each function; several may have one name.
    functions: HashMap<String, Vec<(u64, u64)>>,
    lines: Lines<EndianRcSlice<RunTimeEndian>>,
}

/// The lines of source code, from the debugging information.
fn lines(elf: &Vmlinux<'_>) -> Result<Lines<EndianRcSlice<RunTimeEndian>>> {
    let endian = match elf.is_little_endian() {
        true => RunTimeEndian::Little,
        false => RunTimeEndian::Big,
    };
    let section = |id: SectionId| -> Result<_> {
        let section = elf.section_by_name(id.name());
        let data = section.map_or(Ok(&[][..]), |section| section.data())?;
        Ok(EndianRcSlice::new(Rc::from(data), endian))
    };
    Ok(Lines::from_dwarf(Dwarf::load(section)?)?)
}

impl Sources {
    /// Those of the vmlinux at `path`.
    pub fn read(path: &Path) -> Result<Sources> {
        read_vmlinux(path, |elf, all| {
            let mut functions: HashMap<String, Vec<_>> = HashMap::new();
            for function in all {
                let places = functions.entry(function.name).or_default();
                places.push((function.address, function.size));
            }
            let lines = lines(elf).with_context(|| {
                format!("{}: cannot read its debugging information", path.display())
            })?;
            Ok(Sources { functions, lines })
        })
    }

    /// The function and the lines of source code of a line in a stack trace, the innermost first. Empty if it has no place, or the vmlinux
    /// does not know it. `load_offset` is that of the kernel.
    pub fn lines(&self, line: &str, load_offset: u64) -> Vec<String> {
        let Some((place, is_current)) = place(line) else {
            return Vec::new();
        };
        let address = match &place {
            Place::InFunction { name, offset, size } => {
                self.function(name, *size).map(|start| start + offset)
            }
            Place::At(address) => Some(address.wrapping_sub(load_offset)),
        };
        let Some(address) = address else {
            return Vec::new();
        };
        // A return address is behind the call.
        let mut lines = self.at(address - u64::from(!is_current));
        if let (Place::At(_), true) = (&place, lines.is_empty()) {
            lines.extend(self.name(address));
        }
        lines
    }

    /// The address of a function. The kernel's size includes the padding behind it.
    fn function(&self, name: &str, size: u64) -> Option<u64> {
        let places = self.functions.get(name)?;
        let nearest = places.iter().min_by_key(|(_, other)| size.abs_diff(*other));
        nearest.map(|(address, _)| *address)
    }

    /// The function around an address.
    fn name(&self, address: u64) -> Option<String> {
        let places = self
            .functions
            .iter()
            .flat_map(|(name, places)| places.iter().map(move |place| (name, place)));
        let around = places.filter(|(_, (start, size))| (*start..start + size).contains(&address));
        let (name, (start, _)) = around.min_by_key(|(_, (start, _))| *start)?;
        Some(format!("{name}+{:#x}", address - start))
    }

    fn at(&self, address: u64) -> Vec<String> {
        let mut lines = Vec::new();
        let Ok(mut frames) = self.lines.find_frames(address).skip_all_loads() else {
            return lines;
        };
        while let Ok(Some(frame)) = frames.next() {
            let location = frame
                .location
                .and_then(|location| Some((location.file?, location.line?)));
            if let Some((file, line)) = location {
                lines.push(format!("{file}:{line}"));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_traces() {
        let function = |name: &str, offset, size| {
            Some(Place::InFunction {
                name: name.to_owned(),
                offset,
                size,
            })
        };
        for (line, found, is_current) in [
            (
                "[    1.0] RIP: 0010:sysrq_handle_crash+0x16/0x20",
                function("sysrq_handle_crash", 0x16, 0x20),
                true,
            ),
            (
                "[    1.000000]  __handle_sysrq+0x9f/0x160",
                function("__handle_sysrq", 0x9f, 0x160),
                false,
            ),
            ("[    1.000000] pc : f+0x1/0x2", function("f", 1, 2), true),
            (
                "[    1.000000] epc : f+0x1/0x2 ra : g+0x3/0x4",
                function("f", 1, 2),
                true,
            ),
            ("[    1.000000]  ? f+0x1/0x2", None, false),
            ("[    1.000000]  f+0x1/0x2 [ext4]", None, false),
            (
                "[    1.000000]  0xffffffff81001234",
                Some(Place::At(0xffff_ffff_8100_1234)),
                false,
            ),
            (
                "[    1.000000] RIP: 0010:0xffffffff81001234",
                Some(Place::At(0xffff_ffff_8100_1234)),
                true,
            ),
            ("[    1.000000] RIP: 0033:0x401671", None, true),
            ("[    1.000000] Hello", None, false),
        ] {
            let expected = found.map(|found| (found, is_current));
            assert_eq!(place(line), expected, "{line}");
        }
        assert_eq!(
            load_offset("Kernel Offset: 0x8400000 from 0xffffffff81000000 (x)"),
            Some(0x840_0000)
        );
        assert_eq!(load_offset("Kernel Offset: disabled"), None);
    }

    #[test]
    fn a_function_has_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let [source, program] = ["f.c", "vmlinux"].map(|name| directory.path().join(name));
        std::fs::write(
            &source,
            "int f(int n)\n{\n    return n + 1;\n}\nvoid _start(void)\n{\n    f(1);\n}\n",
        )
        .unwrap();
        // The compiler is there: it links Rust programs.
        let mut compiler = std::process::Command::new("cc");
        compiler.args([
            "-g",
            "-O0",
            "-static",
            "-nostdlib",
            "-Wl,--build-id=none",
            "-o",
        ]);
        assert!(
            compiler
                .arg(&program)
                .arg(&source)
                .status()
                .unwrap()
                .success()
        );

        let sources = Sources::read(&program).unwrap();
        let line = |place: &str| sources.lines(&format!("RIP: 0010:{place}"), 0);
        assert!(
            line("f+0x0/0x10")[0].ends_with("f.c:2"),
            "{:?}",
            line("f+0x0/0x10")
        );
        // A return address is behind the call.
        let size = sources.functions["f"][0].1;
        let after = sources.lines(&format!(" f+{size:#x}/{size:#x}"), 0);
        assert!(after[0].ends_with("f.c:4"), "{after:?}");
        let start = sources.function("f", 0).unwrap();
        assert_eq!(sources.name(start + 1).as_deref(), Some("f+0x1"));
        assert!(line("no_such_function+0x0/0x10").is_empty());
    }
}
