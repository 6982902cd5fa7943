//! What the user attaches to a guest in QEMU: a network, disks, and directories of the host.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::machine::network::{self, Forward};
use crate::machine::qemu::{doubled_commas, share_arguments};
use crate::machine::target::Machine;

/// The attached devices.
#[derive(Debug, Default)]
pub struct Attached {
    /// The ports of the network, if there is one.
    pub network: Option<Vec<Forward>>,
    /// The disks: the guest has them as /dev/vda, /dev/vdb, ...
    pub disks: Vec<Disk>,
    /// The directories.
    pub shares: Vec<Share>,
}

/// A disk.
#[derive(Debug, PartialEq)]
pub struct Disk {
    /// The file of the host with all bytes of the disk, as an absolute path.
    pub path: PathBuf,
    /// Whether the file keeps what the guest writes.
    pub kept: bool,
}

/// A directory of the host, which the guest mounts with the file system 9p.
#[derive(Debug, PartialEq)]
pub struct Share {
    /// The directory, as an absolute path.
    pub path: PathBuf,
    /// Its name for mount(2).
    pub tag: String,
    /// Whether the guest may change it.
    pub writable: bool,
}

impl Attached {
    /// QEMU's arguments.
    pub fn arguments(&self, machine: &Machine) -> Vec<OsString> {
        let bus = machine.bus;
        let network = self.network.as_deref();
        let mut arguments: Vec<_> = network
            .into_iter()
            .flat_map(|forwards| network::arguments(bus, forwards))
            .collect();
        let disks = self.disks.iter().enumerate();
        let mut disks: Vec<_> = disks
            .map(|(number, disk)| disk.arguments(number, machine))
            .collect();
        // Linux finds the devices of such a machine in the opposite order.
        if machine.first_place.is_some() {
            disks.reverse();
        }
        arguments.extend(disks.into_iter().flatten());
        let shares = self.shares.iter();
        arguments.extend(
            shares.flat_map(|share| share_arguments(&share.tag, &share.path, share.writable, bus)),
        );
        arguments
    }

    /// What the kernel's command line needs for them.
    pub fn kernel_option(&self) -> Option<String> {
        self.network.as_ref().map(|_| network::kernel_option())
    }
}

impl Disk {
    fn arguments(&self, number: usize, machine: &Machine) -> [OsString; 4] {
        let snapshot = if self.kept { "off" } else { "on" };
        // Another format than `raw` could name more files of the host. If QEMU guessed the format, a guest could write one.
        let mut drive = OsString::from(format!(
            "if=none,id=disk{number},format=raw,snapshot={snapshot},file="
        ));
        drive.push(doubled_commas(self.path.as_os_str()));
        let device = format!("{},drive=disk{number}", machine.bus.device("blk"));
        ["-drive".into(), drive, "-device".into(), device.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::target::Target;

    fn words(target: &str, machine: &str, devices: &Attached) -> String {
        let qemu = Target::named(target).unwrap().qemu().unwrap();
        let words = devices.arguments(qemu.machine(machine).unwrap());
        let words = words.iter().map(|word| word.to_str().unwrap());
        words.collect::<Vec<_>>().join(" ")
    }

    fn disks() -> Attached {
        let disk = |path: &str, kept| Disk {
            path: path.into(),
            kept,
        };
        Attached {
            disks: vec![disk("/a,b", false), disk("/c", true)],
            ..Attached::default()
        }
    }

    #[test]
    fn disks_keep_their_order_and_only_those_that_are_asked_to_keep_their_bytes() {
        let first = "-drive if=none,id=disk0,format=raw,snapshot=on,file=/a,,b -device virtio-blk";
        let second = "-drive if=none,id=disk1,format=raw,snapshot=off,file=/c -device virtio-blk";
        for (machine, kind) in [("microvm", "device"), ("q35", "pci")] {
            assert_eq!(
                words("x86_64", machine, &disks()),
                format!("{first}-{kind},drive=disk0 {second}-{kind},drive=disk1")
            );
        }
        assert_eq!(
            words("aarch64", "virt", &disks()),
            format!("{second}-device,drive=disk1 {first}-device,drive=disk0")
        );
    }

    #[test]
    fn a_network_has_its_ports_and_the_kernel_its_address() {
        let devices = |network| Attached {
            network,
            ..Attached::default()
        };
        let forwards = [(8080, 80), (2222, 22)];
        let forwards = forwards.map(|(host, guest)| Forward { host, guest });
        assert_eq!(
            words("x86_64", "pc", &devices(Some(forwards.into()))),
            "-netdev user,id=net,hostfwd=tcp:127.0.0.1:8080-10.0.2.15:80,hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22 \
             -device virtio-net-pci,netdev=net,romfile="
        );
        assert_eq!(
            devices(Some(vec![])).kernel_option().unwrap(),
            "ip=10.0.2.15::10.0.2.2:255.255.255.0::eth0:off:10.0.2.3"
        );
        assert!(devices(None).kernel_option().is_none());
        assert!(words("x86_64", "pc", &devices(None)).is_empty());
    }
}
