//! GetMetricData: metrics and expressions over them. Pages are cut across all results in their order.

use twin_platform::AwsError;

use super::{Answer, Context, page};
use crate::{
    data_query::{self, Range},
    input::{invalid, validation},
    math::{MOST_DATAPOINTS, TimeSeries},
    wire::Value,
};

pub(super) fn get(context: &Context<'_>) -> Answer {
    let input = &context.input;
    let queries = data_query::read(input, "MetricDataQueries")?;
    let own = &context.cloudwatch.account.id;
    if let Some(query) = queries.iter().find(|query| query.account.as_ref().is_some_and(|account| account != own)) {
        return Err(AwsError::not_implemented(
            "monitoring",
            &format!("GetMetricData with AccountId (query {})", query.id),
        ));
    }
    let (start_ms, end_ms) = (input.required_moment("StartTime")?, input.required_moment("EndTime")?);
    if start_ms >= end_ms {
        return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
    }
    let ascending = match input.text("ScanBy")? {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => return Err(invalid(format!("The value {other} for parameter ScanBy is invalid."))),
    };
    let most = match input.integer("MaxDatapoints")? {
        None => MOST_DATAPOINTS,
        Some(most) if most >= 1 => most.min(MOST_DATAPOINTS),
        Some(most) => return Err(invalid(format!("The value {most} for parameter MaxDatapoints is invalid."))),
    };
    if input.structure("LabelOptions")?.is_some_and(|options| options.unknown(&["Timezone"]).is_some()) {
        return Err(AwsError::not_implemented("monitoring", "GetMetricData with LabelOptions other than Timezone"));
    }
    let range = Range {
        start_s: start_ms.div_euclid(1000),
        end_s: end_ms.div_euclid(1000) + i64::from(end_ms.rem_euclid(1000) > 0),
        window_s: None,
    };
    let results = data_query::run(&queries, &context.cloudwatch.store(), range)?;
    let mut skip = page::start(context)?;
    let first = skip;
    let mut left = usize::try_from(most).unwrap_or(usize::MAX);
    let mut total = 0;
    let mut shown = Vec::new();
    for (id, series) in results.iter().flat_map(|(id, many)| many.iter().map(move |series| (id, series))) {
        total += series.points.len();
        let skipped = skip.min(series.points.len());
        skip -= skipped;
        let taken = left.min(series.points.len() - skipped);
        // A result whose points were all on an earlier page is not repeated; one without points is on the first.
        if taken > 0 || (series.points.is_empty() && first == 0) {
            let whole = skipped + taken == series.points.len();
            shown.push(result(id, series, ascending, skipped, taken, whole));
        }
        left -= taken;
    }
    let next = first + usize::try_from(most).unwrap_or(usize::MAX) - left;
    Ok(Value::map([
        ("MetricDataResults", Value::List(shown)),
        ("NextToken", (next < total).then(|| next.to_string()).into()),
        ("Messages", Value::List(Vec::new())),
    ]))
}

fn result(id: &str, series: &TimeSeries, ascending: bool, skipped: usize, taken: usize, whole: bool) -> Value {
    let points: Vec<(&i64, &f64)> = if ascending {
        series.points.iter().skip(skipped).take(taken).collect()
    } else {
        series.points.iter().rev().skip(skipped).take(taken).collect()
    };
    Value::map([
        ("Id", id.into()),
        ("Label", (&series.label).into()),
        ("Timestamps", Value::List(points.iter().map(|(at, _)| Value::Moment(**at * 1000)).collect())),
        ("Values", Value::List(points.iter().map(|(_, value)| Value::Number(**value)).collect())),
        ("StatusCode", if whole { "Complete" } else { "PartialData" }.into()),
    ])
}
