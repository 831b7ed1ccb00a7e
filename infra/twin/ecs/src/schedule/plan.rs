//! What to start and what to stop, as a pure function of what a service looks like.
//!
//! Rules: "Rolling update" and "minimumHealthyPercent / maximumPercent" in the ECS developer guide. At least `minimum` tasks stay
//! healthy (rounded up), at most `maximum` tasks are live (rounded down). An unhealthy task is replaced before it is stopped when
//! the maximum allows; otherwise unhealthy tasks are stopped one at a time. Does not know clocks, breakers or processes.

/// What the scheduler thinks of a live task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    /// Failed its container's or its target group's check after the grace period.
    Bad,
    /// Not running yet, or not found healthy yet.
    Waiting,
    /// Serves.
    Good,
}

/// A live task: not asked to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TaskView {
    pub(super) id: String,
    /// Of the PRIMARY deployment.
    pub(super) primary: bool,
    pub(super) health: Health,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceView {
    pub(super) desired: usize,
    pub(super) minimum_percent: usize,
    pub(super) maximum_percent: usize,
    /// False while a back-off or a failed deployment forbids starts.
    pub(super) may_start: bool,
    /// The PRIMARY deployment has FAILED and nothing was rolled back: the older deployment's tasks stay.
    pub(super) failed: bool,
    /// Oldest first.
    pub(super) tasks: Vec<TaskView>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Failed a health check.
    Unhealthy,
    /// Of an older deployment.
    Superseded,
    /// More than desired.
    Surplus,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Start so many tasks of the PRIMARY deployment.
    Start(usize),
    Stop(String, Cause),
}

/// Fewest tasks that stay healthy.
fn lower_limit(view: &ServiceView) -> usize {
    (view.desired * view.minimum_percent).div_ceil(100)
}

/// Most tasks that are live at a time.
fn upper_limit(view: &ServiceView) -> usize {
    view.desired * view.maximum_percent / 100
}

