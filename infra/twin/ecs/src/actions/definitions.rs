//! RegisterTaskDefinition, DescribeTaskDefinition, ListTaskDefinitions, ListTaskDefinitionFamilies, DeregisterTaskDefinition.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_ecs::model::{
    self, DeregisterTaskDefinitionRequest, DeregisterTaskDefinitionResponse, DescribeTaskDefinitionRequest,
    DescribeTaskDefinitionResponse, ListTaskDefinitionFamiliesRequest, ListTaskDefinitionFamiliesResponse,
    ListTaskDefinitionsRequest, ListTaskDefinitionsResponse, RegisterTaskDefinitionRequest,
    RegisterTaskDefinitionResponse,
};

use super::{
    definition_rules,
    input::{client, page},
};
use crate::{
    arn,
    core::Core,
    state::{Definition, epoch_s},
};

pub(super) fn register(
    core: &Arc<Core>,
    mut input: RegisterTaskDefinitionRequest,
) -> Result<RegisterTaskDefinitionResponse, AwsError> {
    definition_rules::check(&input)?;
    let (cpu_units, memory_mib) = definition_rules::size(&input)?;
    let Some(mut container) = input.container_definitions.pop() else {
        return Err(client("Container list cannot be empty."));
    };
    fill_defaults(&mut container);
    let account = &core.settings.account;
    core.change(|state| {
        let revisions = state.definitions.entry(input.family.clone()).or_default();
        let revision = revisions.last().map_or(1, |newest| newest.revision + 1);
        let wire = model::TaskDefinition {
            task_definition_arn: Some(arn::definition(account, &input.family, revision)),
            family: Some(input.family.clone()),
            revision: Some(revision),
            status: Some("ACTIVE".into()),
            container_definitions: Some(vec![container.clone()]),
            cpu: Some(cpu_units.to_string()),
            memory: Some(memory_mib.to_string()),
            network_mode: Some("awsvpc".into()),
            requires_compatibilities: input.requires_compatibilities,
            compatibilities: Some(vec!["EC2".into(), "FARGATE".into()]),
            task_role_arn: input.task_role_arn,
            execution_role_arn: input.execution_role_arn,
            runtime_platform: input.runtime_platform,
            volumes: Some(Vec::new()),
            placement_constraints: Some(Vec::new()),
            registered_at: Some(epoch_s()),
            registered_by: Some(format!("arn:aws:iam::{}:root", account.id)),
            ..model::TaskDefinition::default()
        };
        let tags = input.tags.unwrap_or_default();
        let definition = Definition {
            arn: arn::definition(account, &input.family, revision),
            family: input.family,
            revision,
            active: true,
            cpu_units,
            memory_mib,
            container,
            wire: wire.clone(),
            tags: tags.clone(),
        };
        revisions.push(Arc::new(definition));
        Ok(RegisterTaskDefinitionResponse { task_definition: Some(wire), tags: Some(tags) })
    })
}

/// AWS answers a container with its defaults filled in.
fn fill_defaults(container: &mut model::ContainerDefinition) {
    container.essential = Some(true);
    container.cpu.get_or_insert(0);
    container.environment.get_or_insert_with(Vec::new);
    container.mount_points.get_or_insert_with(Vec::new);
    container.volumes_from.get_or_insert_with(Vec::new);
    container.system_controls.get_or_insert_with(Vec::new);
    for mapping in container.port_mappings.get_or_insert_with(Vec::new) {
        mapping.host_port = mapping.container_port;
        mapping.protocol.get_or_insert_with(|| "tcp".into());
    }
    if let Some(check) = &mut container.health_check {
        check.interval.get_or_insert(30);
        check.timeout.get_or_insert(5);
        check.retries.get_or_insert(3);
    }
}

pub(super) fn describe(
    core: &Arc<Core>,
    input: DescribeTaskDefinitionRequest,
) -> Result<DescribeTaskDefinitionResponse, AwsError> {
    core.read(|state| {
        let found = state.definition(&input.task_definition);
        let definition = found.ok_or_else(|| client("Unable to describe task definition."))?;
        let tags = input.include.iter().flatten().any(|it| it == "TAGS").then(|| definition.tags.clone());
        Ok(DescribeTaskDefinitionResponse { task_definition: Some(definition.wire.clone()), tags })
    })
}

pub(super) fn deregister(
    core: &Arc<Core>,
    input: DeregisterTaskDefinitionRequest,
) -> Result<DeregisterTaskDefinitionResponse, AwsError> {
    let Some((family, Some(revision))) = arn::family_and_revision(&input.task_definition) else {
        return Err(client(format!("Invalid revision number. Number: {}", input.task_definition)));
    };
    core.change(|state| {
        let revisions = state.definitions.get_mut(family);
        let found = revisions.and_then(|all| all.iter_mut().find(|it| it.revision == revision && it.active));
        let definition = found.ok_or_else(|| client("The specified task definition does not exist."))?;
        // Tasks and services that use the revision keep their copy and go on.
        let mut inactive = Definition::clone(definition);
        inactive.active = false;
        inactive.wire.status = Some("INACTIVE".into());
        inactive.wire.deregistered_at = Some(epoch_s());
        let wire = inactive.wire.clone();
        *definition = Arc::new(inactive);
        Ok(DeregisterTaskDefinitionResponse { task_definition: Some(wire) })
    })
}

pub(super) fn list(
    core: &Arc<Core>,
    input: ListTaskDefinitionsRequest,
) -> Result<ListTaskDefinitionsResponse, AwsError> {
    let active = input.status.as_deref().unwrap_or("ACTIVE") == "ACTIVE";
    let mut all: Vec<String> = core.read(|state| {
        let families = state.definitions.iter();
        let families =
            families.filter(|(family, _)| input.family_prefix.as_ref().is_none_or(|wanted| wanted == *family));
        families
            .flat_map(|(_, revisions)| revisions)
            .filter(|it| it.active == active)
            .map(|it| it.arn.clone())
            .collect()
    });
    if input.sort.as_deref() == Some("DESC") {
        all.reverse();
    }
    let (arns, next_token) = page(all, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListTaskDefinitionsResponse { task_definition_arns: Some(arns), next_token })
}

pub(super) fn list_families(
    core: &Arc<Core>,
    input: ListTaskDefinitionFamiliesRequest,
) -> Result<ListTaskDefinitionFamiliesResponse, AwsError> {
    let prefix = input.family_prefix.unwrap_or_default();
    let wanted = input.status.unwrap_or_else(|| "ALL".into());
    let all = core.read(|state| {
        let fits = |revisions: &[Arc<Definition>]| match wanted.as_str() {
            "ACTIVE" => revisions.iter().any(|it| it.active),
            "INACTIVE" => revisions.iter().all(|it| !it.active),
            _ => true,
        };
        let families = state.definitions.iter().filter(|(family, all)| family.starts_with(&prefix) && fits(all));
        families.map(|(family, _)| family.clone()).collect()
    });
    let (families, next_token) = page(all, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListTaskDefinitionFamiliesResponse { families: Some(families), next_token })
}
