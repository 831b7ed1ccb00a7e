//! `GetSamplingRules` and `GetSamplingTargets`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, answer, invalid};
use crate::{
    XRay, now,
    sampling::{DEFAULT_RULE, FIXED_RATE, INTERVAL_SECONDS, QUOTA_SECONDS, RESERVOIR},
};

/// Most documents in one `GetSamplingTargets` (API reference).
const MAX_DOCUMENTS: usize = 25;

#[derive(Deserialize)]
pub(super) struct Rules {}

/// The default rule. It was there before the account was: its times are 0, as in AWS.
pub(super) fn rules(xray: &XRay, _: &Rules) -> Answer {
    answer(&json!({
        "SamplingRuleRecords": [{
            "SamplingRule": {
                "RuleName": DEFAULT_RULE,
                "RuleARN": xray.account.arn("xray", &format!("sampling-rule/{DEFAULT_RULE}")),
                "ResourceARN": "*",
                "Priority": 10000,
                "FixedRate": FIXED_RATE,
                "ReservoirSize": RESERVOIR,
                "ServiceName": "*",
                "ServiceType": "*",
                "Host": "*",
                "HTTPMethod": "*",
                "URLPath": "*",
                "Version": 1,
                "Attributes": {},
            },
            "CreatedAt": 0.0,
            "ModifiedAt": 0.0,
        }],
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Targets {
    sampling_statistics_documents: Vec<Statistics>,
    #[serde(default)]
    sampling_boost_statistics_documents: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    rule_name: String,
    #[serde(rename = "ClientID")]
    client_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target<'a> {
    rule_name: &'a str,
    fixed_rate: f64,
    reservoir_quota: u32,
    #[serde(rename = "ReservoirQuotaTTL")]
    reservoir_quota_ttl: f64,
    interval: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed<'a> {
    rule_name: &'a str,
    error_code: &'static str,
    message: String,
}

/// Each client's quota of each rule it reports on.
pub(super) fn targets(xray: &XRay, input: &Targets) -> Answer {
    if input.sampling_statistics_documents.len() > MAX_DOCUMENTS {
        return Err(invalid(format!("SamplingStatisticsDocuments has more than {MAX_DOCUMENTS} members")));
    }
    if !input.sampling_boost_statistics_documents.is_empty() {
        return Err(twin_platform::AwsError::not_implemented("xray", "GetSamplingTargets with boost statistics"));
    }
    let now = now();
    let mut targets = Vec::new();
    let mut unprocessed = Vec::new();
    let mut clients = xray.clients();
    for Statistics { rule_name, client_id } in &input.sampling_statistics_documents {
        if client_id.len() != 24 {
            return Err(invalid(format!("ClientID `{client_id}` must have 24 characters")));
        }
        if rule_name == DEFAULT_RULE {
            targets.push(Target {
                rule_name,
                fixed_rate: FIXED_RATE,
                reservoir_quota: clients.quota(client_id, now),
                reservoir_quota_ttl: (now + QUOTA_SECONDS).floor(),
                interval: INTERVAL_SECONDS,
            });
        } else {
            let message = format!("Sampling rule {rule_name} does not exist");
            unprocessed.push(Unprocessed { rule_name, error_code: "RuleNotFound", message });
        }
    }
    answer(&json!({
        "SamplingTargetDocuments": targets,
        "LastRuleModification": 0.0,
        "UnprocessedStatistics": unprocessed,
    }))
}
