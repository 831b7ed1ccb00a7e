//! ListMetrics: 500 a page.

use twin_platform::AwsError;

use super::{Answer, Context, page};
use crate::{
    data_query::{metric_value, read::refuse_unknown},
    input::invalid,
    store::{FINE_S, Metric},
    wire::Value,
};

const PAGE: usize = 500;

pub(super) fn list(context: &Context<'_>) -> Answer {
    let input = &context.input;
    let (namespace, name) = (input.text("Namespace")?, input.text("MetricName")?);
    if input.boolean("IncludeLinkedAccounts")?.unwrap_or(false) {
        return Err(AwsError::not_implemented("monitoring", "ListMetrics with IncludeLinkedAccounts"));
    }
    let since_s = match input.text("RecentlyActive")? {
        None => i64::MIN,
        Some("PT3H") => context.now_ms.div_euclid(1000) - FINE_S,
        Some(other) => {
            return Err(invalid(format!("The value {other} for parameter RecentlyActive is invalid: only PT3H is.")));
        }
    };
    let mut filters = Vec::new();
    for filter in input.structures("Dimensions")? {
        refuse_unknown(&filter, &["Name", "Value"])?;
        filters.push((filter.required_text("Name")?, filter.text("Value")?));
    }
    let wanted = |metric: &Metric| {
        namespace.is_none_or(|namespace| namespace == metric.namespace)
            && name.is_none_or(|name| name == metric.name)
            && filters.iter().all(|(name, value)| {
                let mut dimensions = metric.dimensions.iter();
                dimensions.any(|(known, text)| known == name && value.is_none_or(|value| value == text))
            })
    };
    let store = context.cloudwatch.store();
    let metrics = store.metrics().filter(|(metric, last_s)| *last_s >= since_s && wanted(metric));
    let (page, token) = page::cut(context, metrics.map(|(metric, _)| metric_value(metric)), PAGE)?;
    Ok(Value::map([("Metrics", Value::List(page)), ("NextToken", token.into())]))
}
