//! Lists: the number of statements for a page, and the correctness of pages under concurrent changes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Database, Home, Server, psql, text};

/// The server does not run workflows, so only the test changes its database.
const QUIET: (&str, &str) = ("TOYGRES_ROLE", "api");

#[tokio::test(flavor = "multi_thread")]
async fn a_page_costs_the_same_number_of_statements_however_long_it_is() {
    let database = Database::start_logging();
    let home = Home::new();
    let url = database.url();
    // The data is inserted before the server starts, so that its hub has nothing to read.
    let migrated = home.command(&["migrate"]).env("DATABASE_URL", &url).output().await.unwrap();
    assert!(migrated.status.success(), "{migrated:?}");
    psql(&url, &instances("series", 1..=100)).await.unwrap();
    let things = "
        INSERT INTO toygres.operations (id, instance_id, kind, params, excludes, engine_id, status, steps, deadline, created_at, finished_at)
            SELECT format('create-%s-%s', id, n), id, 'create', '{}', true, format('create-%s-%s-r1', id, n), 'failed', '[]', now(),
                   now() + n * interval '1 second', now()
            FROM toygres.instances, generate_series(1, 4) n;
        INSERT INTO toygres.health_checks (instance_id, status, latency_us)
            SELECT id, 'healthy', n * 1000 FROM toygres.instances, generate_series(1, 3) n";
    psql(&url, things).await.unwrap();
    let server = home.start_with(&[("DATABASE_URL", &url), QUIET]).await;

    let query = "query($n: Int!) { instances(first: $n) { nodes {
        name
        latestHealthCheck { latencyMs }
        healthSummary { checks latencyP50Ms }
        healthChecks(first: 2) { nodes { latencyMs } pageInfo { hasNextPage } }
        operations(first: 2) { totalCount pageInfo { hasNextPage hasPreviousPage } nodes { id instance { name } } }
        failed: operations(last: 1, filter: { status: [FAILED] }) { nodes { id } pageInfo { hasPreviousPage } }
        events(first: 3) { nodes { type } }
    } } }";
    let mut costs = Vec::new();
    for n in [2, 100] {
        let before = database.statements();
        let page = server.query(query, json!({ "n": n })).await;
        let statements: Vec<String> = database.statements().split_off(before.len()).into_iter().filter(|sql| !of_the_hub(sql)).collect();
        let nodes = page["instances"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), n);
        for node in nodes {
            assert_eq!(node["latestHealthCheck"]["latencyMs"], 3.0, "{node:#}");
            assert_eq!(node["healthSummary"], json!({ "checks": 3, "latencyP50Ms": 2.0 }), "{node:#}");
            assert_eq!(node["healthChecks"], json!({ "nodes": [{ "latencyMs": 3.0 }, { "latencyMs": 2.0 }], "pageInfo": { "hasNextPage": true } }));
            let operations = &node["operations"];
            assert_eq!((&operations["totalCount"], &operations["pageInfo"]["hasNextPage"]), (&json!(4), &json!(true)), "{node:#}");
            assert!(text(&operations["nodes"][0]["id"]).ends_with("-4") && text(&operations["nodes"][1]["id"]).ends_with("-3"), "{node:#}");
            assert_eq!(operations["nodes"][0]["instance"]["name"], node["name"]);
            assert!(text(&node["failed"]["nodes"][0]["id"]).ends_with("-1"), "{node:#}");
            assert_eq!(node["failed"]["pageInfo"]["hasPreviousPage"], true);
            assert_eq!(node["events"]["nodes"][0]["type"], "INSTANCE_CREATED", "{node:#}");
        }
        costs.push(statements);
    }
    // The page, seven lists and values below it, and the instances of the operations. The keys of the latter are collected as the
    // operations arrive, so on a busy machine their batch may be split.
    assert_eq!(costs[0].len(), 9, "{:#?}", costs[0]);
    let below = costs[1].iter().filter(|sql| !sql.contains("FROM instances WHERE id = ANY")).count();
    assert_eq!(below, 8, "{:#?}", costs[1]);
    assert!(costs[1].len() < 8 + 20, "{:#?}", costs[1]);
    server.stop().await;
}

