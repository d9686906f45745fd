//! `toygres instances top`

use std::{io, time::Duration};

use clap::Args;
use tokio::time::sleep;

use super::{
    activity::{InstanceActivity, ask, read, table},
    find_id,
};
use crate::{
    client::Client,
    contract::SessionState,
    failure::{Kind, Result},
    keys::Keys,
    output::{Display, connection_notice, print, printable, stdout_is_terminal},
};

/// Show what the sessions of clients do, live: a table that is redrawn every two seconds until q or Ctrl-C; in a pipe, one table.
#[derive(Args, Debug)]
pub struct Top {
    /// Name or id of the instance.
    name: String,
}

/// From one answer to the next request.
const INTERVAL: Duration = Duration::from_secs(2);
/// Sessions to ask for. Those that do not fit on the screen are left out.
const SESSIONS: i32 = 100;

impl Top {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let id = find_id(client, &self.name).await?;
        if !stdout_is_terminal() {
            return print(&page(&self.name, &read(client, &self.name, &id, SESSIONS).await?));
        }
        let mut keys = Keys::listen();
        let redraw = async {
            let (mut display, mut latest) = (Display::new(io::stdout()), String::new());
            loop {
                let lost = match ask(client, &self.name, &id, SESSIONS).await {
                    Ok(activity) => {
                        latest = page(&self.name, &activity);
                        false
                    }
                    Err(failure) if failure.kind() == Kind::Unreachable && !latest.is_empty() => true,
                    Err(failure) => return Err(failure),
                };
                display.draw(&(latest.clone() + connection_notice(lost)))?;
                sleep(INTERVAL).await;
            }
        };
        tokio::select! {
            result = redraw => result,
            () = keys.pressed(b'q') => Ok(()),
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }
}

fn page(name: &str, activity: &InstanceActivity) -> String {
    let InstanceActivity { read_at, total_sessions, sessions, reason } = activity;
    // An instance that is restarted is back in a moment.
    if let Some(reason) = reason {
        return format!("{name}  {}\n", printable(&reason.text()));
    }
    let active = sessions.iter().filter(|session| session.state == Some(SessionState::Active)).count();
    let blocked = sessions.iter().filter(|session| !session.blocked_by.is_empty()).count();
    let at = read_at.map_or_else(String::new, |at| at.format("%H:%M:%S UTC").to_string());
    format!("{name}  {} sessions, {active} active, {blocked} blocked  {at}\n\n{}", total_sessions.unwrap_or_default(), table(sessions))
}
