//! The service graph: nodes, edges and their statistics (API reference, `Service`, `Edge`, `EdgeStatistics`).

mod histogram;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use self::histogram::Histogram;
use crate::{Segment, summary::to_micros, view::View};

/// Adds traces up; [`Graph::services`] tells.
#[derive(Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<(String, Option<String>), usize>,
}

#[derive(Default)]
struct Node {
    name: String,
    kind: Option<String>,
    root: bool,
    span: Span,
    statistics: Statistics,
    durations: Histogram,
    edges: BTreeMap<usize, Edge>,
}

#[derive(Default)]
struct Edge {
    span: Span,
    statistics: Statistics,
    response_times: Histogram,
}

/// First start and last end, in seconds since the epoch.
#[derive(Clone, Copy, Default)]
struct Span(Option<(f64, f64)>);

impl Span {
    fn cover(&mut self, segment: &Segment) {
        let end = segment.end_time.unwrap_or(segment.start_time);
        let (first, last) = self.0.unwrap_or((segment.start_time, end));
        self.0 = Some((first.min(segment.start_time), last.max(end)));
    }
}

#[derive(Clone, Copy, Default)]
struct Statistics {
    ok: u64,
    throttled: u64,
    other_errors: u64,
    faults: u64,
    total: u64,
    total_time: f64,
}

impl Statistics {
    /// Fault before error before ok, so that the counts add up to the total.
    fn count(&mut self, segment: &Segment) {
        self.total += 1;
        self.total_time += segment.duration().unwrap_or(0.0);
        let count = match segment {
            Segment { fault: true, .. } => &mut self.faults,
            Segment { throttle: true, .. } => &mut self.throttled,
            Segment { error: true, .. } => &mut self.other_errors,
            _ => &mut self.ok,
        };
        *count += 1;
    }
}

/// Type of the node that stands for whoever sent the requests.
const CLIENT: &str = "client";

impl Graph {
    /// Adds what one trace shows.
    pub(crate) fn add(&mut self, view: &View<'_>) {
        let places: Vec<usize> = view.units.iter().map(|unit| self.place(unit.name(), unit.kind.as_deref())).collect();
        for (unit, place) in view.units.iter().zip(&places) {
            let node = &mut self.nodes[*place];
            node.span.cover(unit.segment);
            node.statistics.count(unit.segment);
            if let Some(duration) = unit.segment.duration() {
                node.durations.add(duration);
            }
        }
        for call in &view.calls {
            self.edge(places[call.from], places[call.to], call.seen);
        }
        if let Some(root) = view.root {
            self.nodes[places[root]].root = true;
            let unit = &view.units[root];
            let client = self.place(unit.name(), Some(CLIENT));
            self.nodes[client].span.cover(unit.segment);
            self.edge(client, places[root], unit.segment);
        }
    }

    fn place(&mut self, name: &str, kind: Option<&str>) -> usize {
        let key = (name.to_owned(), kind.map(str::to_owned));
        *self.known.entry(key).or_insert_with_key(|(name, kind)| {
            self.nodes.push(Node { name: name.clone(), kind: kind.clone(), ..Node::default() });
            self.nodes.len() - 1
        })
    }

    fn edge(&mut self, from: usize, to: usize, seen: &Segment) {
        let edge = self.nodes[from].edges.entry(to).or_default();
        edge.span.cover(seen);
        edge.statistics.count(seen);
        if let Some(duration) = seen.duration() {
            edge.response_times.add(duration);
        }
    }

    /// The nodes, each with its edges to those it calls.
    pub(crate) fn services<'a>(&'a self, account: &'a str) -> Vec<Service<'a>> {
        self.nodes.iter().enumerate().map(|(index, node)| node.service(index, account)).collect()
    }
}

impl Node {
    fn service<'a>(&'a self, reference_id: usize, account: &'a str) -> Service<'a> {
        let is_client = self.kind.as_deref() == Some(CLIENT);
        let (start_time, end_time) = self.span.0.unwrap_or_default();
        let edges = self.edges.iter().map(|(to, edge)| {
            let (start_time, end_time) = edge.span.0.unwrap_or_default();
            EdgeOut {
                reference_id: *to,
                start_time,
                end_time,
                summary_statistics: StatisticsOut::of(edge.statistics),
                response_time_histogram: edge.response_times.entries(),
                aliases: [],
            }
        });
        Service {
            reference_id,
            name: &self.name,
            names: [&self.name],
            root: self.root,
            account_id: (!is_client).then_some(account),
            kind: self.kind.as_deref(),
            state: if is_client { "unknown" } else { "active" },
            start_time,
            end_time,
            edges: edges.collect(),
            summary_statistics: (!is_client).then(|| StatisticsOut::of(self.statistics)),
            duration_histogram: self.durations.entries(),
            response_time_histogram: self.durations.entries(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Service<'a> {
    reference_id: usize,
    name: &'a str,
    names: [&'a str; 1],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    root: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    state: &'static str,
    start_time: f64,
    end_time: f64,
    edges: Vec<EdgeOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_statistics: Option<StatisticsOut>,
    duration_histogram: Vec<histogram::Entry>,
    response_time_histogram: Vec<histogram::Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EdgeOut {
    /// Of the node that is called.
    reference_id: usize,
    start_time: f64,
    end_time: f64,
    summary_statistics: StatisticsOut,
    response_time_histogram: Vec<histogram::Entry>,
    aliases: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatisticsOut {
    ok_count: u64,
    error_statistics: Errors,
    fault_statistics: Faults,
    total_count: u64,
    total_response_time: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Errors {
    throttle_count: u64,
    other_count: u64,
    total_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Faults {
    other_count: u64,
    total_count: u64,
}

impl StatisticsOut {
    fn of(statistics: Statistics) -> Self {
        let Statistics { ok, throttled, other_errors, faults, total, total_time } = statistics;
        Self {
            ok_count: ok,
            error_statistics: Errors {
                throttle_count: throttled,
                other_count: other_errors,
                total_count: throttled + other_errors,
            },
            fault_statistics: Faults { other_count: faults, total_count: faults },
            total_count: total,
            total_response_time: to_micros(total_time),
        }
    }
}
