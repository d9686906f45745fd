//! A server that a proxy publishes below a path.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Home, subscribe_to};

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_served_with_and_without_the_base_path() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_BASE_PATH", "/db/toygres/")]).await;
    let get = async |path: &str| {
        let request = server.http.get(server.url(path)).header(header::ACCEPT, "text/html").header(header::ACCEPT_ENCODING, "br, gzip");
        let response = request.send().await.unwrap();
        (response.status(), response.headers().clone(), response.text().await.unwrap())
    };
    for path in ["/", "/db/toygres", "/db/toygres/", "/db/toygres/instances/1", "/operations"] {
        let (status, headers, page) = get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(page.contains("<base href=\"/db/toygres/\""), "{path}: {page}");
        assert!(!page.contains("=\"/assets") && page.contains("=\"./assets/"), "its files are relative: {page}");
        assert!(
            headers.get(header::CONTENT_ENCODING).is_none() && headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("base-uri 'self'")
        );
    }
    let file = get("/").await.2.split("src=\"./").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for path in [format!("/{file}"), format!("/db/toygres/{file}"), "/db/toygres/favicon.svg".to_owned(), "/db/toygres/schema.graphql".to_owned()] {
        assert_eq!(get(&path).await.0, StatusCode::OK, "{path}");
    }
    assert!(get("/db/toygresql/livez").await.2.contains("<base"), "another path is a page");
    assert_eq!(get("/db/toygres/livez").await.2, "ok\n");
    for base in ["", "/db/toygres"] {
        let path = format!("{base}/graphql");
        let answer = server.http.post(server.url(&path)).json(&json!({ "query": "{ __typename }" })).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": { "__typename": "Query" } }));
        let mut live = subscribe_to(&format!("{}{base}", server.address), "subscription { instances { type } }", json!({})).await.unwrap();
        assert_eq!(live.next().await.unwrap()["data"]["instances"]["type"], "SNAPSHOT_COMPLETE");
        // The page of another site may not ask for it as an image.
        let embedded = server.http.get(server.url(&format!("{path}?query={{__typename}}"))).header("sec-fetch-site", "cross-site");
        assert_eq!(embedded.header("sec-fetch-mode", "no-cors").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    server.stop().await;
}

/// Large files are in the binary in compressed forms only.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_page_is_the_same_in_every_encoding() {
    let home = Home::new();
    let server = home.start().await;
    let page = server.get("/").await.text().await.unwrap();
    let script = page.split("src=\"./").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let http = reqwest::Client::builder().no_gzip().no_brotli().build().unwrap();
    let get = async |path: &str, accepted: &str| {
        let answer = http.get(server.url(&format!("/{path}"))).header(header::ACCEPT_ENCODING, accepted).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {accepted}");
        let headers = answer.headers().clone();
        (headers, answer.bytes().await.unwrap())
    };
    for (path, kind) in [(script.as_str(), "text/javascript"), ("favicon.svg", "image/svg+xml"), ("", "text/html")] {
        let (headers, plain) = get(path, "identity").await;
        assert_eq!(headers.get(header::CONTENT_ENCODING), None, "{path}");
        assert_eq!(headers[header::VARY], "Accept-Encoding", "{path}");
        assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with(kind), "{path}: {headers:?}");
        assert_eq!(headers[header::CONTENT_LENGTH].to_str().unwrap(), plain.len().to_string(), "{path}");
        let (headers, compressed) = get(path, "gzip").await;
        assert_eq!(headers[header::CONTENT_ENCODING], "gzip", "{path}");
        let mut content = Vec::new();
        GzDecoder::new(&*compressed).read_to_end(&mut content).unwrap();
        assert!(content == plain, "{path}: {} and {} bytes", content.len(), plain.len());
        assert_eq!(get(path, "gzip, br").await.0[header::CONTENT_ENCODING], "br", "{path}");
        let head = http.head(server.url(&format!("/{path}"))).send().await.unwrap();
        assert_eq!(head.headers()[header::CONTENT_LENGTH].to_str().unwrap(), plain.len().to_string(), "{path}");
    }
    server.stop().await;
}
