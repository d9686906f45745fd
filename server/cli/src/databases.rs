//! `toygres databases`: the databases of an instance.

use crate::subcommands::subcommands;

subcommands! {
    /// A subcommand of `toygres databases`.
    pub enum DatabasesCommand {
        list::List,
        create::Create,
        drop::Drop,
    }
}
