//! One thing to do, as data and as a line for people.

use std::fmt;

use serde::Serialize;

use crate::{
    observe::{Firewall, HealthCheck, Limits, RolePolicy},
    wording::shown,
};

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `ssm:PutParameter` with `none`.
    SetParameter,
    /// `iam:PutRolePolicy` with the shipped policy, and `iam:DeleteRolePolicy` of what denies beside it.
    RestoreRolePolicy(RolePolicy),
    /// `elasticloadbalancing:ModifyTargetGroup` to these settings.
    RestoreHealthCheck(HealthCheck),
    /// `wafv2:UpdateWebACL` to the lab's rules, `wafv2:CreateWebACL` where it is gone, and `wafv2:AssociateWebACL`.
    RestoreFirewall(Firewall),
    /// `codedeploy:StopDeployment` with a rollback, which is waited for.
    StopDeployment {
        /// Id of the deployment that is under way.
        id: String,
    },
    /// `ecs:UpdateService` to this task definition.
    RollBack {
        /// ARN of the revision that ran last.
        task_definition: String,
    },
    /// `ecs:UpdateService` with this desired count.
    SetDesiredCount {
        /// Tasks wanted.
        count: i32,
    },
    /// `application-autoscaling:RegisterScalableTarget` with this as the smallest and the largest count.
    HoldCapacity {
        /// The service as Application Auto Scaling names it.
        resource_id: String,
        /// Tasks wanted.
        count: i32,
    },
    /// `application-autoscaling:RegisterScalableTarget` with these limits.
    RestoreScaling {
        /// The service as Application Auto Scaling names it.
        resource_id: String,
        /// The lab's.
        limits: Limits,
    },
    /// `secretsmanager:RestoreSecret`, while the secret only waits for its deletion.
    RestoreSecret,
    /// The database takes the password of the current secret, or the secret goes back, or it is rotated.
    RepairCredentials,
    /// Leaked sessions are waited for and then ended; these forgotten ones are ended.
    EndSessions {
        /// Backend process ids of forgotten transactions.
        forgotten: Vec<i32>,
    },
    /// Tasks and targets are waited for; a new deployment is forced when they do not heal.
    HealTasks,
}

/// One step of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// The thing.
    pub what: String,
    /// Its state.
    pub from: String,
    /// The state it shall have.
    pub to: String,
    /// Why.
    pub why: String,
}

impl Step {
    pub(super) fn new(
        action: Action,
        what: impl Into<String>,
        from: impl Into<String>,
        to: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self { action, what: what.into(), from: from.into(), to: to.into(), why: why.into() }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {} ({})", self.what, shown(&self.from), self.to, shown(&self.why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        let step = Step::new(Action::SetParameter, "p", format!("a\nb{}", "é".repeat(400)), "none", "why");
        let line = step.to_string();
        assert!(line.starts_with("p: a bé") && line.ends_with(" … -> none (why)"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}
