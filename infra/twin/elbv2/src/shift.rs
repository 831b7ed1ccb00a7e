//! Shifting traffic for a deployment: the weights of a rule's target groups, read and changed from inside the twin.

use std::sync::Arc;

use twin_platform::AwsError;

use crate::{rules::Action, state::State};

impl State {
    /// The target groups of a rule's action, with their weights.
    pub(crate) fn forwards(&mut self, rule_arn: &str) -> Option<Vec<(String, u32)>> {
        let listener = self.listener_of_rule(rule_arn).ok()?;
        let rule = listener.rules.iter().find(|rule| rule.arn == rule_arn);
        let action = rule.map_or(&listener.default, |rule| &rule.action);
        Some(action.groups().iter().map(|(group, weight)| (group.arn.to_string(), *weight)).collect())
    }

    /// Makes a rule forward by these weights. The hot path sees all of it at once.
    pub(crate) fn shift(&mut self, rule_arn: &str, weights: &[(String, u32)]) -> Result<(), AwsError> {
        let found = weights.iter().map(|(arn, weight)| Ok((Arc::clone(self.group(arn)?), *weight)));
        let action = Action::Forward(found.collect::<Result<_, AwsError>>()?);
        let listener = self.listener_of_rule(rule_arn)?;
        match listener.rules.iter_mut().find(|rule| rule.arn == rule_arn) {
            Some(rule) => rule.action = action,
            None => listener.default = action,
        }
        listener.publish();
        self.mark_in_use();
        Ok(())
    }
}
