//! Checks `docs/API.md`: every request in it is sent to a real server, and the response must be the documented one.
//!
//! `TOUR=write` writes the responses into the page instead. Values that differ from run to run (ids, times, cursors, secrets,
//! ports) are replaced by placeholders, always the same one for the same value, so that later requests of the page can use them.
//!
//! A request is a code block with the language `graphql`. The words after the language are options: `as=nobody|NAME` (without a
//! token, or with the token of that name; default: the administrator's); for a subscription, `take=N` shows the first N items,
//! `until=WORD` the first one that contains that word, `show=last` the last one. A query with `until=WORD` is repeated until its answer
//! contains that word. A code block `sh run` is run by bash, and what it prints is shown. A code block with the language `sql` and
//! `as=CLIENT` is what that client of the instance `orders` runs; with `waits` the page goes on before its end.

use std::{collections::HashMap, fmt::Write as _, path::Path, sync::Arc};

// Unlike the type of serde_json, it keeps the order of fields.
use async_graphql::Value;
use serde_json::json;
use toygres_domain::session::SessionId;

use crate::support::{Home, Server, TIMEOUT, connect, eventually};

#[test]
fn the_contents_name_every_section() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md")).unwrap();
    assert!(page == with_contents(&page), "the contents of docs/API.md are stale: scripts/generate renews them");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_the_server_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let home = Home::new();
    let mut server = home.start_with(&[("TOYGRES_ACCESS", "tokens")]).await;
    let output = home.command(&["token", "create", "--name", "admin", "--role", "admin"]).output().await.unwrap();
    server.bearer = Some(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    let mut tour =
        Tour { server, http: reqwest::Client::new(), placeholders: Placeholders::default(), tokens: HashMap::new(), clients: HashMap::new() };

    let mut written = String::new();
    let mut requests = 0;
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(written, "{line}").unwrap();
        let (is_script, words) = match (line.strip_prefix("```graphql"), line) {
            (Some(words), _) => (false, words),
            (None, "```sh run") => (true, ""),
            (None, _) if line.starts_with("```sql as=") => {
                let sql = lines.by_ref().take_while(|line| *line != "```").collect::<Vec<_>>().join("\n");
                tour.run(line, &sql).await;
                writeln!(written, "{sql}\n```").unwrap();
                continue;
            }
            (None, _) => continue,
        };
        let request = lines.by_ref().take_while(|line| *line != "```").collect::<Vec<_>>().join("\n");
        let (answer, language) = if is_script { (tour.printed(&request).await, "```text") } else { (tour.answer(words, &request).await, "```json") };
        requests += 1;
        writeln!(written, "{request}\n```\n\n{language}\n{answer}\n```").unwrap();
        // Replaces the response that the page has.
        while lines.next_if(|line| line.is_empty()).is_some() {}
        match lines.next_if(|line| *line == language) {
            Some(_) => lines.by_ref().take_while(|line| *line != "```").for_each(drop),
            None => writeln!(written).unwrap(),
        }
    }
    tour.server.stop().await;
    assert!(requests > 15, "the page was read");
    let written = with_contents(&written);
    if std::env::var_os("TOUR").is_some_and(|wish| wish == "write") {
        std::fs::write(&path, &written).unwrap();
    }
    for (number, (shown, real)) in page.lines().zip(written.lines()).enumerate() {
        let renewed = std::env::var_os("TOUR").is_some();
        assert!(
            renewed || shown == real,
            "docs/API.md, line {}: the page shows\n{shown}\nbut the answer is\n{real}\n(scripts/generate renews the page)",
            number + 1
        );
    }
    assert!(std::env::var_os("TOUR").is_some() || page == written, "docs/API.md has other answers than the server (scripts/generate renews it)");
}

/// The page with the links to its sections: the paragraph that begins with `**Contents:**`.
fn with_contents(page: &str) -> String {
    const WIDTH: usize = 138;
    let mut lines = vec!["**Contents:**".to_owned()];
    for (number, section) in page.lines().filter_map(|line| line.strip_prefix("## ")).enumerate() {
        let anchor: String = section.to_lowercase().replace(' ', "-").chars().filter(|c| c.is_alphanumeric() || *c == '-').collect();
        let link = format!("[{section}](#{anchor})");
        let last = lines.last_mut().unwrap();
        let separator = if number == 0 { " " } else { " · " };
        if last.chars().count() + separator.chars().count() + link.chars().count() > WIDTH {
            *last += " ·";
            lines.push(link);
        } else {
            *last += separator;
            *last += &link;
        }
    }
    let (before, rest) = page.split_once("**Contents:**").expect("the page has contents");
    let (_, after) = rest.split_once("\n\n").expect("the contents are a paragraph");
    format!("{before}{}\n\n{after}", lines.join("\n"))
}

