//! The requests, which the compiler compares with `schema.graphql`.

#[cynic::schema("toygres")]
mod schema {}

#[derive(cynic::InputObject)]
pub struct CreateInstanceInput {
    pub name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<LabelInput>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

#[derive(cynic::InputObject)]
pub struct LabelInput {
    pub key: String,
    pub value: String,
}

#[derive(cynic::InputObject)]
pub struct DeleteInstanceInput {
    pub id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables)]
pub struct CreateVariables {
    pub input: CreateInstanceInput,
}

#[derive(cynic::QueryVariables)]
pub struct DeleteVariables {
    pub input: DeleteInstanceInput,
}

#[derive(cynic::QueryVariables)]
pub struct IdVariables {
    pub id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
pub struct EventVariables {
    pub instance_id: cynic::Id,
    pub after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
pub struct Create {
    #[arguments(input: $input)]
    pub create_instance: CreateInstancePayload,
}

#[derive(cynic::QueryFragment)]
pub struct CreateInstancePayload {
    pub instance: Option<Created>,
    pub operation: Option<Started>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "DeleteVariables")]
pub struct Delete {
    #[arguments(input: $input)]
    pub delete_instance: DeleteInstancePayload,
}

#[derive(cynic::QueryFragment)]
pub struct DeleteInstancePayload {
    pub operation: Option<Started>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
pub struct Created {
    pub id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Operation")]
pub struct Started {
    pub id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
pub struct UserError {
    pub field: Vec<String>,
    pub message: String,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "IdVariables")]
pub struct FollowOperation {
    #[arguments(id: $id)]
    pub operation: Operation,
}

#[derive(cynic::QueryFragment)]
pub struct Operation {
    pub status: OperationStatus,
    pub steps: Vec<OperationStep>,
    pub error: Option<Reason>,
}

#[derive(cynic::QueryFragment)]
pub struct OperationStep {
    #[expect(dead_code, reason = "the example counts the steps")]
    pub attempt: i32,
}

#[derive(cynic::QueryFragment)]
pub struct Reason {
    pub message: String,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "IdVariables")]
pub struct FollowInstance {
    #[arguments(id: $id)]
    pub instance: Followed,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
pub struct Followed {
    pub health: HealthStatus,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "IdVariables")]
pub struct ReadHealth {
    #[arguments(id: $id)]
    pub instance: Option<Health>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
pub struct Health {
    pub health: HealthStatus,
    pub latest_health_check: Option<HealthCheck>,
    pub health_summary: HealthSummary,
}

#[derive(cynic::QueryFragment)]
pub struct HealthCheck {
    pub status: HealthStatus,
}

#[derive(cynic::QueryFragment)]
pub struct HealthSummary {
    pub checks: i32,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "EventVariables")]
pub struct FollowEvents {
    #[arguments(instanceId: $instance_id, after: $after)]
    pub instance_events: InstanceEvent,
}

#[derive(cynic::QueryFragment)]
pub struct InstanceEvent {
    pub cursor: String,
    #[cynic(rename = "type")]
    pub event_type: InstanceEventType,
    pub to: Option<String>,
}

/// Each enum has a fallback for the values of a newer server.
#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
pub enum OperationStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    #[cynic(fallback)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
pub enum HealthStatus {
    Healthy,
    Unhealthy,
    Unknown,
    #[cynic(fallback)]
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq, cynic::Enum)]
#[cynic(non_exhaustive)]
pub enum InstanceEventType {
    StateChanged,
    #[cynic(fallback)]
    Other(String),
}

/// The name of a value, as the contract has it.
pub fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
