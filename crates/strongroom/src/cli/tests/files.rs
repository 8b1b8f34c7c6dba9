use crate::cli::context::Context;
use crate::cli::fail::Usage;
use crate::cli::{Command, Profile, ServerOptions, act, execute, genesis, keys, verify};
use serde_json::{Value, json};
use std::fs::{Permissions, read_to_string, set_permissions, write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use strongroom_client::KeyFile;
use strongroom_host::SystemEntropy;
use strongroom_journal::Genesis;
use strongroom_types::{Act, CredentialClass, Document as _, UserId};
use strongroom_wire::decode;
use strongroom_world::{World, WorldOptions};

/// Runs a command with these options before it.
pub(super) fn run(options: &ServerOptions, mut command: Command) -> anyhow::Result<String> {
    if *options != ServerOptions::default() {
        command.lead(options.clone())?;
    }
    let mut out = Vec::new();
    execute(command, &mut out)?;
    Ok(String::from_utf8(out)?)
}

/// A command of acts, without options of its own.
fn asked(command: act::ActCommand) -> Command {
    let server = ServerOptions::default();
    Command::Act { server, command }
}

pub(super) fn key(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    KeyFile::create(&path, CredentialClass::Key, None, &SystemEntropy).unwrap();
    path
}

#[test]
fn a_key_is_made_shown_and_its_seed_never_printed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("k.json");
    let made = Command::Keys(keys::KeysCommand::Create {
        out: path.clone(),
        user: None,
        class: CredentialClass::Program,
    });
    let made = run(&ServerOptions::default(), made).unwrap();
    let shown = run(
        &ServerOptions::default(),
        Command::Keys(keys::KeysCommand::Show { file: path.clone() }),
    )
    .unwrap();
    assert_eq!(made, shown);
    let file: Value = serde_json::from_str(&read_to_string(&path).unwrap()).unwrap();
    assert!(!shown.contains(file["seed"].as_str().unwrap()));
    assert!(shown.contains(file["public_key"].as_str().unwrap()));
}

#[test]
fn options_win_over_the_profile_and_its_paths_are_its_folder_s() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(1, WorldOptions::default());
    write(dir.path().join("genesis.bin"), world.genesis.to_bytes()).unwrap();
    let profile = Profile {
        url: Some("http://127.0.0.1:1".into()),
        api_key_file: Some("api.key".into()),
        genesis: Some("genesis.bin".into()),
        genesis_hash: Some(world.genesis.hash().to_string()),
        tenant: Some(world.tenant.id.to_string()),
    };
    let path = dir.path().join("profile.toml");
    profile.save(&path).unwrap();
    let options = ServerOptions {
        profile: Some(path.clone()),
        ..ServerOptions::default()
    };
    let context = Context::new(&options).unwrap();
    assert_eq!(context.genesis().unwrap().hash(), world.genesis.hash());
    assert_eq!(
        context.api_key_file(),
        Some(dir.path().join("api.key").as_path())
    );
    let other = ServerOptions {
        url: Some("http://127.0.0.1:2".into()),
        ..options
    };
    assert_eq!(
        Context::new(&other).unwrap().url().unwrap(),
        "http://127.0.0.1:2"
    );
    write(&path, "url = \"x\"\nsurprise = 1\n").unwrap();
    let error = Context::new(&other).unwrap_err();
    assert!(error.is::<Usage>(), "{error}");
}

#[test]
fn a_genesis_of_another_hash_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(1, WorldOptions::default());
    let file = dir.path().join("genesis.bin");
    write(&file, world.genesis.to_bytes()).unwrap();
    let other = World::new(2, WorldOptions::default()).genesis.hash();
    let options = ServerOptions {
        genesis: Some(file.clone()),
        genesis_hash: Some(other),
        ..ServerOptions::default()
    };
    let error = Context::new(&options).unwrap().genesis().unwrap_err();
    assert!(
        format!("{error:#}").contains("genesis_mismatch"),
        "{error:#}"
    );
    let verify = |hash| {
        Command::Genesis(genesis::GenesisCommand::Verify {
            file: file.clone(),
            hash,
        })
    };
    assert!(run(&ServerOptions::default(), verify(other)).is_err());
    assert!(
        run(&ServerOptions::default(), verify(world.genesis.hash()))
            .unwrap()
            .starts_with("ok")
    );
}

