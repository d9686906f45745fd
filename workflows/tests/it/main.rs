//! x
#[tokio::test]
async fn x() {
    let t = std::time::Instant::now();
    let db = toygres_domain::testing::TestDatabase::create().await;
    println!("{:?}", t.elapsed());
    db.store().ping().await.unwrap();
    println!("{:?}", t.elapsed());
    drop(db);
    println!("{:?}", t.elapsed());
}
