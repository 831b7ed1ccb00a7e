//! The AppSpec of an ECS deployment, in YAML or JSON ("AppSpec file structure for Amazon ECS deployments").
//!
//! Never panics; a refusal names what is wrong. Names of sections are read without regard to case, as `aws ecs deploy` reads them.

use serde_json::{Map, Value};
use twin_platform::AwsError;
use winterbaume_ecs::model::{CapacityProviderStrategyItem, NetworkConfiguration};

/// What is to be deployed.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppSpec {
    /// ARN, or family and revision.
    pub(crate) task_definition: String,
    pub(crate) container: String,
    pub(crate) port: i32,
    pub(crate) platform_version: Option<String>,
    pub(crate) network: Option<NetworkConfiguration>,
    pub(crate) capacity: Option<Vec<CapacityProviderStrategyItem>>,
}

/// The hooks that an ECS deployment may name.
pub(crate) const HOOKS: [&str; 5] =
    ["BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"];

impl AppSpec {
    /// Reads one.
    ///
    /// # Errors
    /// `InvalidRevisionException` with what is wrong; `NotImplemented` when it has hooks.
    pub(crate) fn parse(text: &str) -> Result<Self, AwsError> {
        if text.trim().is_empty() {
            return Err(invalid("The AppSpec file is empty."));
        }
        // JSON is YAML too, but its own reader words mistakes better.
        let value: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text)
                .map_err(|error| invalid(format!("The AppSpec file is not valid JSON: {error}")))?
        } else {
            serde_saphyr::from_str(text).map_err(|error| {
                let first = error.to_string().lines().next().unwrap_or_default().to_owned();
                invalid(format!("The AppSpec file is not valid YAML: {first}"))
            })?
        };
        let root = value.as_object().ok_or_else(|| invalid("The AppSpec file must be a map of sections."))?;
        for section in root.keys() {
            if !["version", "resources", "hooks"].iter().any(|known| known.eq_ignore_ascii_case(section)) {
                return Err(invalid(format!("The AppSpec file has an unknown section '{section}'.")));
            }
        }
        version(get(root, "version"))?;
        hooks(get(root, "hooks"))?;
        let properties = properties(root)?;
        let balancer = object(properties, "LoadBalancerInfo")?;
        Ok(Self {
            task_definition: text_of(properties, "TaskDefinition")?,
            container: text_of(balancer, "ContainerName")?,
            port: port(get(balancer, "ContainerPort"))?,
            platform_version: get(properties, "PlatformVersion")
                .filter(|it| !it.is_null())
                .map(|_| text_of(properties, "PlatformVersion"))
                .transpose()?,
            network: get(properties, "NetworkConfiguration").map(network).transpose()?,
            capacity: typed(properties, "CapacityProviderStrategy")?,
        })
    }
}

fn version(version: Option<&Value>) -> Result<(), AwsError> {
    match version {
        Some(Value::Number(number)) if number.as_f64() == Some(0.0) => Ok(()),
        Some(Value::String(text)) if text == "0.0" => Ok(()),
        Some(other) => {
            Err(invalid(format!("The AppSpec file has the version {other}; the only allowed version is 0.0.")))
        }
        None => Err(invalid("The AppSpec file has no 'version'.")),
    }
}

fn hooks(hooks: Option<&Value>) -> Result<(), AwsError> {
    let named: Vec<&String> = match hooks {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).flat_map(Map::keys).collect(),
        Some(Value::Object(map)) => map.keys().collect(),
        Some(_) => return Err(invalid("'Hooks' must be a list of lifecycle events.")),
    };
    for hook in &named {
        if !HOOKS.contains(&hook.as_str()) {
            return Err(invalid(format!("'{hook}' is not a lifecycle event that can have a hook.")));
        }
    }
    match named.first() {
        None => Ok(()),
        Some(hook) => {
            Err(AwsError::not_implemented("codedeploy", &format!("the hook {hook} (hooks are Lambda functions)")))
        }
    }
}

/// The properties of the one target service.
fn properties(root: &Map<String, Value>) -> Result<&Map<String, Value>, AwsError> {
    let resources = get(root, "resources").ok_or_else(|| invalid("The AppSpec file has no 'Resources'."))?;
    let resources = resources.as_array().ok_or_else(|| invalid("'Resources' must be a list."))?;
    let [resource] = &resources[..] else {
        return Err(invalid(format!("'Resources' must name exactly one TargetService; it has {}.", resources.len())));
    };
    let resource = resource.as_object().filter(|resource| resource.len() == 1);
    let (_, service) = resource
        .and_then(|resource| resource.iter().next())
        .ok_or_else(|| invalid("Each entry of 'Resources' must have one name, such as TargetService."))?;
    let service = service.as_object().ok_or_else(|| invalid("'TargetService' must be a map."))?;
    let kind = text_of(service, "Type")?;
    if kind != "AWS::ECS::Service" {
        return Err(invalid(format!("The resource type '{kind}' is not AWS::ECS::Service.")));
    }
    object(service, "Properties")
}

