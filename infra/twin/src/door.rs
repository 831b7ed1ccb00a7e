//! Who may come in: programs on this machine, no web page.
//!
//! A page in a browser can send requests to loopback. It cannot send them without an `Origin` header where it matters, and a name
//! that it made point to 127.0.0.1 shows in `Host`; both are refused.

use axum::{
    extract::Request,
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};
use twin_platform::AwsError;

use crate::refusal;

/// Refuses a request with a foreign `Host` or any `Origin`.
pub(crate) async fn keeper(request: Request, next: Next) -> Response {
    match admit(request.headers(), request.uri().host()) {
        Ok(()) => next.run(request).await,
        Err(error) => {
            tracing::warn!(%error, method = %request.method(), "refused at the door");
            refusal::to_http(refusal::shape_of(request.headers()).render(&error), request.method())
        }
    }
}

fn admit(headers: &HeaderMap, target: Option<&str>) -> Result<(), AwsError> {
    let refused = |message: &str| Err(AwsError { status: 403, code: "AccessDenied".into(), message: message.into() });
    if headers.contains_key(header::ORIGIN) {
        return refused("requests with an Origin header are refused: a web page must not drive the lab");
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return refused("exactly one Host header is needed");
    };
    let ours = |host: &str| is_loopback(host);
    if host.to_str().is_ok_and(ours) && target.is_none_or(ours) {
        return Ok(());
    }
    refused(
        "the Host header names none of 127.0.0.1, localhost, *.localhost and [::1]: a web page must not drive the lab",
    )
}

/// Whether the authority (`host[:port]`) can only mean this machine.
fn is_loopback(authority: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    };
    let host = host.to_ascii_lowercase();
    // `localhost` and everything under it are loopback by RFC 6761; S3 clients put the bucket's name in front.
    matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]")
        || host.strip_suffix(".localhost").is_some_and(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_ours() {
        for ours in [
            "127.0.0.1",
            "127.0.0.1:4566",
            "localhost",
            "LOCALHOST:1",
            "[::1]",
            "[::1]:4566",
            "bucket.localhost:4566",
            "a.b.localhost",
        ] {
            assert!(is_loopback(ours), "{ours}");
        }
        for foreign in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.nip.io",
            "127.0.0.1:x",
            "127.0.0.1:",
            "notlocalhost",
            ".localhost",
            "10.0.0.1:4566",
            "::1",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }

    #[test]
    fn an_origin_is_refused_even_from_localhost() {
        let mut headers = HeaderMap::new();
        assert!(admit(&headers, None).is_err(), "no Host");
        headers.insert(header::HOST, "localhost:4566".parse().expect("a value"));
        assert_eq!(admit(&headers, None), Ok(()));
        assert!(admit(&headers, Some("example.com")).is_err(), "an absolute request target counts too");
        headers.insert(header::ORIGIN, "http://localhost:4566".parse().expect("a value"));
        assert_eq!(admit(&headers, None).expect_err("refused").status, 403);
    }
}
