//! The two kinds of identifiers, as numbers: sixteen and eight bytes instead of text in every segment.

use std::{fmt, num::NonZeroU64};

/// A trace: `1-` 8 hexadecimal digits `-` 24 hexadecimal digits (X-Ray developer guide, "AWS X-Ray segment documents",
/// `trace_id`). The first group is by custom the second in which the trace began; as in X-Ray that is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// From the sixteen bytes that OpenTelemetry has; none for sixteen zeros.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let number = u128::from_be_bytes(bytes);
        (number != 0).then_some(Self(number))
    }

    /// From `1-5759e988-bd862e3fe1be46a994272793`; digits of either case.
    pub fn parse(text: &str) -> Option<Self> {
        let (version, rest) = text.split_once('-')?;
        let (seconds, unique) = rest.split_once('-')?;
        let sized = version == "1" && seconds.len() == 8 && unique.len() == 24;
        let seconds = hexadecimal(seconds).filter(|_| sized)?;
        Some(Self(seconds << 96 | hexadecimal(unique)?))
    }

    /// The number behind it, for those who spread traces evenly.
    pub(crate) const fn number(self) -> u128 {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1-{:08x}-{:024x}", self.0 >> 96, self.0 & (u128::MAX >> 32))
    }
}

/// A segment or subsegment: 16 hexadecimal digits, unique within its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(NonZeroU64);

impl SegmentId {
    /// From the eight bytes that OpenTelemetry has; none for eight zeros.
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        NonZeroU64::new(u64::from_be_bytes(bytes)).map(Self)
    }

    /// From 16 hexadecimal digits of either case; none for sixteen zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let number = hexadecimal(text).filter(|_| text.len() == 16)?;
        u64::try_from(number).ok().and_then(NonZeroU64::new).map(Self)
    }

    /// Another identifier that is always the same for this one and `nth`: for what a span implies but does not name, so that
    /// a span that comes twice does not count twice.
    pub(crate) fn derived(self, nth: u64) -> Self {
        // The finalizer of SplitMix64: a bijection, so that derived identifiers of one kind never meet.
        let mut number = self.0.get() ^ (nth + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(NonZeroU64::new(number ^ number >> 31).unwrap_or(NonZeroU64::MIN))
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

fn hexadecimal(text: &str) -> Option<u128> {
    // `from_str_radix` alone would take a sign.
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_read_as_they_are_written() {
        let text = "1-5759e988-bd862e3fe1be46a994272793";
        let trace = TraceId::parse(text).expect("a trace id");
        assert_eq!(trace.to_string(), text);
        let bytes = 0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793_u128.to_be_bytes();
        assert_eq!(TraceId::from_bytes(bytes), Some(trace));
        let id = SegmentId::parse("53995C3F42cd8ad8").expect("a segment id");
        assert_eq!(id.to_string(), "53995c3f42cd8ad8");
        assert_ne!(id.derived(0), id.derived(1));
        assert_eq!(id.derived(0), id.derived(0));
    }

    #[test]
    fn nonsense_is_no_identifier() {
        for text in [
            "",
            "1-",
            "2-5759e988-bd862e3fe1be46a994272793",
            "1-5759e98-bd862e3fe1be46a9942727933",
            "1-+759e988-bd862e3fe1be46a994272793",
        ] {
            assert_eq!(TraceId::parse(text), None, "{text}");
        }
        for text in ["", "0000000000000000", "53995c3f42cd8ad", "+3995c3f42cd8ad8", "53995c3f42cd8adé"] {
            assert_eq!(SegmentId::parse(text), None, "{text}");
        }
        assert_eq!((TraceId::from_bytes([0; 16]), SegmentId::from_bytes([0; 8])), (None, None));
    }
}
