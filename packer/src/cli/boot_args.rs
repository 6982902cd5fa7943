//! The options of `packer verify --boot`.

use super::print::say;
use anyhow::{Result, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use packer::bootable::{Conditions, Config, Effort, Kernel, Level, Target};
use packer::escape::escape_path;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

#[derive(Args)]
pub struct BootArgs {
    /// Also look for what stops Linux from starting the init of the image
    #[arg(long)]
    boot: bool,

    /// The kernel, for its architecture, and for its configuration, which may be in it (CONFIG_IKCONFIG), or beside
    /// it in a file `config-VERSION` or `config`
    #[arg(long, value_name = "FILE", requires = "boot")]
    kernel: Option<PathBuf>,

    /// The kernel's configuration: its .config, /boot/config-VERSION, or a copy of /proc/config.gz
    #[arg(long, value_name = "FILE", requires = "boot")]
    kernel_config: Option<PathBuf>,

    /// The architecture of the kernel, if neither of these files tells it
    #[arg(long, value_name = "NAME", requires = "boot", value_parser = PossibleValuesParser::new(Target::names()).try_map(|name| Target::named(&name).ok_or("unknown")))]
    target: Option<&'static Target>,

    /// The level of x86-64 of the CPU: v1, v2, v3 or v4
    #[arg(long, value_name = "LEVEL", requires = "boot")]
    cpu: Option<Level>,

    /// The path of init, as in the kernel's option rdinit= [default: /init]
    #[arg(long, value_name = "PATH", requires = "boot")]
    rdinit: Option<OsString>,

    /// The memory of the guest
    #[arg(long, value_name = "MIB", requires = "boot", value_parser = clap::value_parser!(u32).range(1..))]
    memory: Option<u32>,
}

impl BootArgs {
    /// What is known about the boot. `None` without --boot.
    pub fn conditions(self) -> Result<Option<Conditions>> {
        if !self.boot {
            return Ok(None);
        }
        let config = self
            .kernel_config
            .as_deref()
            .map(Config::read)
            .transpose()?;
        let kernel = match &self.kernel {
            Some(path) => {
                // Without a need for the configuration, the kernel need not be unpacked.
                let effort = match config {
                    Some(_) => Effort::Quick,
                    None => Effort::All,
                };
                let kernel = Kernel::read(path, effort)?;
                let shown = escape_path(path);
                if kernel.target.is_none() && kernel.config.is_none() {
                    bail!(
                        "{shown}: is not a kernel that packer knows; name a vmlinux, a bzImage or an Image"
                    );
                }
                if kernel.config.is_none() && config.is_none() {
                    say(format_args!(
                        "{shown}: note: has no configuration in it (CONFIG_IKCONFIG), so its options are not checked; name \
                         its configuration with --kernel-config"
                    ));
                }
                kernel
            }
            None => Kernel::default(),
        };
        let config = config.or(kernel.config);
        let found = config
            .as_ref()
            .and_then(Target::of_config)
            .or(kernel.target);
        if let (Some(found), Some(named)) = (found, self.target) {
            if found != named {
                bail!(
                    "--target {}: the kernel is for {}; leave the option out, or name another kernel",
                    named.name,
                    found.name
                );
            }
        }
        let init = self.rdinit.map(|path| OsString::into_vec(path).into());
        let default = Conditions::default();
        Ok(Some(Conditions {
            init: init.unwrap_or(default.init),
            target: found.or(self.target),
            config,
            level: self.cpu,
            memory: self.memory.map(|mib| u64::from(mib) << 20),
            ..default
        }))
    }
}
