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
    // `--url` is the server, and a guess for `--target`: nothing is sent there, least of all the token.
    let before = receiver.received().len();
    for arguments in [&["webhooks", "update", &id][..], &["webhooks", "update", &id, "--url", &receiver.url()]] {
        let mut command = world.home.command(arguments);
        let output = command.env("TOYGRES_TOKEN", "secret").output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains("--target"), "{said}");
    }
    let mut command = world.home.command(&["webhooks", "list", "--url", &receiver.url()]);
    let output = command.env("TOYGRES_TOKEN", "secret").env("TOYGRES_URL", server.url("")).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("TOYGRES_TOKEN is for the server of TOYGRES_URL"), "{said}");
    assert_eq!(receiver.received().len(), before);
    assert_eq!(run(&["delete", &id, "--yes"]).await.0, 0);
    assert_eq!(run(&["test", &id]).await.0, 4);
    server.stop().await;
}
