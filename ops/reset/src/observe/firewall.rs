//! The web ACL in front of the balancer, beside what the lab ships.

use aws_sdk_wafv2::types::{ResourceType, Rule, Scope, WebAcl};
use contract::names::firewall::WEB_ACL;
use serde::Serialize;

use crate::{AwsError, Clients, firewall};

/// The firewall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Firewall {
    /// ARN of the web ACL; none when it was deleted.
    pub web_acl_arn: Option<String>,
    /// How its rules are not the lab's, one clause each.
    pub drift: Vec<String>,
    /// The load balancer that it is not in front of, though it should be.
    pub unprotected: Option<String>,
}

impl Firewall {
    /// Everything that is not as the lab's is, one clause each.
    pub fn differences(&self) -> Vec<String> {
        let gone = self.web_acl_arn.is_none().then(|| "no web ACL".to_owned());
        let unprotected = self.unprotected.is_some().then(|| "not in front of the balancer".to_owned());
        self.drift.iter().cloned().chain(gone).chain(unprotected).collect()
    }
}

/// Reads it. Without the load balancer's ARN nothing is said of the association.
pub(super) async fn read(clients: &Clients, load_balancer_arn: Option<&str>) -> Result<Firewall, AwsError> {
    let wafv2 = &clients.wafv2;
    let Some((arn, id)) = firewall::find(wafv2).await? else {
        let unprotected = load_balancer_arn.map(str::to_owned);
        return Ok(Firewall { web_acl_arn: None, drift: Vec::new(), unprotected });
    };
    let (got, resources) = tokio::join!(
        wafv2.get_web_acl().name(WEB_ACL).scope(Scope::Regional).id(id).send(),
        wafv2
            .list_resources_for_web_acl()
            .web_acl_arn(&arn)
            .resource_type(ResourceType::ApplicationLoadBalancer)
            .send(),
    );
    const GET: &str = "wafv2:GetWebACL";
    let web_acl = got.map_err(AwsError::from_sdk(GET))?.web_acl;
    let web_acl = web_acl.ok_or_else(|| AwsError::incomplete(GET, "no web ACL in the answer"))?;
    let wanted = firewall::rules().map_err(|error| AwsError::incomplete(GET, error.to_string()))?;
    let resources = resources.map_err(AwsError::from_sdk("wafv2:ListResourcesForWebACL"))?;
    let is_protected = |balancer: &str| resources.resource_arns().iter().any(|arn| arn == balancer);
    let unprotected = load_balancer_arn.filter(|balancer| !is_protected(balancer)).map(str::to_owned);
    Ok(Firewall { web_acl_arn: Some(arn), drift: drift(&web_acl, &wanted), unprotected })
}

fn drift(held: &WebAcl, wanted: &[Rule]) -> Vec<String> {
    let mut drift = Vec::new();
    if held.default_action() != Some(&firewall::default_action()) {
        drift.push("the default action is another".to_owned());
    }
    let named = |rules: &[Rule], name: &str| rules.iter().find(|rule| rule.name() == name).cloned();
    for rule in wanted {
        match named(held.rules(), rule.name()) {
            None => drift.push(format!("rule {} is missing", rule.name())),
            Some(held) if held != *rule => drift.push(format!("rule {} {}", rule.name(), change(&held, rule))),
            Some(_) => {}
        }
    }
    for rule in held.rules().iter().filter(|rule| named(wanted, rule.name()).is_none()) {
        drift.push(format!("rule {} was added", rule.name()));
    }
    drift
}

/// What is different, for people.
fn change(held: &Rule, wanted: &Rule) -> &'static str {
    let blocks = held.action().is_some_and(|action| action.block().is_some());
    let overrides_nothing = held.override_action().is_some_and(|action| action.none().is_some());
    match (blocks || overrides_nothing, held.statement() == wanted.statement()) {
        (true, true) => "blocks",
        (true, false) => "blocks, by another statement",
        (false, false) => "has another statement",
        (false, true) => "was changed",
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_wafv2::types::{BlockAction, DefaultAction, RuleAction};
    use contract::names::firewall::RATE_RULE;

    use super::*;

    fn web_acl(rules: Vec<Rule>, default_action: DefaultAction) -> WebAcl {
        let visibility = firewall::visibility(WEB_ACL).expect("whole");
        let acl = WebAcl::builder().name(WEB_ACL).id("1").arn("arn").visibility_config(visibility);
        acl.default_action(default_action).set_rules(Some(rules)).build().expect("whole")
    }

    #[test]
    fn each_drift_is_named_and_the_shipped_rules_have_none() {
        let shipped = firewall::rules().expect("whole");
        let allow = firewall::default_action;
        assert_eq!(drift(&web_acl(shipped.clone(), allow()), &shipped), Vec::<String>::new());
        let block = RuleAction::builder().block(BlockAction::builder().build()).build();
        let mut strict = shipped.clone();
        strict[3].action = Some(block);
        assert_eq!(drift(&web_acl(strict.clone(), allow()), &shipped), [format!("rule {RATE_RULE} blocks")]);
        strict[3].name = "mine".into();
        let default = DefaultAction::builder().block(BlockAction::builder().build()).build();
        let told = drift(&web_acl(strict, default), &shipped).join(", ");
        assert_eq!(told, "the default action is another, rule rate-per-client is missing, rule mine was added");
    }
}
