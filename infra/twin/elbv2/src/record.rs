//! What is known of a request when it is over, and its line in the access log (user guide, "Access logs for your Application
//! Load Balancer", "Access log entries": all fields, in order).

use std::{
    fmt,
    net::{SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderValue, Method, Uri, Version};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// A request that is over. Displays as its access-log line.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The load balancer's ARN.
    pub load_balancer_arn: Arc<str>,
    /// `app/<name>/<id>`.
    pub load_balancer_id: Arc<str>,
    /// Where the client reached the load balancer.
    pub listener: SocketAddrV4,
    /// Who asked.
    pub client: SocketAddr,
    /// `ws` for an upgraded connection, else `http`.
    pub kind: &'static str,
    /// When the request arrived.
    pub created: SystemTime,
    /// When it was over.
    pub finished: SystemTime,
    /// Method, URI, version; none when the request could not be read.
    pub request: Option<(Method, Uri, Version)>,
    /// `Host` of the request.
    pub host: Option<HeaderValue>,
    /// `User-Agent` of the request.
    pub user_agent: Option<HeaderValue>,
    /// `X-Amzn-Trace-Id` as sent to the target.
    pub trace_id: Option<HeaderValue>,
    /// The group that the request was routed to.
    pub target_group_arn: Option<Arc<str>>,
    /// The target that got it.
    pub target: Option<SocketAddrV4>,
    /// From arrival until it was sent to a target; none when it was not.
    pub request_processing: Option<Duration>,
    /// Until the target's response head; none when there was none.
    pub target_processing: Option<Duration>,
    /// From the target's response head until the response began; none when there was none.
    pub response_processing: Option<Duration>,
    /// What the client got; 460 when it left before.
    pub elb_status: u16,
    /// What the target said.
    pub target_status: Option<u16>,
    /// Head and body as received, to a few bytes.
    pub received_bytes: u64,
    /// Head and body as sent, to a few bytes.
    pub sent_bytes: u64,
    /// Priority of the rule that matched, 0 for the default; none when none was asked.
    pub rule_priority: Option<u32>,
    /// Whether a filter looked at it.
    pub filtered: bool,
    /// `forward`, `fixed-response`, `redirect`, `waf` when the filter answered, or `-`.
    pub action: &'static str,
    /// `Location` of a redirect.
    pub redirect_url: Option<String>,
}

impl Finished {
    /// A connection whose request could not be read.
    pub(crate) fn unreadable(
        load_balancer_arn: &Arc<str>,
        load_balancer_id: &Arc<str>,
        listener: SocketAddrV4,
        client: SocketAddr,
        status: u16,
    ) -> Self {
        let now = SystemTime::now();
        Self {
            load_balancer_arn: Arc::clone(load_balancer_arn),
            load_balancer_id: Arc::clone(load_balancer_id),
            listener,
            client,
            kind: "http",
            created: now,
            finished: now,
            request: None,
            host: None,
            user_agent: None,
            trace_id: None,
            target_group_arn: None,
            target: None,
            request_processing: None,
            target_processing: None,
            response_processing: None,
            elb_status: status,
            target_status: None,
            received_bytes: 0,
            sent_bytes: 0,
            rule_priority: None,
            filtered: false,
            action: "-",
            redirect_url: None,
        }
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listener = self.listener;
        write!(f, "{} {} {} {}", self.kind, Moment(self.finished), self.load_balancer_id, self.client)?;
        write!(f, " {}", Dash(self.target))?;
        for span in [self.request_processing, self.target_processing, self.response_processing] {
            match span {
                Some(span) => write!(f, " {:.3}", span.as_secs_f64())?,
                None => f.write_str(" -1")?,
            }
        }
        write!(f, " {} {}", self.elb_status, Dash(self.target_status))?;
        write!(f, " {} {}", self.received_bytes, self.sent_bytes)?;
        match &self.request {
            Some((method, uri, version)) => {
                let host = self.host.as_ref().map_or("-", |host| host.to_str().unwrap_or("-"));
                let host = without_port(host);
                let path = uri.path_and_query().map_or("/", |path| path.as_str());
                write!(f, " \"{method} http://{host}:{}{} {version:?}\"", listener.port(), Quoted(path))?;
            }
            None => write!(f, " \"- http://{listener}- -\"")?,
        }
        let header = |value: &Option<HeaderValue>| {
            value.as_ref().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let user_agent = header(&self.user_agent);
        write!(f, " \"{}\" - -", Quoted(user_agent.as_deref().unwrap_or("-")))?;
        write!(f, " {}", Dash(self.target_group_arn.as_deref()))?;
        write!(f, " \"{}\" \"-\" \"-\"", Quoted(header(&self.trace_id).as_deref().unwrap_or("-")))?;
        write!(f, " {} {}", Dash(self.rule_priority), Moment(self.created))?;
        let filter = if self.filtered && self.action != "waf" { "waf," } else { "" };
        write!(f, " \"{filter}{}\" \"{}\" \"-\"", self.action, Quoted(self.redirect_url.as_deref().unwrap_or("-")))?;
        // target:port_list, target_status_code_list, classification, classification_reason, conn_trace_id
        write!(f, " \"{}\" \"{}\" \"-\" \"-\" -", Dash(self.target), Dash(self.target_status))
    }
}

/// A host without its port.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

struct Dash<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Dash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// A client's text inside quotes: it must not be able to end the field or the line.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' => f.write_str("\\x22"),
            '\\' => f.write_str("\\x5C"),
            c if c.is_control() => write!(f, "\\x{:02X}", u32::from(c)),
            c => write!(f, "{c}"),
        })
    }
}

