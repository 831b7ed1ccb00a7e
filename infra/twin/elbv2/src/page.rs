//! Answers that the balancer itself gives: its error pages, redirects and fixed responses, all from `awselb/2.0`.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::body::ClientBody;

/// `Server` of everything the balancer answers itself.
pub(crate) const SERVER: &str = "awselb/2.0";

/// The words after the status, as the balancer has them.
fn title(status: u16) -> &'static str {
    match status {
        301 => "301 Moved Permanently",
        302 => "302 Found",
        400 => "400 Bad Request",
        403 => "403 Forbidden",
        405 => "405 Not Allowed",
        408 => "408 Request Time-out",
        414 => "414 Request-URI Too Large",
        463 => "463",
        501 => "501 Not Implemented",
        502 => "502 Bad Gateway",
        503 => "503 Service Temporarily Unavailable",
        504 => "504 Gateway Time-out",
        _ => "500 Internal Server Error",
    }
}

fn html(status: u16) -> String {
    let title = title(status);
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
}

/// A page with this status.
pub(crate) fn error(status: u16) -> Response<ClientBody> {
    let mut response = answer(status, "text/html", Bytes::from(html(status)));
    if matches!(status, 400 | 408 | 414) {
        // What follows on a connection after a request that was no good, or is not whole, cannot be told to be a request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A redirect.
pub(crate) fn redirect(status: u16, location: HeaderValue) -> Response<ClientBody> {
    let mut response = error(status);
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// An answer of the balancer's own.
pub(crate) fn answer(status: u16, content_type: &str, body: Bytes) -> Response<ClientBody> {
    let mut response = Response::new(ClientBody::own(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static(SERVER));
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    response
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Response<ClientBody> {
    let mut response = answer(status, "text/plain", Bytes::new());
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

/// The whole of an answer to what could not be read as a request, for the socket.
pub(crate) fn raw(status: u16) -> Bytes {
    let body = html(status);
    Bytes::from(format!(
        "HTTP/1.1 {}\r\nServer: {SERVER}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        title(status),
        body.len()
    ))
}