#[test]
fn an_api_key_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("api.key");
    write(&file, "secret\n").unwrap();
    let options = ServerOptions {
        url: Some("http://127.0.0.1:1".into()),
        api_key_file: Some(file.clone()),
        ..ServerOptions::default()
    };
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert!(
        Context::new(&options)
            .unwrap()
            .client()
            .unwrap_err()
            .to_string()
            .contains("chmod 600")
    );
    set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    assert!(Context::new(&options).unwrap().client().is_ok());
    write(&file, "two\nlines\n").unwrap();
    assert!(Context::new(&options).unwrap().client().is_err());
}

#[test]
fn an_act_is_signed_and_co_signed_in_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(1, WorldOptions::default());
    let file = dir.path().join("act.json");
    let written = json!({
        "platform": world.platform().to_string(), "scope": world.scope().to_string(), "version": "3",
        "body": {"kind": "tighten", "what": "stop"},
    });
    write(&file, serde_json::to_string_pretty(&written).unwrap()).unwrap();
    let (a, b) = (key(dir.path(), "a.json"), key(dir.path(), "b.json"));
    let sign = |file: &Path, key: &Path| {
        let command = act::ActCommand::Sign {
            file: file.to_owned(),
            key: vec![key.to_owned()],
            out: None,
            yes: true,
        };
        run(&ServerOptions::default(), asked(command)).unwrap()
    };
    sign(&file, &a);
    let signed = dir.path().join("act.json.signed");
    let shown = sign(&signed, &b);
    let file = serde_json::from_str(&read_to_string(&signed).unwrap()).unwrap();
    let container = strongroom_client::check::signed(&file).unwrap();
    let (act, digest) = container.open::<Act>().unwrap();
    assert_eq!((container.endorsements.len(), act.version), (2, 3));
    assert!(shown.contains(&digest.to_string()));
    for (key, file) in [(&a, "a"), (&b, "b")] {
        let credential = KeyFile::open(key).unwrap().credential();
        let own = container
            .endorsements
            .iter()
            .find(|e| e.credential == credential.id)
            .expect(file);
        assert!(strongroom_types::proof::verify(
            &credential,
            &digest,
            &own.proof
        ));
    }
    assert_eq!(Act::digest_of(&container.text), digest);
}

#[test]
fn an_act_with_a_number_or_an_unknown_member_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (file, key) = (dir.path().join("act.json"), key(dir.path(), "a.json"));
    let world = World::new(1, WorldOptions::default());
    let good = json!({
        "platform": world.platform().to_string(), "scope": "platform", "version": "1",
        "body": {"kind": "resume"},
    });
    let mut cases = Vec::new();
    for (name, value) in [
        ("version", json!(1)),
        ("surprise", json!("x")),
        ("expires", json!(null)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        cases.push(bad);
    }
    for bad in cases {
        write(&file, bad.to_string()).unwrap();
        let sign = act::ActCommand::Sign {
            file: file.clone(),
            key: vec![key.clone()],
            out: None,
            yes: true,
        };
        assert!(
            run(&ServerOptions::default(), asked(sign)).is_err(),
            "{bad}"
        );
        assert!(!dir.path().join("act.json.signed").exists());
    }
}

/// A script must be able to tell its own mistake from a refusal.
#[test]
fn mistakes_in_what_is_named_are_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("act.json");
    write(&file, "not JSON").unwrap();
    let create = |class, user| {
        let out = dir.path().join("new.json");
        Command::Keys(keys::KeysCommand::Create { out, user, class })
    };
    let user = Some(UserId([1; 16]));
    let absent = dir.path().join("absent.json");
    for (command, words) in [
        (create(CredentialClass::Passkey, None), "its own device"),
        (create(CredentialClass::Watch, user), "leave --user out"),
        (create(CredentialClass::Feed, user), "leave --user out"),
        (
            Command::Keys(keys::KeysCommand::Show { file: absent }),
            "there is no key file",
        ),
        (
            asked(act::ActCommand::Sign {
                file,
                key: vec![key(dir.path(), "a.json")],
                out: None,
                yes: true,
            }),
            "is not JSON",
        ),
    ] {
        let error = run(&ServerOptions::default(), command).unwrap_err();
        assert!(error.is::<Usage>(), "{error:#}");
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }
    assert!(!dir.path().join("new.json").exists());
}

