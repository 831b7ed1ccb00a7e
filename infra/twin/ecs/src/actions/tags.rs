//! TagResource, UntagResource, ListTagsForResource, for clusters, services, tasks and task definitions.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_ecs::model::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest, UntagResourceResponse,
};

use super::input::invalid;
use crate::{
    arn,
    core::Core,
    state::{ServiceKey, State},
};

pub(super) fn tag(core: &Arc<Core>, input: TagResourceRequest) -> Result<TagResourceResponse, AwsError> {
    core.change(|state| {
        edit(state, &input.resource_arn, |tags| {
            for tag in input.tags {
                tags.retain(|held| held.key != tag.key);
                tags.push(tag);
            }
        })
    })?;
    Ok(TagResourceResponse {})
}

pub(super) fn untag(core: &Arc<Core>, input: UntagResourceRequest) -> Result<UntagResourceResponse, AwsError> {
    core.change(|state| {
        let goes = |tag: &Tag| tag.key.as_ref().is_some_and(|key| input.tag_keys.contains(key));
        edit(state, &input.resource_arn, |tags| tags.retain(|tag| !goes(tag)))
    })?;
    Ok(UntagResourceResponse {})
}

pub(super) fn list(
    core: &Arc<Core>,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, AwsError> {
    let mut held = Vec::new();
    core.change(|state| edit(state, &input.resource_arn, |tags| held.clone_from(tags)))?;
    Ok(ListTagsForResourceResponse { tags: Some(held) })
}

fn edit(state: &mut State, resource: &str, edit: impl FnOnce(&mut Vec<Tag>)) -> Result<(), AwsError> {
    let kind = resource.split(':').nth(5).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let name = arn::last_part(resource);
    let tags = match kind {
        "cluster" => state.clusters.get_mut(name).map(|it| &mut it.tags),
        "task" => state.tasks.get_mut(name).map(|it| &mut it.tags),
        "service" => {
            let cluster = arn::cluster_part(resource).unwrap_or_default().to_owned();
            state.services.get_mut(&ServiceKey { cluster, name: name.to_owned() }).map(|it| &mut it.tags)
        }
        "task-definition" => {
            let Some((family, Some(revision))) = arn::family_and_revision(resource) else {
                return Err(invalid("The specified task definition is not valid."));
            };
            let revisions = state.definitions.get_mut(family);
            let found = revisions.and_then(|all| all.iter_mut().find(|it| it.revision == revision));
            found.map(|it| &mut Arc::make_mut(it).tags)
        }
        _ => None,
    };
    tags.map(edit).ok_or_else(|| invalid(format!("The specified resource {resource} does not exist.")))
}
