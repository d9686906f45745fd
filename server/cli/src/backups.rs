//! `toygres backups`: the backups of an instance.

use crate::subcommands::subcommands;

subcommands! {
    /// A subcommand of `toygres backups`.
    pub enum BackupsCommand {
        list::List,
        create::Create,
        update::Update,
        delete::Delete,
    }
}
