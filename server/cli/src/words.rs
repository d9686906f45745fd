//! Messages of the server in the words of the command line. The server writes them for every client, in the words of the API.

use crate::contract::{Notice, Reason};

/// Words of the API, and what one types here instead.
const WORDS: &[(&str, &str)] = &[
    ("cancelOperation", "`toygres operations cancel`"),
    ("resizeInstance", "`toygres instances resize`"),
    ("restartInstance", "`toygres instances restart`"),
    ("restoreInstance", "`toygres instances restore`"),
    ("resumeInstance", "`toygres instances resume`"),
    ("rotatePassword", "`toygres instances rotate-password`"),
    ("setParameters", "`toygres instances set-parameters`"),
    ("terminateSession", "`toygres instances terminate`"),
    ("updateInstance", "`toygres instances update`"),
    ("updateWebhook", "`toygres webhooks update`"),
    ("upgradeInstance", "`toygres instances upgrade`"),
    ("backupPolicy.protection", "`toygres backups list`"),
    ("backupPolicy.reason", "`toygres backups list`"),
    ("controlPlane.parameters", "`toygres instances parameters`"),
    ("backupId", "--backup"),
    ("backupRetentionDays", "--backup-retention-days"),
    ("cpuMillis", "--cpu"),
    ("dnsLabel", "--dns-label"),
    ("dropLogicalSlots", "--drop-logical-slots"),
    ("expiresInDays", "--expires-in-days"),
    ("finalBackup", "--final-backup"),
    ("maintenanceWindow", "--maintenance-window"),
    ("memoryMb", "--memory"),
    ("sourceRanges", "--source-range"),
    ("stepSeconds", "--step"),
    ("storageAutoGrow", "--storage-auto-grow"),
    ("storageAutoGrow.maxGb", "--storage-max-gb"),
    ("storageGb", "--storage"),
    ("ADDRESS_CHANGING", "address changing"),
    ("LOAD_BALANCER", "load balancer"),
    ("PROTECTED", "protected"),
];

/// A message of the server with the words of the command line.
pub(crate) fn worded(message: &str) -> String {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let (mut text, mut rest) = (String::new(), message);
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()));
        // A full stop at its end ends the sentence.
        let bare = word.trim_end_matches('.');
        let ours = WORDS.iter().find(|(known, _)| *known == bare).map_or(bare, |(_, ours)| ours);
        text += ours;
        text += &word[bare.len()..];
        // `finalBackup: false` of an input object is `--final-backup=false`.
        if ours.starts_with("--")
            && word == bare
            && let Some(value) = after.strip_prefix(": ").filter(|value| value.starts_with("true") || value.starts_with("false"))
        {
            text.push('=');
            rest = value;
            continue;
        }
        let next = after.find(is_of_word).unwrap_or(after.len());
        text += &after[..next];
        rest = &after[next..];
    }
    text
}

impl Reason {
    /// The message, for people.
    pub(crate) fn text(&self) -> String {
        worded(&self.message)
    }
}

impl Notice {
    /// The message, for people.
    pub(crate) fn text(&self) -> String {
        worded(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand as _};

    use super::*;
    use crate::{BackupsCommand, InstancesCommand, OperationsCommand, TokenCommand, WebhooksCommand};

    #[test]
    fn messages_have_the_words_of_the_command_line() {
        for (message, expected) in [
            ("nobody can connect until it is resumed (resumeInstance)", "nobody can connect until it is resumed (`toygres instances resume`)"),
            ("raise storageAutoGrow.maxGb, or turn on storageAutoGrow.", "raise --storage-max-gb, or turn on --storage-auto-grow."),
            ("backupPolicy.reason says why: …", "`toygres backups list` says why: …"),
            ("repeat the upgrade with dropLogicalSlots", "repeat the upgrade with --drop-logical-slots"),
            ("request it again with finalBackup: false", "request it again with --final-backup=false"),
            ("give another cpuMillis, memoryMb or storageGb", "give another --cpu, --memory or --storage"),
            ("restartInstances 'a.b' 1.5. Später", "restartInstances 'a.b' 1.5. Später"),
            ("", ""),
        ] {
            assert_eq!(worded(message), expected);
        }
    }

    #[test]
    fn what_is_typed_instead_exists() {
        let root = Command::new("toygres").subcommands([
            InstancesCommand::augment_subcommands(Command::new("instances")),
            OperationsCommand::augment_subcommands(Command::new("operations")),
            BackupsCommand::augment_subcommands(Command::new("backups")),
            WebhooksCommand::augment_subcommands(Command::new("webhooks")),
            TokenCommand::augment_subcommands(Command::new("token")),
        ]);
        let options: Vec<_> = all(&root).into_iter().flat_map(Command::get_arguments).filter_map(|argument| argument.get_long()).collect();
        for (word, ours) in WORDS {
            if let Some(option) = ours.strip_prefix("--") {
                assert!(options.contains(&option), "{word}: {ours}");
            } else if let Some(path) = ours.strip_prefix("`toygres ").and_then(|path| path.strip_suffix('`')) {
                path.split(' ').fold(&root, |command, name| command.find_subcommand(name).unwrap_or_else(|| panic!("{word}: {ours}")));
            }
        }
    }

    fn all(command: &Command) -> Vec<&Command> {
        let mut found = vec![command];
        found.extend(command.get_subcommands().flat_map(all));
        found
    }
}
