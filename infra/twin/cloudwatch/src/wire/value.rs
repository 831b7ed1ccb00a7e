//! What inputs and outputs are made of, whatever the protocol.

/// One value. Structures keep the order they were written in, as XML shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Absent; left out of an answer.
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    /// Also every leaf of the query protocol, which has no types.
    Text(String),
    /// Milliseconds since the epoch.
    Moment(i64),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// Free keys, where a structure has members: `<entry>` elements in XML.
    Dictionary(Vec<(String, Value)>),
}

impl Value {
    /// A structure; absent members are left out.
    pub(crate) fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        let present = members.into_iter().filter(|(_, value)| *value != Self::Null);
        Self::Map(present.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// A list.
    pub(crate) fn list<T: Into<Self>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// The member of a structure.
    pub(crate) fn get(&self, name: &str) -> &Self {
        let Self::Map(members) = self else { return &Self::Null };
        members.iter().find(|(known, _)| known == name).map_or(&Self::Null, |(_, value)| value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
