//! The address of an instance: what it is called, and from where clients can connect.
//!
//! The row has the address that the owner wants. A host that gives instances addresses by name makes a new one before it removes the former,
//! and clients use the former until the new one works; [`Instance::address`] is the one in use.

use crate::{
    instance::{Exposure, Instance},
    name::InstanceName,
};

/// What clients type to reach an instance follows from this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The name of the instance.
    pub name: InstanceName,
    /// From where clients can connect.
    pub exposure: Exposure,
}

impl Instance {
    /// The address that the owner wants.
    #[must_use]
    pub fn wanted_address(&self) -> Address {
        Address { name: self.name.clone(), exposure: self.spec.exposure.clone() }
    }

    /// The address that the host has: what it is deployed and compared with, and what clients use.
    #[must_use]
    pub fn address(&self) -> Address {
        self.former_address.clone().unwrap_or_else(|| self.wanted_address())
    }
}
