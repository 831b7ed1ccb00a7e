//! The whole lab from outside, as a person drives it: the real aws CLI, boto3, HTTP and SQL. A lab of its own for every test.

#[path = "lab/access_log.rs"]
mod access_log;
#[path = "lab/alarms.rs"]
mod alarms;
#[path = "lab/bad_input.rs"]
mod bad_input;
#[path = "lab/blue_green.rs"]
mod blue_green;
#[path = "lab/code_deploy.rs"]
mod code_deploy;
#[path = "lab/connection_leak.rs"]
mod connection_leak;
#[path = "lab/cpu_burn.rs"]
mod cpu_burn;
#[path = "lab/crash.rs"]
mod crash;
#[path = "lab/database_outage.rs"]
mod database_outage;
#[path = "lab/deployment.rs"]
mod deployment;
#[path = "lab/firewall.rs"]
mod firewall;
#[path = "lab/first_break.rs"]
mod first_break;
#[path = "lab/fixed_credentials.rs"]
mod fixed_credentials;
#[cfg(target_os = "linux")]
#[path = "lab/full_disk.rs"]
mod full_disk;
#[path = "lab/gameday.rs"]
mod gameday;
#[cfg(target_os = "linux")]
#[path = "lab/interrupted.rs"]
mod interrupted;
#[path = "lab/least_privilege.rs"]
mod least_privilege;
#[path = "lab/leaving.rs"]
mod leaving;
#[path = "lab/memory_leak.rs"]
mod memory_leak;
#[path = "lab/missing_data.rs"]
mod missing_data;
#[path = "lab/modes.rs"]
mod modes;
#[path = "lab/operator.rs"]
mod operator;
#[path = "lab/orphans.rs"]
mod orphans;
#[path = "lab/parameter_outage.rs"]
mod parameter_outage;
#[path = "lab/queries.rs"]
mod queries;
#[path = "lab/rotation.rs"]
mod rotation;
#[path = "lab/runbooks.rs"]
mod runbooks;
#[path = "lab/scaling.rs"]
mod scaling;
#[path = "lab/secret_outage.rs"]
mod secret_outage;
#[path = "lab/services.rs"]
mod services;
#[path = "lab/subscriber.rs"]
mod subscriber;
#[path = "lab/traces.rs"]
mod traces;
