//! DescribeScalingActivities.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, input::Named, page::Paging};
use crate::{AutoScaling, activity::Activity};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Describe {
    #[serde(flatten)]
    named: Named,
    #[serde(flatten)]
    paging: Paging,
    #[serde(default)]
    include_not_scaled_activities: bool,
}

/// Newest first.
pub(super) async fn describe(scaling: &AutoScaling, input: Describe) -> Answer {
    let place = input.named.filter()?;
    let state = scaling.state.lock().await;
    let asked = state.activities.all().filter(|activity| {
        place.as_ref().is_none_or(|place| *place == activity.place)
            && (input.include_not_scaled_activities || !activity.is_not_scaled())
    });
    let (page, token) = input.paging.cut(asked.collect())?;
    let activities: Vec<Value> = page.into_iter().map(Activity::wire).collect();
    let mut answer = json!({ "ScalingActivities": activities });
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    Ok(answer)
}
