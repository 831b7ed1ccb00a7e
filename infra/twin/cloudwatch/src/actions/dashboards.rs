//! Dashboards: kept as they are given; the body must be JSON with a list of widgets.
//!
//! Source: "Dashboard body structure and syntax" (CloudWatch API Reference). What one widget shows is not checked.

use serde_json::Value as Json;
use twin_platform::AwsError;

use super::{Answer, Context, nothing, page};
use crate::{
    Dashboard,
    input::{invalid, validation},
    wire::{DASHBOARD_NOT_FOUND, Value},
};

/// Dashboards, and bytes of one ("CloudWatch service quotas"; the body's limit is ours, to bound memory).
const MOST_DASHBOARDS: usize = 500;
const MOST_BODY_BYTES: usize = 1 << 20;
const MOST_WIDGETS: usize = 500;
const PAGE: usize = 1000;

pub(super) fn put(context: &Context<'_>) -> Answer {
    let name = name(context)?;
    let body = context.input.required_text("DashboardBody")?;
    let messages = problems(body);
    if !messages.is_empty() {
        let list: Vec<Json> =
            messages.iter().map(|(path, text)| serde_json::json!({ "dataPath": path, "message": text })).collect();
        let count = if list.len() == 1 {
            "is 1 validation error".to_owned()
        } else {
            format!("are {} validation errors", list.len())
        };
        let what = format!("The dashboard body is invalid, there {count}: {}", Json::from(list));
        return Err(AwsError::client("InvalidParameterInput", what));
    }
    let mut dashboards = context.cloudwatch.dashboards();
    if dashboards.len() >= MOST_DASHBOARDS && !dashboards.contains_key(name) {
        return Err(AwsError::client("LimitExceeded", format!("The limit of {MOST_DASHBOARDS} dashboards is reached")));
    }
    dashboards.insert(name.to_owned(), Dashboard { body: body.to_owned(), modified_ms: context.now_ms });
    Ok(Value::map([("DashboardValidationMessages", Value::List(Vec::new()))]))
}

/// Path and text of everything that is wrong.
fn problems(body: &str) -> Vec<(String, String)> {
    let one = |path: &str, text: String| vec![(path.to_owned(), text)];
    if body.len() > MOST_BODY_BYTES {
        return one("/", format!("The dashboard body is longer than {MOST_BODY_BYTES} bytes"));
    }
    let json: Json = match serde_json::from_str(body) {
        Ok(json) => json,
        Err(error) => return one("/", format!("The field DashboardBody must be a valid JSON object: {error}")),
    };
    let Some(widgets) = json.get("widgets") else {
        return one("/", "Should have required property 'widgets'".to_owned());
    };
    let Some(widgets) = widgets.as_array() else {
        return one("/widgets", "Should be array".to_owned());
    };
    if widgets.len() > MOST_WIDGETS {
        return one("/widgets", format!("Should NOT have more than {MOST_WIDGETS} items"));
    }
    let mut messages = Vec::new();
    for (index, widget) in widgets.iter().enumerate() {
        for property in ["type", "properties"].into_iter().filter(|property| widget.get(property).is_none()) {
            messages.push((format!("/widgets/{index}"), format!("Should have required property '{property}'")));
        }
    }
    messages
}

fn name<'a>(context: &Context<'a>) -> Result<&'a str, AwsError> {
    let name = context.input.required_text("DashboardName")?;
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if letters && name.len() <= 255 {
        return Ok(name);
    }
    Err(invalid(format!(
        "The value {name} for field DashboardName contains invalid characters. \
         It can only contain alphanumerics, dash (-) and underscore (_)."
    )))
}

fn arn(context: &Context<'_>, name: &str) -> String {
    // Dashboards are global: their ARN has no region.
    format!("arn:aws:cloudwatch::{}:dashboard/{name}", context.cloudwatch.account.id)
}

fn not_found(name: &str) -> AwsError {
    AwsError { status: 404, ..AwsError::client(DASHBOARD_NOT_FOUND, format!("Dashboard {name} does not exist")) }
}

pub(super) fn get(context: &Context<'_>) -> Answer {
    let name = name(context)?;
    let dashboards = context.cloudwatch.dashboards();
    let dashboard = dashboards.get(name).ok_or_else(|| not_found(name))?;
    Ok(Value::map([
        ("DashboardArn", arn(context, name).into()),
        ("DashboardBody", (&dashboard.body).into()),
        ("DashboardName", name.into()),
    ]))
}

pub(super) fn list(context: &Context<'_>) -> Answer {
    let prefix = context.input.text("DashboardNamePrefix")?.unwrap_or_default();
    let dashboards = context.cloudwatch.dashboards();
    let wanted = dashboards.iter().filter(|(name, _)| name.starts_with(prefix));
    let (page, token) = page::cut(context, wanted, PAGE)?;
    let entry = |(name, dashboard): (&String, &Dashboard)| {
        Value::map([
            ("DashboardName", name.into()),
            ("DashboardArn", arn(context, name).into()),
            ("LastModified", Value::Moment(dashboard.modified_ms)),
            ("Size", Value::Integer(i64::try_from(dashboard.body.len()).unwrap_or(i64::MAX))),
        ])
    };
    let entries = Value::List(page.into_iter().map(entry).collect());
    Ok(Value::map([("DashboardEntries", entries), ("NextToken", token.into())]))
}

/// All or none: one name that does not exist refuses the call.
pub(super) fn delete(context: &Context<'_>) -> Answer {
    let names = context.input.texts("DashboardNames")?;
    if names.is_empty() {
        return Err(validation("The collection DashboardNames must not be empty."));
    }
    let mut dashboards = context.cloudwatch.dashboards();
    if let Some(gone) = names.iter().find(|name| !dashboards.contains_key(**name)) {
        return Err(not_found(gone));
    }
    for name in names {
        dashboards.remove(name);
    }
    nothing()
}
