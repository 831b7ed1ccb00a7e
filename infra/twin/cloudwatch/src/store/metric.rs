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

/// Units ("MetricDatum", CloudWatch API Reference).
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// The unit with this name.
pub(crate) fn unit_named(name: &str) -> Option<&'static str> {
    UNITS.into_iter().find(|unit| *unit == name)
}
