//! The environment of a container: what its definition says, what Fargate adds, and the listen addresses of its own place.

use std::{collections::BTreeMap, path::Path};

use crate::{Settings, place::Place, state::Order};

/// The ports that the task's values name as listen addresses, with those it declares.
pub(crate) fn ports(order: &Order) -> Vec<u16> {
    let declared =
        order.container.port_mappings.iter().flatten().filter_map(|it| u16::try_from(it.container_port?).ok());
    let mut ports: Vec<u16> = declared.chain(given(order).values().filter_map(|value| listen_port(value))).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The whole environment. `secrets` are the resolved `secrets` of the definition; `folder` is the task's scratch folder.
pub(crate) fn of(
    settings: &Settings,
    order: &Order,
    place: &Place,
    program: &Path,
    folder: &Path,
    secrets: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut put = |name: &str, value: String| all.insert(name.to_owned(), value);
    let standard_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let image_folder = program.parent().unwrap_or(Path::new("/")).display();
    put("PATH", format!("{image_folder}:{standard_path}"));
    put("HOME", folder.display().to_string());
    put("TMPDIR", folder.display().to_string());
    put("HOSTNAME", format!("ip-{}.ec2.internal", place.address.to_string().replace('.', "-")));
    put("AWS_REGION", settings.account.region.clone());
    put("AWS_DEFAULT_REGION", settings.account.region.clone());
    put("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE".into());
    put("AWS_ENDPOINT_URL", settings.endpoint.clone());
    put("ECS_CONTAINER_METADATA_URI_V4", format!("{}/_ecs/v4/{}", settings.endpoint, order.id));
    put("ECS_AGENT_URI", format!("{}/_ecs/v4/{}", settings.endpoint, order.id));
    if order.role.is_some() {
        put("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/_ecs/credentials/{}", settings.endpoint, order.id));
    }
    all.extend(secrets);
    all.extend(given(order));
    for value in all.values_mut() {
        if let Some(port) = listen_port(value) {
            *value = format!("{}:{}", place.address, place.port(port));
        }
    }
    all
}

fn given(order: &Order) -> BTreeMap<String, String> {
    let overriding = order.overrides.environment.iter().flatten();
    let pairs = order.container.environment.iter().flatten().chain(overriding);
    pairs.filter_map(|pair| Some((pair.name.clone()?, pair.value.clone().unwrap_or_default()))).collect()
}

/// The port of a value that is exactly `0.0.0.0:PORT` or `127.0.0.1:PORT`. In a container both mean "my own interface"; processes
/// of one laptop share a network, so the value is moved to the task's own address.
fn listen_port(value: &str) -> Option<u16> {
    value.strip_prefix("0.0.0.0:").or_else(|| value.strip_prefix("127.0.0.1:"))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_listen_addresses_are_moved() {
        assert_eq!(listen_port("0.0.0.0:8080"), Some(8080));
        assert_eq!(listen_port("127.0.0.1:9901"), Some(9901));
        for other in ["http://127.0.0.1:4566", "127.0.0.1:", "127.0.0.1:80/x", "0.0.0.0", "10.0.0.1:80"] {
            assert_eq!(listen_port(other), None, "{other}");
        }
    }
}
