//! Before the container starts: an address, the image, the secrets and the log stream. Any of them can fail the task.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{logs::Destination, permission, step};
use crate::{
    core::Core,
    environment,
    state::{Order, Status, epoch_s},
};

/// Seconds from the first try of a pull to the end of the last ("has been retried 1 time(s)"). The guide gives no number;
/// without a wait a deployment of a bad image is over before anybody can look at it.
const PULL_GIVEN_UP_S: f64 = 30.0;

/// All that the container's process needs.
pub(super) struct Prepared {
    pub(super) program: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) destination: Option<Destination>,
}

/// # Errors
/// The stopped reason as Fargate words it ("Stopped tasks error messages" in the ECS developer guide).
pub(super) async fn prepare(core: &Arc<Core>, order: &Order) -> Result<Prepared, Option<String>> {
    permission::assume(core, order)?;
    let place = core.places.take(&environment::ports(order))?;
    step(core, order, |task| {
        task.place = Some(place.clone());
        task.status = Status::Pending;
        task.times.pull_started = Some(epoch_s());
    });
    let secrets = secrets(core, order).await?;
    let program = pull(core, order).await?;
    let destination = Destination::of(order);
    if let Some(destination) = &destination {
        let created = async {
            permission::on_stream(core, order, "logs:CreateLogStream", destination)?;
            core.logs.create_stream(&destination.group, &destination.stream).await
        };
        created.await.map_err(|error| {
            format!(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: \
                 failed to create Cloudwatch log stream: {error} : exit status 1"
            )
        })?;
    }
    let folder = core.settings.scratch.join(&order.id);
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("ResourceInitializationError: no scratch folder {}: {error}", folder.display()))?;
    let environment = environment::of(&core.settings, order, &place, &program, &folder, secrets);
    step(core, order, |task| {
        task.status = Status::Activating;
        task.times.pull_stopped = Some(epoch_s());
    });
    remember_digest(core, order, program.clone());
    Ok(Prepared { program, folder, environment, destination })
}

/// A pull that fails is tried again before it is given up, and the task stays PENDING meanwhile.
async fn pull(core: &Core, order: &Order) -> Result<PathBuf, String> {
    let pulled = core.images.resolve(order.container.image.as_deref().unwrap_or_default());
    if pulled.is_err() {
        tokio::time::sleep(core.settings.speed.wait(PULL_GIVEN_UP_S)).await;
    }
    pulled
}

async fn secrets(core: &Core, order: &Order) -> Result<BTreeMap<String, String>, String> {
    let mut values = BTreeMap::new();
    for secret in order.container.secrets.iter().flatten() {
        let from_secrets_manager = secret.value_from.contains(":secretsmanager:");
        let value = core.secrets.resolve(&secret.value_from, permission::session(core, order).as_ref()).await.map_err(|error| {
            if from_secrets_manager {
                format!(
                    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
                     unable to retrieve secret from asm: service call has been retried 1 time(s): \
                     failed to fetch secret {} from secrets manager: {error}",
                    secret.value_from
                )
            } else {
                format!(
                    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
                     unable to retrieve secrets from ssm: service call has been retried 1 time(s): {error} ({})",
                    secret.value_from
                )
            }
        })?;
        values.insert(secret.name.clone(), value);
    }
    Ok(values)
}

/// The digest is for people who compare revisions; the task does not wait for it.
fn remember_digest(core: &Arc<Core>, order: &Order, program: PathBuf) {
    let (core, order) = (core.clone(), order.clone());
    tokio::task::spawn_blocking(move || {
        if let Some(digest) = core.images.digest(&program) {
            step(&core, &order, |task| task.container.image_digest = Some(digest));
        }
    });
}
