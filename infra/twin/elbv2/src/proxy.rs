//! One request through the balancer: refuse, filter, route, and hand the answer back.

use std::{convert::Infallible, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use hyper::{body::Incoming, client::conn::http1::SendRequest};

use crate::{
    body::{ClientBody, ClientSent, RequestBody},
    exchange::Exchange,
    filter, forward,
    front::Client,
    headers, page,
    rules::{self, Action},
};

/// The longest request line and the longest header ("HTTP 400: Bad request").
const MAX_FIELD: usize = 16 * 1024;

/// What becomes of a request.
pub(crate) enum Answer {
    /// The balancer answers.
    Own(Response<ClientBody>),
    /// The target answers, on this connection.
    Target(Response<Incoming>, SendRequest<RequestBody>),
    /// The target agreed to another protocol; bytes are passed on elsewhere, by whoever has the exchange now.
    Upgraded(Response<ClientBody>),
}

/// Answers one request.
pub(crate) async fn handle(
    client: Arc<Client>,
    request: Request<Incoming>,
) -> Result<Response<ClientBody>, Infallible> {
    let mut exchange = Exchange::begin(&client, &request);
    let answer = answer(&client, &mut exchange, request).await;
    let response = match answer {
        Answer::Own(response) => {
            exchange.answered(&response);
            response.map(|body| body.keeping(exchange))
        }
        Answer::Target(mut response, connection) => {
            headers::remove_hop_by_hop(response.headers_mut());
            *response.version_mut() = Version::HTTP_11;
            exchange.answered(&response);
            let idle = client.front.balancer.idle_timeout();
            response.map(|body| ClientBody::from_target(body, connection, exchange, idle))
        }
        Answer::Upgraded(response) => {
            exchange.answered(&response);
            forward::pass_on_later(exchange);
            response
        }
    };
    client.answers(response.status().as_u16());
    Ok(response)
}

async fn answer(client: &Client, exchange: &mut Exchange, request: Request<Incoming>) -> Answer {
    let front = &client.front;
    if let Some(status) = refusal(&request) {
        return Answer::Own(page::error(status));
    }
    let (mut head, body) = request.into_parts();
    let mut body = ClientSent::new(body);
    if let Some(guard) = front.balancer.hooks.filter.get().and_then(|filter| filter.guard(&front.balancer.arn)) {
        exchange.record.filtered = true;
        match filter::ask(&*guard, client, &head, &mut body).await {
            Ok(inserted) => head.headers.extend(inserted),
            Err(answer) => {
                exchange.record.action = "waf";
                return Answer::Own(answer);
            }
        }
    }
    let table = front.table.load();
    let (action, priority) = table.action(&head, client.address.ip());
    exchange.record.rule_priority = Some(priority);
    exchange.record.action = action.words();
    match action {
        Action::Forward(groups) => {
            let group = Action::choose(groups).cloned();
            // The rules may change while the request is under way.
            drop(table);
            let Some(group) = group else { return Answer::Own(page::error(503)) };
            forward::forward(client, exchange, &group, Request::from_parts(head, body)).await
        }
        Action::Fixed { status, content_type, body } => {
            let content_type = content_type.as_deref().unwrap_or("text/plain; charset=utf-8");
            Answer::Own(page::answer(*status, content_type, Action::bytes(body.as_ref())))
        }
        Action::Redirect(redirect) => {
            let location = redirect.location(&head, &front.balancer.host.to_string(), front.address.port());
            match HeaderValue::from_str(&location) {
                Ok(value) => {
                    exchange.record.redirect_url = Some(location);
                    Answer::Own(page::redirect(redirect.status, value))
                }
                Err(_) => Answer::Own(page::error(400)),
            }
        }
    }
}

/// The status that a request gets before anything is asked of it (user guide, "The load balancer generates an HTTP error").
fn refusal<B>(request: &Request<B>) -> Option<u16> {
    let headers = request.headers();
    if request.uri().path_and_query().is_some_and(|path| path.as_str().len() > MAX_FIELD) {
        return Some(414);
    }
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        return Some(405);
    }
    let hosts = headers.get_all(header::HOST).iter().count();
    let nameless = request.version() >= Version::HTTP_11 && hosts == 0;
    if nameless || hosts > 1 || (hosts == 1 && rules::host(headers).is_none()) {
        return Some(400);
    }
    if headers.iter().any(|(name, value)| name.as_str().len() + value.len() > MAX_FIELD) {
        return Some(400);
    }
    if !encodings_are_supported(headers) {
        return Some(501);
    }
    headers::forwarded_too_often(headers).then_some(463)
}

fn encodings_are_supported(headers: &HeaderMap) -> bool {
    headers.get_all(header::TRANSFER_ENCODING).iter().all(|value| {
        value.to_str().is_ok_and(|value| {
            value
                .split(',')
                .map(str::trim)
                .all(|coding| coding.eq_ignore_ascii_case("chunked") || coding.eq_ignore_ascii_case("identity"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_before_routing() {
        let long = "x".repeat(MAX_FIELD);
        let many = ["10.0.0.1"; 31].join(",");
        for (method, path, fields, status) in [
            ("GET", "/", vec![("host", "a")], None),
            ("TRACE", "/", vec![("host", "a")], Some(405)),
            ("GET", "/", vec![], Some(400)),
            ("GET", "/", vec![("host", "a"), ("host", "b")], Some(400)),
            ("GET", &format!("/{long}"), vec![("host", "a")], Some(414)),
            ("GET", "/", vec![("host", "a"), ("x-long", &long)], Some(400)),
            ("POST", "/", vec![("host", "a"), ("transfer-encoding", "gzip, chunked")], Some(501)),
            ("POST", "/", vec![("host", "a"), ("transfer-encoding", "chunked")], None),
            ("GET", "/", vec![("host", "a"), ("x-forwarded-for", &many)], Some(463)),
        ] {
            let mut request = Request::builder().method(method).uri(path);
            for (name, value) in &fields {
                request = request.header(*name, *value);
            }
            assert_eq!(refusal(&request.body(()).expect("a valid request")), status, "{method} {fields:?}");
        }
    }
}
