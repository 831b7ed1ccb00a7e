//! Listener rules as the hot path sees them: conditions, actions, and the table of one listener.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, header, request::Parts};

use crate::{group::Group, pattern::Pattern, record::without_port};

/// One condition; it holds when one of its values fits.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Path(Vec<Pattern>),
    Host(Vec<Pattern>),
    /// The name to look for, the name as the caller wrote it, and the values.
    Header(HeaderName, String, Vec<Pattern>),
    Method(Vec<String>),
    /// Key, if it matters, and value.
    Query(Vec<(Option<Pattern>, Pattern)>),
    Source(Vec<Network>),
}

/// An IPv4 network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) address: Ipv4Addr,
    pub(crate) prefix: u32,
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// To one of these groups, by weight.
    Forward(Vec<(Arc<Group>, u32)>),
    Fixed {
        status: u16,
        content_type: Option<String>,
        body: Option<String>,
    },
    Redirect(Redirect),
}

/// Where to; each part may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    pub(crate) status: u16,
    pub(crate) protocol: String,
    pub(crate) host: String,
    pub(crate) port: String,
    pub(crate) path: String,
    pub(crate) query: String,
}

/// A rule: all of its conditions must hold.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) arn: String,
    /// 1 to 50,000; the lowest that matches wins.
    pub(crate) priority: u32,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) action: Action,
}

/// A listener's rules, lowest priority first, and what happens when none matches.
#[derive(Debug)]
pub(crate) struct Table {
    rules: Vec<Rule>,
    default: Action,
}

impl Table {
    pub(crate) fn new(mut rules: Vec<Rule>, default: Action) -> Self {
        rules.sort_by_key(|rule| rule.priority);
        Self { rules, default }
    }

    /// The action for a request and the priority of its rule, 0 for the default.
    pub(crate) fn action(&self, head: &Parts, client: IpAddr) -> (&Action, u32) {
        let rule = self.rules.iter().find(|rule| rule.conditions.iter().all(|condition| condition.holds(head, client)));
        rule.map_or((&self.default, 0), |rule| (&rule.action, rule.priority))
    }
}

impl Condition {
    /// Whether the request meets the condition.
    pub(crate) fn holds(&self, head: &Parts, client: IpAddr) -> bool {
        let any = |patterns: &[Pattern], value: &[u8]| patterns.iter().any(|pattern| pattern.matches(value));
        match self {
            Self::Path(patterns) => any(patterns, head.uri.path().as_bytes()),
            Self::Host(patterns) => {
                host(&head.headers).is_some_and(|host| any(patterns, without_port(host).as_bytes()))
            }
            Self::Header(name, _, patterns) => {
                head.headers.get_all(name).iter().any(|value| any(patterns, value.as_bytes()))
            }
            Self::Method(methods) => methods.iter().any(|method| method == head.method.as_str()),
            Self::Query(wanted) => {
                let pairs = || {
                    head.uri
                        .query()
                        .unwrap_or_default()
                        .split('&')
                        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                };
                wanted.iter().any(|(key, value)| {
                    pairs().any(|(name, text)| {
                        key.as_ref().is_none_or(|key| key.matches(name.as_bytes())) && value.matches(text.as_bytes())
                    })
                })
            }
            Self::Source(networks) => match client {
                IpAddr::V4(address) => networks.iter().any(|network| network.contains(address)),
                IpAddr::V6(_) => false,
            },
        }
    }
}

/// The host that a request names.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

impl Network {
    /// Reads `10.0.0.0/8`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        Some(Self { address: address.parse().ok()?, prefix })
    }

    /// Whether the address is in it.
    pub(crate) fn contains(self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
        u32::from(self.address) & mask == u32::from(address) & mask
    }
}

impl Action {
    /// The groups that it sends requests to.
    pub(crate) fn groups(&self) -> &[(Arc<Group>, u32)] {
        match self {
            Self::Forward(groups) => groups,
            _ => &[],
        }
    }

    /// The group that gets the next request: by chance, as the weights say. None when all weights are 0.
    pub(crate) fn choose(groups: &[(Arc<Group>, u32)]) -> Option<&Arc<Group>> {
        if let [(only, weight)] = groups {
            return (*weight > 0).then_some(only);
        }
        let total = groups.iter().map(|(_, weight)| weight).sum::<u32>();
        let mut ticket = (total > 0).then(|| fastrand::u32(..total))?;
        groups.iter().find_map(|(group, weight)| {
            let hit = ticket < *weight;
            ticket = ticket.saturating_sub(*weight);
            hit.then_some(group)
        })
    }

