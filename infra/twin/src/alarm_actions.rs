//! Whom an alarm's action means: a scaling policy or an SNS topic, told apart by the ARN.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use twin_autoscaling::AutoScaling;
use twin_messaging::Sns;
use twin_platform::{
    AwsError,
    seam::{AlarmActions, AlarmNotification},
};

/// Those that actions can name.
pub(crate) struct Actions {
    topics: Arc<Sns>,
    /// Known later than CloudWatch, of which it is made.
    scaling: OnceLock<Weak<AutoScaling>>,
}

impl Actions {
    pub(crate) fn new(topics: Arc<Sns>) -> Self {
        Self { topics, scaling: OnceLock::new() }
    }

    pub(crate) fn set_scaling(&self, scaling: &Arc<AutoScaling>) {
        let _ = self.scaling.set(Arc::downgrade(scaling));
    }
}

#[async_trait]
impl AlarmActions for Actions {
    async fn run(&self, action_arn: &str, notification: &AlarmNotification) -> Result<(), AwsError> {
        match self.scaling.get().and_then(Weak::upgrade).filter(|_| AutoScaling::is_policy(action_arn)) {
            Some(scaling) => scaling.run(action_arn, notification).await,
            None => self.topics.run(action_arn, notification).await,
        }
    }
}
