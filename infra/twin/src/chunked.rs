//! The `aws-chunked` encoding in which SDKs upload to S3: chunks with optional signatures, then trailers with checksums
//! ("Signature calculations for the Authorization header: transferring payload in multiple chunks", Amazon S3 API Reference).
//! Signatures and checksums are not verified: the bytes came over loopback.

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;

/// Whether the body is in that encoding.
pub(crate) fn is_chunked(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text("content-encoding").split(',').any(|part| part.trim() == "aws-chunked")
        || text("x-amz-content-sha256").starts_with("STREAMING-")
}

/// The bytes within the chunks; none when the framing is broken or cut short.
pub(crate) fn decode(body: &Bytes) -> Option<Bytes> {
    let mut plain = Vec::with_capacity(body.len());
    let mut rest: &[u8] = body;
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(plain.into());
        }
        plain.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

/// Takes the encoding off the headers, as S3 does before it stores them.
pub(crate) fn strip(headers: &mut HeaderMap, length: usize) {
    let kept = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).map(|value| {
        value
            .split(',')
            .map(str::trim)
            .filter(|part| *part != "aws-chunked" && !part.is_empty())
            .collect::<Vec<_>>()
            .join(",")
    });
    match kept.as_deref().map(HeaderValue::from_str) {
        Some(Ok(value)) if !value.is_empty() => headers.insert(header::CONTENT_ENCODING, value),
        _ => headers.remove(header::CONTENT_ENCODING),
    };
    headers.remove("x-amz-decoded-content-length");
    headers.remove("x-amz-trailer");
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_trailers_dropped() {
        let body = Bytes::from_static(
            b"5;chunk-signature=00\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n",
        );
        assert_eq!(decode(&body).as_deref(), Some(b"hello world".as_slice()));
        assert_eq!(decode(&Bytes::from_static(b"0\r\n\r\n")).as_deref(), Some(b"".as_slice()));
        for broken in ["", "5\r\nhel", "zz\r\n", "5\r\nhelloX\r\n0\r\n", "ffffffffffffffff\r\n"] {
            assert_eq!(decode(&Bytes::copy_from_slice(broken.as_bytes())), None, "{broken}");
        }
    }

    #[test]
    fn the_encoding_is_known_by_either_header_and_taken_off() {
        let mut headers = HeaderMap::new();
        assert!(!is_chunked(&headers));
        headers.insert("x-amz-content-sha256", HeaderValue::from_static("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
        assert!(is_chunked(&headers));
        headers.insert("content-encoding", HeaderValue::from_static("aws-chunked, gzip"));
        strip(&mut headers, 3);
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["content-length"], "3");
    }
}
