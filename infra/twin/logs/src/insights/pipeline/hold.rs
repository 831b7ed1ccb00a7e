//! What `sort` and `stats` hold back.

use std::{cmp::Ordering, collections::HashMap, fmt::Write as _};

use super::{
    super::{
        aggregate::{Aggregate, State},
        expression::{Expression, Scope},
        value::Value,
    },
    Row,
};

/// Rows kept beyond what is asked for, so that the sorting is not done for every row.
const SLACK: usize = 1024;

/// Rows of `sort`. When only the first so many count, the others are dropped on the way.
pub(super) struct Sorted<'p> {
    keys: &'p [(Expression, bool)],
    keep: Option<usize>,
    rows: Vec<(Vec<Value>, Row)>,
}

impl<'p> Sorted<'p> {
    pub(super) fn new(keys: &'p [(Expression, bool)], keep: Option<usize>) -> Self {
        Self { keys, keep, rows: Vec::new() }
    }

    /// Whether rows can get lost here.
    pub(super) fn drops(&self) -> bool {
        self.keep.is_some()
    }

    pub(super) fn add(&mut self, row: &Row, now_ms: i64) {
        let scope = Scope { slots: &row.slots, aggregates: &[], now_ms };
        let keys = self.keys.iter().map(|(key, _)| key.value(scope).into_owned()).collect();
        self.rows.push((keys, row.clone()));
        if let Some(keep) = self.keep
            && self.rows.len() > keep.saturating_mul(2).saturating_add(SLACK)
        {
            self.sort();
            self.rows.truncate(keep);
        }
    }

    pub(super) fn take(&mut self) -> Vec<Row> {
        self.sort();
        std::mem::take(&mut self.rows).into_iter().map(|(_, row)| row).collect()
    }

    fn sort(&mut self) {
        let ascending = self.keys.first().is_some_and(|(_, descending)| !descending);
        self.rows.sort_by(|(left, left_row), (right, right_row)| {
            let orders = left.iter().zip(right).zip(self.keys).map(|((left, right), (_, descending))| {
                let order = left.order(right);
                if *descending { order.reverse() } else { order }
            });
            orders.fold(Ordering::Equal, Ordering::then).then_with(|| {
                // Lines of one moment in the order they came in, when the query asks for the old ones first.
                let order = left_row.key().cmp(&right_row.key());
                if ascending { order } else { order.reverse() }
            })
        });
    }
}

/// Groups of `stats`.
pub(super) struct Groups<'p> {
    aggregates: &'p [Aggregate],
    by: &'p [(usize, Expression)],
    computed: &'p [(usize, Expression)],
    /// Slots of a row.
    slots: usize,
    places: HashMap<String, usize>,
    groups: Vec<Group>,
    /// The text of a row's group, kept for its memory.
    key: String,
}

struct Group {
    by: Vec<Value>,
    states: Vec<State>,
    time_ms: i64,
}

impl<'p> Groups<'p> {
    pub(super) fn new(
        aggregates: &'p [Aggregate],
        by: &'p [(usize, Expression)],
        computed: &'p [(usize, Expression)],
        slots: usize,
    ) -> Self {
        let (places, groups) = (HashMap::new(), Vec::new());
        Self { aggregates, by, computed, slots, places, groups, key: String::new() }
    }

    pub(super) fn add(&mut self, scope: Scope<'_>, time_ms: i64) {
        self.key.clear();
        for (_, expression) in self.by {
            match &*expression.value(scope) {
                Value::Missing => self.key.push('\u{1}'),
                Value::Text(text) => self.key.push_str(text),
                Value::Number(number) => drop(write!(self.key, "{number}")),
                Value::Time(ms) => drop(write!(self.key, "{ms}")),
            }
            self.key.push('\0');
        }
        let index = match self.places.get(&self.key) {
            Some(index) => *index,
            None => {
                self.groups.push(Group {
                    by: self.by.iter().map(|(_, expression)| expression.value(scope).into_owned()).collect(),
                    states: self.aggregates.iter().map(Aggregate::start).collect(),
                    time_ms,
                });
                self.places.insert(self.key.clone(), self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        for (aggregate, state) in self.aggregates.iter().zip(&mut self.groups[index].states) {
            aggregate.add(state, scope, time_ms);
        }
    }

    pub(super) fn take(&mut self, now_ms: i64) -> Vec<Row> {
        let rows = std::mem::take(&mut self.groups).into_iter().map(|group| {
            let mut slots = vec![Value::Missing; self.slots];
            for ((slot, _), value) in self.by.iter().zip(group.by) {
                slots[*slot] = value;
            }
            let aggregates: Vec<Value> =
                self.aggregates.iter().zip(group.states).map(|(aggregate, state)| aggregate.finish(state)).collect();
            for (slot, expression) in self.computed {
                let value = expression.value(Scope { slots: &[], aggregates: &aggregates, now_ms }).into_owned();
                slots[*slot] = value;
            }
            Row { slots, time_ms: group.time_ms, record: None }
        });
        rows.collect()
    }
}
