//! What ECS does for a task, it does as the task's execution role. A definition without one is not held against its task here,
//! although Fargate asks for one where there is a log or a secret.

use twin_platform::{AwsError, seam::Session};

use super::logs::Destination;
use crate::{arn, core::Core, state::Order};

/// The execution role's session for this task.
pub(super) fn session(core: &Core, order: &Order) -> Option<Session> {
    let role = order.definition.wire.execution_role_arn.as_ref()?;
    Some(Session { role_arn: arn::role(&core.settings.account, role), name: order.id.clone() })
}

/// Both roles of the task, which ECS must be able to assume.
///
/// # Errors
/// As ECS words it in a service's events and in the answer to RunTask.
pub(super) fn assume(core: &Core, order: &Order) -> Result<(), String> {
    let execution = session(core, order).map(|session| session.role_arn);
    assumable(core, order.role.iter().cloned().chain(execution))
}

/// As [`assume`], for roles that are about to be used.
pub(crate) fn assumable(core: &Core, roles: impl IntoIterator<Item = String>) -> Result<(), String> {
    match roles.into_iter().find(|role| !core.settings.roles.assumable(role)) {
        None => Ok(()),
        Some(role) => Err(format!(
            "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being passed \
             has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
        )),
    }
}

/// An action on a task's log stream.
pub(super) fn on_stream(core: &Core, order: &Order, action: &str, to: &Destination) -> Result<(), AwsError> {
    let Some(session) = session(core, order) else { return Ok(()) };
    let stream = format!("log-group:{}:log-stream:{}", to.group, to.stream);
    core.settings.roles.authorize(&session, action, &core.settings.account.arn("logs", &stream))
}
