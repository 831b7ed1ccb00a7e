//! Texts of one batch, each kept once: its spans name the same services, statements and resources again and again.

use std::{collections::HashSet, sync::Arc};

use crate::segment::Text;

#[derive(Default)]
pub(crate) struct Texts(HashSet<Text>);

impl Texts {
    /// The text, shared with whoever said the same before.
    pub(crate) fn share(&mut self, text: &str) -> Text {
        match self.0.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let text = Text::from(text);
                self.0.insert(Arc::clone(&text));
                text
            }
        }
    }

    /// The text unless it is empty.
    pub(crate) fn share_some(&mut self, text: &str) -> Option<Text> {
        (!text.is_empty()).then(|| self.share(text))
    }
}
