//! May this role do this?

use std::time::{SystemTime, UNIX_EPOCH};

use iam_rs::{Arn, Context, ContextValue, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
use twin_platform::{
    AwsError,
    seam::{Roles, Session},
};

use crate::{
    Iam,
    document::service_principal,
    role::{Role, compile},
};

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The role.
    pub role_arn: &'a str,
    /// Name of the session, which for a task is its id.
    pub session: &'a str,
    /// `service:Action`.
    pub action: &'a str,
    /// ARN, or `*` for an action that knows no resources.
    pub resource: &'a str,
    /// Condition keys of this call beside those that every call has, e.g. `s3:prefix`.
    pub facts: &'a [(&'a str, String)],
}

/// What the policies say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// No statement allows it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

impl Iam {
    /// Decides by the role's inline and attached policies. A role that is not there allows nothing.
    pub fn decide(&self, ask: &Ask<'_>) -> Decision {
        let (compiled, context) = {
            let state = self.state();
            let Some(role) = state.role_of(ask.role_arn) else { return Decision::ImplicitDeny };
            (role.compiled.clone(), self.context(role, ask))
        };
        evaluate(&compiled, &self.session_arn(ask.role_arn, ask.session), ask.action, ask.resource, context)
    }

    /// Whether the role is there and its trust policy lets the service (`ecs-tasks.amazonaws.com`) assume it.
    pub fn may_assume(&self, service: &str, role_arn: &str) -> bool {
        let state = self.state();
        let Some(role) = state.role_of(role_arn) else { return false };
        let trust = compile([role.trust.policy.clone()]);
        let context = global(&self.account.region).with_string("aws:SourceAccount", self.account.id.as_str());
        let request =
            IAMRequest::new_with_context(service_principal(service), "sts:AssumeRole", arn(role_arn), context);
        trust.evaluate(&request).is_ok_and(|result| result.decision == iam_rs::Decision::Allow)
    }

    /// The unique id of a role, which its sessions' user ids begin with.
    pub fn role_id(&self, role_arn: &str) -> Option<String> {
        self.state().role_of(role_arn).map(|role| role.id.clone())
    }

    /// A session of a role as messages name it.
    pub fn session_arn(&self, role_arn: &str, session: &str) -> String {
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:sts::{}:assumed-role/{role}/{session}", self.account.id)
    }

    /// Refuses what the role may not do, as AWS words it.
    ///
    /// # Errors
    /// `AccessDeniedException`; services that name or number it differently change code and status.
    pub fn authorize(&self, ask: &Ask<'_>) -> Result<(), AwsError> {
        let Ask { action, resource, .. } = ask;
        let why = match self.decide(ask) {
            Decision::Allowed => return Ok(()),
            Decision::ImplicitDeny => format!("because no identity-based policy allows the {action} action"),
            Decision::ExplicitDeny => "with an explicit deny in an identity-based policy".to_owned(),
        };
        let user = self.session_arn(ask.role_arn, ask.session);
        // S3 quotes it.
        let resource =
            if resource.starts_with("arn:aws:s3:") { format!("\"{resource}\"") } else { (*resource).to_owned() };
        let message = format!("User: {user} is not authorized to perform: {action} on resource: {resource} {why}");
        Err(AwsError::client("AccessDeniedException", message))
    }
}