struct Tour {
    server: Server,
    http: reqwest::Client,
    placeholders: Placeholders,
    /// The secrets of tokens by name.
    tokens: HashMap<String, String>,
    /// The sessions of clients by name.
    clients: HashMap<String, Arc<tokio_postgres::Client>>,
}

impl Tour {
    /// Runs SQL as a client of the instance `orders`.
    async fn run(&mut self, words: &str, sql: &str) {
        let name = words.split_whitespace().find_map(|word| word.strip_prefix("as=")).expect("SQL is run by a client");
        if !self.clients.contains_key(name) {
            let query = "{ instanceByName(name: \"orders\") { connectionString } }";
            let answer = self.server.query(query, json!({})).await;
            let client = connect(answer["instanceByName"]["connectionString"].as_str().expect("it runs")).await;
            client.batch_execute(&format!("SET application_name = '{name}'")).await.unwrap();
            self.clients.insert(name.to_owned(), Arc::new(client));
        }
        let (client, sql) = (self.clients[name].clone(), sql.to_owned());
        let running = tokio::spawn(async move { client.batch_execute(&sql).await });
        if !words.contains("waits") {
            running.await.unwrap().unwrap();
        }
    }

    async fn answer(&mut self, words: &str, request: &str) -> String {
        let words: HashMap<_, _> = words.split_whitespace().filter_map(|word| word.split_once('=')).collect();
        let query = self.placeholders.real(request);
        let token = match words.get("as") {
            Some(&"nobody") => None,
            Some(&name) => Some(self.tokens[name].clone()),
            None => self.server.bearer.clone(),
        };
        let url = format!("http://{}/graphql", self.server.address);
        let mut post = self.http.post(url).json(&json!({ "query": query }));
        if let Some(token) = token {
            post = post.bearer_auth(token);
        }
        let texts = match query.contains("subscription") {
            true => items(post, &words).await,
            false => vec![response(&post, words.get("until").copied().unwrap_or_default()).await],
        };
        let shown = texts.into_iter().map(|text| {
            let mut item: Value = serde_json::from_str(&text).unwrap();
            self.keep_secret(&text);
            self.placeholders.replace("", &mut item);
            serde_json::to_string_pretty(&item).unwrap()
        });
        shown.collect::<Vec<_>>().join("\n")
    }

    /// What a script prints.
    async fn printed(&mut self, script: &str) -> String {
        let mut bash = tokio::process::Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &self.placeholders.real(script)]).kill_on_drop(true);
        bash.env("TOYGRES_URL", format!("http://{}", self.server.address)).env("TOYGRES_TOKEN", self.server.bearer.as_deref().unwrap());
        let output = tokio::time::timeout(TIMEOUT, bash.output()).await.expect("it ends in time").unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        self.placeholders.without_ids(String::from_utf8(output.stdout).unwrap().trim_end())
    }

    fn keep_secret(&mut self, text: &str) {
        let answer: serde_json::Value = serde_json::from_str(text).unwrap();
        let made = &answer["data"]["createApiToken"];
        if let (Some(name), Some(secret)) = (made["apiToken"]["name"].as_str(), made["secret"].as_str()) {
            self.tokens.insert(name.to_owned(), secret.to_owned());
        }
    }
}

/// Returns the response to a request that contains a word.
async fn response(post: &reqwest::RequestBuilder, word: &str) -> String {
    let mut text = String::new();
    eventually(word, async || {
        text = post.try_clone().unwrap().send().await.unwrap().text().await.unwrap();
        text.contains(word)
    })
    .await;
    text
}

/// Returns the items of an event stream that the options select.
async fn items(post: reqwest::RequestBuilder, words: &HashMap<&str, &str>) -> Vec<String> {
    let mut response = post.header("Accept", "text/event-stream").send().await.unwrap();
    let take: usize = words.get("take").map_or(1, |take| take.parse().unwrap());
    let (mut received, mut items) = (String::new(), Vec::new());
    while let Some(chunk) = tokio::time::timeout(TIMEOUT, response.chunk()).await.expect("something comes in time").unwrap() {
        received += std::str::from_utf8(&chunk).unwrap();
        while let Some((line, rest)) = received.split_once('\n') {
            if let Some(item) = line.strip_prefix("data: ").filter(|item| !item.is_empty()) {
                items.push(item.to_owned());
            }
            received = rest.to_owned();
            let enough = match words.get("until") {
                Some(word) => items.last().is_some_and(|item| item.contains(word)),
                None => !words.contains_key("show") && items.len() == take,
            };
            if enough {
                return items.split_off(items.len() - if words.contains_key("until") { 1 } else { take });
            }
        }
    }
    assert_eq!(words.get("show"), Some(&"last"), "the subscription ended early: {items:#?}");
    items.split_off(items.len() - 1)
}

