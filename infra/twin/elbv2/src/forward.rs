//! Handing a request to a target, and what its failures mean to the client (user guide, "The load balancer generates an HTTP
//! error").

use std::{sync::Arc, time::Instant};

use http::{HeaderValue, Request, Response, StatusCode, Uri, Version, header};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::{
    body::{ClientBody, ClientSent, Flow, RequestBody},
    exchange::Exchange,
    front::Client,
    group::Group,
    headers, page,
    pool::ConnectError,
    proxy::Answer,
};

/// Sends the request to a target of the group.
pub(crate) async fn forward(
    client: &Client,
    exchange: &mut Exchange,
    group: &Arc<Group>,
    mut request: Request<ClientSent>,
) -> Answer {
    let balancer = &client.front.balancer;
    exchange.record.target_group_arn = Some(Arc::clone(&group.arn));
    let upgrade = prepare(client, exchange, &mut request);
    let Some(ticket) = group.pick() else { return Answer::Own(page::error(503)) };
    let target = Arc::clone(ticket.target());
    exchange.record.target = Some(target.address);
    exchange.ticket = Some(ticket);

    let mut connection = match target.pool.connection().await {
        Ok(connection) => connection,
        Err(error) => {
            tracing::debug!(target = %target.address, error = &error as &dyn std::error::Error, "no connection to the target");
            balancer.hooks.connection_failed(&group.arn, target.address);
            return Answer::Own(page::error(if matches!(error, ConnectError::Timeout) { 504 } else { 502 }));
        }
    };

    let request = request.map(|body| {
        if body.is_end() {
            return RequestBody::Empty;
        }
        let flow = Flow::new();
        exchange.flow = Some(Arc::clone(&flow));
        RequestBody::Streaming(body, flow)
    });
    let sent = Instant::now();
    let response = connection.send_request(request);
    tokio::pin!(response);
    let idle = balancer.idle_timeout();
    let mut deadline = tokio::time::Instant::from_std(sent) + idle;
    let answered = loop {
        tokio::select! {
            biased;
            answered = &mut response => break answered,
            () = tokio::time::sleep_until(deadline) => {
                let flow = exchange.flow.as_ref();
                let moved = flow.map_or(deadline, |flow| flow.moved() + idle);
                if moved <= deadline {
                    let client_is_silent = flow.is_some_and(|flow| flow.waits_for_client());
                    return Answer::Own(page::error(if client_is_silent { 408 } else { 504 }));
                }
                deadline = moved;
            }
        }
    };
    let mut response = match answered {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(target = %target.address, error = &error as &dyn std::error::Error, "the target failed a request");
            // A body that broke off is the client's fault; whatever else went wrong is the target's.
            let broken = exchange.flow.as_ref().is_some_and(|flow| flow.is_broken());
            return Answer::Own(page::error(if broken { 400 } else { 502 }));
        }
    };
    let now = Instant::now();
    exchange.record.request_processing = Some(sent - exchange.started);
    exchange.record.target_processing = Some(now - sent);
    exchange.record.response_processing = Some(now.elapsed());
    exchange.record.target_status = Some(response.status().as_u16());
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Some(upgrade) = upgrade else { return Answer::Own(page::error(502)) };
        exchange.upgrade = Some((upgrade, hyper::upgrade::on(&mut response)));
        return Answer::Upgraded(switching(response));
    }
    Answer::Target(response, connection)
}

/// Makes the request what the target is to see. Gives the client's side of an upgrade when it asks for one.
fn prepare(client: &Client, exchange: &mut Exchange, request: &mut Request<ClientSent>) -> Option<OnUpgrade> {
    let upgrade = headers::asks_for_upgrade(request.headers())
        .then(|| request.headers().get(header::UPGRADE).cloned())
        .flatten()
        .map(|protocol| (protocol, hyper::upgrade::on(&mut *request)));
    // Targets see a path, also when the client wrote the whole URL.
    if request.uri().authority().is_some() {
        *request.uri_mut() = request.uri().path_and_query().cloned().map(Uri::from).unwrap_or_default();
    }
    *request.version_mut() = Version::HTTP_11;
    let map = request.headers_mut();
    headers::remove_hop_by_hop(map);
    headers::add_forwarded(map, client.address.ip(), &client.front.port);
    exchange.record.trace_id = Some(headers::add_trace(map, exchange.record.created));
    if !map.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::from_str(&client.front.address.to_string())
    {
        // Only HTTP/1.0 clients may leave it out, and the target is spoken to in HTTP/1.1.
        map.insert(header::HOST, host);
    }
    upgrade.map(|(protocol, on)| {
        map.insert(header::UPGRADE, protocol);
        map.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        on
    })
}

fn switching(response: Response<Incoming>) -> Response<ClientBody> {
    let mut switching = response.map(|_| ClientBody::own(bytes::Bytes::new()));
    let protocol = switching.headers().get(header::UPGRADE).cloned();
    headers::remove_hop_by_hop(switching.headers_mut());
    if let Some(protocol) = protocol {
        switching.headers_mut().insert(header::UPGRADE, protocol);
    }
    switching.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    switching
}

/// Passes bytes both ways once both sides have changed protocol, until one ends or the target's time to drain is over.
pub(crate) fn pass_on_later(mut exchange: Box<Exchange>) {
    let Some((client, server)) = exchange.upgrade.take() else { return };
    exchange.record.kind = "ws";
    tokio::spawn(async move {
        let Some(cut) = exchange.target().map(|target| target.cut.clone()) else { return };
        let both = async {
            let (client, server) = tokio::try_join!(client, server).ok()?;
            copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(server)).await.ok()
        };
        if let Some(Some((up, down))) = cut.run_until_cancelled(both).await {
            exchange.record.received_bytes += up;
            exchange.record.sent_bytes += down;
        }
    });
}