    /// The words of the access log.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Forward(_) => "forward",
            Self::Fixed { .. } => "fixed-response",
            Self::Redirect(_) => "redirect",
        }
    }

    /// A fixed body.
    pub(crate) fn bytes(body: Option<&String>) -> Bytes {
        body.map(|body| Bytes::from(body.clone())).unwrap_or_default()
    }
}

impl Redirect {
    /// The `Location` for a request.
    pub(crate) fn location(&self, head: &Parts, own_host: &str, own_port: u16) -> String {
        let host = host(&head.headers).map_or(own_host, without_port);
        let path = head.uri.path().trim_start_matches('/');
        let query = head.uri.query().unwrap_or_default();
        let fill = |template: &str| {
            template
                .replace("#{protocol}", "http")
                .replace("#{host}", host)
                .replace("#{port}", &own_port.to_string())
                .replace("#{path}", path)
                .replace("#{query}", query)
        };
        let query = fill(&self.query);
        let mark = if query.is_empty() { "" } else { "?" };
        let protocol = fill(&self.protocol).to_ascii_lowercase();
        format!("{protocol}://{}:{}{}{mark}{query}", fill(&self.host), fill(&self.port), fill(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a valid request").into_parts().0
    }

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn conditions() {
        let request =
            head("POST", "/api/users?Version=V1&flag", &[("host", "App.Example.com:8080"), ("x-kind", "Beta")]);
        let one = |pattern| vec![Pattern::ignoring_case(pattern)];
        for (condition, holds) in [
            (Condition::Path(vec![Pattern::exact("/api/*")]), true),
            (Condition::Path(vec![Pattern::exact("/API/*")]), false),
            (Condition::Host(one("*.example.com")), true),
            (Condition::Host(one("example.com")), false),
            (Condition::Header(HeaderName::from_static("x-kind"), "X-Kind".into(), one("b?ta")), true),
            (Condition::Header(HeaderName::from_static("x-other"), "X-Other".into(), one("*")), false),
            (Condition::Method(vec!["GET".into(), "POST".into()]), true),
            (Condition::Query(vec![(Some(Pattern::ignoring_case("version")), Pattern::ignoring_case("v?"))]), true),
            (Condition::Query(vec![(None, Pattern::ignoring_case("v2"))]), false),
            (Condition::Source(vec![Network::parse("127.0.0.0/8").expect("valid")]), true),
            (Condition::Source(vec![Network::parse("10.0.0.0/8").expect("valid")]), false),
            (Condition::Source(vec![Network::parse("0.0.0.0/0").expect("valid")]), true),
        ] {
            assert_eq!(condition.holds(&request, CLIENT), holds, "{condition:?}");
        }
    }

    #[test]
    fn the_lowest_priority_wins_and_the_default_is_zero() {
        let fixed = |status| Action::Fixed { status, content_type: None, body: None };
        let rule = |priority, path, status| Rule {
            arn: String::new(),
            priority,
            conditions: vec![Condition::Path(vec![Pattern::exact(path)])],
            action: fixed(status),
        };
        let table = Table::new(vec![rule(20, "/*", 220), rule(10, "/a", 210)], fixed(404));
        for (path, priority) in [("/a", 10), ("/b", 20), ("*", 0)] {
            let request = head(if path == "*" { "OPTIONS" } else { "GET" }, path, &[]);
            assert_eq!(table.action(&request, CLIENT).1, priority, "{path}");
        }
    }

    #[test]
    fn redirects_fill_in_what_they_keep() {
        let keep = Redirect {
            status: 301,
            protocol: "HTTPS".into(),
            host: "#{host}".into(),
            port: "443".into(),
            path: "/#{path}".into(),
            query: "#{query}".into(),
        };
        let location = |uri| keep.location(&head("GET", uri, &[("host", "a.test:80")]), "127.0.0.1", 80);
        assert_eq!(location("/x/y?z=1"), "https://a.test:443/x/y?z=1");
        assert_eq!(location("/"), "https://a.test:443/");
    }
}
