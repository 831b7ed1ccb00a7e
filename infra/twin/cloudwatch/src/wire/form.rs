//! The input of the query protocol: `MetricData.member.1.Values.member.2=3` as a tree. Every leaf is text.

use std::collections::BTreeMap;

use twin_platform::{AwsError, query::decode};

use super::{MOST_DEPTH, Value, malformed};

#[derive(Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

/// Reads a form into the action's name and its input.
pub(super) fn read(body: &[u8]) -> Result<(String, Value), AwsError> {
    let mut root = Node::default();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (key, value) = (decode(&pair[..at]), decode(pair.get(at + 1..).unwrap_or_default()));
        if key.split('.').count() > MOST_DEPTH {
            return Err(malformed("A parameter's name has too many parts"));
        }
        let leaf = key.split('.').fold(&mut root, |node, part| node.children.entry(part.to_owned()).or_default());
        leaf.text = Some(value);
    }
    root.children.remove("Version");
    let action = root.children.remove("Action").and_then(|node| node.text).unwrap_or_default();
    Ok((action, tree(root)))
}

fn tree(node: Node) -> Value {
    if node.children.is_empty() {
        return Value::Text(node.text.unwrap_or_default());
    }
    let mut children = node.children;
    if children.len() == 1
        && let Some(list) = children.remove("member")
    {
        let mut members: Vec<(usize, Node)> =
            list.children.into_iter().map(|(index, member)| (index.parse().unwrap_or(usize::MAX), member)).collect();
        members.sort_by_key(|(index, _)| *index);
        return Value::List(members.into_iter().map(|(_, member)| tree(member)).collect());
    }
    Value::Map(children.into_iter().map(|(name, child)| (name, tree(child))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_the_order_of_their_numbers() {
        let body = b"Action=X&Version=1&A.member.10.N=z&A.member.2.N=%C3%A9+a%2&Empty=&B=1";
        let (action, input) = read(body).expect("a form");
        assert_eq!(action, "X");
        let members = Value::list([Value::map([("N", "é a%2".into())]), Value::map([("N", "z".into())])]);
        assert_eq!(input, Value::map([("A", members), ("B", "1".into()), ("Empty", "".into())]));
        assert!(read(&vec![b'.'; 10_000]).is_err());
    }
}
