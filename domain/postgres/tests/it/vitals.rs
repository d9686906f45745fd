//! What a server tells that can become an outage, provoked.

use std::time::Duration;

use toygres_domain::{InstanceId, notice::Vitals};
use toygres_postgres::Prober;

use crate::{hostile::running, storage::Instance};

async fn vitals(instance: &Instance, prober: &Prober, id: InstanceId) -> Vitals {
    instance.checked(prober, id).await.vitals.expect("it tells").0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_tells_its_connections_its_idle_transactions_and_its_oldest_transaction() {
    let instance = Instance::start().await;
    let (prober, _running) = running(1000);
    let id = InstanceId::generate();
    let calm = vitals(&instance, &prober, id).await;
    let limit = instance.server.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'shop'");
    let [all, reserved] = ["max_connections", "superuser_reserved_connections"].map(|name| instance.server.execute(&format!("SHOW {name}")));
    let most = all.parse::<i64>().unwrap() - reserved.parse::<i64>().unwrap();
    let limit = limit.parse().ok().filter(|limit| *limit >= 0).map_or(most, |limit: i64| limit.min(most));
    assert_eq!((calm.connections, calm.max_connections, calm.idle_transaction), (0, limit, None), "the sessions of the platform do not count");
    let (_, age) = calm.oldest.unwrap();
    assert!((0..100_000).contains(&age), "{age}");

    let (first, second) = (instance.connect().await, instance.connect().await);
    first.batch_execute("BEGIN; SELECT 1").await.unwrap();
    second.batch_execute("SELECT 1").await.unwrap();
    let now = vitals(&instance, &prober, id).await;
    assert_eq!(now.connections, 2);
    let idle = now.idle_transaction.unwrap();
    let pid = first.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0);
    assert_eq!((idle.process_id, idle.user.as_str(), idle.database.as_str()), (i64::from(pid), "shop", "shop"));
    assert!(idle.lasted < Duration::from_secs(60), "{idle:?}");
    // One that failed is idle too.
    first.batch_execute("SELECT 1/0").await.unwrap_err();
    assert_eq!(vitals(&instance, &prober, id).await.idle_transaction.unwrap().process_id, i64::from(pid));
    first.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(vitals(&instance, &prober, id).await.idle_transaction, None);

    // The slot that is the furthest behind, while another one has caught up.
    assert_eq!(vitals(&instance, &prober, id).await.slot, None);
    let shared_buffers = instance.server.execute("SELECT pg_size_bytes(current_setting('shared_buffers'))").parse::<i64>().unwrap();
    instance.server.execute("SELECT pg_create_physical_replication_slot('behind', true)");
    for _ in 0..3 {
        instance.server.execute("SELECT pg_logical_emit_message(false, '', 'x'); SELECT pg_switch_wal()");
    }
    instance.server.execute("SELECT pg_create_physical_replication_slot('caught_up', true)");
    let now = vitals(&instance, &prober, id).await;
    let slot = now.slot.unwrap();
    assert_eq!((slot.slot.as_str(), slot.limit, now.shared_buffers), ("behind", -1, Some(shared_buffers)));
    assert!((2 << 24..4 << 24).contains(&slot.bytes), "{slot:?}");
    instance.server.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '64MB'");
    instance.server.execute("SELECT pg_reload_conf()");
    eventually_limited(&instance, &prober, id).await;
    instance.server.execute("SELECT pg_drop_replication_slot('behind')");
    assert_eq!(vitals(&instance, &prober, id).await.slot.unwrap().slot, "caught_up");

    // As if nothing had been frozen for 1.5 billion transactions.
    instance.server.execute("UPDATE pg_database SET datfrozenxid = (((txid_current() - 1500000000) & 4294967295)::text)::xid WHERE datname = 'shop'");
    let (database, age) = vitals(&instance, &prober, id).await.oldest.unwrap();
    assert_eq!(database, "shop");
    assert!((1_499_999_000..1_500_001_000).contains(&age), "{age}");
}

/// The backend of the monitor takes a new setting between two statements.
async fn eventually_limited(instance: &Instance, prober: &Prober, id: InstanceId) {
    for _ in 0..100 {
        if vitals(instance, prober, id).await.slot.unwrap().limit == 64 << 20 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the limit is not told");
}
