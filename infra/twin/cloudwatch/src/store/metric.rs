//! The identity of a metric.

/// Namespace, name and dimensions; the dimensions are in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Metric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: Vec<(String, String)>,
}

impl Metric {
    /// The metric with these dimensions, given in any order.
    pub(crate) fn new(namespace: &str, name: &str, mut dimensions: Vec<(String, String)>) -> Self {
        dimensions.sort_unstable();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }

    /// Memory that it takes, with what a map adds around it.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = self.dimensions.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        256 + self.namespace.len() + self.name.len() + texts
    }
}
