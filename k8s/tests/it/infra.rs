//! `scripts/setup-infra.sh`: its commands, and that it can be repeated.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A fake command that succeeds. `show` and `get` find either everything or nothing, unless Secrets cannot be looked up.
const TOOL: &str = r#"#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case " $* " in
  *" --admin-password @"*)
    file="${*##*--admin-password @}"
    cp "${file%% *}" "$CALLS.password"
    ;;
  *" get secret "*)
    [ -z "$NO_SECRETS" ] || exit 1
    [ -z "$EXISTS" ] || echo secret/toygres
    ;;
  *" --query disableLocalAccounts "*) echo "${LOCAL_ACCOUNTS_DISABLED:-false}" ;;
  *" --query "*) echo "00000000-1111-2222-3333-444444444444" ;;
  *" show "* | *" get "*) [ -n "$EXISTS" ] ;;
esac
"#;

fn script(arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    command.arg("scripts/setup-infra.sh").args(arguments).current_dir(root).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command
}

#[test]
fn a_dry_run_prints_every_command() {
    let output = script(&["--dry-run"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/setup-infra.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &printed).unwrap();
    }
    assert_eq!(printed, fs::read_to_string(&golden).unwrap(), "UPDATE_GOLDEN=1 renews the golden file");
    for needed in [
        "--network-policy",
        "--enable-oidc-issuer",
        "--enable-workload-identity",
        "federated-credential create",
        "flexible-server create",
        "acr create",
    ] {
        assert!(printed.contains(needed), "{needed}");
    }
}

/// A directory of its own with the fake commands.
fn tools(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    for (tool, text) in [("az", TOOL), ("kubectl", TOOL), ("kubelogin", TOOL), ("openssl", "#!/bin/sh\necho very-secret\n")] {
        let path = directory.join(tool);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

/// The script with the fake commands of `directory`, which write their calls to the file that is returned.
fn script_with(directory: &Path, exists: &str) -> (Command, PathBuf) {
    let calls = directory.join(format!("calls{exists}"));
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let mut script = script(&[]);
    script.env("PATH", path).env("CALLS", &calls).env("EXISTS", exists);
    (script, calls)
}

#[test]
fn a_cluster_with_an_admin_group_has_no_local_accounts() {
    const GROUP: &str = "11111111-2222-3333-4444-555555555555";
    const OPTIONS: &str = "--enable-aad --aad-admin-group-object-ids 11111111-2222-3333-4444-555555555555 --disable-local-accounts";
    let directory = tools("setup-infra-entra");
    let run = |exists: &str, disabled: &str| {
        let (mut script, calls) = script_with(&directory, exists);
        let output = script.env("AKS_ADMIN_GROUP", GROUP).env("LOCAL_ACCOUNTS_DISABLED", disabled).output().unwrap();
        (output, fs::read_to_string(calls).unwrap())
    };

    let (output, calls) = run("", "true");
    assert!(output.status.success(), "{output:?}");
    let created = calls.lines().find(|call| call.starts_with("az aks create")).unwrap();
    assert!(created.contains(OPTIONS), "{created}");
    let login = calls.find("kubelogin convert-kubeconfig --login azurecli").unwrap();
    assert!(calls.find("az aks get-credentials").unwrap() < login && login < calls.find("kubectl ").unwrap(), "{calls}");

    // What was asked for is not silently left out.
    let (output, calls) = run("yes", "false");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("local accounts"), "{output:?}");
    assert!(!calls.contains("get-credentials"), "{calls}");
}

#[test]
fn a_second_run_creates_nothing_and_no_secret_is_an_argument() {
    let directory = tools("setup-infra");
    let run = |exists: &str| {
        let (mut script, calls) = script_with(&directory, exists);
        let output = script.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("very-secret"));
        let calls = fs::read_to_string(calls).unwrap();
        assert!(!calls.contains("very-secret"), "{calls}");
        calls
    };
    let created = |calls: &str| calls.lines().filter(|call| call.contains(" create ")).map(str::to_owned).collect::<Vec<_>>();

    let first = created(&run(""));
    for what in ["vnet create", "acr create", "aks create", "identity create", "flexible-server create", "create namespace", "create secret"] {
        assert!(first.iter().any(|call| call.contains(what)), "{what}: {first:#?}");
    }
    // Its credentials as a user of the cluster would be those of an administrator, on a cluster without Entra ID.
    assert!(!first.iter().any(|call| call.contains("Cluster User Role")), "{first:#?}");
    // Azure requires characters of three kinds in the password of an administrator.
    let password = fs::read_to_string(directory.join("calls.password")).unwrap();
    for kind in [char::is_ascii_uppercase, char::is_ascii_lowercase, char::is_ascii_digit] {
        assert!(password.chars().any(|character| kind(&character)), "{password}");
    }
    // This command is idempotent.
    let again = created(&run("yes"));
    assert!(again.iter().all(|call| call.starts_with("az group create")), "{again:#?}");
}

/// A new Secret would come with a new password for a database that a control plane uses.
#[test]
fn a_secret_that_cannot_be_looked_up_is_not_taken_for_absent() {
    let directory = tools("setup-infra-no-secrets");
    let (mut script, calls) = script_with(&directory, "");
    let output = script.env("NO_SECRETS", "yes").output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    let calls = fs::read_to_string(calls).unwrap();
    assert!(calls.contains(" get secret ") && !calls.contains("flexible-server"), "{calls}");
}
