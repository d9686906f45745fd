//! `toygres instances create`

use std::path::PathBuf;

use clap::Args;
use cynic::MutationBuilder as _;
use serde::Serialize;

use super::find;
use crate::{
    client::Client,
    contract::{CreateInstanceInput, ExposureInput, ExposureType, HealthCheckInput, Instance, LabelInput, Operation, UserError, schema},
    failure::{Failure, Kind, Result},
    follow::{Progress, WaitOptions, describe, follow, verdict},
    input::{parse_label, secret},
    output::OutputOptions,
};

#[derive(Args, Debug)]
pub struct Create {
    /// A DNS label, unique among instances that are not deleted.
    name: String,
    /// The major version of PostgreSQL [default: the newest offered].
    #[arg(long, value_name = "VERSION")]
    postgres_version: Option<String>,
    /// Size of the volume in GiB [default: 10].
    #[arg(long)]
    storage_gb: Option<i32>,
    /// Processor share in thousandths of a core [default: 500].
    #[arg(long)]
    cpu_millis: Option<i32>,
    /// Memory in MiB [default: 512].
    #[arg(long)]
    memory_mb: Option<i32>,
    /// The role that clients log in as [default: app].
    #[arg(long)]
    username: Option<String>,
    /// File that holds the role's password; `-` reads it from the input [default: one is generated].
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The database to make [default: like the username].
    #[arg(long)]
    database: Option<String>,
    /// A label; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,
    /// Refuse its deletion until that is lifted.
    #[arg(long)]
    protect: bool,
    /// Let clients outside of the cluster reach it, through a load balancer.
    #[arg(long)]
    load_balancer: bool,
    /// Address range that the load balancer lets in; may be repeated [default: all].
    #[arg(long = "source-range", value_name = "CIDR", requires = "load_balancer")]
    source_ranges: Vec<String>,
    /// The DNS label that the cloud is to give the address.
    #[arg(long, value_name = "LABEL", requires = "load_balancer")]
    dns_label: Option<String>,
    /// Seconds from one health check to the next [default: 30].
    #[arg(long, value_name = "SECONDS")]
    health_interval: Option<i32>,
    /// Seconds that one health check may take [default: 5].
    #[arg(long, value_name = "SECONDS")]
    health_timeout: Option<i32>,
    /// Repeating the command with the same key returns the first answer instead of creating another.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    wait: WaitOptions,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: CreateInstanceInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct CreateInstance {
    #[arguments(input: $input)]
    create_instance: CreateInstancePayload,
}

#[derive(cynic::QueryFragment)]
struct CreateInstancePayload {
    instance: Option<Instance>,
    operation: Option<Operation>,
    user_errors: Vec<UserError>,
}

/// What the commands that change an instance write.
#[derive(Serialize)]
pub(super) struct Accepted {
    pub(super) instance: Instance,
    pub(super) operation: Operation,
}

impl Create {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let (wait, output) = (self.wait, self.output);
        let variables = Variables { input: self.input()? };
        let CreateInstance { create_instance: CreateInstancePayload { instance, operation, user_errors } } =
            client.run(CreateInstance::build(variables)).await?;
        Accepted::new(instance, operation, &user_errors)?.finish(client, wait, output).await
    }

    fn input(self) -> Result<CreateInstanceInput> {
        let labels: Vec<_> = self.labels.into_iter().map(|(key, value)| LabelInput { key, value }).collect();
        let exposure = self.load_balancer.then(|| ExposureInput {
            kind: ExposureType::LoadBalancer,
            source_ranges: (!self.source_ranges.is_empty()).then_some(self.source_ranges),
            dns_label: self.dns_label,
        });
        let checked = self.health_interval.is_some() || self.health_timeout.is_some();
        Ok(CreateInstanceInput {
            name: self.name,
            username: self.username,
            password: self.password_file.map(|path| secret(&path)).transpose()?,
            database: self.database,
            storage_gb: self.storage_gb,
            postgres_version: self.postgres_version,
            cpu_millis: self.cpu_millis,
            memory_mb: self.memory_mb,
            labels: (!labels.is_empty()).then_some(labels),
            deletion_protected: self.protect.then_some(true),
            idempotency_key: self.idempotency_key,
            exposure,
            health_check: checked.then_some(HealthCheckInput { interval_seconds: self.health_interval, timeout_seconds: self.health_timeout }),
        })
    }
}

impl Accepted {
    /// The parts of a payload.
    pub(super) fn new(instance: Option<Instance>, operation: Option<Operation>, mistakes: &[UserError]) -> Result<Self> {
        match (instance, operation) {
            _ if !mistakes.is_empty() => Err(Failure::refused(mistakes)),
            (Some(instance), Some(operation)) => Ok(Self { instance, operation }),
            _ => Err(Failure::new(Kind::Failed, "the server accepted the request without saying what it does about it")),
        }
    }

    /// Waits if that is wanted, and writes the result.
    pub(super) async fn finish(mut self, client: &Client, wait: WaitOptions, output: OutputOptions) -> Result<()> {
        if wait.wait {
            self.operation = follow(client, &self.operation.id, wait.timeout, &mut Progress::on_stderr()).await?;
            self.instance = find(client, self.instance.id.inner()).await?;
        }
        output.output.print(&self, |accepted| {
            let Self { instance, operation } = accepted;
            match operation.finished_at {
                Some(_) => super::table([instance]).render(),
                None => format!("{}(follow it with `toygres operations watch {}`)\n", describe(operation), operation.id.inner()),
            }
        })?;
        verdict(&self.operation)
    }
}
