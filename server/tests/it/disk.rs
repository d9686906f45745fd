//! A disk of the data directory that has less space than the configured minimum. `chaos::disk` fills a real one.

use nix::sys::statvfs::statvfs;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Home, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_everywhere_and_what_was_accepted_goes_on_afterwards() {
    let home = Home::new();
    let server = home.start().await;
    let old = server.create_ok("old").await;
    server.until_healthy(&old).await;
    server.stop().await;

    let disk = statvfs(home.path()).unwrap();
    #[allow(clippy::useless_conversion, reason = "on macOS, the number of blocks has 32 bits")]
    let megabytes = u64::from(disk.blocks()) * u64::from(disk.fragment_size()) / 1_000_000;
    let full = home.spawn(&[("TOYGRES_MIN_FREE_DISK_MB", &(megabytes + 1).to_string())]).await;
    let status = async || match full.http.get(full.url("/health")).send().await {
        Ok(response) => response.json::<Value>().await.unwrap(),
        // It does not listen yet.
        Err(_) => Value::Null,
    };
    eventually("the server is up except for its disk", async || {
        let now = status().await;
        now["checks"]["workflows"] == "up" && now["checks"]["liveDelivery"] == "up" && now["checks"]["runtime"] == "down"
    })
    .await;
    let now = status().await;
    assert_eq!((&now["status"], &now["runtime"]["reason"]["code"]), (&json!("down"), &json!("DISK_FULL")), "{now:#}");
    assert_eq!(full.get("/readyz").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let unhealthy = full.until(&old, "unhealthy", |now| now["health"] == "UNHEALTHY" && now["reason"]["code"] == "DISK_FULL").await;
    assert!(unhealthy["reason"]["message"].as_str().unwrap().contains("TOYGRES_MIN_FREE_DISK_MB"), "{unhealthy:#}");
    let new = full.create_ok("new").await;
    full.until(&new, "waiting for space", |now| now["state"] == "CREATING" && now["reason"]["code"] == "DISK_FULL").await;
    eventually("the metrics say so", async || {
        let metrics = full.get("/metrics").await.text().await.unwrap();
        metrics.contains("toygres_runtime_reachable 0\n") && metrics.contains("\ntoygres_data_disk_available_bytes ")
    })
    .await;
    assert_eq!(full.log().matches("the host of the instances is full").count(), 1, "{}", full.log());
    full.stop().await;

    let server = home.start().await;
    tokio::join!(server.until_healthy(&old), server.until_healthy(&new));
    server.stop().await;
}
