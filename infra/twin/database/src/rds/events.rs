//! DescribeEvents: what happened to the instance, as far back as the caller asks.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use twin_platform::AwsError;

use super::{Parameters, Rds, is_ours, xml};
use crate::IDENTIFIER;

/// RDS shows the last hour when the caller names no time.
const DEFAULT_MINUTES: i64 = 60;

impl Rds {
    pub(super) fn describe_events(&self, parameters: &Parameters) -> Result<String, AwsError> {
        let now = OffsetDateTime::now_utc();
        let minutes = match parameters.get("Duration") {
            None => DEFAULT_MINUTES,
            Some(text) => text.parse().map_err(|_| invalid("Duration", text))?,
        };
        let start = moment(parameters, "StartTime")?.unwrap_or(now - Duration::minutes(minutes));
        let end = moment(parameters, "EndTime")?.unwrap_or(now);
        let ours = parameters.get("SourceIdentifier").is_none_or(|identifier| is_ours(identifier))
            && parameters.get("SourceType").is_none_or(|kind| kind == "db-instance");
        let events = self.database.events().into_iter().filter(|event| ours && start <= event.at && event.at <= end);
        let arn = self.account.arn("rds", &format!("db:{IDENTIFIER}"));
        let text: String = events
            .map(|event| {
                let mut inner = xml::elements(&[
                    ("SourceIdentifier", IDENTIFIER),
                    ("SourceType", "db-instance"),
                    ("Message", &event.message),
                    ("Date", &event.at.format(&Rfc3339).unwrap_or_default()),
                    ("SourceArn", &arn),
                ]);
                inner += &xml::around("EventCategories", &xml::element("EventCategory", event.category));
                xml::around("Event", &inner)
            })
            .collect();
        Ok(xml::around("Events", &text))
    }
}

fn moment(parameters: &Parameters, name: &str) -> Result<Option<OffsetDateTime>, AwsError> {
    let parse = |text: &String| OffsetDateTime::parse(text, &Rfc3339).map_err(|_| invalid(name, text));
    parameters.get(name).map(parse).transpose()
}

fn invalid(name: &str, value: &str) -> AwsError {
    AwsError::client("InvalidParameterValue", format!("Invalid value for {name}: {value}"))
}
