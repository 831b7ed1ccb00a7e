//! Paths without detours.

/// Takes out empty segments, `.`, and each `..` with the segment before it; one that leads above the start stays.
pub(super) fn normalized(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => drop(kept.pop()),
            b".." if rooted && kept.is_empty() => {}
            other => kept.push(other),
        }
    }
    let mut out = Vec::with_capacity(path.len());
    if rooted {
        out.push(b'/');
    }
    out.extend_from_slice(&kept.join(&b'/'));
    if path.last() == Some(&b'/') && !kept.is_empty() {
        out.push(b'/');
    }
    out
}
