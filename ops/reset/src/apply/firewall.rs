//! The lab's rules back into the web ACL, and the web ACL back in front of the balancer.

use aws_sdk_wafv2::{error::BuildError, types::Scope};
use contract::names::firewall::WEB_ACL;

use crate::{AwsError, Clients, firewall, observe::Firewall};

const UPDATE: &str = "wafv2:UpdateWebACL";

pub(super) async fn restore(clients: &Clients, held: &Firewall) -> Result<String, AwsError> {
    let wafv2 = &clients.wafv2;
    let mut done = Vec::new();
    let arn = match firewall::find(wafv2).await? {
        Some((arn, id)) => {
            if !held.drift.is_empty() {
                update(clients, &id).await?;
                done.push("UpdateWebACL");
            }
            arn
        }
        None => {
            done.push("CreateWebACL");
            firewall::create(wafv2).await?
        }
    };
    if let Some(balancer) = &held.unprotected {
        firewall::associate(wafv2, &arn, balancer).await?;
        done.push("AssociateWebACL");
    }
    Ok(done.join(", "))
}

async fn update(clients: &Clients, id: &str) -> Result<(), AwsError> {
    let incomplete = |error: BuildError| AwsError::incomplete(UPDATE, error.to_string());
    let got = clients.wafv2.get_web_acl().name(WEB_ACL).scope(Scope::Regional).id(id).send().await;
    let got = got.map_err(AwsError::from_sdk("wafv2:GetWebACL"))?;
    let update = clients
        .wafv2
        .update_web_acl()
        .name(WEB_ACL)
        .scope(Scope::Regional)
        .id(id)
        .set_lock_token(got.lock_token)
        .set_description(got.web_acl.and_then(|acl| acl.description))
        .default_action(firewall::default_action())
        .set_rules(Some(firewall::rules().map_err(incomplete)?))
        .visibility_config(firewall::visibility(WEB_ACL).map_err(incomplete)?);
    update.send().await.map_err(AwsError::from_sdk(UPDATE))?;
    Ok(())
}
