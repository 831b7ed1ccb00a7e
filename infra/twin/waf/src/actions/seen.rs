//! What the firewall saw: sampled requests, and the addresses that a rate-based rule limits.

use serde::Deserialize;
use serde_json::{Value, json};
use twin_platform::now_ms;

use super::{Answer, regional};
use crate::{
    Waf,
    engine::{
        address::address,
        program::{Program, Watch, Work},
        test::RateKeys,
    },
    error::{invalid, nonexistent, reason},
    samples::{KEPT_S, seconds},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Samples {
    web_acl_arn: String,
    rule_metric_name: String,
    scope: String,
    time_window: Window,
    max_items: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Window {
    start_time: f64,
    end_time: f64,
}

/// The rule with this metric name; the web ACL's own, or `Default_Action`, is its default action.
fn watch<'a>(program: &'a Program, metric: &str) -> Option<&'a Watch> {
    let mut watches = program.rules.iter().map(|rule| &rule.watch);
    let default = &program.default_watch;
    watches
        .find(|watch| watch.metric == metric)
        .or_else(|| (metric == "Default_Action" || metric == default.metric).then_some(default))
}

#[allow(clippy::cast_possible_truncation, reason = "a moment beyond the ages becomes the last one")]
pub(super) fn samples(waf: &Waf, input: &Samples) -> Answer {
    regional(&input.scope)?;
    if !(1..=500).contains(&input.max_items) {
        return Err(invalid(reason::FORMAT, "ENTITY_LIMIT", input.max_items.to_string()));
    }
    let state = waf.state();
    let (_, acl) = state.web_acls.by_arn(&input.web_acl_arn).ok_or_else(nonexistent)?;
    let watch = watch(&acl.program, &input.rule_metric_name).ok_or_else(nonexistent)?;
    let now = now_ms();
    let start = ((input.time_window.start_time * 1000.0) as i64).max(now - KEPT_S * 1000);
    // The end of a second is its last millisecond: clients give whole seconds.
    let end = ((input.time_window.end_time * 1000.0) as i64).saturating_add(999);
    if start > end {
        return Err(invalid(reason::FORMAT, "EXPIRE_TIMESTAMP", "TimeWindow"));
    }
    let (samples, population) =
        watch.reel.as_ref().map_or_else(|| (Vec::new(), 0), |reel| reel.between(start, end, input.max_items));
    let weight = (population / (samples.len() as u64).max(1)).max(1);
    let requests: Vec<Value> = samples.iter().map(|sample| sample.json(weight)).collect();
    Ok(json!({
        "SampledRequests": requests, "PopulationSize": population,
        "TimeWindow": {"StartTime": seconds(start), "EndTime": input.time_window.end_time},
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ManagedKeys {
    scope: String,
    #[serde(rename = "WebACLName")]
    web_acl_name: String,
    #[serde(rename = "WebACLId")]
    web_acl_id: String,
    rule_group_rule_name: Option<String>,
    rule_name: String,
}

/// Addresses that an answer has at most.
const MOST_ADDRESSES: usize = 10_000;

pub(super) fn managed_keys(waf: &Waf, input: &ManagedKeys) -> Answer {
    regional(&input.scope)?;
    let state = waf.state();
    let (_, acl) = state.web_acls.find(&input.web_acl_name, &input.web_acl_id)?;
    let outer = input.rule_group_rule_name.as_deref();
    let rule = acl.program.rule(outer.unwrap_or(&input.rule_name)).ok_or_else(nonexistent)?;
    let test = match (&rule.work, outer) {
        (Work::Single(single), None) => &single.test,
        (Work::Group(group), Some(_)) => {
            let inner = group.rules.iter().find(|inner| inner.name == input.rule_name);
            &inner.ok_or_else(nonexistent)?.single.test
        }
        _ => return Err(nonexistent()),
    };
    let rate = test.rate().ok_or_else(|| invalid(reason::REFERENCE, "RULE", &*input.rule_name))?;
    if !matches!(rate.keys, RateKeys::Address(_)) {
        let message = "The rule that you've named doesn't aggregate solely on the IP address or solely on the forwarded IP address. This call is only available for rate-based rules with an AggregateKeyType setting of IP or FORWARDED_IP.";
        return Err(twin_platform::AwsError::client("WAFUnsupportedAggregateKeyTypeException", message).into());
    }
    let mut limited: Vec<_> = rate.table.limited(acl.program.clock.now_ms()).into_iter().map(address).collect();
    limited.sort_unstable();
    limited.truncate(MOST_ADDRESSES);
    let of = |v4: bool| -> Vec<String> {
        let length = if v4 { 32 } else { 128 };
        let those = limited.iter().filter(|address| address.is_ipv4() == v4);
        those.map(|address| format!("{address}/{length}")).collect()
    };
    Ok(json!({
        "ManagedKeysIPV4": {"IPAddressVersion": "IPV4", "Addresses": of(true)},
        "ManagedKeysIPV6": {"IPAddressVersion": "IPV6", "Addresses": of(false)},
    }))
}