/// Real values and their placeholders.
#[derive(Default)]
struct Placeholders {
    pairs: Vec<(String, String)>,
    pids: Vec<String>,
    ids: usize,
    cursors: usize,
}

impl Placeholders {
    /// Replaces the placeholders of a request by real values.
    fn real(&self, text: &str) -> String {
        self.pairs.iter().fold(text.to_owned(), |text, (real, stand_in)| text.replace(stand_in, real))
    }

    /// Replaces values that differ from run to run by placeholders.
    fn replace(&mut self, key: &str, value: &mut Value) {
        match value {
            Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| self.replace(key.as_str(), value)),
            Value::List(items) => items.iter_mut().for_each(|item| self.replace(key, item)),
            Value::Number(_) if key == "port" => *value = Value::from(16001),
            Value::Number(_) if key == "statementSeconds" => *value = Value::from(2.5),
            Value::Number(pid) if matches!(key, "pid" | "blockedBy") => *value = Value::from(self.pid(&pid.to_string())),
            Value::String(text) => *text = self.stand_in(key, text),
            _ => {}
        }
    }

    fn stand_in(&mut self, key: &str, text: &str) -> String {
        match key {
            "createdAt" | "updatedAt" | "startedAt" | "finishedAt" | "at" | "deadline" | "expiresAt" | "lastUsedAt" | "revokedAt" | "readAt"
            | "since" => "2026-01-01T12:00:00Z".to_owned(),
            "cursor" | "startCursor" | "endCursor" if text != "snapshot" => {
                if let Some((_, known)) = self.pairs.iter().find(|(real, stand_in)| real == text && stand_in.starts_with("CURSOR")) {
                    return known.clone();
                }
                self.cursors += 1;
                let stand_in = format!("CURSOR{}", self.cursors);
                self.pairs.push((text.to_owned(), stand_in.clone()));
                stand_in
            }
            "id" | "sessionId" if text.parse::<SessionId>().is_ok() => {
                let (pid, start) = text.split_once('-').unwrap();
                let stand_in = format!("{}-hol8m4zmap", self.pid(pid));
                self.pairs.push((format!("{pid}-{start}"), stand_in.clone()));
                stand_in
            }
            "secret" if text.starts_with("whsec_") => "whsec_SECRET".to_owned(),
            "secret" => "toygres_SECRET".to_owned(),
            "connectionString" => "postgresql://app:PASSWORD@127.0.0.1:16001/app".to_owned(),
            "requestId" => "REQUEST".to_owned(),
            _ => self.without_ids(text),
        }
    }

    /// The placeholder of the ID of a process. The first one is 4711.
    fn pid(&mut self, pid: &str) -> i32 {
        let known = self.pids.iter().position(|known| known == pid).unwrap_or(self.pids.len());
        if known == self.pids.len() {
            self.pids.push(pid.to_owned());
        }
        4711 + i32::try_from(known).unwrap()
    }

    /// Operation ids contain instance ids, and one message contains a revision that depends on the number of polls during the
    /// start.
    fn without_ids(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some((before, after)) = text.split_once("is at revision ") {
            text = format!("{before}is at revision 3{}", after.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        for start in 0..text.len().saturating_sub(35) {
            let Some(id) =
                text.get(start..start + 36).filter(|id| id.matches('-').count() == 4 && uuid::Uuid::parse_str(id).is_ok()).map(str::to_owned)
            else {
                continue;
            };
            let known = self.pairs.iter().find(|(real, _)| *real == id).map(|(_, stand_in)| stand_in.clone());
            let stand_in = known.unwrap_or_else(|| {
                self.ids += 1;
                let stand_in = format!("019b0000-0000-7000-8000-{:012}", self.ids);
                self.pairs.push((id.clone(), stand_in.clone()));
                stand_in
            });
            text.replace_range(start..start + 36, &stand_in);
        }
        text
    }
}
