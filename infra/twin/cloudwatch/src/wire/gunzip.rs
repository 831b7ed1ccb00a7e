//! Request bodies as they were before an SDK compressed them.

use std::{borrow::Cow, io::Read as _};

use twin_platform::{AwsError, Request};

use super::{MOST_BODY_BYTES, malformed};

/// The body; with `Content-Encoding: gzip` unpacked. Any other encoding is an error.
pub(super) fn body(request: &Request) -> Result<Cow<'_, [u8]>, AwsError> {
    let encoding = request.headers.get("content-encoding").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let too_long = || malformed(format!("The body is longer than {MOST_BODY_BYTES} bytes"));
    match encoding.trim() {
        "" | "identity" if request.body.len() > MOST_BODY_BYTES => Err(too_long()),
        "" | "identity" => Ok(Cow::Borrowed(&request.body)),
        "gzip" => {
            let limit = u64::try_from(MOST_BODY_BYTES).unwrap_or(u64::MAX);
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&*request.body)
                .take(limit + 1)
                .read_to_end(&mut unpacked)
                .map_err(|error| malformed(format!("The body is not what gzip writes: {error}")))?;
            if unpacked.len() > MOST_BODY_BYTES { Err(too_long()) } else { Ok(Cow::Owned(unpacked)) }
        }
        other => Err(malformed(format!("Content-Encoding {other} is not understood, only gzip"))),
    }
}
