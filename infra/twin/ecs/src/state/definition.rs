//! One revision of a task definition.

use winterbaume_ecs::model::{self, ContainerDefinition, Tag};

/// A validated revision. It never changes; deregistering puts a copy in its place.
#[derive(Clone)]
pub(crate) struct Definition {
    pub(crate) family: String,
    pub(crate) revision: i32,
    pub(crate) arn: String,
    pub(crate) active: bool,
    /// 1024 units are one vCPU.
    pub(crate) cpu_units: u32,
    pub(crate) memory_mib: u32,
    /// The one container.
    pub(crate) container: ContainerDefinition,
    /// What `DescribeTaskDefinition` answers.
    pub(crate) wire: model::TaskDefinition,
    pub(crate) tags: Vec<Tag>,
}

impl Definition {
    /// The container's name; registration makes sure that there is one.
    pub(crate) fn container_name(&self) -> &str {
        self.container.name.as_deref().unwrap_or_default()
    }
}