struct Moment(SystemTime);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&OffsetDateTime::from(self.0).format(TIME).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: SocketAddrV4 = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 80);

    #[test]
    fn a_line_has_every_field_in_order() {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_micros(1_530_570_180_186_641);
        let line = Finished {
            created: moment,
            finished: moment,
            request: Some((Method::GET, Uri::from_static("/a?b=%22"), Version::HTTP_11)),
            host: Some(HeaderValue::from_static("www.example.com:8080")),
            user_agent: Some(HeaderValue::from_static("curl/\"7\"")),
            trace_id: Some(HeaderValue::from_static("Root=1-58337262-36d228ad5d99923122bbe354")),
            target_group_arn: Some("arn:tg".into()),
            target: Some(SocketAddrV4::new([10, 0, 0, 1].into(), 80)),
            request_processing: Some(Duration::ZERO),
            target_processing: Some(Duration::from_millis(1)),
            response_processing: Some(Duration::ZERO),
            target_status: Some(200),
            received_bytes: 34,
            sent_bytes: 366,
            rule_priority: Some(0),
            action: "forward",
            ..Finished::unreadable(
                &"arn:lb".into(),
                &"app/my/50dc".into(),
                NOWHERE,
                SocketAddr::from(([192, 168, 131, 39], 2817)),
                200,
            )
        }
        .to_string();
        assert_eq!(
            line,
            "http 2018-07-02T22:23:00.186641Z app/my/50dc 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 \
             \"GET http://www.example.com:80/a?b=%22 HTTP/1.1\" \"curl/\\x227\\x22\" - - arn:tg \
             \"Root=1-58337262-36d228ad5d99923122bbe354\" \"-\" \"-\" 0 2018-07-02T22:23:00.186641Z \"forward\" \"-\" \"-\" \
             \"10.0.0.1:80\" \"200\" \"-\" \"-\" -"
        );
    }

    #[test]
    fn an_unreadable_request_still_has_a_line() {
        let line =
            Finished::unreadable(&"a".into(), &"app/x/1".into(), NOWHERE, SocketAddr::from(([127, 0, 0, 1], 9)), 400);
        assert!(
            line.to_string()
                .contains(" - -1 -1 -1 400 - 0 0 \"- http://127.0.0.1:80- -\" \"-\" - - - \"-\" \"-\" \"-\" - "),
            "{line}"
        );
    }
}
