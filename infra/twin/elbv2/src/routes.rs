//! Shifting traffic between target groups, as a deployment asks for it: what ModifyListener and ModifyRule would do to each rule.

use std::sync::Arc;

use async_trait::async_trait;
use twin_platform::{
    AwsError,
    seam::{Routes, Weights},
};

use crate::{Elbv2, group::Group, rules::Action};

#[async_trait]
impl Routes for Elbv2 {
    async fn target_group(&self, name: &str) -> Result<String, AwsError> {
        let state = self.state();
        let found = state.groups.iter().find(|group| group.name == name);
        let missing = || AwsError::client("TargetGroupNotFound", "One or more target groups not found");
        found.map(|group| group.arn.to_string()).ok_or_else(missing)
    }

    async fn weights(&self, listener_arn: &str) -> Result<Vec<Weights>, AwsError> {
        let mut state = self.state();
        let (listener, _) = state.listener(listener_arn)?;
        let rules = listener.rules.iter().map(|rule| &rule.action);
        let forwards = [&listener.default].into_iter().chain(rules).map(Action::groups).filter(|it| !it.is_empty());
        Ok(forwards
            .map(|groups| groups.iter().map(|(group, weight)| (group.arn.to_string(), *weight)).collect())
            .collect())
    }

    async fn shift(&self, listener_arn: &str, weights: &[(String, u32)]) -> Result<usize, AwsError> {
        let mut state = self.state();
        let groups: Vec<(Arc<Group>, u32)> = weights
            .iter()
            .map(|(arn, weight)| Ok((Arc::clone(state.group(arn)?), *weight)))
            .collect::<Result<_, AwsError>>()?;
        let concerned = |action: &Action| {
            action.groups().iter().any(|(used, _)| groups.iter().any(|(group, _)| group.arn == used.arn))
        };
        let (listener, _) = state.listener(listener_arn)?;
        let mut shifted = 0;
        let actions = listener.rules.iter_mut().map(|rule| &mut rule.action).chain([&mut listener.default]);
        for action in actions.filter(|action| concerned(action)) {
            *action = Action::Forward(groups.clone());
            shifted += 1;
        }
        listener.publish();
        state.mark_in_use();
        Ok(shifted)
    }
}
