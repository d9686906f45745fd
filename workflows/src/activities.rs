//! The activities: the side effects of workflows.

pub mod delete_postgres;
pub mod deploy_postgres;
pub mod generate_connection_string;
pub mod get_instance_status;
pub mod health_check;
pub mod start_postgres;
pub mod stop_postgres;
pub mod update_health;
pub mod update_metadata;

pub use delete_postgres::DeletePostgres;
pub use deploy_postgres::DeployPostgres;
pub use generate_connection_string::GenerateConnectionString;
pub use get_instance_status::GetInstanceStatus;
pub use health_check::HealthCheck;
pub use start_postgres::StartPostgres;
pub use stop_postgres::StopPostgres;
pub use update_health::UpdateHealth;
pub use update_metadata::UpdateMetadata;