/// Checks are repeated quickly after a failure, and not made at all while the server is planned to be down.
#[tokio::test(flavor = "multi_thread")]
async fn availability_is_weighed_by_time() {
    let database = Database::start();
    let home = Home::new();
    let url = database.url();
    let server = home.start_with(&[("DATABASE_URL", &url), QUIET]).await;
    psql(&url, &instances("series", 1..=1)).await.unwrap();
    // 10 s available, 10 s not, 60 s available, and then a time without checks, of which two intervals with their timeouts count.
    let samples = "INSERT INTO toygres.health_checks (instance_id, at, status)
        SELECT id, now() - ago * interval '1 s', status FROM toygres.instances, (VALUES (3600, 'healthy')) sample (ago, status)
        UNION ALL SELECT id, now() - ago * interval '1 s', 'unhealthy' FROM toygres.instances, generate_series(3590, 3581, -1) ago
        UNION ALL SELECT id, now() - ago * interval '1 s', 'healthy' FROM toygres.instances, (VALUES (3580), (3550), (3520)) sample (ago)
        ORDER BY 2";
    psql(&url, samples).await.unwrap();
    let answer = server
        .query("{ instances { nodes { healthCheckPolicy { intervalSeconds timeoutSeconds } healthSummary { checks uptime } } } }", json!({}))
        .await;
    let node = &answer["instances"]["nodes"][0];
    let [interval, timeout] = ["intervalSeconds", "timeoutSeconds"].map(|field| node["healthCheckPolicy"][field].as_f64().unwrap());
    let available = 10.0 + 60.0 + 2.0 * (interval + timeout);
    assert_eq!(node["healthSummary"]["checks"], 14, "{node}");
    assert!((node["healthSummary"]["uptime"].as_f64().unwrap() - available / (available + 10.0)).abs() < 1e-6, "{node}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_right_while_rows_come_and_go() {
    let database = Database::start();
    let home = Home::new();
    let url = database.url();
    let server = home.start_with(&[("DATABASE_URL", &url), QUIET]).await;
    for (round, (field, backward)) in [("NAME", false), ("NAME", true), ("CREATED_AT", false), ("CREATED_AT", true)].into_iter().enumerate() {
        // The instances with odd numbers stay; others are inserted and deleted between them.
        psql(&url, "TRUNCATE toygres.instances CASCADE").await.unwrap();
        psql(&url, &instances("stays", (1..=81).step_by(2))).await.unwrap();
        psql(&url, &instances("first", (2..=80).step_by(2))).await.unwrap();
        let query = format!(
            "query($first: Int, $after: String, $last: Int, $before: String) {{
                instances(first: $first, after: $after, last: $last, before: $before, orderBy: {{ field: {field} }}) {{
                    edges {{ cursor node {{ name }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
        );
        let (mut seen, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
        loop {
            let variables = match backward {
                false => json!({ "first": 7, "after": cursor }),
                true => json!({ "last": 7, "before": cursor }),
            };
            let page = server.query(&query, variables).await["instances"].clone();
            let mut names: Vec<String> = page["edges"].as_array().unwrap().iter().map(|edge| text(&edge["node"]["name"])).collect();
            if backward {
                names.reverse();
            }
            seen.extend(names);
            pages += 1;
            let (more, end) = if backward { ("hasPreviousPage", "startCursor") } else { ("hasNextPage", "endCursor") };
            if page["pageInfo"][more] == false {
                break;
            }
            cursor = page["pageInfo"][end].clone();
            assert!(cursor.is_string(), "{page:#}");
            // Deletes the entry of the cursor if it is not one that stays, and some before and after it, and inserts others.
            let last = seen.last().unwrap();
            let changes = format!(
                "DELETE FROM toygres.instances WHERE name = '{last}' AND name LIKE '%-first';
                 UPDATE toygres.instances SET state = 'deleted', deleted_at = now()
                     WHERE state <> 'deleted' AND name NOT LIKE '%-stays' AND abs(hashtext(name || '{pages}')) % 4 = 0;
                 {}",
                instances(&format!("round{round}x{pages}"), (2..=80).step_by(2).filter(|n| (n / 2 + pages) % 5 == 0))
            );
            psql(&url, &changes).await.unwrap();
            assert!(pages < 100, "it ends");
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "nothing is seen twice: {seen:?}");
        let stayed: Vec<&String> = seen.iter().filter(|name| name.ends_with("-stays")).collect();
        let mut expected: Vec<String> = (1..=81).step_by(2).map(|n| format!("n{n:03}-stays")).collect();
        if backward {
            expected.reverse();
        }
        assert_eq!(stayed, expected.iter().collect::<Vec<_>>(), "whatever stays is seen, in order");
        if field == "NAME" {
            assert!(seen.is_sorted_by(|a, b| if backward { a > b } else { a < b }), "{seen:?}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_paged_in_both_directions() {
    let database = Database::start();
    let home = Home::new();
    let url = database.url();
    let server = home.start_with(&[("DATABASE_URL", &url), QUIET]).await;
    psql(&url, &instances("one", 1..=1)).await.unwrap();
    // Two operations at a time have the same creation time, so that only the id orders them.
    let rows = "INSERT INTO toygres.operations (id, instance_id, kind, params, excludes, engine_id, status, steps, deadline, created_at, finished_at)
        SELECT format('create-%s-%s', id, n), id, 'create', '{}', true, format('create-%s-%s-r1', id, n), 'failed', '[]', now(),
               timestamptz '2026-01-01' + (n / 2) * interval '1 second', now()
        FROM toygres.instances, generate_series(10, 33) n";
    psql(&url, rows).await.unwrap();
    let id = psql(&url, "SELECT id FROM toygres.instances").await.unwrap();
    let all = walk(&server, "operations", &id, false).await;
    assert_eq!(all.len(), 24);
    assert_eq!(all, (10..34).rev().map(|n| format!("create-{id}-{n}")).collect::<Vec<_>>());
    for (which, backward) in [("operations", true), ("instance", false), ("instance", true)] {
        assert_eq!(walk(&server, which, &id, backward).await, all, "{which}, backward: {backward}");
    }
    server.stop().await;
}

/// Lists every operation page by page, forward or backward.
async fn walk(server: &Server, which: &str, id: &str, backward: bool) -> Vec<String> {
    let list = "operations(first: $first, after: $after, last: $last, before: $before)
        { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }";
    let body = if which == "instance" { format!("instance(id: \"{id}\") {{ {list} }}") } else { list.to_owned() };
    let query = format!("query($first: Int, $after: String, $last: Int, $before: String) {{ {body} }}");
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let variables = if backward { json!({ "last": 5, "before": cursor }) } else { json!({ "first": 5, "after": cursor }) };
        let data = server.query(&query, variables).await;
        let page = if which == "instance" { &data["instance"]["operations"] } else { &data["operations"] };
        assert_eq!(page["totalCount"], 24);
        let ids = page["nodes"].as_array().unwrap().iter().map(|node| text(&node["id"]));
        if backward {
            seen.splice(0..0, ids);
        } else {
            seen.extend(ids);
        }
        let (more, end) = if backward { ("hasPreviousPage", "startCursor") } else { ("hasNextPage", "endCursor") };
        if page["pageInfo"][more] == false {
            return seen;
        }
        cursor = page["pageInfo"][end].clone();
    }
}

/// SQL that makes running instances `n<number>-<name>`, created in the order of their numbers.
fn instances(name: &str, numbers: impl IntoIterator<Item = i32>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|n| n.to_string()).collect();
    format!(
        "INSERT INTO toygres.instances (id, name, state, postgres_version, storage_gb, cpu_millis, memory_mb, username, database_name, exposure,
             health_interval_seconds, health_timeout_seconds, created_at)
         SELECT gen_random_uuid(), 'n' || lpad(n::text, 3, '0') || '-{name}', 'running', 15, 10, 500, 512, 'app', 'app', '{{\"type\": \"cluster\"}}', 30, 5,
                timestamptz '2026-01-01' + n * interval '1 second'
         FROM unnest(ARRAY[{}]::int[]) n",
        numbers.join(", ")
    )
}

/// Statements of the hub, which polls the log independently of requests.
fn of_the_hub(sql: &str) -> bool {
    sql.contains("event_horizon") || sql.contains("event_head") || sql.contains("LISTEN")
}
