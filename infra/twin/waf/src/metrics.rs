//! `AWS/WAFV2` ("AWS WAF metrics and dimensions"): requests by web ACL and rule, where `Rule` is a rule's metric name, `ALL`, or
//! `Default_Action`; and by the rules of managed groups, for which the web ACL's owner sees `ManagedRuleGroupRule`.

use std::borrow::Cow;

use twin_platform::seam::Datum;

use crate::{
    Waf,
    engine::program::{Program, Work},
    tally::Tally,
};

type Dimensions = Vec<(Cow<'static, str>, String)>;

impl Waf {
    /// What came since the last call. Whoever emits the platform's metrics calls it each second.
    pub fn sample(&self, now_ms: i64) -> Vec<Datum> {
        let mut data = Vec::new();
        for program in self.programs() {
            drain(&program, &self.account.region, now_ms, &mut data);
        }
        data
    }
}

fn drain(program: &Program, region: &str, now_ms: i64, data: &mut Vec<Datum>) {
    let web_acl = &program.default_watch.metric;
    let dimensions = |pairs: &[(&'static str, &str)]| -> Dimensions {
        let own = [("Region", region), ("WebACL", web_acl)];
        own.iter().chain(pairs).map(|(name, value)| ((*name).into(), (*value).to_owned())).collect()
    };
    if let Some(tally) = &program.default_watch.tally {
        put(tally, dimensions(&[("Rule", "Default_Action")]), now_ms, data);
        put(&program.all, dimensions(&[("Rule", "ALL")]), now_ms, data);
    }
    for rule in &program.rules {
        let Some(tally) = &rule.watch.tally else { continue };
        put(tally, dimensions(&[("Rule", &rule.watch.metric)]), now_ms, data);
        let Work::Group(group) = &rule.work else { continue };
        let Some(name) = &group.managed else { continue };
        for inner in &group.rules {
            let pairs = [("ManagedRuleGroup", name.as_str()), ("ManagedRuleGroupRule", &inner.name)];
            put(&inner.tally, dimensions(&pairs), now_ms, data);
        }
    }
}

fn put(tally: &Tally, dimensions: Dimensions, now_ms: i64, data: &mut Vec<Datum>) {
    for (name, count) in tally.take() {
        #[allow(clippy::cast_precision_loss, reason = "a second's requests are far below 2^52")]
        let value = count as f64;
        data.push(Datum {
            namespace: "AWS/WAFV2".into(),
            name: name.into(),
            dimensions: dimensions.clone(),
            unit: "Count",
            timestamp_ms: now_ms,
            values: vec![(value, 1.0)],
        });
    }
}
