//! A fuzz test with thousands of operations that are generated from the schema. The server must not crash, must not return internal
//! errors, and must return data of the declared types.
//!
//! `TOYGRES_FUZZ_OPERATIONS` sets their number, and `TOYGRES_FUZZ_SEED` repeats an earlier run.

mod generate;
mod hostile;

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use self::generate::{Generated, Generator, Schema, Selected};
use crate::support::{CERTIFICATE, CERTIFICATE_KEY, Database, Home, text};

/// The codes of errors that a caller can cause.
const EXPECTED: &[&str] = &[
    "BAD_REQUEST",
    "BAD_USER_INPUT",
    "GRAPHQL_PARSE_FAILED",
    "RESPONSE_TOO_LARGE",
    "TIMEOUT",
    "TOO_DEEP",
    "TOO_LARGE",
    "TOO_MANY_TOKENS",
    "NOT_FOUND",
    "BAD_SUBSCRIPTION",
    "SUBSCRIPTION_NEEDS_STREAM",
    "METHOD_NOT_ALLOWED",
    "NOT_ACCEPTABLE",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_can_be_asked_breaks_the_server() {
    fuzz(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_can_be_asked_over_https_breaks_the_server() {
    fuzz(&[("TOYGRES_TLS_CERT", CERTIFICATE), ("TOYGRES_TLS_KEY", CERTIFICATE_KEY)]).await;
}

async fn fuzz(env: &[(&str, &str)]) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let operations = number("TOYGRES_FUZZ_OPERATIONS").unwrap_or(3000);
    let seed = number("TOYGRES_FUZZ_SEED")
        .unwrap_or_else(|| u64::from(std::process::id()) * 1_000_003 + u64::from(std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos()));
    println!("fuzz: {operations} operations, TOYGRES_FUZZ_SEED={seed}");

    let database = Database::start();
    let home = Home::new();
    // No workflow runs: a created instance is only a row, so thousands of them are cheap.
    let url = database.url();
    let env: Vec<_> = [("DATABASE_URL", url.as_str()), ("TOYGRES_ROLE", "api")].into_iter().chain(env.iter().copied()).collect();
    let server = home.start_with(&env).await;
    let mut known = Vec::new();
    for name in ["one", "two", "three"] {
        let made = server.create(json!({ "name": name })).await;
        known.extend([text(&made["instance"]["id"]), text(&made["operation"]["id"])]);
    }
    let page = server.query("{ instances(first: 1) { pageInfo { endCursor } } operations(first: 1) { pageInfo { endCursor } } }", json!({})).await;
    known.extend(["instances", "operations"].map(|list| text(&page[list]["pageInfo"]["endCursor"])));

    let schema = Schema::parse(&toygres_server::graphql::sdl(), known);
    let url = server.url("/graphql");
    let http = server.http.clone();
    let outcomes: Vec<Result<bool, String>> = stream::iter((0..operations).map(|n| seed.wrapping_add(n)))
        .map(|seed| {
            let generated = Generator::new(&schema, seed).operation();
            let (http, url) = (&http, &url);
            async move {
                let outcome = ask(http, url, &generated).await;
                outcome.map_err(|why| format!("TOYGRES_FUZZ_SEED={seed} TOYGRES_FUZZ_OPERATIONS=1: {why}\n{}", generated.body))
            }
        })
        .buffer_unordered(16)
        .collect()
        .await;
    let findings: Vec<&String> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    let log = server.log();
    assert!(findings.is_empty(), "{} findings, of which the first are: {:#?}\n{log}", findings.len(), &findings[..findings.len().min(10)]);
    assert!(!log.contains("panicked") && !log.contains("a request failed"), "TOYGRES_FUZZ_SEED={seed}:\n{log}");
    // The server still works.
    server.query("{ controlPlane { version } instances(first: 1) { totalCount } }", json!({})).await;
    let executed = outcomes.iter().filter(|outcome| **outcome == Ok(true)).count() as u64;
    let failed = operations - executed;
    println!("fuzz: {executed} answered without errors, {failed} with errors that the caller caused");
    if operations >= 1000 {
        // The generator must produce both valid and invalid operations.
        assert!(executed > operations / 4 && failed > operations / 10, "{executed} {failed}");
    }
    server.stop().await;
}

/// Documents that are expensive on purpose are answered or refused soon.
///
/// `TOYGRES_FUZZ_DOCUMENTS` sets their number, `TOYGRES_FUZZ_MILLIS` how long one may take (from the first byte of the request to the
/// last of the answer), `TOYGRES_BIN` the server to test, and `TOYGRES_FUZZ_SEED` repeats an earlier run.
#[tokio::test(flavor = "multi_thread")]
async fn no_document_costs_much() {
    let number = |name: &str, default: u64| std::env::var(name).ok().map_or(default, |text| text.parse().expect(name));
    let documents = number("TOYGRES_FUZZ_DOCUMENTS", 400);
    let seed = number("TOYGRES_FUZZ_SEED", u64::from(std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos()));
    // A debug build takes about twenty times as long as the 50 ms of a release build.
    let limit = Duration::from_millis(number("TOYGRES_FUZZ_MILLIS", if cfg!(debug_assertions) { 3000 } else { 50 }));
    println!("fuzz: {documents} hostile documents, TOYGRES_FUZZ_SEED={seed}");

    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_ROLE", "api")]).await;
    let url = format!("http://{}/graphql", server.address);
    let http = reqwest::Client::new();
    let mut slowest = (Duration::ZERO, 0);
    for n in 0..documents {
        let seed = seed.wrapping_add(n);
        let request = hostile::request(seed);
        let mut took = Duration::MAX;
        // The machine can be busy for a moment; a document that costs much costs it every time.
        for _ in 0..3 {
            let started = Instant::now();
            let generated = Generated { body: request.to_string(), streams: false, selected: Vec::new() };
            let answer = ask(&http, &url, &generated).await;
            answer.unwrap_or_else(|why| panic!("TOYGRES_FUZZ_SEED={seed} TOYGRES_FUZZ_DOCUMENTS=1: {why}: {request}"));
            took = took.min(started.elapsed());
            if took < limit {
                break;
            }
        }
        if took > slowest.0 {
            slowest = (took, seed);
        }
        assert!(took < limit, "TOYGRES_FUZZ_SEED={seed} TOYGRES_FUZZ_DOCUMENTS=1: {took:?} instead of {limit:?}: {request}");
    }
    let memory = server.memory() >> 20;
    println!("fuzz: the slowest took {:?} (seed {}); the server has {memory} MiB", slowest.0, slowest.1);
    assert!(memory < 400, "the server has {memory} MiB");
    let log = server.log();
    assert!(!log.contains("panicked") && !log.contains("a request failed"), "TOYGRES_FUZZ_SEED={seed}:\n{log}");
    server.stop().await;
}

/// Sends an operation. Returns whether the response has no errors.
async fn ask(http: &reqwest::Client, url: &str, generated: &Generated) -> Result<bool, String> {
    let request = http.post(url).header("Content-Type", "application/json").body(generated.body.clone());
    if generated.streams {
        // Only checks that the stream opens; other tests check its items.
        let response = request.header("Accept", "text/event-stream").send().await.map_err(|error| error.to_string())?;
        return if response.status() == 200 { Ok(true) } else { Err(format!("status {}", response.status())) };
    }
    let response = request.header("Accept", "application/graphql-response+json").send().await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = response.text().await.map_err(|error| error.to_string())?;
    if status >= 500 {
        return Err(format!("status {status}: {body}"));
    }
    let answer: Value = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    for error in &errors {
        let code = error["extensions"]["code"].as_str().unwrap_or_default();
        if !EXPECTED.contains(&code) {
            return Err(format!("an error that no caller causes: {error}"));
        }
    }
    if errors.is_empty() && answer["data"].is_null() {
        return Err(format!("neither data nor errors: {body}"));
    }
    if let Some(data) = answer["data"].as_object() {
        for field in &generated.selected {
            conforms(field, data.get(&field.key), &field.key).map_err(|why| format!("{why} in {body}"))?;
        }
    }
    Ok(errors.is_empty())
}

/// Checks a value against the selected field and its type in the schema.
fn conforms(field: &Selected, value: Option<&Value>, path: &str) -> Result<(), String> {
    let value = value.ok_or_else(|| format!("{path} is missing"))?;
    match value {
        Value::Null if field.nullable => Ok(()),
        Value::Null => Err(format!("{path} is null")),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| match item {
            Value::Null => Err(format!("{path}.{index} is null")),
            Value::Object(object) => {
                field.below.iter().try_for_each(|below| conforms(below, object.get(&below.key), &format!("{path}.{index}.{}", below.key)))
            }
            _ => Ok(()),
        }),
        Value::Object(object) => field.below.iter().try_for_each(|below| conforms(below, object.get(&below.key), &format!("{path}.{}", below.key))),
        _ => Ok(()),
    }
}
