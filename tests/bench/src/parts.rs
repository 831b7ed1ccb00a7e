//! What is measured, one file a part.

pub(crate) mod balancer;
pub(crate) mod firewall;
pub(crate) mod flip;
pub(crate) mod golden;
pub(crate) mod lab;
pub(crate) mod sight;
