//! Receipt handles: which queue, which message, which receiving of it. Opaque to callers, and checked.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// What a handle says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    /// The queue's secret, so that a handle of another queue, or of one that was made again under the name, is not valid.
    pub(super) queue: u64,
    /// The message's number in its queue.
    pub(super) number: u64,
    /// How often the message had been received by then; a later receiving makes the handle stale.
    pub(super) received: u32,
}

impl Receipt {
    pub(super) fn handle(self) -> String {
        let mut bytes = Vec::with_capacity(20);
        bytes.extend(self.queue.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.received.to_be_bytes());
        BASE64_STANDARD.encode(bytes)
    }

    pub(super) fn read(handle: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(handle).ok().filter(|bytes| bytes.len() == 20)?;
        Some(Self {
            queue: u64::from_be_bytes(bytes[..8].try_into().ok()?),
            number: u64::from_be_bytes(bytes[8..16].try_into().ok()?),
            received: u32::from_be_bytes(bytes[16..].try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_handle_reads_back(queue: u64, number: u64, received: u32) {
            let receipt = Receipt { queue, number, received };
            proptest::prop_assert_eq!(Receipt::read(&receipt.handle()), Some(receipt));
        }

        #[test]
        fn any_text_is_a_handle_or_none(text: String) {
            let _ = Receipt::read(&text);
        }
    }
}
