//! The request's identifier: the caller's when it is well-formed, else a new UUID.

use http::HeaderValue;

/// Longest identifier that is taken from a caller.
const MAX_LENGTH: usize = 128;

/// An identifier that is safe in headers, logs and bodies.
#[derive(Debug)]
pub(super) struct RequestId(HeaderValue);

impl Default for RequestId {
    fn default() -> Self {
        Self(HeaderValue::from_static(""))
    }
}

impl RequestId {
    /// Takes the caller's, or makes one.
    pub(super) fn take_or_make(header: Option<&HeaderValue>) -> Self {
        match header.filter(|value| is_well_formed(value.as_bytes())) {
            Some(value) => Self(value.clone()),
            None => Self::make(),
        }
    }

    fn make() -> Self {
        // Not from the system's source of randomness: an identifier needs to be unique, not unguessable.
        let uuid = uuid::Builder::from_random_bytes(fastrand::u128(..).to_le_bytes()).into_uuid();
        let mut text = [0; 36];
        uuid.hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("")))
    }

    pub(super) fn into_header(self) -> HeaderValue {
        self.0
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

fn is_well_formed(id: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_id_is_kept_and_others_are_replaced() {
        let kept = HeaderValue::from_static("req-1.a_B:9=");
        assert_eq!(RequestId::take_or_make(Some(&kept)).into_header(), kept);
        for bad in ["", "a b", "a\"b", "{}", &"x".repeat(129)] {
            let header = HeaderValue::from_str(bad).expect("plain text");
            let made = RequestId::take_or_make(Some(&header));
            assert_eq!(made.as_str().len(), 36, "{bad}");
            assert_eq!(made.as_str().as_bytes()[14], b'4');
        }
    }
}