pub(super) fn plan(view: &ServiceView) -> Vec<Action> {
    let of = |primary: bool, health: Health| {
        view.tasks.iter().filter(move |task| task.primary == primary && task.health == health).collect::<Vec<_>>()
    };
    let [bad, waiting, good] = [Health::Bad, Health::Waiting, Health::Good].map(|health| of(true, health));
    let mut actions = Vec::new();
    let stop = |task: &TaskView, cause| Action::Stop(task.id.clone(), cause);

    let hopeful = waiting.len() + good.len();
    let missing = view.desired.saturating_sub(hopeful);
    let room = upper_limit(view).saturating_sub(view.tasks.len());
    let start = if view.may_start { missing.min(room) } else { 0 };
    if start > 0 {
        actions.push(Action::Start(start));
    }

    // Too many of the right kind: unproven ones go first, then the oldest.
    let surplus = hopeful.saturating_sub(view.desired);
    actions.extend(waiting.iter().rev().chain(good.iter()).take(surplus).map(|task| stop(task, Cause::Surplus)));

    // An unhealthy task goes when its replacement is good, or turns out no better; it waits while one is on its way.
    let excess = (hopeful + bad.len()).saturating_sub(view.desired.max(hopeful));
    let mut leave = excess.saturating_sub(waiting.len()).min(bad.len());
    if leave == 0 && missing > 0 && room == 0 && waiting.is_empty() && !bad.is_empty() {
        leave = 1;
    }
    if view.failed {
        leave = bad.len();
    }
    actions.extend(bad.iter().take(leave).map(|task| stop(task, Cause::Unhealthy)));

    if !view.failed {
        let [old_bad, old_waiting, old_good] =
            [Health::Bad, Health::Waiting, Health::Good].map(|health| of(false, health));
        let spare = (good.len().min(view.desired) + old_good.len()).saturating_sub(lower_limit(view));
        let expendable = old_bad.iter().chain(old_waiting.iter());
        actions.extend(expendable.chain(old_good.iter().take(spare)).map(|task| stop(task, Cause::Superseded)));
    }
    actions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `new`/`old` are letters, one for each task: g(ood), w(aiting), b(ad).
    fn view(desired: usize, (minimum, maximum): (usize, usize), new: &str, old: &str) -> ServiceView {
        let tasks = |text: &str, primary: bool| {
            let kind = if primary { "new" } else { "old" };
            let view = |(index, letter)| TaskView {
                id: format!("{kind}{index}"),
                primary,
                health: match letter {
                    'g' => Health::Good,
                    'w' => Health::Waiting,
                    _ => Health::Bad,
                },
            };
            text.chars().enumerate().map(view).collect::<Vec<_>>()
        };
        ServiceView {
            desired,
            minimum_percent: minimum,
            maximum_percent: maximum,
            may_start: true,
            failed: false,
            tasks: [tasks(old, false), tasks(new, true)].concat(),
        }
    }

    fn told(view: &ServiceView) -> Vec<String> {
        let tell = |action| match action {
            Action::Start(count) => format!("start {count}"),
            Action::Stop(id, cause) => format!("stop {id} {cause:?}"),
        };
        plan(view).into_iter().map(tell).collect()
    }

    const FULL: (usize, usize) = (100, 200);

    #[test]
    fn a_new_service_starts_what_is_desired_and_then_rests() {
        assert_eq!(told(&view(2, FULL, "", "")), ["start 2"]);
        assert!(told(&view(2, FULL, "ww", "")).is_empty());
        assert!(told(&view(2, FULL, "gg", "")).is_empty());
    }

    #[test]
    fn a_deployment_starts_new_tasks_beside_the_old_and_stops_old_ones_as_new_ones_turn_good() {
        assert_eq!(told(&view(2, FULL, "", "gg")), ["start 2"]);
        assert!(told(&view(2, FULL, "ww", "gg")).is_empty());
        assert_eq!(told(&view(2, FULL, "gw", "gg")), ["stop old0 Superseded"]);
        assert_eq!(told(&view(2, FULL, "gg", "gg")), ["stop old0 Superseded", "stop old1 Superseded"]);
    }

    #[test]
    fn without_room_above_old_tasks_go_first_but_never_below_the_minimum() {
        assert_eq!(told(&view(4, (50, 100), "", "gggg")), ["stop old0 Superseded", "stop old1 Superseded"]);
        assert_eq!(told(&view(4, (50, 100), "", "gg")), ["start 2"]);
        // Three of four at 67 % is rounded up to three; 150 % of three is rounded down to four.
        assert_eq!(told(&view(3, (67, 150), "", "ggg")), ["start 1"]);
        // Neither up nor down is allowed: nothing moves.
        assert!(told(&view(2, (100, 100), "", "gg")).is_empty());
    }

    #[test]
    fn an_unhealthy_task_is_replaced_before_it_is_stopped() {
        assert_eq!(told(&view(2, FULL, "gb", "")), ["start 1"]);
        assert!(told(&view(2, FULL, "gbw", "")).is_empty());
        assert_eq!(told(&view(2, FULL, "gbg", "")), ["stop new1 Unhealthy"]);
    }

    #[test]
    fn when_replacements_are_unhealthy_too_the_count_comes_back_to_desired() {
        assert_eq!(told(&view(2, FULL, "bb", "")), ["start 2"]);
        assert!(told(&view(2, FULL, "bbww", "")).is_empty());
        assert_eq!(told(&view(2, FULL, "bbbb", "")), ["stop new0 Unhealthy", "stop new1 Unhealthy"]);
    }

    #[test]
    fn without_room_above_unhealthy_tasks_are_stopped_one_at_a_time() {
        assert_eq!(told(&view(2, (100, 100), "bb", "")), ["stop new0 Unhealthy"]);
        assert_eq!(told(&view(2, (100, 100), "b", "")), ["start 1"]);
        assert!(told(&view(2, (100, 100), "bw", "")).is_empty());
    }

    #[test]
    fn scaling_in_stops_unproven_tasks_first_then_the_oldest() {
        assert_eq!(told(&view(1, FULL, "gw", "")), ["stop new1 Surplus"]);
        assert_eq!(told(&view(1, FULL, "ggg", "")), ["stop new0 Surplus", "stop new1 Surplus"]);
        assert_eq!(told(&view(0, FULL, "gg", "g")).len(), 3);
    }

    #[test]
    fn scaling_in_takes_unhealthy_tasks_too() {
        assert_eq!(told(&view(1, FULL, "gb", "")), ["stop new1 Unhealthy"]);
        assert_eq!(told(&view(0, FULL, "b", "")), ["stop new0 Unhealthy"]);
    }

    #[test]
    fn a_back_off_holds_starts_only() {
        let held = ServiceView { may_start: false, ..view(2, FULL, "g", "gg") };
        assert_eq!(told(&held), ["stop old0 Superseded"]);
    }

    #[test]
    fn a_failed_deployment_leaves_the_old_tasks_alone() {
        let failed = ServiceView { may_start: false, failed: true, ..view(2, FULL, "b", "gg") };
        assert_eq!(told(&failed), ["stop new0 Unhealthy"]);
    }

    #[test]
    fn healthy_never_falls_below_the_minimum_and_live_never_rises_above_the_maximum() {
        let letters = ['g', 'w', 'b'];
        let words = |length: usize| {
            (0..3usize.pow(u32::try_from(length).expect("small"))).map(move |code| {
                (0..length)
                    .map(|place| letters[code / 3usize.pow(u32::try_from(place).expect("small")) % 3])
                    .collect::<String>()
            })
        };
        for (desired, percents) in [(1, FULL), (2, FULL), (3, (50, 150)), (3, (100, 100)), (2, (0, 100))] {
            for new in (0..4).flat_map(words) {
                for old in (0..4).flat_map(words) {
                    let view = view(desired, percents, &new, &old);
                    let actions = plan(&view);
                    let stopped =
                        |task: &&TaskView| actions.iter().any(|it| matches!(it, Action::Stop(id, _) if *id == task.id));
                    let good = |tasks: &mut dyn Iterator<Item = &TaskView>| {
                        tasks.filter(|it| it.health == Health::Good).count()
                    };
                    let before = good(&mut view.tasks.iter());
                    let after = good(&mut view.tasks.iter().filter(|task| !stopped(task)));
                    assert!(
                        after >= before.min(lower_limit(&view)),
                        "{new}/{old} of {desired} at {percents:?}: {actions:?}"
                    );
                    let started: usize =
                        actions.iter().map(|it| if let Action::Start(count) = it { *count } else { 0 }).sum();
                    let live = view.tasks.len() + started;
                    assert!(started == 0 || live <= upper_limit(&view), "{new}/{old} of {desired}: {actions:?}");
                }
            }
        }
    }
}
