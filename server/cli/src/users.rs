//! `toygres users`: the users of an instance.

use crate::subcommands::subcommands;

subcommands! {
    /// A subcommand of `toygres users`.
    pub enum UsersCommand {
        list::List,
        create::Create,
        drop::Drop,
    }
}
