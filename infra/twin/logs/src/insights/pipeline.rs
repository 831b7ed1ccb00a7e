//! Runs a query: each record becomes a row of slots that goes through the commands; `sort` and `stats` hold rows back until
//! the last record has come.

mod hold;

use std::{collections::HashSet, sync::Arc};

use super::{
    DEFAULT_LIMIT, MAX_LIMIT, Record, ResultRow, Sources,
    aggregate::Aggregate,
    discover::{self, Wanted},
    expression::{Expression, Scope},
    extract::Extract,
    value::Value,
};
use crate::store::Key;
use hold::{Groups, Sorted};

/// Records between two questions whether to go on.
const CHECK_EVERY: usize = 256;

/// What a query asks for.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The name of each slot.
    pub(super) names: Vec<String>,
    /// Which of them the log line may have.
    pub(super) wanted: Vec<bool>,
    pub(super) commands: Vec<Command>,
    pub(super) columns: Vec<(Arc<str>, usize)>,
    pub(super) has_stats: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Command {
    Set(Vec<(usize, Expression)>),
    Filter(Expression),
    Parse(Extract),
    Stats {
        aggregates: Vec<Aggregate>,
        by: Vec<(usize, Expression)>,
        computed: Vec<(usize, Expression)>,
    },
    /// Keys, each with whether it is descending.
    Sort(Vec<(Expression, bool)>),
    Limit(usize),
    Dedup(Vec<Expression>),
}

/// Why a run ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    Cancelled,
    TimedOut,
}

/// `QueryStatistics` in the API reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    pub(crate) records_matched: u64,
    pub(crate) records_scanned: u64,
    /// Bytes of the messages.
    pub(crate) bytes_scanned: u64,
}

/// One row on its way.
#[derive(Clone)]
struct Row {
    slots: Vec<Value>,
    /// Milliseconds since the epoch: for `earliest` and `latest`.
    time_ms: i64,
    /// What `@ptr` names; none once rows are put together.
    record: Option<Record>,
}

impl Row {
    /// The place of its event among all; none once rows are put together.
    fn key(&self) -> Option<Key> {
        self.record.as_ref().map(|record| record.event.key)
    }
}

