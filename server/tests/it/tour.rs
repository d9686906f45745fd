//! Checks `docs/API.md`: every request in it is sent to a real server, and the response must be the documented one.
//!
//! `TOUR=write` writes the responses into the page instead. Values that differ from run to run (ids, times, cursors, secrets,
//! ports) are replaced by placeholders, always the same one for the same value, so that later requests of the page can use them.
//!
//! A request is a code block with the language `graphql`. The words after the language are options: `as=nobody|NAME` (without a
//! token, or with the token of that name; default: the administrator's); for a subscription, `take=N` shows the first N items,
//! `until=WORD` the first one that contains that word, `show=last` the last one.

use std::{collections::HashMap, fmt::Write as _, path::Path};

// Unlike the type of serde_json, it keeps the order of fields.
use async_graphql::Value;
use serde_json::json;

use crate::support::{Home, Server, TIMEOUT};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_the_server_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let home = Home::new();
    let mut server = home.start_with(&[("TOYGRES_ACCESS", "tokens")]).await;
    let output = home.command(&["token", "create", "--name", "admin", "--role", "admin"]).output().await.unwrap();
    server.bearer = Some(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    let mut tour = Tour { server, http: reqwest::Client::new(), stand_ins: PodServers::default(), tokens: HashMap::new() };

    let mut written = String::new();
    let mut requests = 0;
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(written, "{line}").unwrap();
        let Some(words) = line.strip_prefix("```graphql") else { continue };
        let request: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let answer = tour.answer(words, &request.join("\n")).await;
        requests += 1;
        writeln!(written, "{}\n```\n\n```json\n{answer}\n```", request.join("\n")).unwrap();
        // Replaces the response that the page has.
        while lines.next_if(|line| line.is_empty()).is_some() {}
        match lines.next_if(|line| *line == "```json") {
            Some(_) => lines.by_ref().take_while(|line| *line != "```").for_each(drop),
            None => writeln!(written).unwrap(),
        }
    }
    tour.server.stop().await;
    assert!(requests > 15, "the page was read");
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

struct Tour {
    server: Server,
    http: reqwest::Client,
    stand_ins: PodServers,
    /// The secrets of tokens by name.
    tokens: HashMap<String, String>,
}

impl Tour {
    async fn answer(&mut self, words: &str, request: &str) -> String {
        let words: HashMap<_, _> = words.split_whitespace().filter_map(|word| word.split_once('=')).collect();
        let query = self.stand_ins.real(request);
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
            false => vec![post.send().await.unwrap().text().await.unwrap()],
        };
        let shown = texts.into_iter().map(|text| {
            let mut item: Value = serde_json::from_str(&text).unwrap();
            self.keep_secret(&text);
            self.stand_ins.replace("", &mut item);
            serde_json::to_string_pretty(&item).unwrap()
        });
        shown.collect::<Vec<_>>().join("\n")
    }

    fn keep_secret(&mut self, text: &str) {
        let answer: serde_json::Value = serde_json::from_str(text).unwrap();
        let made = &answer["data"]["createApiToken"];
        if let (Some(name), Some(secret)) = (made["apiToken"]["name"].as_str(), made["secret"].as_str()) {
            self.tokens.insert(name.to_owned(), secret.to_owned());
        }
    }
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
struct PodServers {
    pairs: Vec<(String, String)>,
    ids: usize,
    cursors: usize,
}

impl PodServers {
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
            Value::String(text) => *text = self.stand_in(key, text),
            _ => {}
        }
    }

    fn stand_in(&mut self, key: &str, text: &str) -> String {
        match key {
            "createdAt" | "updatedAt" | "startedAt" | "finishedAt" | "at" | "deadline" | "expiresAt" | "lastUsedAt" | "revokedAt" => {
                "2026-01-01T12:00:00Z".to_owned()
            }
            "cursor" | "startCursor" | "endCursor" if text != "snapshot" => {
                if let Some((_, known)) = self.pairs.iter().find(|(real, stand_in)| real == text && stand_in.starts_with("CURSOR")) {
                    return known.clone();
                }
                self.cursors += 1;
                let stand_in = format!("CURSOR{}", self.cursors);
                self.pairs.push((text.to_owned(), stand_in.clone()));
                stand_in
            }
            "secret" => "toygres_SECRET".to_owned(),
            "connectionString" => "postgresql://app:PASSWORD@127.0.0.1:16001/app".to_owned(),
            "requestId" => "REQUEST".to_owned(),
            _ => self.without_ids(text),
        }
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
