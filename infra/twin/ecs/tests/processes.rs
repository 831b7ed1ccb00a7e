//! The imitated ECS from outside, with real processes: what the API says must be what the operating system did.

#[path = "processes/api.rs"]
mod api;
#[path = "processes/blue_green.rs"]
mod blue_green;
#[path = "processes/fakes.rs"]
mod fakes;
#[path = "processes/lab.rs"]
mod lab;
#[path = "processes/metadata.rs"]
mod metadata;
#[path = "processes/services.rs"]
mod services;
#[path = "processes/task_sets.rs"]
mod task_sets;
#[path = "processes/tasks.rs"]
mod tasks;