impl Iam {
    /// The policies that decide: those that deny, else those that allow. Id and type as SimulatePrincipalPolicy names them.
    pub(crate) fn matched(&self, ask: &Ask<'_>) -> Vec<(String, &'static str)> {
        let state = self.state();
        let Some(role) = state.role_of(ask.role_arn) else { return Vec::new() };
        let inline = role.inline.iter().map(|(name, document)| (format!("role_{}_{name}", role.name), document));
        let attached = role.attached.iter().filter_map(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
            Some((name, state.policies.get(arn)?.acting()?))
        });
        let principal = self.session_arn(ask.role_arn, ask.session);
        let decided = inline.chain(attached).map(|(id, document)| {
            let only = compile([document.policy.clone()]);
            (id, evaluate(&only, &principal, ask.action, ask.resource, self.context(role, ask)))
        });
        let decided: Vec<_> = decided.collect();
        let denies = decided.iter().any(|(_, decision)| *decision == Decision::ExplicitDeny);
        let wanted = if denies { Decision::ExplicitDeny } else { Decision::Allowed };
        decided.into_iter().filter(|(_, is)| *is == wanted).map(|(id, _)| (id, "IAM Policy")).collect()
    }

    /// All condition keys of one question.
    fn context(&self, role: &Role, ask: &Ask<'_>) -> Context {
        let mut context = global(&self.account.region)
            .with_string("aws:PrincipalArn", role.arn.as_str())
            .with_string("aws:PrincipalAccount", self.account.id.as_str())
            .with_string("aws:ResourceAccount", self.account.id.as_str())
            .with_string("aws:PrincipalType", "AssumedRole")
            .with_string("aws:userid", format!("{}:{}", role.id, ask.session));
        for (key, value) in &role.tags {
            context.insert(format!("aws:PrincipalTag/{key}"), ContextValue::String(value.clone()));
        }
        ask.facts.iter().fold(context, |context, (key, value)| context.with_string(*key, value.as_str()))
    }
}

impl Roles for Iam {
    fn assumable(&self, role_arn: &str) -> bool {
        self.may_assume("ecs-tasks.amazonaws.com", role_arn)
    }

    fn authorize(&self, session: &Session, action: &str, resource: &str) -> Result<(), AwsError> {
        let Session { role_arn, name } = session;
        Iam::authorize(self, &Ask { role_arn, session: name, action, resource, facts: &[] })
    }
}

/// The condition keys of every call ("AWS global condition context keys", IAM User Guide). The endpoint on loopback stands for
/// AWS's own, which speaks TLS only.
fn global(region: &str) -> Context {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = since.to_string();
    let mut context = Context::new()
        .with_string("aws:SourceIp", "127.0.0.1")
        .with_string("aws:RequestedRegion", region)
        .with_string("aws:EpochTime", seconds.as_str())
        .with_boolean("aws:SecureTransport", true)
        .with_boolean("aws:ViaAWSService", false);
    let now = time::OffsetDateTime::now_utc().replace_nanosecond(0);
    let now = now.ok().and_then(|now| now.format(&time::format_description::well_known::Rfc3339).ok());
    context.insert("aws:CurrentTime".into(), ContextValue::String(now.unwrap_or_default()));
    context
}

/// Asks the evaluator. What it cannot evaluate is denied, and said in the log.
pub(crate) fn evaluate(
    policies: &PolicyEvaluator,
    principal: &str,
    action: &str,
    resource: &str,
    context: Context,
) -> Decision {
    let principal = Principal::Aws(PrincipalId::String(principal.to_owned()));
    let request = IAMRequest::new_with_context(principal, action, arn(resource), context);
    match policies.evaluate(&request).map(|result| result.decision) {
        Ok(iam_rs::Decision::Allow) => Decision::Allowed,
        Ok(iam_rs::Decision::Deny) => Decision::ExplicitDeny,
        Ok(iam_rs::Decision::NotApplicable) => Decision::ImplicitDeny,
        Err(error) => {
            tracing::warn!(%error, action, resource, "a policy could not be evaluated, which denies the call");
            Decision::ImplicitDeny
        }
    }
}

/// The resource as the evaluator wants it. `*` and names that are no ARN match nothing but `"Resource": "*"`.
fn arn(resource: &str) -> Arn {
    Arn::parse(resource).unwrap_or_else(|_| Arn {
        partition: "aws".into(),
        service: "none".into(),
        region: String::new(),
        account_id: String::new(),
        resource: "none".into(),
    })
}
