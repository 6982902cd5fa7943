//! What a kernel's image tells.

use super::*;
use packer::bootable::{Effort, Kernel};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const CONFIG: &str = "CONFIG_X86_64=y\nCONFIG_RD_XZ=y\n";

/// A kernel with its configuration in it.
fn unpacked() -> Vec<u8> {
    // The code that looks for the mark has it, too.
    let mut kernel = b"code IKCFG_ST code".to_vec();
    kernel.extend(b"IKCFG_ST");
    kernel.extend(gzip(CONFIG.as_bytes()));
    kernel.extend(b"IKCFG_ED more");
    kernel
}

/// A bzImage with this payload.
fn bz_image(payload: &[u8], is_64: bool) -> Vec<u8> {
    let mut image = vec![0; 0x400];
    image[0x1f1] = 1;
    image[0x202..0x208].copy_from_slice(b"HdrS\x0f\x02");
    image[0x236] = is_64.into();
    image[0x248] = 0x10;
    image[0x24c..0x250].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    image.resize(0x410, b'x');
    image.extend(payload);
    image.extend(b"the rest");
    image
}

fn image(magic: &[u8; 4], rest: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 64];
    image[56..60].copy_from_slice(magic);
    image.extend(rest);
    image
}

struct Directory(TempDir);

impl Directory {
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn directory() -> Directory {
    Directory(TempDir::new().unwrap())
}

/// The target, and whether the configuration is found.
fn read(bytes: &[u8], effort: Effort) -> (Option<&'static str>, bool) {
    let directory = directory();
    let kernel = Kernel::read(&directory.write("kernel", bytes), effort).unwrap();
    let config = kernel.config.as_ref();
    if let Some(config) = config {
        assert_eq!(config.value("RD_XZ"), Some("y"));
    }
    (kernel.target.map(|target| target.name), config.is_some())
}

#[test]
fn the_configuration_is_in_the_kernel() {
    let x86 = (Some("x86_64"), true);
    for format in ["gzip", "zstd", "xz"] {
        let image = bz_image(&compress(format, &unpacked()), true);
        assert_eq!(read(&image, Effort::All), x86, "{format}");
        assert_eq!(read(&image, Effort::Quick), (Some("x86_64"), false));
    }
    // The kernel's build appends the size to the payload.
    let with_size = [gzip(&unpacked()), vec![1, 2, 3, 4]].concat();
    assert_eq!(read(&bz_image(&with_size, true), Effort::All), x86);
    assert_eq!(read(&image(b"ARM\x64", &unpacked()), Effort::All), x86);
    assert_eq!(
        read(&gzip(&image(b"ARM\x64", &unpacked())), Effort::All),
        x86
    );
    assert_eq!(
        read(&image(b"RSC\x05", b"no"), Effort::All),
        (Some("riscv64"), false)
    );
    assert_eq!(
        read(&bz_image(b"LZ??", false), Effort::All),
        (Some("i386"), false)
    );
    let mut zboot = b"MZ\0\0zimg".to_vec();
    let payload = gzip(&image(b"ARM\x64", b"no"));
    zboot.extend(64u32.to_le_bytes());
    zboot.extend((payload.len() as u32).to_le_bytes());
    zboot.resize(64, 0);
    zboot.extend(payload);
    assert_eq!(read(&zboot, Effort::All), (Some("aarch64"), false));
    assert_eq!(read(b"something else", Effort::All), (None, false));
}

#[test]
fn the_configuration_is_beside_the_kernel() {
    let directory = directory();
    let kernel = directory.write("vmlinuz-6.1", bz_image(b"", true));
    directory.write("config-6.1", CONFIG);
    let kernel = Kernel::read(&kernel, Effort::Quick).unwrap();
    assert_eq!(kernel.config.unwrap().value("RD_XZ"), Some("y"));
    // Not that of another kernel.
    let other = directory.write("vmlinuz-6.2", bz_image(b"", true));
    assert_eq!(Kernel::read(&other, Effort::Quick).unwrap().config, None);
    directory.write("config", "[core]\n");
    assert_eq!(Kernel::read(&other, Effort::Quick).unwrap().config, None);
    directory.write("config", CONFIG);
    let found = Kernel::read(&other, Effort::Quick).unwrap().config;
    assert!(found.is_some());
}

#[test]
fn files_that_are_no_configuration() {
    let directory = directory();
    let error = Config::read(&directory.write("config", "hello")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is not a kernel's configuration"),
        "{error}"
    );
    let packed = directory.write("config.gz", gzip(CONFIG.as_bytes()));
    assert_eq!(Config::read(&packed).unwrap().value("RD_XZ"), Some("y"));
    let cut = directory.write("cut.gz", &gzip(CONFIG.as_bytes())[..20]);
    let error = Config::read(&cut).unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
}
