//! The topic that alarms tell, and the queue that keeps what it says.

use anyhow::{Context as _, Result};
use aws_config::SdkConfig;
use aws_sdk_sqs::types::QueueAttributeName;
use contract::names::resource;

use super::problem;

/// Creates both; gives the topic's ARN. All three calls answer what is there with itself.
pub(super) async fn create(config: &SdkConfig) -> Result<String> {
    let (sns, sqs) = (aws_sdk_sns::Client::new(config), aws_sdk_sqs::Client::new(config));
    let (topic, queue) = tokio::join!(
        sns.create_topic().name(resource::ALARM_TOPIC).send(),
        sqs.create_queue().queue_name(resource::ALARM_QUEUE).send(),
    );
    let topic_arn = topic.map_err(|error| problem::aws("creating the alarm topic", error))?.topic_arn;
    let topic_arn = topic_arn.context("the alarm topic has no ARN")?;
    let queue_url = queue.map_err(|error| problem::aws("creating the alarm queue", error))?.queue_url;
    let attributes = sqs
        .get_queue_attributes()
        .set_queue_url(queue_url)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .map_err(|error| problem::aws("reading the alarm queue's ARN", error))?;
    let queue_arn = attributes.attributes().and_then(|attributes| attributes.get(&QueueAttributeName::QueueArn));
    let subscribe = sns
        .subscribe()
        .topic_arn(&topic_arn)
        .protocol("sqs")
        .endpoint(queue_arn.context("the alarm queue has no ARN")?);
    subscribe.send().await.map_err(|error| problem::aws("subscribing the alarm queue", error))?;
    Ok(topic_arn)
}
