//! Limits on the number of connections, in all and for one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

/// Counts connections and admits only as many as allowed. Clones share the counts.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    total: usize,
    per_address: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that is counted until it is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    address: IpAddr,
    open: Arc<Mutex<Open>>,
}

/// The limit that a new connection would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exceeded {
    Total,
    Address,
}

impl Exceeded {
    /// The label of the metric.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Address => "address",
        }
    }
}

impl Connections {
    pub(super) fn new(total: usize, per_address: usize) -> Self {
        Self { total, per_address, open: Arc::default() }
    }

    /// Counts a connection from `address`. A proxy may have as many as there are.
    pub(super) fn admit(&self, address: IpAddr, is_proxy: bool) -> Result<Admitted, Exceeded> {
        let address = counted_address(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.total {
            return Err(Exceeded::Total);
        }
        let from_address = open.by_address.entry(address).or_default();
        if !is_proxy && *from_address >= self.per_address {
            return Err(Exceeded::Address);
        }
        *from_address += 1;
        open.total += 1;
        metrics::gauge!("toygres_connections").increment(1);
        Ok(Admitted { address, open: Arc::clone(&self.open) })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
        metrics::gauge!("toygres_connections").decrement(1);
    }
}

/// What counts as one address: an IPv4 address, or an IPv6 network of 64 bits, which is what one host is usually assigned.
pub(crate) fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_limited_in_all_and_by_address() {
        let connections = Connections::new(3, 2);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = connections.admit(address("10.0.0.1"), false).unwrap();
        let _second = connections.admit(address("::ffff:10.0.0.1"), false).unwrap();
        assert_eq!(connections.admit(address("10.0.0.1"), false).unwrap_err(), Exceeded::Address);
        let proxied = connections.admit(address("10.0.0.1"), true).unwrap();
        drop(proxied);
        let _third = connections.admit(address("2001:db8::1"), false).unwrap();
        assert_eq!(connections.admit(address("10.0.0.2"), true).unwrap_err(), Exceeded::Total);
        drop(first);
        let _fourth = connections.admit(address("2001:db8::ffff"), false).unwrap();
        assert_eq!(connections.open.lock().unwrap().by_address.len(), 2, "one network of 64 bits is one address");
    }
}
