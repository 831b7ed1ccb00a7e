//! The commands of a query: `fields`, `display`, `filter`, `stats`, `sort`, `limit`, `parse`, `dedup`, joined by `|`, with
//! comments after `#`. Words are taken in either case.

mod expressions;

use std::collections::HashMap;

use super::{
    DEFAULT_LIMIT, MAX_LENGTH, MAX_LIMIT, QueryError,
    aggregate::Aggregate,
    cursor::Cursor,
    expression::Expression,
    extract::{By, Extract},
    pipeline::{Command, Plan},
    regular,
};

/// Commands that AWS has and the twin does not imitate.
const NOT_IMITATED: [&str; 14] = [
    "addtotals",
    "anomaly",
    "diff",
    "expand",
    "filterindex",
    "head",
    "join",
    "lookup",
    "pattern",
    "relevantfields",
    "source",
    "tail",
    "unmask",
    "unnest",
];
/// Most `stats` commands in a query ("Using multiple stats commands in a single query").
const MAX_STATS: usize = 2;

/// Reads a query into what is to be done for each row.
pub(super) fn parse(text: &str) -> Result<Plan, QueryError> {
    let length = text.chars().count();
    let mut parser = Parser::new(text);
    if length > MAX_LENGTH {
        let message = format!("{length} characters are more than the {MAX_LENGTH} allowed");
        return Err(parser.cursor.error(0, &message));
    }
    loop {
        parser.command()?;
        if parser.cursor.peek().is_none() {
            break;
        }
        parser.cursor.expect("|")?;
    }
    if parser.columns.is_empty() && parser.stats == 0 {
        for name in ["@timestamp", "@message"] {
            let slot = parser.read(name);
            parser.columns.push((name.into(), slot));
        }
    }
    Ok(Plan {
        names: parser.names,
        wanted: parser.wanted,
        commands: parser.commands,
        columns: parser.columns,
        has_stats: parser.stats > 0,
    })
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    commands: Vec<Command>,
    columns: Vec<(std::sync::Arc<str>, usize)>,
    names: Vec<String>,
    slots: HashMap<String, usize>,
    /// Which names are fields of the log line.
    wanted: Vec<bool>,
    stats: usize,
    /// `display` has said what is shown, so that `fields` only computes.
    displayed: bool,
    /// Set within `stats`, outside of its aggregations.
    aggregates: Option<Vec<Aggregate>>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            commands: Vec::new(),
            columns: Vec::new(),
            names: Vec::new(),
            slots: HashMap::new(),
            wanted: Vec::new(),
            stats: 0,
            displayed: false,
            aggregates: None,
            depth: 0,
        }
    }

    /// The slot of a name that something is put into.
    fn slot(&mut self, name: &str) -> usize {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        self.names.push(name.to_owned());
        self.wanted.push(false);
        self.slots.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// The slot of a name that is read; before `stats` it may be a field of the log line.
    fn read(&mut self, name: &str) -> usize {
        let slot = self.slot(name);
        self.wanted[slot] |= self.stats == 0;
        slot
    }

    fn command(&mut self) -> Result<(), QueryError> {
        let word = self.cursor.word().to_ascii_lowercase();
        let start = self.cursor.at();
        if NOT_IMITATED.contains(&word.as_str()) {
            self.cursor.skip(word.len());
            return Err(self.cursor.error(start, &format!("the command '{word}' is not imitated by the twin")));
        }
        const KNOWN: [&str; 8] = ["fields", "display", "filter", "stats", "sort", "limit", "parse", "dedup"];
        if !KNOWN.contains(&word.as_str()) {
            return Err(self.cursor.unexpected(&format!("expected a command: {}", KNOWN.join(", "))));
        }
        self.cursor.skip(word.len());
        if word != "limit" && self.commands.iter().any(|command| matches!(command, Command::Dedup(_))) {
            return Err(self
                .cursor
                .error(start, &format!("unexpected symbol found {word}, only limit can follow dedup")));
        }
        match word.as_str() {
            "fields" => self.fields(!self.displayed),
            "display" => {
                self.displayed = true;
                self.columns.clear();
                self.fields(true)
            }
            "filter" => {
                let condition = self.expression()?;
                self.commands.push(Command::Filter(condition));
                Ok(())
            }
            "stats" => self.stats(start),
            "sort" => self.sort(),
            "limit" => self.limit(),
            "parse" => self.parse(),
            _ => {
                let keys = self.list(|parser| parser.expression())?;
                self.commands.push(Command::Dedup(keys));
                Ok(())
            }
        }
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, QueryError>) -> Result<Vec<T>, QueryError> {
        let mut items = vec![item(self)?];
        while self.cursor.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// An expression with the name it goes by: an alias, or the text as it is written.
    fn named(&mut self) -> Result<(String, bool, Expression), QueryError> {
        self.cursor.peek();
        let start = self.cursor.at();
        let expression = self.expression()?;
        let written = self.cursor.since(start).to_owned();
        let aliased = self.cursor.eat_word("as");
        let name = if aliased { self.cursor.name()? } else { written };
        Ok((name, aliased, expression))
    }

    fn fields(&mut self, shown: bool) -> Result<(), QueryError> {
        let mut set = Vec::new();
        for (name, aliased, expression) in self.list(Self::named)? {
            let slot = match expression {
                Expression::Field(slot) if !aliased => slot,
                expression => {
                    let slot = self.slot(&name);
                    set.push((slot, expression));
                    slot
                }
            };
            let name = if aliased || set.last().is_some_and(|(set, _)| *set == slot) {
                name
            } else {
                self.names[slot].clone()
            };
            if shown {
                self.columns.retain(|(known, _)| **known != *name);
                self.columns.push((name.into(), slot));
            }
        }
        if !set.is_empty() {
            self.commands.push(Command::Set(set));
        }
        Ok(())
    }

    fn stats(&mut self, start: usize) -> Result<(), QueryError> {
        if self.stats == MAX_STATS {
            return Err(self.cursor.error(start, "more than two stats commands in one query"));
        }
        if self.stats > 0 && self.commands.iter().any(|it| matches!(it, Command::Sort(_) | Command::Limit(_))) {
            return Err(self.cursor.error(start, "sort and limit must come after the second stats command"));
        }
        self.aggregates = Some(Vec::new());
        let computed = self.list(|parser| {
            let before = parser.aggregates.as_ref().map_or(0, Vec::len);
            parser.cursor.peek();
            let start = parser.cursor.at();
            let item = parser.named()?;
            if parser.aggregates.as_ref().is_none_or(|all| all.len() == before) {
                return Err(parser.cursor.error(start, "stats needs an aggregation such as count(*) here"));
            }
            Ok(item)
        })?;
        let aggregates = self.aggregates.take().unwrap_or_default();
        let by = if self.cursor.eat_word("by") { self.list(Self::named)? } else { Vec::new() };
        self.stats += 1;
        self.displayed = false;
        self.columns.clear();
        let place = |parser: &mut Self, items: Vec<(String, bool, Expression)>| {
            let placed = items.into_iter().map(|(name, _, expression)| {
                let slot = parser.slot(&name);
                parser.columns.push((name.into(), slot));
                (slot, expression)
            });
            placed.collect::<Vec<_>>()
        };
        let by = place(self, by);
        let computed = place(self, computed);
        self.commands.push(Command::Stats { aggregates, by, computed });
        Ok(())
    }

    fn sort(&mut self) -> Result<(), QueryError> {
        let keys = self.list(|parser| {
            let name = parser.cursor.name()?;
            // AWS takes no call here, so a query that sorts by bin(1m) would stop at the next account's door.
            if parser.cursor.peek() == Some('(') {
                return Err(parser
                    .cursor
                    .unexpected("sort takes a field: name the value before, as in bin(1m) as minute"));
            }
            let key = Expression::Field(parser.read(&name));
            let descending = parser.cursor.eat_word("desc");
            if !descending {
                parser.cursor.eat_word("asc");
            }
            Ok((key, descending))
        })?;
        self.commands.push(Command::Sort(keys));
        Ok(())
    }

    fn limit(&mut self) -> Result<(), QueryError> {
        self.cursor.peek();
        let start = self.cursor.at();
        let Some(number) = self.cursor.number()? else {
            return Err(self.cursor.unexpected("expected a number of rows"));
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates; whole by the check"
        )]
        let rows = number as usize;
        if number.fract() != 0.0 || !(1..=MAX_LIMIT).contains(&rows) {
            let message =
                format!("limit takes a whole number from 1 to {MAX_LIMIT}; without it {DEFAULT_LIMIT} rows come");
            return Err(self.cursor.error(start, &message));
        }
        self.commands.push(Command::Limit(rows));
        Ok(())
    }

    fn parse(&mut self) -> Result<(), QueryError> {
        let from = match self.cursor.peek() {
            Some('"' | '\'' | '/') => Expression::Field(self.read("@message")),
            _ => self.operand()?,
        };
        let by = match self.cursor.peek() {
            Some('"' | '\'') => self.wildcards()?,
            Some('/') => self.groups()?,
            _ => return Err(self.cursor.unexpected("expected a pattern in quotes or between slashes")),
        };
        self.commands.push(Command::Parse(Extract { from, by }));
        Ok(())
    }

    fn wildcards(&mut self) -> Result<By, QueryError> {
        let start = self.cursor.at();
        let texts: Vec<String> = self.cursor.string()?.split('*').map(str::to_owned).collect();
        let after = self.cursor.clone();
        let names = if self.cursor.eat_word("as") { self.list(|parser| parser.cursor.name())? } else { Vec::new() };
        if names.len() + 1 != texts.len() || names.is_empty() {
            let message = format!("{} names after 'as' for {} asterisks in the pattern", names.len(), texts.len() - 1);
            return Err(after.error(start, &message));
        }
        Ok(By::Wildcards { texts, slots: names.iter().map(|name| self.slot(name)).collect() })
    }

    fn groups(&mut self) -> Result<By, QueryError> {
        let start = self.cursor.at();
        let (_, body) = self.cursor.regular()?;
        let expression = regular::compile(&body).map_err(|message| self.cursor.error(start, &message))?;
        let after = self.cursor.clone();
        let mut groups = Vec::new();
        if self.cursor.eat_word("as") {
            let names = self.list(|parser| parser.cursor.name())?;
            if names.len() + 1 != expression.captures_len() {
                let found = expression.captures_len() - 1;
                return Err(after.error(start, &format!("{} names after 'as' for {found} groups", names.len())));
            }
            groups.extend(names.iter().enumerate().map(|(index, name)| (index + 1, self.slot(name))));
        } else {
            for (group, name) in expression.capture_names().enumerate() {
                groups.extend(name.map(|name| (group, self.slot(name))));
            }
            if groups.is_empty() {
                return Err(after.error(start, "the regular expression has no named group such as (?<name>...)"));
            }
        }
        Ok(By::Groups { expression, groups })
    }
}
