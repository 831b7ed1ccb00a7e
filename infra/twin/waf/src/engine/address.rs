//! Addresses: those of a request, and sets of address ranges.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv6Addr},
};

use arc_swap::ArcSwap;
use http::HeaderName;

use super::request::Seen;

/// The most addresses of a header that are looked at.
const MOST: usize = 10;

/// Where an address comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Client,
    /// Header, which of its addresses, and whether a header without a valid one matches.
    Header(HeaderName, Position, bool),
}

/// `ForwardedIPPosition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    First,
    Last,
    Any,
}

/// What an origin has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The request has no such header: no rule applies.
    Nothing,
    /// It has, with something else in it.
    Invalid,
    Addresses(Vec<IpAddr>),
}

impl Origin {
    pub(crate) fn find(&self, seen: &Seen<'_>) -> Found {
        let (name, position) = match self {
            Self::Client => return Found::Addresses(vec![seen.client.ip().to_canonical()]),
            Self::Header(name, position, _) => (name, *position),
        };
        let Some(text) = seen.head.headers.get(name) else { return Found::Nothing };
        let Ok(text) = text.to_str() else { return Found::Invalid };
        let mut parts = text.split(',').map(str::trim).take(MOST);
        let chosen: Vec<&str> = match position {
            Position::First => parts.next().into_iter().collect(),
            Position::Last => parts.last().into_iter().collect(),
            Position::Any => parts.collect(),
        };
        let addresses: Vec<IpAddr> =
            chosen.iter().filter_map(|part| part.parse::<IpAddr>().ok()).map(|ip| ip.to_canonical()).collect();
        if addresses.is_empty() { Found::Invalid } else { Found::Addresses(addresses) }
    }

    /// Whether an invalid address matches.
    pub(crate) fn invalid_matches(&self) -> bool {
        matches!(self, Self::Header(_, _, true))
    }
}

/// Ranges of addresses, one set for each prefix length that occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges {
    by_length: Vec<(u8, HashSet<u128>)>,
}

impl Ranges {
    /// A range as `address/length` of one family; a bare address is refused, as AWS refuses it.
    pub(crate) fn parse(text: &str, version_4: bool) -> Option<(u128, u8)> {
        let (address, length) = text.split_once('/')?;
        let (address, length): (IpAddr, u8) = (address.parse().ok()?, length.parse().ok()?);
        let length = match address {
            IpAddr::V4(_) if version_4 && (1..=32).contains(&length) => length + 96,
            IpAddr::V6(_) if !version_4 && (1..=128).contains(&length) => length,
            _ => return None,
        };
        Some((masked(bits(address), length), length))
    }

    pub(crate) fn new(ranges: impl IntoIterator<Item = (u128, u8)>) -> Self {
        let mut by_length: Vec<(u8, HashSet<u128>)> = Vec::new();
        for (start, length) in ranges {
            match by_length.iter_mut().find(|(known, _)| *known == length) {
                Some((_, starts)) => drop(starts.insert(start)),
                None => by_length.push((length, HashSet::from([start]))),
            }
        }
        Self { by_length }
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let bits = bits(address);
        self.by_length.iter().any(|(length, starts)| starts.contains(&masked(bits, *length)))
    }
}

/// An IP set that rules refer to; its ranges change under them.
pub(crate) type SharedRanges = ArcSwap<Ranges>;

/// An address as a number; IPv4 as it is mapped into IPv6.
pub(crate) fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address with this number.
pub(crate) fn address(bits: u128) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_bits(bits)).to_canonical()
}

fn masked(bits: u128, length: u8) -> u128 {
    let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or_default();
    bits & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_lies_in_them() {
        let parsed = |texts: &[&str], v4| Ranges::new(texts.iter().map(|text| Ranges::parse(text, v4).expect("valid")));
        let v4 = parsed(&["10.1.0.0/16", "192.0.2.44/32", "127.0.0.1/8"], true);
        for (address, inside) in [
            ("10.1.255.1", true),
            ("10.2.0.0", false),
            ("192.0.2.44", true),
            ("192.0.2.45", false),
            ("127.9.9.9", true),
        ] {
            assert_eq!(v4.contains(address.parse().expect("valid")), inside, "{address}");
        }
        let v6 = parsed(&["2001:db8::/32"], false);
        assert!(
            v6.contains("2001:db8:1::1".parse().expect("valid")) && !v6.contains("2001:db9::1".parse().expect("valid"))
        );
        for bad in ["10.0.0.1", "10.0.0.0/0", "10.0.0.0/33", "x/8", "2001:db8::/32", "10.0.0.0/-1", ""] {
            assert_eq!(Ranges::parse(bad, true), None, "{bad}");
        }
    }
}
