//! A queue over time.

use super::*;

fn queue(fifo: bool) -> Queue {
    Queue::new("q", "arn".into(), Settings::new(fifo), 0)
}

fn draft(body: &str) -> Draft {
    Draft { body: body.into(), ..Draft::default() }
}

fn grouped(group: &str, body: &str) -> Draft {
    Draft { group: Some(group.into()), deduplication: Some(body.into()), ..draft(body) }
}

/// Receives as many as there are, as body and handle.
fn take(queue: &mut Queue, max: usize, visibility_ms: i64, now_ms: i64) -> Vec<(String, String)> {
    let received = queue.receive(max, visibility_ms, None, now_ms).expect("room");
    let found = received.numbers.iter().map(|number| (*number, queue.message(*number).expect("a message")));
    found.map(|(number, message)| (message.draft.body.clone(), queue.handle(number, message))).collect()
}

fn bodies(taken: &[(String, String)]) -> Vec<&str> {
    taken.iter().map(|(body, _)| body.as_str()).collect()
}

#[test]
fn a_message_is_hidden_until_its_time_out_and_then_comes_again() {
    let mut queue = queue(false);
    queue.send(draft("a"), "1", 0).expect("room");
    let first = take(&mut queue, 10, 30_000, 1000);
    assert_eq!(bodies(&first), ["a"]);
    assert!(take(&mut queue, 10, 30_000, 30_999).is_empty());
    assert_eq!((queue.depths(), queue.next_due_ms()), ([0, 1, 0], Some(31_000)));
    let second = take(&mut queue, 10, 30_000, 31_000);
    assert_eq!(bodies(&second), ["a"]);
    queue.delete(&first[0].1, 31_001).expect("an old handle is no error");
    assert_eq!(queue.depths(), [0, 1, 0], "and deletes nothing");
    queue.delete(&second[0].1, 31_001).expect("deleted");
    queue.delete(&second[0].1, 31_001).expect("deleting twice is no error");
    assert_eq!((queue.depths(), queue.bytes, queue.ages.len()), ([0, 0, 0], 0, 0));
    let error = queue.delete("bogus", 0).expect_err("no handle");
    assert_eq!(error.code, "ReceiptHandleIsInvalid");
}

#[test]
fn visibility_can_be_changed_while_in_flight() {
    let mut queue = queue(false);
    queue.send(draft("a"), "1", 0).expect("room");
    let taken = take(&mut queue, 1, 30_000, 0);
    let handle = taken[0].1.as_str();
    queue.change_visibility(handle, 60, 10_000).expect("longer");
    assert!(take(&mut queue, 1, 0, 69_999).is_empty());
    let error = queue.change_visibility(handle, 43_195, 10_000).expect_err("more than twelve hours");
    assert_eq!(error.code, "InvalidParameterValueException");
    queue.change_visibility(handle, 0, 20_000).expect("shown");
    let error = queue.change_visibility(handle, 5, 20_000).expect_err("not in flight");
    assert_eq!(error.code, "MessageNotInflight");
    assert_eq!(bodies(&take(&mut queue, 1, 30_000, 20_000)), ["a"]);
    assert!(queue.change_visibility(handle, 5, 20_000).is_err(), "a stale handle");
}

#[test]
fn delay_and_retention_are_kept() {
    let mut queue = queue(false);
    queue.send(Draft { delay_s: Some(5), ..draft("late") }, "1", 0).expect("room");
    assert_eq!(queue.depths(), [0, 0, 1]);
    assert!(take(&mut queue, 1, 0, 4999).is_empty());
    assert_eq!(bodies(&take(&mut queue, 1, 1000, 5000)), ["late"]);
    queue.settings.retention_s = 60;
    queue.catch_up(59_999);
    assert_eq!(queue.depths(), [1, 0, 0]);
    queue.catch_up(60_000);
    assert_eq!((queue.depths(), queue.messages.len()), ([0, 0, 0], 0));
}

#[test]
fn what_was_received_too_often_is_given_up() {
    let (mut source, mut target) = (queue(false), queue(false));
    source.send(draft("poison"), "1", 1).expect("room");
    for round in 0..2 {
        assert_eq!(source.receive(1, 0, Some(2), round).expect("room").numbers.len(), 1);
    }
    let received = source.receive(1, 0, Some(2), 2).expect("room");
    assert!(received.numbers.is_empty());
    for message in received.dead {
        target.bury(message, "arn:source", 50);
    }
    assert_eq!((source.depths(), target.depths()), ([0, 0, 0], [1, 0, 0]));
    assert_eq!(take(&mut target, 1, 1000, 51).len(), 1);
    let message = target.message(1).expect("the dead letter");
    assert_eq!((message.dead_letter_source.as_deref(), message.sent_ms), (Some("arn:source"), 1));
}

#[test]
fn a_fifo_group_waits_for_its_head() {
    let mut queue = queue(true);
    for (group, body) in [("g", "1"), ("g", "2"), ("h", "3"), ("g", "4")] {
        queue.send(grouped(group, body), "1", 0).expect("room");
    }
    let first = take(&mut queue, 2, 30_000, 0);
    assert_eq!(bodies(&first), ["1", "2"]);
    assert_eq!(bodies(&take(&mut queue, 10, 30_000, 1)), ["3"], "another group goes on");
    queue.delete(&first[0].1, 2).expect("deleted");
    assert!(take(&mut queue, 10, 30_000, 2).is_empty(), "2 is still out");
    queue.change_visibility(&first[1].1, 0, 3).expect("given back");
    assert_eq!(bodies(&take(&mut queue, 10, 30_000, 3)), ["2", "4"]);
    let error = queue.delete(&first[1].1, 3).expect_err("received again since");
    assert!(error.message.contains("The receipt handle has expired"), "{error}");
}

#[test]
fn a_fifo_queue_takes_a_message_once_in_five_minutes() {
    let mut queue = queue(true);
    let first = queue.send(grouped("g", "same"), "1", 0).expect("room");
    let again = queue.send(grouped("h", "same"), "1", 299_999).expect("room");
    assert_eq!((first.id.as_str(), first.sequence.clone()), (again.id.as_str(), again.sequence));
    let later = queue.send(grouped("g", "same"), "1", 300_000).expect("room");
    assert!(later.id != first.id && later.sequence > first.sequence);
    assert_eq!(queue.depths(), [2, 0, 0]);
}

#[test]
fn a_full_queue_says_so() {
    let mut queue = queue(false);
    let body = "x".repeat(1 << 20);
    let refused = (0..80).map(|_| queue.send(draft(&body), "1", 0)).find_map(Result::err).expect("a limit");
    assert_eq!(refused.code, "OverLimit");
    assert!(queue.bytes <= CAPACITY_BYTES);
    queue.purge(0);
    assert_eq!(queue.bytes, 0);
}

#[test]
fn handles_of_another_queue_are_not_valid() {
    let (mut one, mut other) = (queue(false), queue(false));
    one.send(draft("a"), "1", 0).expect("room");
    other.send(draft("a"), "1", 0).expect("room");
    let taken = take(&mut one, 1, 1000, 0);
    assert_eq!(other.delete(&taken[0].1, 0).expect_err("foreign").code, "ReceiptHandleIsInvalid");
}