/// A command with what it has gathered.
enum Stage<'p> {
    Set(&'p [(usize, Expression)]),
    Filter(&'p Expression),
    Parse(&'p Extract),
    Limit { left: usize },
    Dedup { keys: &'p [Expression], seen: HashSet<String> },
    Sort(Sorted<'p>),
    Stats(Groups<'p>),
}

pub(super) struct Pipeline<'p> {
    plan: &'p Plan,
    sources: &'p Sources,
    now_ms: i64,
    limit: usize,
    stages: Vec<Stage<'p>>,
    /// The stage before which a record counts as matched.
    counted_before: usize,
    results: Vec<ResultRow>,
    statistics: Statistics,
}

impl<'p> Pipeline<'p> {
    pub(super) fn new(plan: &'p Plan, sources: &'p Sources, now_ms: i64, limit: Option<usize>) -> Self {
        let asks = plan.commands.iter().any(|command| matches!(command, Command::Limit(_)));
        let limit = limit.unwrap_or(if asks { MAX_LIMIT } else { DEFAULT_LIMIT });
        let slots = plan.names.len();
        let stages: Vec<Stage<'p>> = plan
            .commands
            .iter()
            .enumerate()
            .map(|(index, command)| match command {
                Command::Set(set) => Stage::Set(set),
                Command::Filter(condition) => Stage::Filter(condition),
                Command::Parse(extract) => Stage::Parse(extract),
                Command::Limit(rows) => Stage::Limit { left: *rows },
                Command::Dedup(keys) => Stage::Dedup { keys, seen: HashSet::new() },
                Command::Sort(keys) => Stage::Sort(Sorted::new(keys, most_after(&plan.commands[index + 1..], limit))),
                Command::Stats { aggregates, by, computed } => {
                    Stage::Stats(Groups::new(aggregates, by, computed, slots))
                }
            })
            .collect();
        let counts = |stage: &Stage<'_>| match stage {
            Stage::Limit { .. } | Stage::Dedup { .. } | Stage::Stats(_) => true,
            Stage::Sort(sorted) => sorted.drops(),
            Stage::Set(_) | Stage::Filter(_) | Stage::Parse(_) => false,
        };
        let counted_before = stages.iter().position(counts).unwrap_or(stages.len());
        Self {
            plan,
            sources,
            now_ms,
            limit,
            stages,
            counted_before,
            results: Vec::new(),
            statistics: Statistics::default(),
        }
    }

    pub(super) fn run(
        mut self,
        records: &[Record],
        interrupted: impl Fn() -> Option<Interrupt>,
    ) -> Result<(Vec<ResultRow>, Statistics), Interrupt> {
        let wanted = self.wanted();
        let system = System::new(&self.plan.names);
        let mut row = Row { slots: vec![Value::Missing; self.plan.names.len()], time_ms: 0, record: None };
        for (index, record) in records.iter().enumerate() {
            if index.is_multiple_of(CHECK_EVERY)
                && let Some(interrupt) = interrupted()
            {
                return Err(interrupt);
            }
            row.slots.fill(Value::Missing);
            row.time_ms = record.event.key.timestamp_ms;
            row.record = Some(record.clone());
            self.statistics.records_scanned += 1;
            self.statistics.bytes_scanned += record.event.message.len() as u64;
            discover::read(&record.event.message, &wanted, &mut row.slots);
            system.fill(record, self.sources, &mut row.slots);
            self.push(0, &mut row);
        }
        for index in 0..self.stages.len() {
            let held = match &mut self.stages[index] {
                Stage::Sort(sorted) => sorted.take(),
                Stage::Stats(groups) => groups.take(self.now_ms),
                _ => continue,
            };
            for (count, mut row) in held.into_iter().enumerate() {
                if count.is_multiple_of(CHECK_EVERY)
                    && let Some(interrupt) = interrupted()
                {
                    return Err(interrupt);
                }
                self.push(index + 1, &mut row);
            }
        }
        Ok((self.results, self.statistics))
    }

    fn wanted(&self) -> Vec<Wanted<'p>> {
        let fields = self.plan.names.iter().zip(&self.plan.wanted).enumerate().filter(|(_, (_, wanted))| **wanted);
        let named = fields.filter_map(|(slot, (name, _))| match name.strip_prefix('@') {
            None => Some(Wanted { rest: name, slot }),
            // A field of the line that starts with @ has a second one here.
            Some(rest) => rest.starts_with('@').then_some(Wanted { rest, slot }),
        });
        named.collect()
    }

    /// Takes a row through the stages from there on, until one of them drops it or holds it back.
    fn push(&mut self, from: usize, row: &mut Row) {
        let now_ms = self.now_ms;
        for index in from..self.stages.len() {
            if index == self.counted_before {
                self.statistics.records_matched += 1;
            }
            let Row { slots, time_ms, .. } = &mut *row;
            match &mut self.stages[index] {
                Stage::Set(set) => {
                    for (slot, expression) in *set {
                        let value = expression.value(Scope { slots, aggregates: &[], now_ms }).into_owned();
                        slots[*slot] = value;
                    }
                }
                Stage::Filter(condition) => {
                    if !condition.holds(Scope { slots, aggregates: &[], now_ms }) {
                        return;
                    }
                }
                Stage::Parse(extract) => extract.apply(slots, now_ms),
                Stage::Limit { left: 0 } => return,
                Stage::Limit { left } => *left -= 1,
                Stage::Dedup { keys, seen } => {
                    let scope = Scope { slots, aggregates: &[], now_ms };
                    // A row without one of the values is no duplicate ("dedup" in the user guide).
                    if let Some(key) = whole_key(keys, scope)
                        && !seen.insert(key)
                    {
                        return;
                    }
                }
                Stage::Sort(sorted) => return sorted.add(row, now_ms),
                Stage::Stats(groups) => return groups.add(Scope { slots, aggregates: &[], now_ms }, *time_ms),
            }
        }
        if self.counted_before == self.stages.len() {
            self.statistics.records_matched += 1;
        }
        if self.results.len() < self.limit {
            self.results.push(self.written(row));
        }
    }

    fn written(&self, row: &Row) -> ResultRow {
        let mut fields: ResultRow = self
            .plan
            .columns
            .iter()
            .filter_map(|(name, slot)| Some((Arc::clone(name), row.slots[*slot].written()?.into_owned())))
            .collect();
        if !self.plan.has_stats
            && let Some(record) = &row.record
            && !self.plan.columns.iter().any(|(name, _)| &**name == "@ptr")
        {
            fields.push(("@ptr".into(), pointer(record, self.sources)));
        }
        fields
    }
}

/// How many rows at most the commands after a `sort` make use of; none when that cannot be said.
fn most_after(commands: &[Command], limit: usize) -> Option<usize> {
    for command in commands {
        match command {
            Command::Set(_) | Command::Parse(_) => {}
            Command::Limit(rows) => return Some(*rows),
            Command::Filter(_) | Command::Stats { .. } | Command::Sort(_) | Command::Dedup(_) => return None,
        }
    }
    Some(limit)
}

/// The values as one text; none when one is missing.
fn whole_key(keys: &[Expression], scope: Scope<'_>) -> Option<String> {
    let mut whole = String::new();
    for key in keys {
        whole.push_str(key.value(scope).written()?.as_ref());
        whole.push('\0');
    }
    Some(whole)
}

/// `@ptr`: the event's place and its group, for `GetLogRecord`.
fn pointer(record: &Record, sources: &Sources) -> String {
    format!("{}{}", record.event.id(), sources.group(record))
}

/// The slots of the fields that CloudWatch Logs makes ("Supported logs and discovered fields" in the user guide).
struct System {
    timestamp: Option<usize>,
    message: Option<usize>,
    log_stream: Option<usize>,
    log: Option<usize>,
    ingestion_time: Option<usize>,
    pointer: Option<usize>,
}

impl System {
    fn new(names: &[String]) -> Self {
        let slot = |name: &str| names.iter().position(|known| known == name);
        Self {
            timestamp: slot("@timestamp"),
            message: slot("@message"),
            log_stream: slot("@logStream"),
            log: slot("@log"),
            ingestion_time: slot("@ingestionTime"),
            pointer: slot("@ptr"),
        }
    }

    fn fill(&self, record: &Record, sources: &Sources, slots: &mut [Value]) {
        let event = &record.event;
        let mut put = |slot: Option<usize>, value: &dyn Fn() -> Value| {
            if let Some(slot) = slot {
                slots[slot] = value();
            }
        };
        put(self.timestamp, &|| Value::Time(event.key.timestamp_ms));
        put(self.message, &|| Value::Text(Arc::clone(&event.message)));
        put(self.log_stream, &|| Value::Text(Arc::clone(&event.stream)));
        put(self.ingestion_time, &|| Value::Time(event.ingestion_ms));
        put(self.pointer, &|| Value::text(pointer(record, sources)));
        put(self.log, &|| Value::text(format!("{}:{}", sources.account, sources.group(record))));
    }
}
