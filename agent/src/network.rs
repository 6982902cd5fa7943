//! Sets up network interfaces, netdevice(7).

use core::ffi::CStr;

use crate::system::{self, EINVAL, Fd, Result};

const SIOCADDRT: usize = 0x890b;
const SIOCSIFFLAGS: usize = 0x8914;
const SIOCSIFADDR: usize = 0x8916;
const SIOCSIFNETMASK: usize = 0x891c;

/// The flag of an interface that is switched on.
const IFF_UP: [u8; 2] = [1, 0];

/// The first bytes of a `struct sockaddr_in`: AF_INET, and port 0.
const AF_INET: [u8; 4] = [2, 0, 0, 0];

/// Switches the interface `lo` on. It is no error if there is none.
pub fn switch_on_loopback() {
    if let Ok(socket) = system::internet_socket() {
        let _ = set(socket, c"lo", SIOCSIFFLAGS, &[IFF_UP]);
        system::close(socket);
    }
}

/// Gives the interface `name` an address in a network of 24 bits, and makes `gateway` the default route.
pub fn configure(name: &CStr, address: u32, gateway: u32) -> Result<()> {
    let socket = system::internet_socket()?;
    let configured = configure_by(socket, name, address.to_le_bytes(), gateway.to_le_bytes());
    system::close(socket);
    configured
}

fn configure_by(socket: Fd, name: &CStr, address: [u8; 4], gateway: [u8; 4]) -> Result<()> {
    set(socket, name, SIOCSIFADDR, &[AF_INET, address])?;
    set(socket, name, SIOCSIFNETMASK, &[AF_INET, [255, 255, 255, 0]])?;
    set(socket, name, SIOCSIFFLAGS, &[IFF_UP])?;

    // A `struct rtentry`: the destination and its mask are 0.0.0.0.
    const DESTINATION: usize = 8;
    const GATEWAY: usize = 24;
    const MASK: usize = 40;
    const FLAGS: usize = 56;
    const RTF_UP_GATEWAY: u8 = 3;
    let mut route = [0; 120];
    for at in [DESTINATION, GATEWAY, MASK] {
        put(&mut route, at, &[AF_INET])?;
    }
    put(&mut route, GATEWAY, &[AF_INET, gateway])?;
    put(&mut route, FLAGS, &[[RTF_UP_GATEWAY]])?;
    system::ioctl(socket, SIOCADDRT, route.as_mut_ptr().addr()).map(|_| ())
}

/// Makes a request about the interface `name`. `value` is what follows the name in the `struct ifreq`.
fn set<const LENGTH: usize>(
    socket: Fd,
    name: &CStr,
    request: usize,
    value: &[[u8; LENGTH]],
) -> Result<()> {
    const NAME: usize = 16;
    let mut ifreq = [0; 40];
    let name = name.to_bytes();
    let space = ifreq.get_mut(..name.len()).filter(|_| name.len() < NAME);
    space.ok_or(EINVAL)?.copy_from_slice(name);
    put(&mut ifreq, NAME, value)?;
    system::ioctl(socket, request, ifreq.as_mut_ptr().addr()).map(|_| ())
}

/// Copies `parts`, one after the other, to `at`.
fn put<const LENGTH: usize>(bytes: &mut [u8], at: usize, parts: &[[u8; LENGTH]]) -> Result<()> {
    let parts = parts.as_flattened();
    let space = bytes.get_mut(at..at + parts.len()).ok_or(EINVAL)?;
    space.copy_from_slice(parts);
    Ok(())
}
