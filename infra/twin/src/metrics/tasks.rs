//! `AWS/ECS` ("Amazon ECS CloudWatch metrics") and `ECS/ContainerInsights` ("Amazon ECS Container Insights metrics"): what
//! services want, have and use. One value for each task, so that a service's maximum is its worst task.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;
use twin_ecs::{ServiceUsage, TaskUsage};
use twin_platform::seam::Datum;

use super::{Writer, count, dimensions};

const MIB: f64 = 1_048_576.0;
/// Of a Fargate task that asks for no more.
const EPHEMERAL_STORAGE_GB: f64 = 20.0;

/// Remembers each task's CPU time at the last sample.
#[derive(Default)]
pub(super) struct Tasks {
    before: HashMap<String, (Instant, Duration)>,
}

impl Tasks {
    pub(super) fn sample(&mut self, services: &[ServiceUsage], now: Instant, now_ms: i64) -> Vec<Datum> {
        let (mut data, mut seen) = (Vec::new(), HashMap::new());
        for service in services {
            let of_service = dimensions([("ServiceName", &service.service), ("ClusterName", &service.cluster)]);
            let of_cluster = dimensions([("ClusterName", &service.cluster)]);
            let (mut cpu_percent, mut cpu_units, mut memory_percent, mut memory_mib) = (vec![], 0.0, vec![], 0.0);
            for task in &service.tasks {
                seen.insert(task.id.clone(), (now, task.usage.cpu));
                memory_mib += count(task.usage.resident_bytes) / MIB;
                memory_percent.push((memory_share(task), 1.0));
                if let Some(share) = self.cpu_share(task, now) {
                    cpu_percent.push((share, 1.0));
                    cpu_units += share / 100.0 * f64::from(task.cpu_units);
                }
            }
            let mut writer = Writer { namespace: "AWS/ECS", timestamp_ms: now_ms, data: &mut data };
            for dimensions in [&of_service, &of_cluster] {
                writer.values(dimensions, "CPUUtilization", "Percent", cpu_percent.clone());
                writer.values(dimensions, "MemoryUtilization", "Percent", memory_percent.clone());
            }
            let scratch_bytes: f64 = service.tasks.iter().map(|task| count(task.scratch_bytes)).sum();
            let mut writer = Writer { namespace: "ECS/ContainerInsights", timestamp_ms: now_ms, data: &mut data };
            let reserved = |of: fn(&TaskUsage) -> u32| service.tasks.iter().map(|task| f64::from(of(task))).sum();
            for (name, unit, value) in [
                ("DesiredTaskCount", "Count", f64::from(service.desired)),
                ("RunningTaskCount", "Count", f64::from(service.running)),
                ("PendingTaskCount", "Count", f64::from(service.pending)),
                ("DeploymentCount", "Count", f64::from(service.deployments)),
                ("CpuReserved", "None", reserved(|task| task.cpu_units)),
                ("CpuUtilized", "None", cpu_units),
                ("MemoryReserved", "Megabytes", reserved(|task| task.memory_mib)),
                ("MemoryUtilized", "Megabytes", memory_mib),
                ("EphemeralStorageReserved", "Gigabytes", EPHEMERAL_STORAGE_GB * count(service.tasks.len() as u64)),
                ("EphemeralStorageUtilized", "Gigabytes", scratch_bytes / 1e9),
            ] {
                writer.value(&of_service, name, unit, value);
            }
        }
        self.before = seen;
        data
    }

    /// Percent of the CPU that the task's definition gives it; none at the first sight of a task.
    fn cpu_share(&self, task: &TaskUsage, now: Instant) -> Option<f64> {
        let (at, before) = self.before.get(&task.id)?;
        let given_s = now.duration_since(*at).as_secs_f64() * f64::from(task.cpu_units.max(1)) / 1024.0;
        (given_s > 0.0).then(|| task.usage.cpu.saturating_sub(*before).as_secs_f64() / given_s * 100.0)
    }
}

fn memory_share(task: &TaskUsage) -> f64 {
    count(task.usage.resident_bytes) / (f64::from(task.memory_mib.max(1)) * MIB) * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_platform::Usage;

    #[test]
    fn shares_are_of_what_the_task_was_given() {
        let service = |cpu_ms| ServiceUsage {
            cluster: "c".into(),
            service: "s".into(),
            desired: 2,
            running: 1,
            pending: 1,
            deployments: 1,
            tasks: vec![TaskUsage {
                id: "t".into(),
                cpu_units: 256,
                memory_mib: 512,
                usage: Usage { cpu: Duration::from_millis(cpu_ms), resident_bytes: 128 << 20 },
                scratch_bytes: 0,
            }],
        };
        let (mut tasks, now) = (Tasks::default(), Instant::now());
        let first = tasks.sample(&[service(1000)], now, 1);
        assert!(!first.iter().any(|datum| datum.name == "CPUUtilization"), "one look is no rate");
        // A quarter of a CPU for two seconds is half a second.
        let data = tasks.sample(&[service(1400)], now + Duration::from_secs(2), 2);
        let value = |name: &str| data.iter().find(|datum| datum.name == name).map(|datum| datum.values[0].0);
        assert!(value("CPUUtilization").is_some_and(|percent| (percent - 80.0).abs() < 0.01), "{data:?}");
        assert_eq!(value("MemoryUtilization"), Some(25.0));
        assert_eq!((value("DesiredTaskCount"), value("RunningTaskCount")), (Some(2.0), Some(1.0)));
    }
}