fn description(world: &World) -> String {
    let mut text = format!(
        "mode = \"dev\"\norigin = \"strongroom.example/journal\"\nmin_signers = 2\nlog_key = \"{}\"\n",
        hex::encode(world.genesis.log_key)
    );
    for signer in &world.signers {
        let record = hex::encode(strongroom_wire::encode(&signer.public_record()));
        text += &format!(
            "[[signers]]\nindex = {0}\nrecord = \"{record}\"\nlocation = \"site {0}\"\noperator = \"op {0}\"\nhardware = \"hsm\"\n",
            signer.index
        );
    }
    let service = &world.services[0];
    let admin = &world.genesis.admin_credentials[0];
    text += &format!(
        "[admins]\nquorum = 1\n[[admins.members]]\nid = \"{}\"\nuser = \"{}\"\nname = \"Ada\"\nclass = \"key\"\nalgorithm = \"ed25519\"\npublic_key = \"{}\"\n\
         [[services]]\nrole = \"api\"\npublic_key = \"{}\"\n[[chains]]\nnetwork = \"regtest\"\n[bounds]\nloosen_delay_ms = 5\n",
        admin.id,
        admin.user.unwrap(),
        admin.key.to_hex(),
        hex::encode(service.node_key().public_key),
    );
    text
}

#[test]
fn a_genesis_is_made_from_its_description_and_shows_what_weakens_it() {
    let dir = tempfile::tempdir().unwrap();
    let (config, out) = (dir.path().join("g.toml"), dir.path().join("genesis.bin"));
    let text = description(&World::new(1, WorldOptions::default()));
    write(&config, &text).unwrap();
    let create = || {
        Command::Genesis(genesis::GenesisCommand::Create {
            config: config.clone(),
            out: out.clone(),
        })
    };
    let shown = run(&ServerOptions::default(), create()).unwrap();
    let genesis: Genesis = decode(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(
        (
            genesis.quorum,
            genesis.faults,
            genesis.bounds.loosen_delay_ms
        ),
        (3, 1, 5)
    );
    for wanted in [
        "development mode",
        "0 silent seats",
        "0 independent witnesses",
        "one platform admin",
        "delay of loosenings",
    ] {
        assert!(shown.contains(wanted), "{wanted} in {shown}");
    }
    assert!(shown.contains(&genesis.hash().to_string()));
    assert_eq!(
        run(&ServerOptions::default(), create())
            .unwrap_err()
            .chain()
            .count(),
        2,
        "never overwritten"
    );
    let again = run(
        &ServerOptions::default(),
        Command::Genesis(genesis::GenesisCommand::Show { file: out.clone() }),
    )
    .unwrap();
    assert_eq!(again, shown);
}

#[test]
fn a_genesis_that_breaks_a_rule_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (config, out) = (dir.path().join("g.toml"), dir.path().join("genesis.bin"));
    let good = description(&World::new(1, WorldOptions::default()));
    for (what, bad) in [
        (
            "production minima",
            good.replace("mode = \"dev\"", "mode = \"production\""),
        ),
        ("doubled index", good.replace("index = 2", "index = 1")),
        (
            "unreachable quorum",
            good.replace("min_signers = 2", "faults = 3"),
        ),
        (
            "both f and t",
            good.replace("min_signers = 2", "min_signers = 2\nfaults = 1"),
        ),
        ("unknown member", format!("surprise = 1\n{good}")),
        ("unknown network", good.replace("regtest", "moonnet")),
    ] {
        write(&config, bad).unwrap();
        let create = genesis::GenesisCommand::Create {
            config: config.clone(),
            out: out.clone(),
        };
        assert!(
            run(&ServerOptions::default(), Command::Genesis(create)).is_err(),
            "{what}"
        );
        assert!(!out.exists(), "{what}");
    }
}

#[test]
fn an_empty_folder_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let verify = verify::Verify {
        dir: dir.path().to_owned(),
        hash: None,
    };
    assert!(run(&ServerOptions::default(), Command::Verify(verify)).is_err());
}
