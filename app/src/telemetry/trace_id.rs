//! X-Ray's trace header: read from the balancer or started here, whether or not spans are exported.
//!
//! A balancer sends `Root=…` alone. OpenTelemetry takes a trace id from outside only together with a parent span, so for
//! such a request the id goes to the span through [`PendingIds`], the id generator.

use std::cell::Cell;

use http::HeaderValue;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_aws::trace::XrayIdGenerator;
use opentelemetry_sdk::trace::IdGenerator;
use time::OffsetDateTime;

/// Longest header that is taken; X-Ray's own stay under 256 bytes.
const MAX_HEADER: usize = 512;

/// The trace of one request.
#[derive(Debug)]
pub(crate) struct TraceHeader {
    value: HeaderValue,
    id: [u8; 35],
    has_parent: bool,
}

impl Default for TraceHeader {
    fn default() -> Self {
        Self { value: HeaderValue::from_static(""), id: [b'0'; 35], has_parent: false }
    }
}

impl TraceHeader {
    /// Takes the caller's header when it names a well-formed trace, else starts a trace.
    pub(crate) fn take_or_start(header: Option<&HeaderValue>) -> Self {
        header.and_then(Self::take).unwrap_or_else(Self::start)
    }

    fn take(header: &HeaderValue) -> Option<Self> {
        let text = header.to_str().ok().filter(|text| text.len() <= MAX_HEADER)?;
        let mut id = None;
        let mut has_parent = false;
        for part in text.split(';') {
            match part.trim().split_once('=') {
                Some(("Root", root)) => id = Some(well_formed(root)?),
                Some(("Parent", parent)) => has_parent = SpanId::from_hex(parent).is_ok_and(|id| id != SpanId::INVALID),
                _ => {}
            }
        }
        Some(Self { value: header.clone(), id: id?, has_parent })
    }

    fn start() -> Self {
        let seconds = u32::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or_default();
        let random = fastrand::u128(..).to_le_bytes();
        let mut value = *b"Root=1-00000000-000000000000000000000000";
        hex(&seconds.to_be_bytes(), &mut value[7..15]);
        hex(&random[..12], &mut value[16..40]);
        let mut id = [0; 35];
        id.copy_from_slice(&value[5..]);
        let value = HeaderValue::from_bytes(&value).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { value, id, has_parent: false }
    }

    /// The header to answer with.
    pub(crate) fn into_header(self) -> HeaderValue {
        self.value
    }

    /// `1-xxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxx`, as X-Ray's console searches for it.
    pub(crate) fn id(&self) -> &str {
        std::str::from_utf8(&self.id).unwrap_or_default()
    }

    /// Whether the caller names a span to hang ours under.
    pub(crate) fn has_parent(&self) -> bool {
        self.has_parent
    }

    /// The header as text.
    pub(crate) fn as_str(&self) -> &str {
        self.value.to_str().unwrap_or_default()
    }

    fn trace_id(&self) -> Option<TraceId> {
        let id = self.id();
        TraceId::from_hex(&format!("{}{}", id.get(2..10)?, id.get(11..)?)).ok()
    }

    /// Gives this trace's id to the next root span that this thread starts.
    pub(super) fn hand_over(&self) {
        PENDING.set(self.trace_id());
    }
}

fn well_formed(root: &str) -> Option<[u8; 35]> {
    let id: [u8; 35] = root.as_bytes().try_into().ok()?;
    let sound = id.iter().enumerate().all(|(at, byte)| match at {
        0 => *byte == b'1',
        1 | 10 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    sound.then_some(id)
}

fn hex(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

thread_local! {
    static PENDING: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// X-Ray's ids, except that a trace the balancer started keeps its id.
#[derive(Debug, Default)]
pub(super) struct PendingIds {
    fresh: XrayIdGenerator,
}

impl IdGenerator for PendingIds {
    fn new_trace_id(&self) -> TraceId {
        PENDING.take().unwrap_or_else(|| self.fresh.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.fresh.new_span_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

    #[test]
    fn a_balancers_header_is_kept_and_names_the_span() {
        let header = HeaderValue::from_str(&format!("Self=1-0-0;Root={ROOT}")).expect("plain text");
        let trace = TraceHeader::take_or_start(Some(&header));
        assert_eq!((trace.id(), trace.has_parent()), (ROOT, false));
        trace.hand_over();
        assert_eq!(trace.into_header(), header);
        let ids = PendingIds::default();
        assert_eq!(ids.new_trace_id().to_string(), "5759e988bd862e3fe1be46a994272793");
        assert_ne!(ids.new_trace_id().to_string(), "5759e988bd862e3fe1be46a994272793");
    }

    #[test]
    fn nonsense_starts_a_new_trace_of_today() {
        for text in ["", "Root=", "Root=1-zz", "Parent=53995c3f42cd8ad8", &format!("Root={ROOT}0")] {
            let header = HeaderValue::from_str(text).expect("plain text");
            let trace = TraceHeader::take_or_start(Some(&header));
            assert_ne!(trace.value, header);
            assert!(well_formed(trace.id()).is_some(), "{}", trace.id());
            let seconds = i64::from_str_radix(&trace.id()[2..10], 16).expect("eight hexadecimal digits");
            assert!((OffsetDateTime::now_utc().unix_timestamp() - seconds).abs() < 5);
        }
    }
}
