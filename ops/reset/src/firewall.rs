//! The web ACL in front of the balancer as the lab ships it: every rule only counts.

use aws_sdk_wafv2::{
    Client,
    error::BuildError,
    types::{
        AllowAction, CountAction, DefaultAction, ManagedRuleGroupStatement, OverrideAction, RateBasedStatement,
        RateBasedStatementAggregateKeyType, Rule, RuleAction, Scope, Statement, VisibilityConfig,
    },
};
use contract::names::firewall::{MANAGED_GROUPS, RATE_LIMIT, RATE_RULE, RATE_WINDOW_S, WEB_ACL};

use crate::AwsError;

/// Vendor of the managed groups.
const VENDOR: &str = "AWS";

/// Requests that no rule blocks go on.
pub fn default_action() -> DefaultAction {
    DefaultAction::builder().allow(AllowAction::builder().build()).build()
}

/// Metrics by this name, and samples.
///
/// # Errors
/// Never, while every required member is set here.
pub fn visibility(metric: &str) -> Result<VisibilityConfig, BuildError> {
    VisibilityConfig::builder()
        .metric_name(metric)
        .cloud_watch_metrics_enabled(true)
        .sampled_requests_enabled(true)
        .build()
}

/// The rules, by priority.
///
/// # Errors
/// Never, while every required member is set here.
pub fn rules() -> Result<Vec<Rule>, BuildError> {
    let groups = MANAGED_GROUPS.iter().zip(0..).map(|(name, priority)| {
        let group = ManagedRuleGroupStatement::builder().vendor_name(VENDOR).name(*name).build()?;
        let count = OverrideAction::builder().count(CountAction::builder().build()).build();
        let statement = Statement::builder().managed_rule_group_statement(group).build();
        rule(name, priority)?.override_action(count).statement(statement).build()
    });
    let rate = RateBasedStatement::builder()
        .limit(RATE_LIMIT)
        .evaluation_window_sec(RATE_WINDOW_S)
        .aggregate_key_type(RateBasedStatementAggregateKeyType::Ip)
        .build()?;
    let count = RuleAction::builder().count(CountAction::builder().build()).build();
    let statement = Statement::builder().rate_based_statement(rate).build();
    let last = i32::try_from(MANAGED_GROUPS.len()).unwrap_or(i32::MAX);
    let rate = rule(RATE_RULE, last)?.action(count).statement(statement).build();
    groups.chain([rate]).collect()
}

fn rule(name: &str, priority: i32) -> Result<aws_sdk_wafv2::types::builders::RuleBuilder, BuildError> {
    Ok(Rule::builder().name(name).priority(priority).visibility_config(visibility(name)?))
}

/// Creates the web ACL; gives its ARN.
///
/// # Errors
/// [`AwsError`] when it is refused.
pub async fn create(wafv2: &Client) -> Result<String, AwsError> {
    const OPERATION: &str = "wafv2:CreateWebACL";
    let incomplete = |error: BuildError| AwsError::incomplete(OPERATION, error.to_string());
    let create = wafv2
        .create_web_acl()
        .name(WEB_ACL)
        .scope(Scope::Regional)
        .description("In front of the balancer")
        .default_action(default_action())
        .set_rules(Some(rules().map_err(incomplete)?))
        .visibility_config(visibility(WEB_ACL).map_err(incomplete)?);
    let created = create.send().await.map_err(AwsError::from_sdk(OPERATION))?;
    let arn = created.summary.and_then(|summary| summary.arn);
    arn.ok_or_else(|| AwsError::incomplete(OPERATION, "the web ACL has no ARN"))
}

/// Puts the web ACL in front of the load balancer.
///
/// # Errors
/// [`AwsError`] when it is refused.
pub async fn associate(wafv2: &Client, web_acl_arn: &str, load_balancer_arn: &str) -> Result<(), AwsError> {
    let associate = wafv2.associate_web_acl().web_acl_arn(web_acl_arn).resource_arn(load_balancer_arn);
    associate.send().await.map_err(AwsError::from_sdk("wafv2:AssociateWebACL"))?;
    Ok(())
}

/// The ARN of the lab's web ACL and its id; none when there is none of its name.
///
/// # Errors
/// [`AwsError`] when they are not listed.
pub async fn find(wafv2: &Client) -> Result<Option<(String, String)>, AwsError> {
    let listed = wafv2.list_web_acls().scope(Scope::Regional).send().await;
    let listed = listed.map_err(AwsError::from_sdk("wafv2:ListWebACLs"))?;
    let ours = listed.web_acls.unwrap_or_default().into_iter().find(|acl| acl.name() == Some(WEB_ACL));
    Ok(ours.and_then(|acl| acl.arn.zip(acl.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labs_rules_are_whole_and_none_blocks() {
        let rules = rules().expect("every required member is set");
        assert_eq!(rules.len(), 4);
        assert!(rules.iter().all(|rule| rule.action().is_none_or(|action| action.block().is_none())));
        assert!(rules.iter().all(|rule| rule.override_action().is_none_or(|action| action.none().is_none())));
    }
}
