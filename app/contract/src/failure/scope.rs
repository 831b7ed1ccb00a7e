//! Whom a fault hits: requests by path, method and header; tasks by a stable hash, by id, by zone.

/// The little of a request that a match looks at.
pub trait RequestView {
    /// Path without the query.
    fn path(&self) -> &str;
    /// Method in capitals.
    fn method(&self) -> &str;
    /// Value of a header (name in lower case), if it is there and readable.
    fn header(&self, name: &str) -> Option<&str>;
}

/// Which requests. Every field that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestMatch {
    /// Path prefix.
    pub path: Option<String>,
    /// Method in capitals.
    pub method: Option<String>,
    /// Header with an exact value.
    pub header: Option<HeaderMatch>,
}

/// A header with its exact value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMatch {
    /// Name in lower case.
    pub name: String,
    /// Exact value.
    pub value: String,
}

/// Which tasks.
#[derive(Clone, Debug, PartialEq)]
pub enum Tasks {
    /// This share of all tasks, decided by a stable hash of the task id.
    Percent(f64),
    /// These task ids.
    Ids(Vec<String>),
    /// The tasks of one availability zone.
    AvailabilityZone(String),
}

impl RequestMatch {
    pub(super) fn matches(&self, request: &impl RequestView) -> bool {
        self.path.as_deref().is_none_or(|prefix| request.path().starts_with(prefix))
            && self.method.as_deref().is_none_or(|method| request.method() == method)
            && self.header.as_ref().is_none_or(|header| request.header(&header.name) == Some(header.value.as_str()))
    }
}

impl Tasks {
    pub(super) fn contain(&self, task_id: &str, availability_zone: &str, seed: Option<u64>) -> bool {
        match self {
            Self::Percent(percent) => fraction(seed.unwrap_or_default(), task_id.as_bytes()) * 100.0 < *percent,
            Self::Ids(ids) => ids.iter().any(|id| id == task_id),
            Self::AvailabilityZone(zone) => zone == availability_zone,
        }
    }
}

/// A stable number in `0.0..1.0` for some bytes: FNV-1a (64 bit, Fowler–Noll–Vo's published constants) with a final mix,
/// because the standard library's hasher may change between releases and two tasks must agree on it.
#[allow(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
pub(super) fn fraction(seed: u64, bytes: &[u8]) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in seed.to_le_bytes().iter().chain(bytes) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_tasks_is_stable_and_about_right() {
        let half = Tasks::Percent(50.0);
        let hit = |seed| (0..1000).filter(|n| half.contain(&format!("task-{n}"), "a", seed)).count();
        assert_eq!(hit(None), hit(None));
        assert!((430..570).contains(&hit(None)), "{} of 1000", hit(None));
        assert!(!Tasks::Percent(0.0).contain("task", "a", None));
        assert!(Tasks::Percent(100.0).contain("task", "a", None));
    }
}
