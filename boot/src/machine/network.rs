//! QEMU's user network: QEMU itself makes the connections of the guest, so that it needs no privileges. (QEMU's
//! documentation, "Using the user mode network stack".)

use std::ffi::OsString;
use std::net::Ipv4Addr;

use crate::machine::target::Bus;

/// The guest's address.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);

/// The host's address, and the guest's way to all others.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// QEMU answers there with the name servers of the host.
pub const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);

/// A TCP port of the host, at 127.0.0.1, whose connections go to a port of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The port of the host.
    pub host: u16,
    /// The port of the guest.
    pub guest: u16,
}

/// QEMU's arguments.
pub fn arguments(bus: Bus, forwards: &[Forward]) -> [OsString; 4] {
    let forwards = forwards
        .iter()
        .map(|Forward { host, guest }| format!(",hostfwd=tcp:127.0.0.1:{host}-{ADDRESS}:{guest}"));
    let network = format!("user,id=net{}", forwards.collect::<String>());
    // A PCI device would have a ROM to boot from, which our QEMU does not have.
    let rom = match bus {
        Bus::Mmio => "",
        Bus::Pci => ",romfile=",
    };
    let device = format!("{},netdev=net{rom}", bus.device("net"));
    [
        "-netdev".into(),
        network.into(),
        "-device".into(),
        device.into(),
    ]
}

/// The option that gives the guest its address, for a kernel with CONFIG_IP_PNP. (Linux'
/// Documentation/admin-guide/nfs/nfsroot.rst.)
pub fn kernel_option() -> String {
    format!("ip={ADDRESS}::{GATEWAY}:255.255.255.0::eth0:off:{NAME_SERVER}")
}
