//! `toygres instances update`

use clap::Args;
use cynic::MutationBuilder as _;

use super::find;
use crate::{
    client::Client,
    contract::{BigInt, Instance, LabelInput, UpdateInstanceInput, UserError, UserErrorCode, schema},
    failure::{Failure, Kind, Result},
    input::parse_label,
    output::OutputOptions,
};

/// How often to begin again when somebody else changed the instance in between.
const ATTEMPTS: usize = 5;

#[derive(Args, Debug)]
#[group(id = "change", required = true, multiple = true, args = ["labels", "unlabels", "protect", "unprotect"])]
pub struct Update {
    /// Its name or id.
    name: String,
    /// Set a label; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,
    /// Remove a label; may be repeated.
    #[arg(long = "unlabel", value_name = "KEY")]
    unlabels: Vec<String>,
    /// Refuse its deletion from now on.
    #[arg(long, conflicts_with = "unprotect")]
    protect: bool,
    /// Allow its deletion from now on.
    #[arg(long)]
    unprotect: bool,
    /// Change it only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: UpdateInstanceInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct UpdateInstance {
    #[arguments(input: $input)]
    update_instance: UpdateInstancePayload,
}

#[derive(cynic::QueryFragment)]
struct UpdateInstancePayload {
    instance: Option<Instance>,
    user_errors: Vec<UserError>,
}

impl Update {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        for attempt in 1.. {
            let instance = find(client, &self.name).await?;
            let UpdateInstancePayload { instance, user_errors } =
                client.run(UpdateInstance::build(Variables { input: self.input(&instance) })).await?.update_instance;
            let overtaken = user_errors.iter().any(|mistake| mistake.code == UserErrorCode::RevisionMismatch);
            if overtaken && self.revision.is_none() && attempt < ATTEMPTS {
                continue;
            }
            if !user_errors.is_empty() {
                return Err(Failure::refused(&user_errors));
            }
            let instance = instance.ok_or_else(|| Failure::new(Kind::Failed, "the server did not say what it changed"))?;
            return self.output.output.print(&instance, |instance| super::table([instance]).render());
        }
        unreachable!("the last attempt returns")
    }

    /// The server takes all labels at once, so they are sent at the revision that they were read at.
    fn input(&self, instance: &Instance) -> UpdateInstanceInput {
        let relabelled = !self.labels.is_empty() || !self.unlabels.is_empty();
        let kept =
            instance.labels.iter().filter(|label| !self.unlabels.contains(&label.key) && !self.labels.iter().any(|(key, _)| *key == label.key));
        let labels = kept.map(|label| LabelInput { key: label.key.clone(), value: label.value.clone() });
        let labels = labels.chain(self.labels.iter().cloned().map(|(key, value)| LabelInput { key, value })).collect();
        UpdateInstanceInput {
            id: instance.id.clone(),
            labels: relabelled.then_some(labels),
            deletion_protected: (self.protect || self.unprotect).then_some(self.protect),
            revision: match self.revision {
                Some(revision) => Some(BigInt(revision.to_string())),
                None => relabelled.then(|| instance.revision.clone()),
            },
        }
    }
}
