//! The rules of a web ACL, compiled, and how they judge.

use std::sync::Arc;

use serde_json::Value;
use twin_elbv2::{Guard, Inspected, Verdict};

use super::{
    component::Source,
    outcome::{Action, Kind, Match},
    request::{Context, Seen},
    test::Test,
};
use crate::{clock::Clock, samples::Reel, tally::Tally};

/// A web ACL at work.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) sources: Vec<Source>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Action,
    /// Of the requests that no rule allowed or blocked.
    pub(crate) default_watch: Watch,
    pub(crate) wants_body: bool,
    /// Of all requests.
    pub(crate) all: Tally,
    pub(crate) clock: Clock,
}

/// What is kept of the requests that a rule matched (`VisibilityConfig`).
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) metric: String,
    /// Counted, when CloudWatch metrics are on.
    pub(crate) tally: Option<Tally>,
    /// Sampled, when sampling is on.
    pub(crate) reel: Option<Arc<Reel>>,
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// As it was given: a rate rule whose statement stays the same keeps its counts.
    pub(crate) statement: Value,
    pub(crate) watch: Watch,
    pub(crate) work: Work,
}

/// What a rule does.
#[derive(Debug)]
pub(crate) enum Work {
    Single(Single),
    Group(Group),
}

/// A test, the labels that a match gets, and the action.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) test: Test,
    pub(crate) labels: Vec<String>,
    pub(crate) action: Action,
}

/// A rule group.
#[derive(Debug)]
pub(crate) struct Group {
    /// Of a managed group; its rules have metrics by this name.
    pub(crate) managed: Option<String>,
    pub(crate) scope: Option<Test>,
    /// Whether the group's result is counted only.
    pub(crate) count: bool,
    pub(crate) rules: Vec<Inner>,
}

/// A rule in a group.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) single: Single,
    /// What its action was before the web ACL overrode it.
    pub(crate) overridden: Option<Kind>,
    pub(crate) tally: Tally,
}

impl Guard for Program {
    fn wants_body(&self) -> bool {
        self.wants_body
    }

    fn inspect(&self, request: &Inspected<'_>) -> Verdict {
        let Inspected { client, head, body, oversize } = *request;
        self.judge(&Seen { client, head, body, oversize, now_ms: self.clock.now_ms() })
    }
}

impl Program {
    pub(crate) fn judge(&self, seen: &Seen<'_>) -> Verdict {
        let mut context = Context::new(seen, &self.sources);
        let mut inserted = Vec::new();
        let mut counted = false;
        for rule in &self.rules {
            let action = match &rule.work {
                Work::Single(single) => single.judge(&mut context).inspect(|action| {
                    rule.watch.sampled(&context, Match::plain(action));
                }),
                Work::Group(group) => group.judge(&mut context, &rule.watch),
            };
            let Some(action) = action else { continue };
            rule.watch.counted(action.kind());
            match action {
                Action::Count(headers) => {
                    counted = true;
                    inserted.extend(headers.iter().cloned());
                }
                action => return self.ended(&action, inserted, counted),
            }
        }
        self.default_watch.counted(self.default.kind());
        self.default_watch.sampled(&context, Match::plain(&self.default));
        self.ended(&self.default, inserted, counted)
    }

    fn ended(
        &self,
        action: &Action,
        mut inserted: Vec<(http::HeaderName, http::HeaderValue)>,
        counted: bool,
    ) -> Verdict {
        self.all.add(action.kind());
        if counted {
            self.all.add(Kind::Count);
        }
        match action {
            Action::Allow(headers) | Action::Count(headers) => {
                inserted.extend(headers.iter().cloned());
                Verdict::Allow(inserted)
            }
            Action::Block(None) => Verdict::Block(403),
            Action::Block(Some(response)) => Verdict::Answer(Box::new(response.as_ref().clone())),
        }
    }

    /// The rule with this name.
    pub(crate) fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

impl Watch {
    fn counted(&self, kind: Kind) {
        if let Some(tally) = &self.tally {
            tally.add(kind);
        }
    }

    fn sampled(&self, context: &Context<'_>, matched: Match<'_>) {
        if let Some(reel) = &self.reel {
            reel.note(context, matched);
        }
    }
}

impl Single {
    fn judge<'a>(&'a self, context: &mut Context<'a>) -> Option<Action> {
        self.test.matches(context).then(|| {
            context.labels.extend(self.labels.iter().map(String::as_str));
            self.action.clone()
        })
    }
}

impl Group {
    /// The group's action. Its rules end at the first that allows or blocks, also when the group only counts; a label of a later
    /// rule is then not there, as in AWS.
    fn judge<'a>(&'a self, context: &mut Context<'a>, watch: &Watch) -> Option<Action> {
        if self.scope.as_ref().is_some_and(|scope| !scope.matches(context)) {
            return None;
        }
        let mut result = None;
        for rule in &self.rules {
            let Some(action) = rule.single.judge(context) else { continue };
            // A group that counts blocks nobody, and its rules' metrics say so.
            rule.tally.add(if self.count { Kind::Count } else { action.kind() });
            let name = Some(rule.name.as_str());
            let ends = action.kind() != Kind::Count;
            if ends && self.count {
                let counted = Action::count();
                let overridden = rule.overridden.or(Some(action.kind()));
                watch.sampled(context, Match::within(&counted, name, overridden));
                return Some(counted);
            }
            watch.sampled(context, Match::within(&action, name, rule.overridden));
            if ends {
                return Some(action);
            }
            result = Some(action);
        }
        result
    }
}
