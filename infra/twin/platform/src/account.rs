//! The one account and region the twin answers for.

/// Account id and region, and the ARNs made from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Region code, e.g. `us-east-1`.
    pub region: String,
}

impl Account {
    /// The one VPC: there is one loopback on a laptop, but every API asks for a network.
    pub const VPC: &str = "vpc-0000000000000001a";

    /// The account that the ready-made services use too, in `region`.
    pub fn in_region(region: impl Into<String>) -> Self {
        Self { id: winterbaume_core::default_account_id().to_owned(), region: region.into() }
    }

    /// `arn:aws:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }

    /// `<region>a`, `<region>b`, … : the availability zone with that index.
    pub fn availability_zone(&self, index: usize) -> String {
        let letter = char::from(b'a' + u8::try_from(index % 26).unwrap_or_default());
        format!("{}{letter}", self.region)
    }
}
