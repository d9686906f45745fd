//! The life of an instance through a typed client: create, follow, read health, and delete.
//!
//!     cargo run --package toygres-cli --example lifecycle -- http://127.0.0.1:8080 orders
//!
//! All the while it prints the events of the instance, each exactly once, also when the server is restarted meanwhile.
//!
//! In a project of your own: `cargo add cynic futures serde_json tokio --features tokio/full`, `cargo add reqwest --features json`,
//! `cargo add tokio-tungstenite`, `cargo add --build cynic-codegen`, and a `build.rs` with the line
//! `cynic_codegen::register_schema("toygres").from_sdl_file("schema.graphql").unwrap().as_default().unwrap();`

mod queries;
mod subscription;

use std::{error::Error, io::BufRead as _};

use cynic::{GraphQlResponse, MutationBuilder as _, Operation, QueryBuilder as _, SubscriptionBuilder as _};
use queries::{
    Create, CreateInstanceInput, CreateInstancePayload, CreateVariables, Delete, DeleteInstanceInput, DeleteInstancePayload, DeleteVariables,
    EventVariables, FollowEvents, FollowInstance, FollowOperation, Health, HealthStatus, IdVariables, InstanceEventType, OperationStatus, ReadHealth,
    UserError, name,
};
use serde::{Serialize, de::DeserializeOwned};
use subscription::Server;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(instance_name)) = (arguments.next(), arguments.next()) else { return Err("usage: lifecycle URL NAME".into()) };
    let server = Server { url, token: std::env::var("TOYGRES_TOKEN").ok() };

    let input = CreateInstanceInput { name: instance_name, labels: None, idempotency_key: None };
    let CreateInstancePayload { instance, operation, user_errors } = send(&server, Create::build(CreateVariables { input })).await?.create_instance;
    refuse(&user_errors)?;
    let (instance, operation) = (instance.ok_or("there is no instance")?.id, operation.ok_or("there is no operation")?.id);
    tokio::try_join!(print_events(&server, &instance), live(&server, &instance, operation))?;
    Ok(())
}

async fn live(server: &Server, instance: &cynic::Id, creation: cynic::Id) -> Result<()> {
    follow_operation(server, creation).await?;
    let request = || FollowInstance::build(IdVariables { id: instance.clone() });
    server.subscribe(request, |FollowInstance { instance }| instance.health == HealthStatus::Healthy).await?;
    let read = send(server, ReadHealth::build(IdVariables { id: instance.clone() })).await?;
    let Health { health, latest_health_check, health_summary } = read.instance.ok_or("the instance is gone")?;
    let latest = latest_health_check.map(|check| format!(", the latest {}", name(&check.status))).unwrap_or_default();
    println!("health {}: {} checks{latest}", name(&health), health_summary.checks);

    println!("Press Enter to delete it.");
    tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next()).await?;
    let input = DeleteInstanceInput { id: instance.clone(), idempotency_key: None };
    let DeleteInstancePayload { operation, user_errors } = send(server, Delete::build(DeleteVariables { input })).await?.delete_instance;
    refuse(&user_errors)?;
    follow_operation(server, operation.ok_or("there is no operation")?.id).await
}

/// Sends a query or a mutation. A mutation that may be sent twice needs an idempotency key.
async fn send<D: DeserializeOwned, V: Serialize>(server: &Server, operation: Operation<D, V>) -> Result<D> {
    let mut request = reqwest::Client::new().post(format!("{}/graphql", server.url)).json(&operation);
    if let Some(token) = &server.token {
        request = request.bearer_auth(token);
    }
    let answer: GraphQlResponse<D> = request.send().await?.json().await?;
    match (answer.data, answer.errors.unwrap_or_default().first()) {
        (_, Some(error)) => Err(error.message.clone().into()),
        (Some(data), None) => Ok(data),
        (None, None) => Err("the answer has neither data nor errors".into()),
    }
}

/// What is wrong with the input of a mutation is data.
fn refuse(user_errors: &[UserError]) -> Result<()> {
    let errors: Vec<_> = user_errors.iter().map(|error| format!("{}: {}", error.field.join("."), error.message)).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("; ").into()) }
}

/// Ends when the operation has succeeded. Its subscription has no cursor: it begins with the present state.
async fn follow_operation(server: &Server, id: cynic::Id) -> Result<()> {
    let mut last = None;
    let request = || FollowOperation::build(IdVariables { id: id.clone() });
    let keep = |FollowOperation { operation }: FollowOperation| {
        last = Some(operation);
        false
    };
    server.subscribe(request, keep).await?;
    let operation = last.ok_or("there is no such operation")?;
    match operation.status {
        OperationStatus::Succeeded => println!("{}: {} after {} steps", id.inner(), name(&operation.status), operation.steps.len()),
        status => {
            return Err(format!("{}: {}, {}", id.inner(), name(&status), operation.error.map(|error| error.message).unwrap_or_default()).into());
        }
    }
    Ok(())
}

/// Ends when the instance is deleted.
async fn print_events(server: &Server, instance_id: &cynic::Id) -> Result<()> {
    // Asked for again after each loss, with the cursor of then.
    let cursor = std::cell::RefCell::new("0".to_owned());
    let request = || FollowEvents::build(EventVariables { instance_id: instance_id.clone(), after: Some(cursor.borrow().clone()) });
    let print = |FollowEvents { instance_events: event }: FollowEvents| {
        println!("event {} {} {}", event.cursor, name(&event.event_type), event.to.as_deref().unwrap_or_default());
        cursor.replace(event.cursor);
        event.event_type == InstanceEventType::StateChanged && event.to.as_deref() == Some("DELETED")
    };
    server.subscribe(request, print).await
}