fn port(port: Option<&Value>) -> Result<i32, AwsError> {
    let number = match port {
        None | Some(Value::Null) => return Err(invalid("The AppSpec file has no 'ContainerPort'.")),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_i64(),
    };
    let valid = number.and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0);
    valid.map(i32::from).ok_or_else(|| invalid("'ContainerPort' must be a number from 1 to 65535."))
}

/// In the AppSpec the keys begin with capital letters; in the ECS API they do not.
fn network(value: &Value) -> Result<NetworkConfiguration, AwsError> {
    let wrong = || invalid("'NetworkConfiguration' must have an AwsvpcConfiguration with Subnets.");
    let vpc = value
        .as_object()
        .and_then(|map| get(map, "AwsvpcConfiguration"))
        .and_then(Value::as_object)
        .ok_or_else(wrong)?;
    let mut lowered = Map::new();
    for (known, sent) in
        [("Subnets", "subnets"), ("SecurityGroups", "securityGroups"), ("AssignPublicIp", "assignPublicIp")]
    {
        if let Some(value) = get(vpc, known).filter(|value| !value.is_null()) {
            lowered.insert(sent.to_owned(), value.clone());
        }
    }
    serde_json::from_value(serde_json::json!({ "awsvpcConfiguration": lowered })).map_err(|_| wrong())
}

fn typed(map: &Map<String, Value>, name: &str) -> Result<Option<Vec<CapacityProviderStrategyItem>>, AwsError> {
    let Some(value) = get(map, name).filter(|value| !value.is_null()) else { return Ok(None) };
    let items = value.as_array().ok_or_else(|| invalid(format!("'{name}' must be a list.")))?;
    let item = |item: &Value| {
        let item = item.as_object().ok_or_else(|| invalid(format!("'{name}' must be a list of maps.")))?;
        let number = |key| get(item, key).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
        Ok(CapacityProviderStrategyItem {
            capacity_provider: text_of(item, "CapacityProvider")?,
            base: number("Base"),
            weight: number("Weight"),
        })
    };
    items.iter().map(item).collect::<Result<_, AwsError>>().map(Some)
}

fn get<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn object<'a>(map: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>, AwsError> {
    let value = get(map, name).ok_or_else(|| invalid(format!("The AppSpec file has no '{name}'.")))?;
    value.as_object().ok_or_else(|| invalid(format!("'{name}' must be a map.")))
}

fn text_of(map: &Map<String, Value>, name: &str) -> Result<String, AwsError> {
    let value = get(map, name).ok_or_else(|| invalid(format!("The AppSpec file has no '{name}'.")))?;
    let found = value.as_str().ok_or_else(|| invalid(format!("'{name}' must be a text.")))?.to_owned();
    if found.trim().is_empty() { Err(invalid(format!("'{name}' is empty."))) } else { Ok(found) }
}

pub(crate) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidRevisionException", message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const YAML: &str = "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: golden:2\n        LoadBalancerInfo:\n          ContainerName: golden\n          ContainerPort: 8080\n";

    #[test]
    fn yaml_and_json_say_the_same() {
        let yaml = AppSpec::parse(YAML).expect("it is right");
        assert_eq!((yaml.task_definition.as_str(), yaml.container.as_str(), yaml.port), ("golden:2", "golden", 8080));
        let json = r#"{"version":"0.0","resources":[{"TargetService":{"type":"AWS::ECS::Service","properties":{"taskDefinition":"golden:2","loadBalancerInfo":{"containerName":"golden","containerPort":8080}}}}]}"#;
        let json = AppSpec::parse(json).expect("it is right");
        assert_eq!((json.task_definition, json.container, json.port), (yaml.task_definition, yaml.container, 8080));
    }

    #[test]
    fn a_refusal_names_what_is_wrong() {
        for (from, to, named) in [
            ("version: 0.0", "version: 1.0", "version 1.0"),
            ("TaskDefinition: golden:2", "Task: golden:2", "TaskDefinition"),
            ("ContainerName: golden", "ContainerName: ''", "ContainerName"),
            ("ContainerPort: 8080", "ContainerPort: 80800", "ContainerPort"),
            ("AWS::ECS::Service", "AWS::Lambda::Function", "AWS::Lambda::Function"),
            ("Resources:", "Ressources:", "Ressources"),
        ] {
            let error = AppSpec::parse(&YAML.replace(from, to)).expect_err(to);
            assert_eq!(error.code, "InvalidRevisionException");
            assert!(error.message.contains(named), "{named}: {error}");
        }
        let hooked = format!("{YAML}Hooks:\n  - BeforeInstall: arn:aws:lambda:::function:x\n");
        let error = AppSpec::parse(&hooked).expect_err("hooks are refused");
        assert_eq!(error.code, "NotImplemented");
        assert!(error.message.contains("BeforeInstall"), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = AppSpec::parse(&text);
        }

        #[test]
        fn a_damaged_file_is_read_or_refused_in_words(at in 0..YAML.len(), with in "[\\PC\n]{0,3}", cut in 0..12_usize) {
            let mut damaged = YAML.to_owned();
            damaged.replace_range(at..(at + cut).min(YAML.len()), &with);
            if let Err(error) = AppSpec::parse(&damaged) {
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
