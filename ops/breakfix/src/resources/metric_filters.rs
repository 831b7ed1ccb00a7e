//! Metrics that are made from the application's log.

use anyhow::Result;
use aws_sdk_cloudwatchlogs::{Client, types::MetricTransformation};
use contract::names::resource;

use super::problem;

/// Name of the filter and of its metric, and the lines that count.
const FILTERS: [(&str, &str); 3] = [
    ("ServerErrors", "{ $.status >= 500 }"),
    ("DatabaseAuthenticationFailures", r#"{ $.errorType = "DatabaseAuthenticationFailed" }"#),
    (
        "DependencyErrors",
        r#"{ ($.errorType = "DatabaseConnectionLost") || ($.errorType = "SecretUnavailable") || ($.errorType = "ParameterUnavailable") || ($.errorType = "DependencyUnhealthy") }"#,
    ),
];

/// Creates the filters; one that is there is brought to what the table says.
pub(super) async fn create(logs: &Client) -> Result<()> {
    for (name, pattern) in FILTERS {
        let count = MetricTransformation::builder()
            .metric_namespace(resource::METRIC_NAMESPACE)
            .metric_name(name)
            .metric_value("1")
            .build()?;
        let put = logs
            .put_metric_filter()
            .log_group_name(resource::LOG_GROUP)
            .filter_name(name)
            .filter_pattern(pattern)
            .metric_transformations(count);
        put.send().await.map_err(|error| problem::aws("creating a metric filter", error))?;
    }
    Ok(())
}
