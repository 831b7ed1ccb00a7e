//! The trace header, `X-Amzn-Trace-Id`, as the balancer reads it before it records its own segment (developer guide, "AWS X-Ray
//! concepts", "Tracing header").

use crate::{SegmentId, TraceId};

/// What the header of one request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceHeader {
    /// `Root`: the trace.
    pub root: TraceId,
    /// `Parent`: the caller's subsegment.
    pub parent: Option<SegmentId>,
    /// `Sampled`: whether the caller records this request; none when it leaves the decision to others.
    pub sampled: Option<bool>,
}

impl TraceHeader {
    /// Reads the header; none without a well-formed `Root`. Fields it does not know, such as the balancer's `Self`, mean nothing to it.
    pub fn parse(text: &str) -> Option<Self> {
        let field = |wanted: &str| {
            let pairs = text.split(';').filter_map(|part| part.trim().split_once('='));
            pairs.filter(|(key, _)| *key == wanted).map(|(_, value)| value).next_back()
        };
        let sampled = match field("Sampled") {
            Some("1") => Some(true),
            Some("0") => Some(false),
            _ => None,
        };
        Some(Self {
            root: field("Root").and_then(TraceId::parse)?,
            parent: field("Parent").and_then(SegmentId::parse),
            sampled,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_as_callers_and_balancers_write_it() {
        let root = TraceId::parse("1-5759e988-bd862e3fe1be46a994272793");
        let read =
            |text: &str| TraceHeader::parse(text).map(|header| (Some(header.root), header.parent, header.sampled));
        let balancers = "Self=1-67891234-12456789abcdef012345678;Root=1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(read(balancers), Some((root, None, None)));
        let callers = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8; Sampled=1";
        assert_eq!(read(callers), Some((root, SegmentId::parse("53995c3f42cd8ad8"), Some(true))));
        assert_eq!(read("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=x;Sampled=?"), Some((root, None, None)));
        assert_eq!((read(""), read("Root=1-2-3"), read("Parent=53995c3f42cd8ad8")), (None, None, None));
    }
}
