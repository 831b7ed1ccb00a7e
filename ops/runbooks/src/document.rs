//! A runbook's Markdown: front matter, title, the six sections in their order, and the blocks in them.

use std::{ops::Range, path::Path};

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::{Flaw, Flaws, Kind, Runbook, Step, front::Front, script};

/// A section's heading and what its blocks are for; without a kind, its blocks are examples and are not run.
const SECTIONS: [(&str, Option<Kind>); 6] = [
    ("Symptom", None),
    ("Confirm", Some(Kind::Confirm)),
    ("Mitigate", Some(Kind::Mitigate)),
    ("Verify", Some(Kind::Verify)),
    ("Cause and long-term fix", None),
    ("Undo", Some(Kind::Undo)),
];

/// Reads a runbook.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Runbook, Flaws> {
    let mut reader = Reader::new(text);
    let options = Options::ENABLE_YAML_STYLE_METADATA_BLOCKS | Options::ENABLE_TABLES;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        reader.take(event, &range);
    }
    reader.finish(path)
}

struct Reader<'text> {
    text: &'text str,
    front: Option<(usize, String)>,
    title: Option<String>,
    /// Sections that have begun.
    begun: usize,
    steps: Vec<Step>,
    flaws: Vec<(usize, String)>,
    /// What encloses the next text.
    inside: Inside,
    /// Text of the heading, paragraph, item or block that is being read.
    buffer: String,
    /// The paragraph or item before a block.
    purpose: String,
}

enum Inside {
    Text,
    Front,
    Heading(HeadingLevel),
    /// A fenced block, with what stands behind the fence.
    Fence(String),
}

impl<'text> Reader<'text> {
    fn new(text: &'text str) -> Self {
        Self {
            text,
            front: None,
            title: None,
            begun: 0,
            steps: Vec::new(),
            flaws: Vec::new(),
            inside: Inside::Text,
            buffer: String::new(),
            purpose: String::new(),
        }
    }

    /// The line of a byte, from 1.
    fn line(&self, byte: usize) -> usize {
        1 + self.text.as_bytes()[..byte].iter().filter(|byte| **byte == b'\n').count()
    }

    fn flaw(&mut self, line: usize, message: impl Into<String>) {
        self.flaws.push((line, message.into()));
    }

