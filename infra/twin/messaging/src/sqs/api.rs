//! Every action that is imitated, on one screen. AWS JSON 1.0: the action is in `X-Amz-Target`, the body is a JSON object.

mod batch;
mod body;
mod queues;
mod receive;
mod remove;
mod send;
mod tags;
mod visibility;

use serde::Serialize;
use twin_platform::{
    AwsError, Request, Response,
    json::{self, read},
    query::Params,
};

use super::{
    Queues, Sqs,
    error::{self, missing, no_queue},
    queue::Queue,
};
use crate::now_ms;

const TARGET_PREFIX: &str = "AmazonSQS.";

type Answer = Result<Response, AwsError>;

pub(super) async fn handle(sqs: &Sqs, request: Request) -> Response {
    call(sqs, &request).await.unwrap_or_else(|error| error::render(&error))
}

async fn call(sqs: &Sqs, request: &Request) -> Answer {
    let Some(target) = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()) else {
        let params = Params::of(request);
        let action = params.root().get("Action").unwrap_or("a call");
        return Err(AwsError::not_implemented(
            "sqs",
            &format!("{action} in the query protocol (no X-Amz-Target header)"),
        ));
    };
    let (body, now_ms) = (&request.body, now_ms());
    match target.strip_prefix(TARGET_PREFIX).unwrap_or(target) {
        "ChangeMessageVisibility" => visibility::change(sqs, read(body)?, now_ms),
        "ChangeMessageVisibilityBatch" => visibility::change_batch(sqs, read(body)?, now_ms),
        "CreateQueue" => queues::create(sqs, read(body)?, now_ms),
        "DeleteMessage" => remove::delete(sqs, read(body)?, now_ms),
        "DeleteMessageBatch" => remove::delete_batch(sqs, read(body)?, now_ms),
        "DeleteQueue" => queues::delete(sqs, read(body)?),
        "GetQueueAttributes" => queues::get_attributes(sqs, read(body)?, now_ms),
        "GetQueueUrl" => queues::get_url(sqs, read(body)?),
        "ListDeadLetterSourceQueues" => queues::list_sources(sqs, read(body)?),
        "ListQueueTags" => tags::list(sqs, read(body)?),
        "ListQueues" => queues::list(sqs, read(body)?),
        "PurgeQueue" => remove::purge(sqs, read(body)?, now_ms),
        "ReceiveMessage" => receive::receive(sqs, read(body)?).await,
        "SendMessage" => send::send(sqs, read(body)?, now_ms),
        "SendMessageBatch" => send::send_batch(sqs, read(body)?, now_ms),
        "SetQueueAttributes" => queues::set_attributes(sqs, read(body)?, now_ms),
        "TagQueue" => tags::tag(sqs, read(body)?),
        "UntagQueue" => tags::untag(sqs, read(body)?),
        other => Err(AwsError::not_implemented("sqs", other)),
    }
}

fn answer<T: Serialize>(output: &T) -> Answer {
    Ok(Response::json(200, json::write(output)?))
}

/// An action without output answers an empty body.
fn done() -> Answer {
    Ok(Response::json(200, ""))
}

/// The queue that a URL names by its last two segments. The host is whatever the caller reaches the twin by.
fn find<'a>(sqs: &Sqs, queues: &'a mut Queues, url: &str) -> Result<&'a mut Queue, AwsError> {
    if url.is_empty() {
        return Err(missing("QueueUrl"));
    }
    let mut segments = url.rsplit('/');
    let (name, owner) = (segments.next().unwrap_or_default(), segments.next());
    let Some(owner) = owner else {
        let message = format!("The address {url} is not valid for this endpoint.");
        return Err(AwsError::client("InvalidAddress", message));
    };
    let queue = queues.get_mut(name).filter(|_| owner == sqs.account.id).ok_or_else(no_queue)?;
    queue.counts.called(now_ms());
    Ok(queue)
}
