//! What RegisterTaskDefinition accepts: Fargate's rules, and what the twin runs of them.

use twin_platform::AwsError;
use winterbaume_ecs::model::{ContainerDefinition, HealthCheck, LogConfiguration, RegisterTaskDefinitionRequest};

use super::input::{client, is_name, refuse, some};

/// CPU units and the memory sizes in MiB that go with them: first, last, step ("Task CPU and memory", Fargate).
const SIZES: [(u32, u32, u32, u32); 7] = [
    (256, 512, 2048, 0),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// CPU units and memory in MiB of a task.
pub(super) fn size(input: &RegisterTaskDefinitionRequest) -> Result<(u32, u32), AwsError> {
    let (Some(cpu), Some(memory)) = (&input.cpu, &input.memory) else {
        return Err(client("Fargate requires task definition to have cpu and memory set at task-level."));
    };
    let units = quantity(cpu, "vcpu").ok_or_else(|| client("Invalid 'cpu' setting for task."))?;
    let mib = quantity(memory, "gb").ok_or_else(|| client("Invalid 'memory' setting for task."))?;
    let fits = |&(cpu, first, last, step): &(u32, u32, u32, u32)| {
        let stepped = if step == 0 { [512, 1024, 2048].contains(&mib) } else { (mib.max(first) - first) % step == 0 };
        cpu == units && (first..=last).contains(&mib) && stepped
    };
    if SIZES.iter().any(fits) {
        Ok((units, mib))
    } else {
        Err(client(format!(
            "No Fargate configuration exists for given values: {units} CPU, {mib} memory. \
             See the Amazon ECS documentation for the valid values."
        )))
    }
}

/// `512`, `0.5 GB`, `.25 vCPU`: plain numbers are units or MiB, with the suffix they are 1024 times as much.
fn quantity(text: &str, suffix: &str) -> Option<u32> {
    let lower = text.trim().to_ascii_lowercase();
    match lower.strip_suffix(suffix) {
        None => lower.parse().ok(),
        Some(number) => {
            let number: f64 = number.trim().parse().ok()?;
            let whole = number * 1024.0;
            ((0.0..1e9).contains(&whole) && whole.fract() == 0.0).then_some(whole as u32)
        }
    }
}

/// Refuses what the whole definition must not or cannot have here.
pub(super) fn check(input: &RegisterTaskDefinitionRequest) -> Result<(), AwsError> {
    if !is_name(&input.family) {
        return Err(client("Invalid family: it can have up to 255 letters, numbers, hyphens and underscores."));
    }
    for kind in input.requires_compatibilities.iter().flatten() {
        refuse(kind != "FARGATE", &format!("the launch type {kind} (requiresCompatibilities)"))?;
    }
    if input.network_mode.as_deref() != Some("awsvpc") {
        return Err(client("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    refuse(some(input.volumes.as_ref()), "volumes")?;
    refuse(some(input.placement_constraints.as_ref()), "placement constraints")?;
    refuse(some(input.inference_accelerators.as_ref()), "inference accelerators")?;
    refuse(input.proxy_configuration.is_some(), "proxyConfiguration (App Mesh)")?;
    refuse(input.ephemeral_storage.is_some(), "ephemeralStorage (the scratch folder has no limit of its own)")?;
    refuse(input.pid_mode.is_some() || input.ipc_mode.is_some(), "pidMode and ipcMode")?;
    refuse(input.enable_fault_injection == Some(true), "enableFaultInjection")?;
    match input.container_definitions.as_slice() {
        [] => Err(client("Container list cannot be empty.")),
        [one] => check_container(one),
        _ => Err(client("the twin runs one container per task; register one container")),
    }
}

fn check_container(container: &ContainerDefinition) -> Result<(), AwsError> {
    let name = container.name.as_deref().unwrap_or_default();
    if !is_name(name) {
        return Err(client("Container.name should not be null or empty."));
    }
    if container.image.as_deref().unwrap_or_default().is_empty() {
        return Err(client("Container.image should not be null or empty."));
    }
    if container.essential == Some(false) {
        return Err(client(
            "At least one container must be essential: TaskDefinition does not have any essential containers.",
        ));
    }
    for mapping in container.port_mappings.iter().flatten() {
        let port = mapping.container_port.unwrap_or(0);
        if !(1..=65535).contains(&port) {
            return Err(client(format!("Invalid 'containerPort' setting {port} for container '{name}'.")));
        }
        if mapping.host_port.is_some_and(|host| host != 0 && host != port) {
            return Err(client(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
            ));
        }
        refuse(mapping.container_port_range.is_some(), "containerPortRange")?;
    }
    if container.stop_timeout.is_some_and(|seconds| !(0..=120).contains(&seconds)) {
        return Err(client("Invalid stopTimeout: Fargate allows 0 to 120 seconds."));
    }
    if let Some(check) = &container.health_check {
        check_health_check(check, name)?;
    }
    if let Some(log) = &container.log_configuration {
        check_log(log)?;
    }
    refuse(
        some(container.mount_points.as_ref()) || some(container.volumes_from.as_ref()),
        "mount points and volumesFrom",
    )?;
    refuse(some(container.environment_files.as_ref()), "environmentFiles")?;
    refuse(some(container.depends_on.as_ref()), "dependsOn")?;
    refuse(some(container.ulimits.as_ref()), "ulimits")?;
    refuse(some(container.system_controls.as_ref()), "systemControls")?;
    refuse(some(container.resource_requirements.as_ref()), "resourceRequirements")?;
    refuse(some(container.extra_hosts.as_ref()) || some(container.dns_servers.as_ref()), "extraHosts and dnsServers")?;
    refuse(container.firelens_configuration.is_some(), "FireLens")?;
    refuse(container.restart_policy.as_ref().is_some_and(|policy| policy.enabled), "restartPolicy")?;
    refuse(container.privileged == Some(true), "privileged containers")?;
    refuse(container.repository_credentials.is_some(), "repositoryCredentials")
}

/// Ranges of `HealthCheck` in the API reference.
fn check_health_check(check: &HealthCheck, container: &str) -> Result<(), AwsError> {
    let kind = check.command.first().map_or("", String::as_str);
    if !["CMD", "CMD-SHELL"].contains(&kind) || check.command.len() < 2 {
        return Err(client(format!(
            "Invalid 'command' setting for health check of container '{container}': it begins with CMD or CMD-SHELL and names a command."
        )));
    }
    let ranges = [
        ("interval", check.interval, 5, 300),
        ("timeout", check.timeout, 2, 60),
        ("retries", check.retries, 1, 10),
        ("startPeriod", check.start_period, 0, 300),
    ];
    for (name, value, least, most) in ranges {
        if let Some(value) = value
            && !(least..=most).contains(&value)
        {
            return Err(client(format!(
                "Invalid '{name}' setting for health check of container '{container}': {value} is not within {least} and {most}."
            )));
        }
    }
    Ok(())
}

fn check_log(log: &LogConfiguration) -> Result<(), AwsError> {
    match log.log_driver.as_str() {
        "awslogs" => {}
        "splunk" | "awsfirelens" => return refuse(true, &format!("the log driver {}", log.log_driver)),
        other => {
            return Err(client(format!(
                "Log driver {other} is not supported for Fargate tasks: use awslogs, splunk or awsfirelens."
            )));
        }
    }
    let options = log.options.clone().unwrap_or_default();
    for required in ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"] {
        if !options.contains_key(required) {
            return Err(client(format!("Log driver awslogs requires options: {required}")));
        }
    }
    let known = ["awslogs-group", "awslogs-region", "awslogs-stream-prefix", "mode", "max-buffer-size"];
    let unknown = options.keys().find(|option| !known.contains(&option.as_str()));
    match unknown {
        Some(option) => refuse(true, &format!("the awslogs option {option}")),
        None => refuse(some(log.secret_options.as_ref()), "secretOptions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(cpu: &str, memory: &str) -> Result<(u32, u32), String> {
        let input = RegisterTaskDefinitionRequest {
            cpu: Some(cpu.into()),
            memory: Some(memory.into()),
            ..RegisterTaskDefinitionRequest::default()
        };
        size(&input).map_err(|error| error.message)
    }

    #[test]
    fn fargate_has_fixed_sizes() {
        assert_eq!(sized("256", "512"), Ok((256, 512)));
        assert_eq!(sized(".25 vCPU", "0.5 GB"), Ok((256, 512)));
        assert_eq!(sized("1 vCPU", "3GB"), Ok((1024, 3072)));
        for (cpu, memory) in
            [("256", "256"), ("256", "1536"), ("256", "4096"), ("300", "512"), ("512", "1500"), ("x", "1")]
        {
            assert!(sized(cpu, memory).is_err(), "{cpu} {memory}");
        }
    }

    #[test]
    fn a_health_check_stays_within_its_ranges() {
        let check = |command: &[&str], interval| {
            let command = command.iter().map(|&word| word.to_owned()).collect();
            check_health_check(&HealthCheck { command, interval: Some(interval), ..HealthCheck::default() }, "c")
        };
        assert!(check(&["CMD", "golden", "healthcheck"], 30).is_ok());
        assert!(check(&["CMD", "golden"], 4).is_err());
        assert!(check(&["golden", "healthcheck"], 30).is_err());
        assert!(check(&["CMD-SHELL"], 30).is_err());
    }
}
