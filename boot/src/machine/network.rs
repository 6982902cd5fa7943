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

/// QEMU's arguments.
pub fn arguments(bus: Bus) -> [OsString; 4] {
    // A PCI device would have a ROM to boot from, which our QEMU does not have.
    let rom = match bus {
        Bus::Mmio => "",
        Bus::Pci => ",romfile=",
    };
    let device = format!("{},netdev=net{rom}", bus.device("net"));
    [
        "-netdev".into(),
        "user,id=net".into(),
        "-device".into(),
        device.into(),
    ]
}
