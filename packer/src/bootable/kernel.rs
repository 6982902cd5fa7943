//! What a kernel's image tells: its architecture, and perhaps its configuration.

use super::config::Config;
use super::target::Target;
use crate::Error;
use crate::decompress::{self, Decoder, Format};
use bstr::ByteSlice;
use flate2::read::GzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;
use object::Endianness;
use object::elf::{EM_AARCH64, EM_RISCV, EM_X86_64, FileHeader64, SHT_PROGBITS};
use object::read::elf::{FileHeader, SectionHeader};
use object::{ReadCache, ReadRef};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A kernel, as far as its image tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kernel {
    /// `None` if the image does not tell.
    pub target: Option<&'static Target>,
    /// `None` if the image does not have it (`CONFIG_IKCONFIG`), and none is in a file beside it.
    pub config: Option<Config>,
}

/// How much work reading a kernel may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Unpack the kernel if it is compressed, which takes up to a second.
    All,
    /// Only look at what is not compressed.
    Quick,
}

/// The marks around the configuration: the kernel's kernel/configs.c. The configuration is compressed with gzip.
const START: &[u8] = b"IKCFG_ST\x1f\x8b";

/// The most that a kernel may have, unpacked.
const SIZE_MAX: u64 = 1 << 30;

/// The memory that xz may take, in bytes. The kernel's build uses a dictionary of up to 128 MiB.
const XZ_MEMORY: u64 = 256 << 20;

impl Kernel {
    /// Reads a kernel: an ELF file, a bzImage, or an Image, compressed or not.
    ///
    /// # Errors
    /// If it cannot be read. An unknown format is no error, but tells nothing.
    pub fn read(path: &Path, effort: Effort) -> Result<Self, Error> {
        let beside = config_beside(path)?;
        let effort = match beside {
            Some(_) => Effort::Quick,
            None => effort,
        };
        let mut kernel = read(path, effort).map_err(|error| Error::at(path, error))?;
        if kernel.target.is_some() {
            kernel.config = kernel.config.or(beside);
        }
        if let Some(config) = &kernel.config {
            kernel.target = Target::of_config(config).or(kernel.target);
        }
        Ok(kernel)
    }
}

/// Distributions have `/boot/vmlinuz-VERSION`, and its configuration in `/boot/config-VERSION`. A kernel that Nix has
/// built has it in `config`.
fn config_beside(kernel: &Path) -> Result<Option<Config>, Error> {
    let name = kernel.file_name().and_then(OsStr::to_str);
    let version = name.and_then(|name| {
        let mut prefixes = ["vmlinuz-", "vmlinux-", "linux-"].iter();
        prefixes.find_map(|prefix| name.strip_prefix(prefix))
    });
    if let Some(version) = version {
        let config = kernel.with_file_name(format!("config-{version}"));
        if config.is_file() {
            return Config::read(&config).map(Some);
        }
    }
    // Another program may have a file of this name.
    let config = kernel.with_file_name("config");
    Ok(Some(config)
        .filter(|config| config.is_file())
        .and_then(|config| Config::read(&config).ok()))
}

/// The first bytes suffice to tell the format.
const HEAD: u64 = 0x1000;

