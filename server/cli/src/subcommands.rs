//! Subcommands, each in a module of its own.

/// Declares subcommands. A line `restart::Restart,` declares the module `restart`, the subcommand `restart` with the arguments, help text
/// and aliases of `restart::Restart`, and its dispatch to `Restart::run`.
macro_rules! subcommands {
    ($(#[$attribute:meta])* pub enum $Command:ident { $($module:ident::$Subcommand:ident),* $(,)? }) => {
        $(mod $module;)*

        $(#[$attribute])*
        #[derive(Debug, clap::Subcommand)]
        #[expect(missing_docs, reason = "the doc comment of the arguments is the help text")]
        pub enum $Command {
            $($Subcommand($module::$Subcommand)),*
        }

        impl $Command {
            pub(crate) async fn run(self, client: &crate::client::Client) -> crate::failure::Result<()> {
                match self {
                    $(Self::$Subcommand(command) => command.run(client).await),*
                }
            }
        }
    };
}
pub(crate) use subcommands;