    fn take(&mut self, event: Event<'_>, range: &Range<usize>) {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => self.begin(Inside::Front),
            Event::Start(Tag::Heading { level, .. }) => self.begin(Inside::Heading(level)),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                self.purpose = std::mem::take(&mut self.buffer);
                self.begin(Inside::Fence(info.into_string()));
            }
            Event::Start(Tag::Paragraph | Tag::Item) => self.buffer.clear(),
            Event::Text(text) | Event::Code(text) => self.buffer.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.buffer.push(' '),
            Event::End(TagEnd::MetadataBlock(_)) => self.end_front(range),
            Event::End(TagEnd::Heading(_)) => self.end_heading(range),
            Event::End(TagEnd::CodeBlock) => self.end_block(range),
            _ => {}
        }
    }

    fn begin(&mut self, inside: Inside) {
        self.buffer.clear();
        self.inside = inside;
    }

    fn end(&mut self) -> (Inside, String) {
        (std::mem::replace(&mut self.inside, Inside::Text), std::mem::take(&mut self.buffer))
    }

    fn end_front(&mut self, range: &Range<usize>) {
        let (_, yaml) = self.end();
        // Later ones are a rule of dashes that was not meant so.
        if self.front.is_none() && range.start == 0 {
            self.front = Some((self.line(range.start) + 1, yaml));
        }
    }

    fn end_heading(&mut self, range: &Range<usize>) {
        let (Inside::Heading(level), heading) = self.end() else { return };
        let line = self.line(range.start);
        match level {
            HeadingLevel::H1 if self.title.is_some() || self.begun > 0 => {
                self.flaw(line, "a runbook has one title, before its sections");
            }
            HeadingLevel::H1 => self.title = Some(heading),
            HeadingLevel::H2 => match SECTIONS.get(self.begun) {
                Some((wanted, _)) if *wanted == heading => self.begun += 1,
                Some((wanted, _)) => {
                    self.flaw(line, format!("here comes the section `{wanted}`, not `{heading}`"));
                    // What follows is judged by the heading that stands there, where it is one.
                    if let Some(at) = SECTIONS.iter().position(|(name, _)| *name == heading) {
                        self.begun = at + 1;
                    }
                }
                None => self.flaw(line, format!("`{heading}` stands behind the last section")),
            },
            _ => {}
        }
    }

    fn end_block(&mut self, range: &Range<usize>) {
        let (inside, script) = self.end();
        let Inside::Fence(info) = inside else { return };
        let purpose = std::mem::take(&mut self.purpose);
        let line = self.line(range.start) + 1;
        let words: Vec<&str> = info.split_whitespace().collect();
        let section = self.begun.checked_sub(1).and_then(|at| SECTIONS.get(at));
        let kind_here = section.and_then(|(_, kind)| *kind);
        let is_shell = words.first().is_some_and(|word| ["sh", "bash", "shell", "console"].contains(word));
        let kind = match words.as_slice() {
            ["sh", word] if Kind::from_word(word).is_some() => Kind::from_word(word),
            ["sh"] if kind_here.is_none() => return,
            _ if !is_shell && words.iter().all(|word| Kind::from_word(word).is_none()) => return,
            _ => None,
        };
        match (kind, kind_here) {
            (Some(kind), Some(here)) if kind == here => self.step(kind, line, purpose, script),
            (_, Some(here)) => self.flaw(line - 1, format!("a block of this section begins with ```sh {here}")),
            (_, None) => {
                self.flaw(line - 1, "a block outside of Confirm, Mitigate, Verify and Undo is an example: ```sh")
            }
        }
    }

    fn step(&mut self, kind: Kind, line: usize, purpose: String, script: String) {
        // The first sentence says what is done; what follows says where else to look.
        let purpose = purpose.trim().split(". ").next().unwrap_or_default().trim_end_matches([':', '.']).to_owned();
        if purpose.is_empty() {
            self.flaw(line - 1, "a sentence before the block says what it is for");
        }
        match script::expectation(kind, &script) {
            Ok(expectation) => self.steps.push(Step { kind, line, purpose, script, expectation }),
            Err(flaws) => self.flaws.extend(flaws.into_iter().map(|(index, message)| (line + index, message))),
        }
    }

    fn finish(mut self, path: &Path) -> Result<Runbook, Flaws> {
        let last = self.text.lines().count().max(1);
        if let Some((missing, _)) = SECTIONS.get(self.begun) {
            self.flaw(last, format!("the section `{missing}` is missing"));
        }
        for kind in [Kind::Confirm, Kind::Mitigate, Kind::Verify] {
            if self.flaws.is_empty() && !self.steps.iter().any(|step| step.kind == kind) {
                self.flaw(last, format!("no block ```sh {kind} is there"));
            }
        }
        if self.title.is_none() {
            self.flaw(1, "a title is missing: `# …` behind the front matter");
        }
        let front = match self.front.take() {
            None => {
                self.flaw(1, "the file begins with front matter between two lines of `---`");
                None
            }
            Some((first, yaml)) => match Front::parse(&yaml) {
                Ok(front) => Some(front),
                Err((line, message)) => {
                    self.flaw(first + line - 1, message);
                    None
                }
            },
        };
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if let Some(front) = front.as_ref().filter(|front| front.id != stem) {
            self.flaw(2, format!("the id `{}` is not the file's name `{stem}`", front.id));
        }
        match (front, self.title) {
            (Some(front), Some(title)) if self.flaws.is_empty() => Ok(Runbook {
                id: front.id,
                title,
                modes: front.modes,
                alarms: front.alarms,
                severity: front.severity,
                budget: front.budget,
                path: path.to_owned(),
                text: self.text.to_owned(),
                steps: self.steps,
            }),
            _ => {
                self.flaws.sort();
                let flaw = |(line, message)| Flaw { path: path.to_owned(), line, message };
                Err(Flaws(self.flaws.into_iter().map(flaw).collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests;
