//! Headers on their way through: hop-by-hop removed, `X-Forwarded-*` and `X-Amzn-Trace-Id` added (user guide, "HTTP headers
//! and Application Load Balancers", "Request tracing").

use std::{net::IpAddr, time::SystemTime};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{self, CONNECTION, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
};

/// The trace header.
pub(crate) static TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
static KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
static PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// More addresses than this in `X-Forwarded-For` are answered with 463.
const MAX_FORWARDED: usize = 30;

/// Removes what is meant for one connection only (RFC 9110, 7.6.1), also what `Connection` names.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // Content-Length and Host cannot be meant: without them the message would be another one.
        .filter(|name| *name != header::CONTENT_LENGTH && *name != HOST)
        .collect();
    for name in &named {
        headers.remove(name);
    }
    for name in [&CONNECTION, &KEEP_ALIVE, &PROXY_CONNECTION, &TE, &TRAILER, &TRANSFER_ENCODING, &UPGRADE] {
        headers.remove(name);
    }
}

/// Whether a request names too many addresses it was forwarded for.
pub(crate) fn forwarded_too_often(headers: &HeaderMap) -> bool {
    let addresses =
        headers.get_all(&FORWARDED_FOR).iter().map(|value| value.as_bytes().split(|byte| *byte == b',').count());
    addresses.sum::<usize>() > MAX_FORWARDED
}

/// Says who asked, by which protocol, at which port.
pub(crate) fn add_forwarded(headers: &mut HeaderMap, client: IpAddr, port: &HeaderValue) {
    let mut text = Vec::with_capacity(48);
    for earlier in headers.get_all(&FORWARDED_FOR) {
        text.extend_from_slice(earlier.as_bytes());
        text.extend_from_slice(b", ");
    }
    text.extend_from_slice(client.to_string().as_bytes());
    // Made of header bytes and an address, so it is a header again.
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)) {
        headers.insert(&FORWARDED_FOR, value);
    }
    headers.insert(&FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.insert(&FORWARDED_PORT, port.clone());
}

/// Starts a trace, or continues one: an incoming `Root` is kept and `Self` set before it; other fields stay.
pub(crate) fn add_trace(headers: &mut HeaderMap, now: SystemTime) -> HeaderValue {
    let fresh = fresh_id(now);
    let text = match headers.get(&TRACE_ID).and_then(|value| value.to_str().ok()) {
        None | Some("") => format!("Root={fresh}"),
        Some(incoming) => {
            let is =
                |field: &str, name: &str| field.split_once('=').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
            let fields = || incoming.split(';').map(str::trim).filter(|field| !field.is_empty() && !is(field, "Self"));
            let own = if fields().any(|field| is(field, "Root")) { "Self" } else { "Root" };
            fields().fold(format!("{own}={fresh}"), |text, field| text + ";" + field)
        }
    };
    let value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
    headers.insert(&TRACE_ID, value.clone());
    value
}

/// `1-<time, 8 hex digits>-<24 hex digits>`.
fn fresh_id(now: SystemTime) -> String {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("1-{seconds:08x}-{:016x}{:08x}", fastrand::u64(..), fastrand::u32(..))
}

/// About how many bytes a head of these headers takes on the wire.
pub(crate) fn size(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() as u64
}

/// Whether a client asks to change the protocol of its connection.
pub(crate) fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE)
        && headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(incoming: Option<&'static str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(incoming) = incoming {
            headers.insert(&TRACE_ID, HeaderValue::from_static(incoming));
        }
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(0x6789_1233);
        add_trace(&mut headers, now).to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn traces_start_and_continue() {
        let fresh = trace(None);
        assert!(fresh.starts_with("Root=1-67891233-") && fresh.len() == "Root=1-67891233-".len() + 24, "{fresh}");
        let continued = trace(Some("Root=1-67891230-abcdef012345678912345678;CalledFrom=app"));
        assert!(continued.starts_with("Self=1-67891233-"), "{continued}");
        assert!(continued.ends_with(";Root=1-67891230-abcdef012345678912345678;CalledFrom=app"), "{continued}");
        let again = trace(Some("Self=1-1-2;Root=1-67891230-abcdef012345678912345678"));
        assert_eq!((again.matches("Self=").count(), again.contains("1-1-2")), (1, false), "{again}");
        let rootless = trace(Some("Parent=x"));
        assert!(rootless.starts_with("Root=1-67891233-") && rootless.ends_with(";Parent=x"), "{rootless}");
    }

    #[test]
    fn hop_by_hop_goes_and_the_rest_stays() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Mine, host"),
            ("x-mine", "1"),
            ("keep-alive", "3"),
            ("te", "trailers"),
            ("host", "h"),
            ("accept", "*/*"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "host"]);
    }

    #[test]
    fn forwarded_for_grows() {
        let mut headers = HeaderMap::new();
        headers.insert(&FORWARDED_FOR, HeaderValue::from_static("10.0.0.1"));
        add_forwarded(&mut headers, IpAddr::from([127, 0, 0, 1]), &HeaderValue::from_static("8080"));
        assert_eq!(headers[&FORWARDED_FOR], "10.0.0.1, 127.0.0.1");
        assert_eq!(
            (&headers[&FORWARDED_PROTO], &headers[&FORWARDED_PORT]),
            (&"http".parse().expect("valid"), &"8080".parse().expect("valid"))
        );
    }
}
