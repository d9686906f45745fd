//! `toygres webhooks`.

use super::{
    World,
    receiver::{Answer, Receiver},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_manages_webhooks() {
    let world = World::start().await;
    let server = world.server().await;
    let receiver = Receiver::start(Answer::Status(204)).await;
    let run = async |arguments: &[&str]| {
        let mut command = world.home.command(&[&["webhooks"], arguments, &["--url", &server.url("")]].concat());
        let output = command.output().await.unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, secret, said) = run(&["create", &receiver.url(), "--event", "notice-raised", "--description", "on call"]).await;
    assert!(code == 0 && secret.starts_with("whsec_"), "{said}");
    let id = said.split_whitespace().find_map(|word| word.strip_suffix(';')).unwrap().to_owned();
    let (_, listed, _) = run(&["list"]).await;
    assert!(listed.contains(&id) && listed.contains("notice raised") && listed.contains("enabled"), "{listed}");
    let (code, answer, said) = run(&["test", &id]).await;
    assert!(code == 0 && answer.starts_with("status 204"), "{answer}{said}");
    receiver.answers(Answer::Status(500));
    let (code, _, said) = run(&["test", &id]).await;
    assert!(code == 1 && said.contains("500"), "{said}");
    assert!(run(&["disable", &id]).await.1.contains("disabled"));
    assert!(run(&["enable", &id]).await.1.contains("enabled"));
    assert!(run(&["update", &id, "--all-events"]).await.1.contains("all"));
    let (code, rotated, _) = run(&["rotate-secret", &id]).await;
    assert!(code == 0 && rotated.starts_with("whsec_") && rotated != secret);
    let (code, _, said) = run(&["update", &id, "--target", "http://10.0.0.1/"]).await;
    assert!(code == 2 && said.contains("url: leads to 10.0.0.1"), "{code} {said}");
    assert_eq!(run(&["delete", &id, "--yes"]).await.0, 0);
    assert_eq!(run(&["test", &id]).await.0, 4);
    server.stop().await;
}