fn read(path: &Path, effort: Effort) -> io::Result<Kernel> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    (&mut file).take(HEAD).read_to_end(&mut head)?;
    let is = |at: usize, magic: &[u8]| head.get(at..).is_some_and(|at| at.starts_with(magic));
    let word = |at: usize| {
        let bytes = head.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    let of = |name: &str, config: Option<Config>| Kernel {
        target: Target::named(name),
        config,
    };
    if is(0, b"\x7fELF") {
        return Ok(elf(&ReadCache::new(file)).unwrap_or_default());
    }
    let all = |mut file: File| -> io::Result<Vec<u8>> {
        let mut bytes = head.clone();
        (&mut file).take(SIZE_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    if is(0x202, b"HdrS") {
        // Documentation/arch/x86/boot.rst. XLF_KERNEL_64 exists since protocol 2.12.
        let xloadflags = head.get(0x236).copied().unwrap_or(0);
        let name = match word(0x206).unwrap_or(0) & 0xffff >= 0x20c && xloadflags & 1 == 0 {
            true => "i386",
            false => "x86_64",
        };
        if effort == Effort::Quick {
            return Ok(of(name, None));
        }
        let setup = match head[0x1f1] {
            0 => 4,
            sectors => usize::from(sectors),
        };
        let (offset, size) = (word(0x248).unwrap_or(0), word(0x24c).unwrap_or(0));
        let begin = (setup + 1) * 512 + offset as usize;
        let bytes = all(file)?;
        let payload = bytes.get(begin..begin + size as usize).unwrap_or_default();
        return Ok(of(name, unpack(payload).and_then(|bytes| embedded(&bytes))));
    }
    let image = match (is(56, b"ARM\x64"), is(56, b"RSC\x05")) {
        (true, _) => Some("aarch64"),
        (_, true) => Some("riscv64"),
        _ => None,
    };
    if let Some(name) = image {
        return Ok(of(name, embedded(&all(file)?)));
    }
    let is_compressed = decompress::detect(&head).is_some();
    let is_zboot = is(4, b"zimg");
    if effort == Effort::Quick || !(is_compressed || is_zboot) {
        return Ok(Kernel::default());
    }
    let bytes = all(file)?;
    let (offset, size) = match is_zboot {
        // drivers/firmware/efi/libstub/zboot-header.S
        true => (word(8).unwrap_or(0), word(12).unwrap_or(0)),
        false => (0, u32::MAX),
    };
    let payload = bytes.get(offset as usize..).unwrap_or_default();
    let payload = &payload[..payload.len().min(size as usize)];
    let Some(image) = unpack(payload) else {
        return Ok(Kernel::default());
    };
    let is = |magic: &[u8]| image.get(56..).is_some_and(|at| at.starts_with(magic));
    Ok(Kernel {
        target: match (is(b"ARM\x64"), is(b"RSC\x05")) {
            (true, _) => Target::named("aarch64"),
            (_, true) => Target::named("riscv64"),
            _ => None,
        },
        config: embedded(&image),
    })
}

/// Reads only the section with the configuration. The symbols of a kernel may have hundreds of megabytes.
///
/// A 32-bit ELF file may be a 64-bit kernel in the form that Multiboot needs, so it does not tell the architecture.
fn elf<'data>(data: impl ReadRef<'data>) -> Option<Kernel> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    let is_user_mode = sections
        .section_by_name(endian, b".uml.setup.init")
        .is_some();
    let name = match header.e_machine(endian) {
        EM_X86_64 if is_user_mode => "um",
        EM_X86_64 => "x86_64",
        EM_AARCH64 => "aarch64",
        EM_RISCV => "riscv64",
        _ => return None,
    };
    let rodata = sections.iter().filter(|section| {
        let is_named = sections.section_name(endian, section) == Ok(b".rodata");
        is_named && section.sh_type(endian) == SHT_PROGBITS
    });
    let mut contents = rodata.filter_map(|section| section.data(endian, data).ok());
    Some(Kernel {
        target: Target::named(name),
        config: contents.find_map(embedded),
    })
}

/// The configuration in an unpacked kernel.
fn embedded(kernel: &[u8]) -> Option<Config> {
    // The code that looks for the marks may have them, too, but not the start of gzip data behind them.
    kernel.find_iter(START).find_map(|start| {
        let mut text = Vec::new();
        let packed = &kernel[start + START.len() - 2..];
        GzDecoder::new(packed).read_to_end(&mut text).ok()?;
        Config::parse(&text)
    })
}

/// Unpacks a kernel. `None` if it cannot be unpacked: packer does not know all formats.
fn unpack(payload: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let result = match decompress::detect(payload)? {
        // The kernel's build uses filters that no initramfs may have.
        Format::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, 0).ok()?;
            XzDecoder::new_stream(payload, stream)
                .take(SIZE_MAX)
                .read_to_end(&mut bytes)
        }
        Format::Lzma => {
            let stream = Stream::new_lzma_decoder(XZ_MEMORY).ok()?;
            XzDecoder::new_stream(payload, stream)
                .take(SIZE_MAX)
                .read_to_end(&mut bytes)
        }
        format => Decoder::new(format, payload)
            .and_then(|decoder| decoder.take(SIZE_MAX).read_to_end(&mut bytes)),
    };
    // The size, which the kernel's build appends to the payload, may end a decoder with an error.
    (result.is_ok() || !bytes.is_empty()).then_some(bytes)
}
