//! The instances: in the metadata and in the cluster, as after their creation.

use std::{sync::Arc, time::Duration};

use toygres_domain::{
    InstanceId,
    data::{Data, VolumeId},
    instance::{Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion},
    operation::{Params, create},
    roles::{Credentials, MONITOR, SUPERUSER},
    runtime::Deployment,
    secret::{Secret, SecretKeys},
};
use toygres_k8s::{
    Settings,
    build::{names, objects},
};
use toygres_k8s_fake::{FakeApiServer, RunningInstance};
use toygres_store::{NewInstance, Outcome, Reached, Request, Store, Subject};

use super::{
    KEY, Load,
    hosted::{Certificates, Hosted, OWNER_PASSWORD},
    support::connect,
};

/// The default retention of samples.
const RETENTION_HOURS: i32 = 48;

/// An instance that is checked every `interval` seconds.
pub fn spec(interval: i32) -> InstanceSpec {
    InstanceSpec {
        postgres_version: PostgresVersion(15),
        // The default. A volume of 1 GiB, which may be full within seconds, is measured and so checked more often than on its interval.
        storage_gb: 10,
        cpu_millis: 100,
        memory_mb: 128,
        username: "app".to_owned().try_into().expect("it is a name"),
        database: "postgres".to_owned().try_into().expect("it is a name"),
        exposure: Exposure::Cluster,
        require_tls: false,
        health_check: HealthCheckPolicy { interval_seconds: interval, timeout_seconds: 5 },
        parameters: Default::default(),
    }
}

/// Inserts running instances, as after their creation, into the metadata, and returns a cluster that has them. The server starts a loop for each
/// when it starts.
pub async fn make_instances(url: &str, load: &Load, hosted: &[Hosted], certificates: &Certificates) -> FakeApiServer {
    let keys = Arc::new(SecretKeys::parse(KEY).expect("it is a key"));
    // Nothing of it needs to survive a failure of the machine.
    let store = Store::open(&format!("{url}?options=-csynchronous_commit%3Doff"), 16, SecretKeys::parse(KEY).expect("it is a key"));
    let store = store.expect("the URL is one");
    store.migrate().await.expect("the migrations work");
    store.publish_first_authority(&certificates.authority).await.expect("it can be published");
    let sql = Arc::new(connect(url).await);
    sql.batch_execute("SET synchronous_commit = off").await.expect("it can be set");
    let made = (0..load.count).map(|number| {
        let (store, sql, keys, hosted, interval) = (store.clone(), sql.clone(), keys.clone(), &hosted[number % hosted.len()], load.interval);
        async move {
            let new = NewInstance {
                id: InstanceId::generate(),
                name: format!("bench-{number}").parse().expect("it is a name"),
                spec: spec(interval),
                password: Secret::new(OWNER_PASSWORD.to_owned()),
                labels: Default::default(),
                deletion_protected: false,
                idle_suspend_minutes: None,
                maintenance_window: None,
                storage_auto_grow: None,
                backups: Default::default(),
            };
            let request = Request { idempotency: None, revision: None, requested_by: None, deadline: Duration::from_secs(600), password: None };
            let params = Params::Create(create::Params::default());
            let accepted = store.accept(Subject::New(&new), &params, &request).await.expect("it is accepted");
            store.credentials_to_create(new.id).await.expect("they can be made");
            set_platform_passwords(&sql, &keys, new.id, hosted).await;
            let endpoint = hosted.endpoint.clone();
            let connection_string = toygres_domain::connection_string::connection_string(&endpoint, &new.spec);
            let outcome = Outcome::Succeeded(Some(Reached { endpoint, connection_string }));
            store.finish(&accepted.operation.id, 1, &outcome).await.expect("it runs");
            let volume = VolumeId(new.id.to_string());
            store.record_volume(new.id, &volume).await.expect("it can be recorded");
            let deployment = deployment(&new, hosted, certificates, volume.clone());
            certificates.record(&store, new.id, certified_names(&deployment, hosted)).await;
            RunningInstance { objects: objects(&deployment, &Settings::default()), volume: volume.0, address: hosted.endpoint.host.clone() }
        }
    });
    let made: Vec<RunningInstance> = futures::StreamExt::collect(futures::StreamExt::buffer_unordered(futures::stream::iter(made), 16)).await;
    store.close().await;
    // Their first checks are long ago.
    sql.batch_execute("UPDATE toygres.instances SET health_status = 'healthy'").await.expect("it can be set");
    let cluster = FakeApiServer::start_still().await;
    cluster.cluster(|cluster| cluster.add_running(made));
    cluster
}

