//! Failures: the exit codes, and messages that say what to do.

use super::commands::{command, finish, run, succeed};
use crate::support::Home;

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_and_messages() {
    let home = Home::new();
    let server = home.start().await;
    succeed(&home, &server, &["instances", "create", "taken", "--wait"]).await;
    let cases: &[(&[&str], i32, &str)] = &[
        (&["instances", "create", "Bad_Name", "--storage-gb", "0"], 2, "NAME: must be a DNS label"),
        (&["instances", "create", "Bad_Name", "--storage-gb", "0"], 2, "--storage-gb: must be 1 to"),
        (&["instances", "create", "x", "--label", "oops"], 2, "key=value"),
        (&["instances", "create", "x", "--wait-timeout", "5s"], 2, "--wait"),
        (&["instances", "create", "x", "--password-file", "/nowhere"], 2, "/nowhere cannot be read"),
        (&["instances", "create", "taken"], 6, "exists already"),
        (&["instances", "list", "--state", "sleeping"], 2, "possible values"),
        (&["instances", "update", "taken"], 2, "--label"),
        (&["instances", "update", "taken", "--protect", "--revision", "999"], 6, "revision"),
        (&["instances", "delete", "taken"], 2, "--yes"),
        (&["instances", "restart", "taken", "--timeout", "0"], 2, "--timeout"),
        (&["instances", "restart", "taken", "--timeout", "100000"], 2, "--timeout: must be 1 to"),
        (&["instances", "restart", "taken", "--revision", "999"], 6, "--revision: "),
        (&["instances", "resize", "taken"], 2, "--cpu"),
        (&["instances", "resize", "taken", "--storage", "9"], 2, "--storage: the volume has 10 GiB and cannot shrink to 9 GiB"),
        (&["instances", "resize", "taken", "--memory", "1", "--cpu", "1"], 2, "--memory: must be 128 to"),
        (&["instances", "resize", "taken", "--storage", "10"], 2, "nothing would change"),
        (&["instances", "resize", "unknown", "--cpu", "1000"], 4, "toygres instances list"),
        (&["instances", "get", "unknown"], 4, "toygres instances list"),
        (&["instances", "get", "01a210fd-2f1d-768c-81c0-249db86b078f"], 4, "toygres instances list"),
        (&["instances", "watch", "unknown"], 4, "toygres instances list"),
        (&["instances", "connect", "unknown"], 4, "toygres instances list"),
        (&["instances", "restart", "unknown"], 4, "toygres instances list"),
        (&["instances", "delete", "unknown", "--yes"], 4, "toygres instances list"),
        (&["instances", "update", "unknown", "--protect"], 4, "toygres instances list"),
        (&["operations", "get", "unknown"], 4, "toygres operations list"),
        (&["operations", "watch", "unknown"], 4, "toygres operations list"),
        (&["operations", "cancel", "unknown"], 4, "toygres operations list"),
        (&["operations", "retry", "taken"], 6, ""),
        (&["operations", "list", "--instance", "unknown"], 4, "toygres instances list"),
        (&["token", "revoke", "unknown"], 4, "toygres token list"),
        (&["instances", "list", "--name-contains", "unknown"], 0, "No instance matches."),
        (&["instances", "list", "--url", "ftp://x"], 2, "http://127.0.0.1:8080"),
        (&["instances", "list", "--context", "unknown"], 2, "toygres context set unknown"),
        (&["instances", "watch", "--timeout", "1s"], 124, "the timeout expired"),
    ];
    for (arguments, code, hint) in cases {
        let output = run(&home, &server, arguments).await;
        assert_eq!(output.code, *code, "{arguments:?}: {output:#?}");
        assert!(output.err.contains(hint), "{arguments:?}: {output:#?}");
        assert!(*code == 124 || output.out.is_empty(), "{arguments:?}: {output:#?}");
    }
    let help = succeed(&home, &server, &["instances", "--help"]).await;
    for code in ["0", "1", "2", "3", "4", "5", "6", "124", "130"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))), "{code} is documented");
    }

    let mut elsewhere = command(&home, &server, &["instances", "list"]);
    elsewhere.env("TOYGRES_URL", format!("http://{}/health#", server.address));
    assert_eq!(finish(elsewhere).await.code, 3, "no GraphQL there");
    let address = server.address.clone();
    server.stop().await;
    for arguments in [&["instances", "list"][..], &["instances", "watch"], &["operations", "watch", "taken"], &["token", "list"]] {
        let mut down = home.command(arguments);
        down.env("TOYGRES_URL", format!("http://{address}"));
        let output = finish(down).await;
        assert_eq!(output.code, 3, "{output:#?}");
        assert!(output.err.contains("cannot be reached: connection refused. Start a server with `toygres serve`"), "{output:#?}");
    }
}
