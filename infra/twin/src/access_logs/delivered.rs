//! Which objects of access logs are in their buckets, so that the oldest can go when they are too many.

use std::collections::VecDeque;

/// Bytes of gzip that are kept, over all load balancers: some 200 000 lines. AWS keeps objects until the bucket's owner expires
/// them; here they lie in memory. More would let an hour of drill outgrow the lab's laptop, less would lose its beginning sooner.
pub(super) const KEPT_BYTES: usize = 16 << 20;

/// Delivered objects, oldest first.
#[derive(Default)]
pub(super) struct Delivered {
    objects: VecDeque<(String, usize)>,
    bytes: usize,
}

impl Delivered {
    /// An object lies at this URI now.
    pub(super) fn add(&mut self, uri: String, bytes: usize) {
        self.objects.push_back((uri, bytes));
        self.bytes += bytes;
    }

    /// The oldest object's URI while there is more than [`KEPT_BYTES`]; forgotten here. The newest stays, whatever its size.
    pub(super) fn surplus(&mut self) -> Option<String> {
        if self.bytes <= KEPT_BYTES || self.objects.len() < 2 {
            return None;
        }
        let (uri, bytes) = self.objects.pop_front()?;
        self.bytes -= bytes;
        Some(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_the_newest_stays() {
        let mut delivered = Delivered::default();
        delivered.add("/logs/a".into(), KEPT_BYTES - 1);
        delivered.add("/logs/b".into(), 1);
        assert_eq!(delivered.surplus(), None, "at the bound nothing goes");
        delivered.add("/logs/c".into(), 1);
        assert_eq!(delivered.surplus().as_deref(), Some("/logs/a"));
        assert_eq!(delivered.surplus(), None);
        delivered.add("/logs/d".into(), KEPT_BYTES + 1);
        assert_eq!(delivered.surplus().as_deref(), Some("/logs/b"));
        assert_eq!(delivered.surplus().as_deref(), Some("/logs/c"));
        assert_eq!(delivered.surplus(), None, "one that is too large alone is kept until the next");
    }
}
