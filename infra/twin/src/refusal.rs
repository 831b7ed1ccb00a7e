//! Errors in the protocol that the caller speaks.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use twin_platform::AwsError;

/// AWS protocols, as far as errors differ between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"__type":…,"message":…}`: JSON 1.0 and 1.1, REST-JSON.
    Json,
    /// The same as CBOR: RPC v2.
    Cbor,
    /// `<ErrorResponse>`: query, and REST-XML apart from S3.
    Xml,
    /// `<Error>`: S3.
    S3,
}

/// The protocol, from headers alone.
pub(crate) fn shape_of(headers: &HeaderMap) -> Shape {
    let has = |name: HeaderName, part: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(part))
    };
    if has(HeaderName::from_static("smithy-protocol"), "cbor") {
        Shape::Cbor
    } else if headers.contains_key("x-amz-target") || has(header::CONTENT_TYPE, "json") {
        Shape::Json
    } else {
        Shape::Xml
    }
}

impl Shape {
    /// The error in this protocol.
    pub(crate) fn render(self, error: &AwsError) -> twin_platform::Response {
        match self {
            Self::Json => error.json(),
            Self::Xml => error.xml(),
            Self::S3 => {
                let escape = winterbaume_core::xml_escape;
                let (code, message) = (escape(&error.code), escape(&error.message));
                let body = format!(
                    r#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"#
                );
                twin_platform::Response::xml(error.status, body)
            }
            Self::Cbor => {
                let mut body = vec![0xa2]; // a map of two pairs (RFC 8949, section 3.1)
                for text in ["__type", &error.code, "message", &error.message] {
                    cbor_text(&mut body, text);
                }
                twin_platform::Response::cbor(error.status, body)
            }
        }
    }
}

/// A text string: major type 3 with its length (RFC 8949, section 3.1).
fn cbor_text(body: &mut Vec<u8>, text: &str) {
    // Error texts are short; a longer one is cut where its length still has two bytes.
    let text = &text[..text.floor_char_boundary(text.len().min(usize::from(u16::MAX)))];
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    match u8::try_from(length) {
        Ok(short @ 0..24) => body.push(0x60 | short),
        Ok(byte) => body.extend([0x78, byte]),
        Err(_) => {
            body.push(0x79);
            body.extend(length.to_be_bytes());
        }
    }
    body.extend(text.as_bytes());
}

/// A service's answer as an HTTP response, with the request id that every AWS answer carries.
pub(crate) fn to_http(answer: twin_platform::Response, method: &Method) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    // The server writes these itself; to HEAD the length stays what GET would have.
    response.headers_mut().remove(header::TRANSFER_ENCODING);
    if method != Method::HEAD {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        response.headers_mut().entry("x-amzn-requestid").or_insert(id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_comes_in_the_callers_protocol() {
        let mut headers = HeaderMap::new();
        assert_eq!(shape_of(&headers), Shape::Xml);
        headers.insert("x-amz-target", HeaderValue::from_static("AmazonSSM.GetParameter"));
        assert_eq!(shape_of(&headers), Shape::Json);
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        assert_eq!(shape_of(&headers), Shape::Cbor);
    }

    #[test]
    fn cbor_lengths_have_the_right_width() {
        let error = AwsError::client("A", "b".repeat(300));
        let body = Shape::Cbor.render(&error).body;
        assert_eq!(&body[..11], b"\xa2\x66__type\x61A\x67");
        let tail = &body[body.len() - 303..body.len() - 300];
        assert_eq!(tail, [0x79, 1, 44]);
    }

    #[test]
    fn xml_is_escaped() {
        let error = AwsError::client("<&>", "'");
        for shape in [Shape::Xml, Shape::S3] {
            let body = shape.render(&error).body;
            assert!(String::from_utf8_lossy(&body).contains("&lt;&amp;&gt;"), "{shape:?}");
        }
    }
}
