//! Where a task lives in the laptop's network: an address of 127.0.0.0/8 for itself, as an awsvpc task has an interface for itself.
//!
//! Where the system has only 127.0.0.1 (macOS without aliases) tasks share it, and the container's ports are mapped to free ones.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

pub(crate) struct Places {
    /// Whether every address of 127/8 can be bound.
    separate: bool,
    next: AtomicU32,
}

/// One task's address, and what became of its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) address: Ipv4Addr,
    mapped: BTreeMap<u16, u16>,
}

impl Place {
    /// Where the container's port is really listened on.
    pub(crate) fn port(&self, container_port: u16) -> u16 {
        self.mapped.get(&container_port).copied().unwrap_or(container_port)
    }
}

/// 127.0.1.2 … 127.0.254.254; 127.0.0.x is left to people.
const FIRST: u32 = 0x7f00_0102;
const COUNT: u32 = 254 * 256 - 4;

impl Places {
    pub(crate) fn detect() -> Self {
        let separate = TcpListener::bind((Ipv4Addr::from(FIRST), 0)).is_ok();
        if !separate {
            tracing::warn!("this system binds 127.0.0.1 only: tasks share it, and their ports are mapped to free ones");
        }
        // Two twins on one laptop start anywhere, so that they do not race for the same address.
        let start = u32::try_from(uuid::Uuid::new_v4().as_u128() % u128::from(COUNT)).unwrap_or_default();
        Self { separate, next: AtomicU32::new(start) }
    }

    /// An address on which all `ports` are free. Addresses are used again as late as possible, because a balancer may still
    /// drain an old one.
    ///
    /// # Errors
    /// One line for the stopped reason when nothing is free.
    pub(crate) fn take(&self, ports: &[u16]) -> Result<Place, String> {
        if !self.separate {
            return shared(ports);
        }
        for _ in 0..COUNT {
            let address = Ipv4Addr::from(FIRST + self.next.fetch_add(1, Ordering::Relaxed) % COUNT);
            if matches!(address.octets()[3], 0 | 255) {
                continue;
            }
            // Port 0 asks whether the address can be bound at all.
            if ports.iter().chain(&[0]).all(|port| TcpListener::bind((address, *port)).is_ok()) {
                return Ok(Place { address, mapped: BTreeMap::new() });
            }
        }
        Err(format!("ResourceInitializationError: no address of 127.0.0.0/8 has the ports {ports:?} free"))
    }
}

fn shared(ports: &[u16]) -> Result<Place, String> {
    let free = |port: &u16| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok((*port, listener.local_addr()?.port()))
    };
    let mapped: std::io::Result<BTreeMap<u16, u16>> = ports.iter().map(free).collect();
    mapped
        .map(|mapped| Place { address: Ipv4Addr::LOCALHOST, mapped })
        .map_err(|error| format!("ResourceInitializationError: no free port on 127.0.0.1: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_whose_port_is_taken_is_passed_over() {
        let places = Places { separate: true, next: AtomicU32::new(7) };
        let first = places.take(&[]).expect("an address");
        let taken = Ipv4Addr::from(u32::from(first.address) + 1);
        let held = TcpListener::bind((taken, 0)).expect("the next address can be bound");
        let port = held.local_addr().expect("it is bound").port();
        let second = places.take(&[port]).expect("another address");
        assert!(second.address > taken, "{} would clash with {taken}:{port}", second.address);
    }

    #[test]
    fn on_one_shared_address_ports_are_mapped() {
        let place = shared(&[8080]).expect("a free port");
        assert_ne!(place.port(8080), 8080);
        assert_eq!(place.port(1), 1);
    }
}
