//! API tokens: authentication, the permissions of each role, revocation and expiry.

use std::process::Stdio;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    task::JoinSet,
};
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest};
use tokio_util::sync::CancellationToken;

use crate::support::{Database, Home, Server, TIMEOUT, eventually, psql, subscribe_as, text};

const TOKENS: &[(&str, &str)] = &[("TOYGRES_ACCESS", "tokens")];

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_do_its_part() {
    let home = Home::new();
    let mut server = home.start_with(TOKENS).await;
    let nobody = server.post(&json!({ "query": "{ __typename }" })).await;
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(nobody.json::<Value>().await.unwrap()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

    server.bearer = Some(first_token(&home, "admin").await);
    let admin = server.bearer.clone();
    let create = "mutation($role: TokenRole!) { createApiToken(input: { name: \"t\", role: $role, expiresInDays: 1 }) {
        secret apiToken { id name role expiresAt } userErrors { field code } } }";
    let (mut secrets, mut made_tokens) = (Vec::new(), Vec::new());
    for role in ["VIEWER", "OPERATOR"] {
        let made = server.query(create, json!({ "role": role })).await["createApiToken"].clone();
        assert_eq!(made["apiToken"]["role"], role);
        made_tokens.push(made["apiToken"].clone());
        secrets.push(text(&made["secret"]));
    }
    let id = server.create_ok("guarded").await;
    server.until_healthy(&id).await;
    let reads = "query($id: ID!) { instance(id: $id) { name state connectionString } }";
    let tokens = "{ apiTokens { nodes { name role lastUsedAt } } }";
    let caller = "{ controlPlane { caller { role tokenName tokenId tokenExpiresAt } } }";

    server.bearer = Some(secrets[0].clone());
    let expected = json!({ "role": "VIEWER", "tokenName": "t", "tokenId": made_tokens[0]["id"], "tokenExpiresAt": made_tokens[0]["expiresAt"] });
    assert_eq!(server.query(caller, json!({})).await["controlPlane"]["caller"], expected);
    let seen = server.request(reads, json!({ "id": id })).await;
    assert_eq!((&seen["data"]["instance"]["name"], &seen["data"]["instance"]["connectionString"]), (&json!("guarded"), &Value::Null));
    assert_eq!(seen["errors"][0]["extensions"]["code"], "FORBIDDEN", "{seen:#}");
    for denied in ["mutation { createInstance(input: { name: \"x\" }) { userErrors { code } } }", tokens] {
        let answer = server.request(denied, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:#}");
    }

    // Subscribers of both roles who ask the same at once.
    let follow = "subscription($id: ID!) { instance(id: $id) { labels { key } connectionString } }";
    let mut followers = Vec::new();
    for secret in [&secrets[0], &secrets[1], &secrets[0], &secrets[1]] {
        let mut follower = subscribe_as(&server.address, Some(secret), follow, json!({ "id": id })).await.unwrap();
        follower.next().await.unwrap();
        followers.push((secret == &secrets[1], follower));
    }
    server.bearer = Some(secrets[1].clone());
    let label = "mutation($id: ID!) { updateInstance(input: { id: $id, labels: [{ key: \"a\", value: \"b\" }] }) { userErrors { code } } }";
    assert_eq!(server.query(label, json!({ "id": id })).await["updateInstance"]["userErrors"], json!([]));
    for (operator, follower) in &mut followers {
        let seen = loop {
            let seen = follower.next().await.unwrap();
            if seen["data"]["instance"]["labels"] == json!([{ "key": "a" }]) {
                break seen;
            }
        };
        assert_eq!(seen["data"]["instance"]["connectionString"].is_string(), *operator, "{seen:#}");
        assert_eq!(seen["errors"][0]["extensions"]["code"] == "FORBIDDEN", !*operator, "{seen:#}");
    }

    assert_eq!(server.query(caller, json!({})).await["controlPlane"]["caller"]["role"], "OPERATOR");
    let seen = server.query(reads, json!({ "id": id })).await;
    assert!(text(&seen["instance"]["connectionString"]).starts_with("postgresql://app:"));
    assert_eq!(server.request(tokens, json!({})).await["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(server.delete(&id).await["userErrors"], json!([]));

    server.bearer = admin;
    let all = server.query(tokens, json!({})).await;
    assert_eq!(all["apiTokens"]["nodes"].as_array().unwrap().len(), 3);
    assert!(!all.to_string().contains(&secrets[0]), "secrets are shown once");
    let bad = server
        .query("mutation { createApiToken(input: { name: \" \", role: ADMIN, expiresInDays: 0 }) { secret userErrors { field code } } }", json!({}))
        .await;
    assert_eq!(
        bad["createApiToken"],
        json!({ "secret": null, "userErrors": [{ "field": ["name"], "code": "INVALID" }, { "field": ["expiresInDays"], "code": "OUT_OF_RANGE" }] })
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_takes_its_subscriptions_along() {
    let home = Home::new();
    let mut server = home.start_with(TOKENS).await;
    let admin = first_token(&home, "admin").await;
    server.bearer = Some(admin.clone());
    let made = server.query("mutation { createApiToken(input: { name: \"short\", role: VIEWER }) { secret apiToken { id } } }", json!({})).await;
    let (secret, id) = (text(&made["createApiToken"]["secret"]), text(&made["createApiToken"]["apiToken"]["id"]));
    let document = "subscription { instances { type } }";
    let mut live = subscribe_as(&server.address, Some(&secret), document, json!({})).await.unwrap();
    assert_eq!(live.next().await.unwrap()["data"]["instances"]["type"], "SNAPSHOT_COMPLETE");
    let mut kept = subscribe_as(&server.address, Some(&admin), document, json!({})).await.unwrap();
    assert_eq!(kept.next().await.unwrap()["data"]["instances"]["type"], "SNAPSHOT_COMPLETE");

    let revoke = server
        .query("mutation($id: ID!) { revokeApiToken(input: { id: $id }) { apiToken { revokedAt } userErrors { code } } }", json!({ "id": id }))
        .await;
    assert!(revoke["revokeApiToken"]["apiToken"]["revokedAt"].is_string(), "{revoke:#}");
    assert_eq!(live.close_code().await, 4403);
    let again = subscribe_as(&server.address, Some(&secret), document, json!({})).await.unwrap().close_code().await;
    assert_eq!(again, 4403, "it does not come in again");
    server.bearer = Some(secret);
    assert_eq!(server.post(&json!({ "query": "{ __typename }" })).await.status(), StatusCode::UNAUTHORIZED);

    // Subscriptions of other tokens continue.
    server.bearer = Some(admin);
    server.create_ok("after").await;
    assert_eq!(kept.next().await.unwrap()["data"]["instances"]["type"], "UPSERTED");

    // The expiry of a token has the same effect.
    let made = server
        .query("mutation { createApiToken(input: { name: \"expiring\", role: VIEWER, expiresInDays: 1 }) { secret apiToken { id } } }", json!({}))
        .await;
    let mut live = subscribe_as(&server.address, Some(&text(&made["createApiToken"]["secret"])), document, json!({})).await.unwrap();
    live.next().await.unwrap();
    let url = std::fs::read_to_string(home.path().join("data/metadata.url")).unwrap();
    let sooner = "UPDATE toygres.api_tokens SET expires_at = now() + interval '1 second' WHERE name = 'expiring'";
    psql(url.trim(), sooner).await.unwrap();
    assert_eq!(live.close_code().await, 4403);

    // A session has the role that its token had when it began, so another role ends it too.
    let made = server.query("mutation { createApiToken(input: { name: \"demoted\", role: ADMIN }) { secret } }", json!({})).await;
    let mut live = subscribe_as(&server.address, Some(&text(&made["createApiToken"]["secret"])), document, json!({})).await.unwrap();
    live.next().await.unwrap();
    psql(url.trim(), "UPDATE toygres.api_tokens SET role = 'viewer' WHERE name = 'demoted'").await.unwrap();
    assert_eq!(live.close_code().await, 4403);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_expire_unless_the_opposite_is_said() {
    let home = Home::new();
    let mut server = home.start_with(TOKENS).await;
    server.bearer = Some(first_token(&home, "admin").await);
    let create = async |input: &str| {
        let document = format!(
            "mutation {{ createApiToken(input: {{ name: \"t\", role: VIEWER {input} }}) {{
            apiToken {{ createdAt expiresAt }} userErrors {{ code field message }} }} }}"
        );
        server.query(&document, json!({})).await["createApiToken"].clone()
    };
    let days = |token: &Value| {
        let at = |field: &str| chrono::DateTime::parse_from_rfc3339(token[field].as_str().unwrap()).unwrap();
        (at("expiresAt") - at("createdAt")).num_hours()
    };
    assert!((90 * 24 - 1..=90 * 24).contains(&days(&create("").await["apiToken"])));
    assert!((7 * 24 - 1..=7 * 24).contains(&days(&create("expiresInDays: 7").await["apiToken"])));
    assert_eq!(create("neverExpires: true").await["apiToken"]["expiresAt"], Value::Null);
    let both = create("expiresInDays: 7, neverExpires: true").await;
    assert_eq!((&both["userErrors"][0]["code"], &both["userErrors"][0]["field"]), (&json!("INVALID"), &json!(["neverExpires"])));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_tokens_are_slowed_down_and_valid_ones_are_not() {
    let home = Home::new();
    let mut server = home.start_with(TOKENS).await;
    let document = json!({ "query": "{ __typename }" });
    server.bearer = Some(first_token(&home, "admin").await);
    assert_eq!(server.post(&document).await.status(), StatusCode::OK);
    // Tokens that this server has not verified yet.
    let mut fresh = Vec::new();
    for _ in 0..6 {
        let made = server.query("mutation { createApiToken(input: { name: \"fresh\", role: VIEWER }) { secret } }", json!({})).await;
        fresh.push(text(&made["createApiToken"]["secret"]));
    }
    let verified = server.bearer.clone();
    for n in 0..25 {
        server.bearer = Some(format!("toygres_guess{n}"));
        assert_eq!(server.post(&document).await.status(), StatusCode::UNAUTHORIZED);
    }
    server.bearer = fresh.pop();
    assert_eq!(server.post(&document).await.status(), StatusCode::OK, "from the address of the guesses");

    // More guesses at once than may wait.
    let (url, stop) = (format!("http://{}/graphql", server.address), CancellationToken::new());
    let (mut guesses, http) = (JoinSet::new(), reqwest::Client::new());
    for n in 0..100 {
        let (http, url, document, stop) = (http.clone(), url.clone(), document.clone(), stop.clone());
        guesses.spawn(async move {
            for attempt in 0.. {
                if stop.is_cancelled() {
                    return;
                }
                http.post(&url).bearer_auth(format!("toygres_guess{n}-{attempt}")).json(&document).send().await.unwrap();
            }
        });
    }
    eventually("guesses are refused", async || {
        server.bearer.clone_from(&verified);
        let metrics = server.get("/metrics").await.text().await.unwrap();
        let throttled = metrics.lines().find_map(|line| line.strip_prefix(r#"toygres_authentications_refused_total{reason="throttled"} "#));
        throttled.is_some_and(|count| count != "0")
    })
    .await;
    let mut throttled = Vec::new();
    for secret in fresh {
        server.bearer = Some(secret.clone());
        match server.post(&document).await.status() {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => throttled.push(secret),
            other => panic!("{other}"),
        }
    }
    server.bearer = verified;
    assert_eq!(server.post(&document).await.status(), StatusCode::OK, "a verified token of the same address goes on");
    stop.cancel();
    guesses.join_all().await;
    // Nothing became known of a token that was not looked up.
    assert!(!throttled.is_empty(), "one of five was refused while 100 callers guessed");
    for secret in throttled {
        server.bearer = Some(secret);
        assert_eq!(server.post(&document).await.status(), StatusCode::OK);
    }
    assert!(server.log().contains("callers present tokens that are not valid"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_expired_is_called_so_each_time() {
    let home = Home::new();
    let mut server = home.start_with(TOKENS).await;
    server.bearer = Some(first_token(&home, "admin").await);
    let made = server.query("mutation { createApiToken(input: { name: \"short\", role: VIEWER }) { secret } }", json!({})).await;
    let url = std::fs::read_to_string(home.path().join("data/metadata.url")).unwrap();
    psql(url.trim(), "UPDATE toygres.api_tokens SET expires_at = now() - interval '1 second' WHERE name = 'short'").await.unwrap();
    server.bearer = Some(text(&made["createApiToken"]["secret"]));
    for _ in 0..3 {
        let answer: Value = server.post(&json!({ "query": "{ __typename }" })).await.json().await.unwrap();
        assert_eq!(answer["errors"][0]["message"], "the token has expired or was revoked");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_details_of_health_need_a_token_or_an_address_of_their_own() {
    let home = Home::new();
    let port = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    let open = format!("127.0.0.1:{port}");
    let mut server = home.start_with(&[TOKENS[0], ("TOYGRES_METRICS_LISTEN", &open)]).await;
    assert_eq!(server.get("/metrics").await.status(), StatusCode::UNAUTHORIZED);
    let health: Value = server.get("/health").await.json().await.unwrap();
    assert_eq!(health, json!({ "status": "up" }));
    assert_eq!(server.get("/readyz").await.status(), StatusCode::OK);
    let metrics = reqwest::get(format!("http://{open}/metrics")).await.unwrap();
    assert!(metrics.status() == StatusCode::OK && metrics.text().await.unwrap().contains("toygres_connections"));
    assert_eq!(reqwest::get(format!("http://{open}/graphql")).await.unwrap().status(), StatusCode::NOT_FOUND);
    server.bearer = Some(first_token(&home, "viewer").await);
    let metrics = server.get("/metrics").await.text().await.unwrap();
    let missing = r#"toygres_authentications_refused_total{reason="missing"} 1"#;
    assert!(metrics.lines().any(|line| line == missing), "only /metrics was refused, not /health: {metrics}");
    let health: Value = server.get("/health").await.json().await.unwrap();
    assert_eq!(health["checks"]["database"], "up");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_room_for_clients_answers_its_probes() {
    let home = Home::new();
    let open = Home::free_address();
    let server = home.start_with(&[("TOYGRES_METRICS_LISTEN", &open), ("TOYGRES_MAX_CONNECTIONS", "16")]).await;
    let http = reqwest::Client::new();
    let probe = async |host: &str| http.get(format!("http://{open}/readyz")).header("Host", host).send().await.unwrap().status();
    assert_eq!(probe(&open).await, StatusCode::OK);
    // The address has no access control, as the other one in local mode.
    assert_eq!(probe("evil.example").await, StatusCode::FORBIDDEN);
    let mut held = Vec::new();
    eventually("there is no room for another client", async || {
        held.push(TcpStream::connect(&server.address).await.unwrap());
        reqwest::get(format!("http://{}/livez", server.address)).await.is_err()
    })
    .await;
    for path in ["/livez", "/readyz", "/health", "/metrics"] {
        assert_eq!(http.get(format!("http://{open}{path}")).send().await.unwrap().status(), StatusCode::OK, "{path}");
    }
    drop(held);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tokens_stays_on_this_machine() {
    let home = Home::new();
    let open = home.command(&["serve", "--listen", "0.0.0.0:0"]).output().await.unwrap();
    assert!(!open.status.success() && String::from_utf8_lossy(&open.stderr).contains("TOYGRES_ACCESS"), "{open:?}");
    let output = home.command(&["token", "create", "--name", "early"]).output().await.unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("start the server first"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_nobody_could_use_does_not_start() {
    // The IPv4-mapped loopback address: not a loopback address according to `Ipv6Addr`, but only reachable from this machine.
    const ELSEWHERE: &str = "[::ffff:127.0.0.1]:0";
    let database = Database::start();
    let (home, url) = (Home::new(), database.url());
    let command = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("DATABASE_URL", &url).envs(TOKENS.iter().copied()).env("TOYGRES_ROLE", "api").env("TOYGRES_BEHIND_PROXY", "true");
        command
    };
    let refused = command(&["serve", "--listen", ELSEWHERE]).output().await.unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("nobody could come in") && said.contains("toygres token create"), "{said}");

    let made = command(&["token", "create", "--local", "--name", "first", "--role", "admin"]).output().await.unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut server = command(&["serve", "--listen", ELSEWHERE]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(TIMEOUT, lines.next_line()).await.unwrap().unwrap();
    assert!(line.is_some_and(|line| line.contains("ready")), "with a token it starts");
    server.kill().await.unwrap();

    // A revoked or expired token does not count.
    psql(&url, "UPDATE toygres.api_tokens SET revoked_at = now()").await.unwrap();
    let refused = command(&["serve", "--listen", ELSEWHERE]).output().await.unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("nobody could come in"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_come_in_only_when_they_are_listed() {
    const LISTED: &str = "https://dash.example";
    let home = Home::new();
    let http = reqwest::Client::new();
    let preflight = async |server: &Server, origin: &str| {
        let request = http.request(Method::OPTIONS, format!("http://{}/graphql", server.address)).header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "POST").header("Access-Control-Request-Headers", "authorization,content-type");
        request.send().await.unwrap()
    };
    let allowed = |answer: &reqwest::Response| answer.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned());

    // CORS is disabled by default.
    let server = home.start_with(TOKENS).await;
    let token = first_token(&home, "viewer").await;
    assert_eq!(allowed(&preflight(&server, LISTED).await), None);
    server.stop().await;

    let server = home.start_with(&[TOKENS[0], ("TOYGRES_CORS_ORIGINS", "https://other.example:8443,https://dash.example")]).await;
    let answer = preflight(&server, LISTED).await;
    assert!(answer.status().is_success(), "{answer:?}");
    assert_eq!(allowed(&answer).as_deref(), Some(LISTED));
    let may = |name: &str| answer.headers()[name].to_str().unwrap().to_lowercase();
    assert!(may("access-control-allow-methods").contains("post") && may("access-control-allow-headers").contains("authorization"), "{answer:?}");
    assert!(!answer.headers().contains_key("access-control-allow-credentials"), "tokens are sent by pages, not by browsers");
    assert_eq!(allowed(&preflight(&server, "https://evil.example").await), None);
    let post = http.post(format!("http://{}/graphql", server.address)).header("Origin", LISTED).bearer_auth(&token);
    let answer = post.json(&json!({ "query": "{ __typename }" })).send().await.unwrap();
    assert_eq!(allowed(&answer).as_deref(), Some(LISTED));
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": { "__typename": "Query" } }));

    // Browsers send no preflight request for a WebSocket, so the server checks the origin.
    for (origin, status) in [(LISTED.to_owned(), 101), (format!("http://{}", server.address), 101), ("https://evil.example".to_owned(), 403)] {
        let mut request = format!("ws://{}/graphql", server.address).into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
        request.headers_mut().insert("Origin", origin.parse().unwrap());
        let opened = match tokio_tungstenite::connect_async(request).await {
            Ok((_, response)) => response.status(),
            Err(tungstenite::Error::Http(response)) => response.status(),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(opened.as_u16(), status, "{origin}");
    }
    server.stop().await;

    let wrong = home.command(&["serve"]).env("TOYGRES_CORS_ORIGINS", "dash.example/").output().await.unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("TOYGRES_CORS_ORIGINS") && said.contains("origins"), "{said}");
}

/// Creates the first token on the server's machine.
pub async fn first_token(home: &Home, role: &str) -> String {
    let output = home.command(&["token", "create", "--name", "first", "--role", role]).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