/// Gives an instance the passwords that the roles of its server have.
async fn set_platform_passwords(sql: &tokio_postgres::Client, keys: &SecretKeys, id: InstanceId, hosted: &Hosted) {
    for (role, password) in [(SUPERUSER, &hosted.platform.superuser), (MONITOR, &hosted.platform.monitor)] {
        let (id, sealed) = (id.to_string(), keys.seal(password, &format!("{id}/{role}")));
        let statement = "UPDATE toygres.platform_passwords SET sealed_password = $3 WHERE instance_id = $1::text::uuid AND role = $2";
        let updated = sql.execute(statement, &[&id, &role, &sealed]).await.expect("the metadata answers");
        assert_eq!(updated, 1, "the instance has the role {role}");
    }
}

fn deployment(new: &NewInstance, hosted: &Hosted, certificates: &Certificates, volume: VolumeId) -> Deployment {
    Deployment {
        id: new.id,
        name: new.name.clone(),
        first_name: new.name.clone(),
        spec: new.spec.clone(),
        credentials: Credentials { owner: new.password.clone(), platform: Some(hosted.platform.clone()) },
        data: Data::Existing(Some(volume)),
        certificate: certificates.of_server(),
        suspended: false,
        closed: false,
    }
}

fn certified_names(deployment: &Deployment, hosted: &Hosted) -> Vec<String> {
    let address = toygres_domain::address::Address { name: deployment.name.clone(), exposure: deployment.spec.exposure.clone() };
    let mut names = vec![deployment.id.tls_name()];
    names.extend(names::server_names(&address, &Settings::default()));
    names.push(hosted.endpoint.host.clone());
    names
}

/// Inserts the oldest samples of the retention, in the partitions that they would be in.
pub async fn make_samples(sql: &tokio_postgres::Client, load: &Load) {
    let (hours, interval) = (load.sample_hours, load.interval);
    let samples = format!(
        "SET session_replication_role = replica;
         DO $$ DECLARE today timestamptz := date_trunc('day', now(), 'UTC'); parent text; BEGIN
             FOREACH parent IN ARRAY ARRAY['health_checks', 'instance_metrics'] LOOP
                 FOR ago IN 0 .. {RETENTION_HOURS} / 24 + 1 LOOP
                     EXECUTE format('CREATE TABLE toygres.%1$s_%2$s PARTITION OF toygres.%1$s FOR VALUES FROM (%3$L) TO (%4$L)', parent, ago,
                                    today - ago * interval '24 hours', today + (1 - ago) * interval '24 hours');
                 END LOOP;
             END LOOP;
         END $$;
         DROP INDEX toygres.health_checks_instance;
         INSERT INTO toygres.health_checks (instance_id, at, status, latency_us)
             SELECT instance.id, now() - interval '{RETENTION_HOURS} hours' + (round + instance.part) * interval '{interval} seconds', 'healthy', 900
             FROM generate_series(0, {hours} * 3600 / {interval} - 1) round
                  CROSS JOIN (SELECT id, percent_rank() OVER (ORDER BY id) AS part FROM toygres.instances) instance
             ORDER BY round, part;
         CREATE INDEX health_checks_instance ON toygres.health_checks (instance_id, id);
         RESET session_replication_role"
    );
    sql.batch_execute(&samples).await.expect("samples can be made");
    // The maintenance of so many new rows is not part of the measurement.
    sql.batch_execute("VACUUM ANALYZE toygres.health_checks").await.expect("they can be looked at");
}

/// Inserts the readings of metrics that become too old from now on until the measurement is over.
pub async fn make_readings(sql: &tokio_postgres::Client, load: &Load) {
    // The start takes up to fifteen minutes.
    let rounds = (load.time.as_secs() + 900) / 30;
    let readings = format!(
        "INSERT INTO toygres.instance_metrics (instance_id, at, epoch, readings)
             SELECT instance.id, now() - interval '{RETENTION_HOURS} hours' + (round + instance.part) * interval '30 seconds', 1,
                 (SELECT array_agg(n * 1000.5) FROM generate_series(1, 24) n)
             FROM generate_series(0, {rounds}) round
                  CROSS JOIN (SELECT id, percent_rank() OVER (ORDER BY id) AS part FROM toygres.instances) instance
             ORDER BY round, part"
    );
    sql.batch_execute(&readings).await.expect("readings can be made");
    sql.batch_execute("VACUUM ANALYZE").await.expect("they can be looked at");
    sql.batch_execute("CHECKPOINT").await.expect("they can be written");
}
