//! Which lab: the names by which the AWS APIs know it.

use contract::names::{env, resource};

/// Names of one lab. What is not given is the lab's default, or discovered from the AWS APIs: service → target group →
/// load balancer → address.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Names {
    /// ECS cluster, by name or ARN
    #[arg(long, env = env::CLUSTER, default_value = resource::CLUSTER)]
    pub cluster: String,
    /// ECS service in that cluster
    #[arg(long, env = env::SERVICE, default_value = resource::SERVICE)]
    pub service: String,
    /// SSM parameter with the failure mode
    #[arg(long, env = env::PARAM_FAILURE_MODE, default_value = resource::FAILURE_MODE_PARAMETER)]
    pub parameter: String,
    /// Secrets Manager secret with the database credentials, by name or ARN
    #[arg(long, env = env::DB_SECRET_ARN, default_value = resource::DB_SECRET)]
    pub secret: String,
    /// Target group ARN [default: the service's; always, where blue and green take turns]
    #[arg(long, env = env::TARGET_GROUP_ARN)]
    pub target_group_arn: Option<String>,
    /// Base URL of the balancer, http only [default: the DNS name and port of the target group's balancer]
    #[arg(long, env = env::ALB_URL)]
    pub alb_url: Option<String>,
}

impl Names {
    /// The names of the contract; target group and balancer are discovered.
    pub fn of_the_contract() -> Self {
        Self {
            cluster: resource::CLUSTER.into(),
            service: resource::SERVICE.into(),
            parameter: resource::FAILURE_MODE_PARAMETER.into(),
            secret: resource::DB_SECRET.into(),
            target_group_arn: None,
            alb_url: None,
        }
    }

    /// The target group that was named. An exported but empty variable counts as not given.
    pub(crate) fn given_target_group(&self) -> Option<&str> {
        self.target_group_arn.as_deref().filter(|arn| !arn.is_empty())
    }

    /// The balancer's URL that was named, without a slash at its end.
    pub(crate) fn given_url(&self) -> Option<&str> {
        self.alb_url.as_deref().map(|url| url.trim_end_matches('/')).filter(|url| !url.is_empty())
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::of_the_contract()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args as _, Command, FromArgMatches as _};

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_contract() {
        let command = Names::augment_args(Command::new("names")).mut_args(|argument| argument.env(None::<&str>));
        let matches = command.get_matches_from(["names"]);
        let names = Names::from_arg_matches(&matches).expect("no argument is required");
        assert_eq!(names, Names::of_the_contract());
    }

    #[test]
    fn an_empty_variable_is_not_given() {
        let names =
            Names { alb_url: Some(String::new()), target_group_arn: Some(String::new()), ..Names::of_the_contract() };
        assert_eq!((names.given_url(), names.given_target_group()), (None, None));
        let named = Names { alb_url: Some("http://lab/".into()), ..names };
        assert_eq!(named.given_url(), Some("http://lab"));
    }
}
