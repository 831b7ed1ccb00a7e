//! Names and ARNs in the long format (arn:aws:ecs:region:account:task/cluster/id), and what callers may give instead of them.

use twin_platform::Account;

/// `arn:aws:ecs:…:cluster/<name>`.
pub(crate) fn cluster(account: &Account, name: &str) -> String {
    account.arn("ecs", &format!("cluster/{name}"))
}

/// `arn:aws:ecs:…:service/<cluster>/<name>`.
pub(crate) fn service(account: &Account, cluster: &str, name: &str) -> String {
    account.arn("ecs", &format!("service/{cluster}/{name}"))
}

/// `arn:aws:ecs:…:task-set/<cluster>/<service>/ecs-svc/<digits>`.
pub(crate) fn task_set(account: &Account, cluster: &str, service: &str, id: &str) -> String {
    account.arn("ecs", &format!("task-set/{cluster}/{service}/{id}"))
}

/// `arn:aws:ecs:…:service-deployment/<cluster>/<service>/<id>`.
pub(crate) fn service_deployment(account: &Account, cluster: &str, service: &str, id: &str) -> String {
    account.arn("ecs", &format!("service-deployment/{cluster}/{service}/{id}"))
}

/// `arn:aws:ecs:…:service-revision/<cluster>/<service>/<digits>`, the digits being those of the deployment's id.
pub(crate) fn service_revision(account: &Account, cluster: &str, service: &str, id: &str) -> String {
    account.arn("ecs", &format!("service-revision/{cluster}/{service}/{}", last_part(id)))
}

/// Cluster, service and id in the ARN of a service deployment or revision; `kind` is what stands before them.
pub(crate) fn parts_of<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let path = arn.strip_prefix("arn:")?.split_once(&format!(":{kind}/"))?.1;
    let (cluster, rest) = path.split_once('/')?;
    let (service, id) = rest.split_once('/')?;
    Some((cluster, service, id))
}

/// `arn:aws:ecs:…:task/<cluster>/<32 hex digits>`.
pub(crate) fn task(account: &Account, cluster: &str, id: &str) -> String {
    account.arn("ecs", &format!("task/{cluster}/{id}"))
}

/// `arn:aws:ecs:…:task-definition/<family>:<revision>`.
pub(crate) fn definition(account: &Account, family: &str, revision: i32) -> String {
    account.arn("ecs", &format!("task-definition/{family}:{revision}"))
}

/// `arn:aws:ecs:…:container/<cluster>/<task>/<uuid>`.
pub(crate) fn container(account: &Account, cluster: &str, task: &str, id: &str) -> String {
    account.arn("ecs", &format!("container/{cluster}/{task}/{id}"))
}

/// `arn:aws:iam::…:role/<name>`, of a role that is given by name or ARN.
pub(crate) fn role(account: &Account, given: &str) -> String {
    if given.starts_with("arn:") { given.to_owned() } else { format!("arn:aws:iam::{}:role/{given}", account.id) }
}

/// The last path part of a name or ARN: callers may give a cluster, service or task either way.
pub(crate) fn last_part(name_or_arn: &str) -> &str {
    name_or_arn.rsplit('/').next().unwrap_or(name_or_arn)
}

/// The cluster in a service's or task's ARN, if the caller gave an ARN.
pub(crate) fn cluster_part(arn: &str) -> Option<&str> {
    let mut parts = arn.strip_prefix("arn:")?.split('/').skip(1);
    let cluster = parts.next()?;
    parts.next().map(|_| cluster)
}

/// Family and, if given, revision of `family`, `family:3` or an ARN of either.
pub(crate) fn family_and_revision(text: &str) -> Option<(&str, Option<i32>)> {
    let text = if text.starts_with("arn:") { text.split_once("task-definition/")?.1 } else { text };
    match text.split_once(':') {
        None => Some((text, None)),
        Some((family, revision)) => Some((family, Some(revision.parse().ok()?))),
    }
}

/// 32 hexadecimal digits, as task ids are.
pub(crate) fn fresh_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// `ecs-svc/` and 19 digits, as deployment ids are.
pub(crate) fn fresh_deployment_id() -> String {
    let digits = uuid::Uuid::new_v4().as_u128() % 9_000_000_000_000_000_000 + 1_000_000_000_000_000_000;
    format!("ecs-svc/{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_definition_is_named_in_three_ways() {
        assert_eq!(family_and_revision("golden"), Some(("golden", None)));
        assert_eq!(family_and_revision("golden:7"), Some(("golden", Some(7))));
        assert_eq!(family_and_revision("arn:aws:ecs:r:1:task-definition/golden:7"), Some(("golden", Some(7))));
        assert_eq!(family_and_revision("golden:seven"), None);
    }

    #[test]
    fn an_arn_names_its_cluster() {
        assert_eq!(cluster_part("arn:aws:ecs:r:1:service/lab/golden"), Some("lab"));
        assert_eq!(cluster_part("arn:aws:ecs:r:1:cluster/lab"), None);
        assert_eq!(cluster_part("golden"), None);
        assert_eq!(last_part("arn:aws:ecs:r:1:service/lab/golden"), "golden");
    }
}
