//! `toygres instances resize`

use clap::{ArgGroup, Args, value_parser};

use super::find_id;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    mutation::{OperationOptions, operation_mutation},
};

/// Change the CPU, the memory and the storage of an instance.
///
/// What is not given stays as it is. Another CPU or memory may restart the server, so that clients lose their connections; storage
/// grows while it runs, and never shrinks. If the resize fails, the instance runs as before.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("size").args(["cpu_millis", "memory_mb", "storage_gb"]).required(true).multiple(true))]
pub struct Resize {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// CPU in millicores.
    #[arg(long = "cpu", visible_alias = "cpu-millis", value_name = "MILLICORES", value_parser = value_parser!(i32).range(1..))]
    cpu_millis: Option<i32>,
    /// Memory in MiB.
    #[arg(long = "memory", visible_alias = "memory-mb", value_name = "MIB", value_parser = value_parser!(i32).range(1..))]
    memory_mb: Option<i32>,
    /// Storage in GiB.
    #[arg(long = "storage", visible_alias = "storage-gb", value_name = "GIB", value_parser = value_parser!(i32).range(1..))]
    storage_gb: Option<i32>,
    /// Resize the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of resizing again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct ResizeInstanceInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    cpu_millis: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    memory_mb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    storage_gb: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(ResizeInstanceInput: "resizeInstance" -> "ResizeInstancePayload");

impl Resize {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = ResizeInstanceInput {
            id: find_id(client, &self.id).await?,
            cpu_millis: self.cpu_millis,
            memory_mb: self.memory_mb,
            storage_gb: self.storage_gb,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}
