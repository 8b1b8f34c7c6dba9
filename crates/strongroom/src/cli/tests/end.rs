//! A cancel and a no against a server that answers what the test says.

use super::files::{key, run};
use super::parse::parse;
use crate::cli::ServerOptions;
use crate::cli::fail::report;
use serde_json::{Value, json};
use std::fs::{Permissions, read_to_string, set_permissions, write};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use strongroom_client::KeyFile;
use strongroom_types::words::words;
use strongroom_types::{
    Act, ActBody, Digest, Document as _, Intent, Signed, Tighten, TransactionId, proof,
};
use strongroom_wire::TransactionState;
use strongroom_world::{FRIEND, START, World, WorldOptions};

fn request(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (first, String::from_utf8(body).unwrap())
}

/// What a server shows of a transaction in this state.
fn shown(world: &World, intent: &Intent, state: TransactionState, code: Option<&str>) -> Value {
    let digest = intent.digest();
    let signed = world.signed_intent(intent).to_json().to_text();
    json!({
        "id": TransactionId::from(digest).to_string(), "state": state.name(), "digest": digest.to_string(),
        "tenant": intent.tenant.to_string(), "vault": intent.vault.to_string(),
        "external_id": intent.external_id.to_string(), "words": words(&digest),
        "intent": serde_json::from_str::<Value>(&signed).unwrap(), "approvals": [], "refusals": [],
        "reason": code.map(|code| json!({"code": code, "detail": "a share is out"})),
        "version": 1, "changed_ms": 1, "created_ms": 1, "expires_ms": 2,
    })
}

/// A server on loopback.
struct Server {
    url: String,
    /// Acts that were sent to it.
    posts: Arc<AtomicUsize>,
}

/// A server that shows one transaction, and every act in this state.
fn serve(transaction: Value, act_state: &'static str) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&posts);
    thread::spawn(move || {
        let mut act = Digest::default();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (first, body) = request(&stream);
            if first.starts_with("POST ") {
                counted.fetch_add(1, Ordering::Relaxed);
                let body: Value = serde_json::from_str(&body).unwrap();
                act = Act::digest_of(body["text"].as_str().unwrap());
            }
            let answer = if first.starts_with("POST ") {
                json!({"digest": act.to_string(), "state": "submitted"})
            } else if first.contains("/v1/acts/") {
                json!({"digest": act.to_string(), "state": act_state, "reason": null})
            } else {
                transaction.clone()
            };
            let text = answer.to_string();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            write!(
                stream,
                "{head}\r\ncontent-length: {}\r\n\r\n{text}",
                text.len()
            )
            .unwrap();
        }
    });
    Server { url, posts }
}

/// A person with a key and a profile in a folder of their own, before a server.
struct Person {
    dir: tempfile::TempDir,
    intent: Intent,
    key: PathBuf,
    server: Server,
    options: ServerOptions,
}

impl Person {
    fn new(state: TransactionState, code: Option<&str>, act_state: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = World::new(1, WorldOptions::default());
        let intent = world.intent(START, 1_000, FRIEND);
        let (file, profile) = (dir.path().join("api.key"), dir.path().join("profile.toml"));
        write(&file, "secret\n").unwrap();
        set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        write(&profile, "api_key_file = \"api.key\"\n").unwrap();
        let server = serve(shown(&world, &intent, state, code), act_state);
        let options = ServerOptions {
            profile: Some(profile),
            url: Some(server.url.clone()),
            ..ServerOptions::default()
        };
        let key = key(dir.path(), "k.json");
        Self {
            dir,
            intent,
            key,
            server,
            options,
        }
    }

    /// `verb` is a command that ends the transaction, `more` its further options.
    fn ends(&self, verb: &str, more: &str) -> anyhow::Result<String> {
        let tx = TransactionId::from(self.intent.digest());
        let line = format!("{verb} {tx} --key {}{more}", self.key.display());
        run(&self.options, parse(&line).unwrap().command)
    }

    /// Files of acts that were kept without `--out`.
    fn kept(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.dir.path()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let is_act = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap();
            name.starts_with("cancel-tx_") || name.starts_with("reject-tx_")
        };
        files.filter(is_act).collect()
    }
}

const CANCEL: &str = "tx cancel";
const REJECT: &str = "approvals reject --yes";

/// Both commands' results, in lines and in JSON.
fn results(state: TransactionState, code: Option<&str>) -> Vec<anyhow::Result<String>> {
    let person = Person::new(state, code, "in_force");
    ["", " --json"]
        .into_iter()
        .flat_map(|json| [CANCEL, REJECT].map(|verb| person.ends(verb, json)))
        .collect()
}

/// The error as it is printed.
fn printed(error: &anyhow::Error) -> String {
    let mut text = Vec::new();
    report(error, &mut text);
    String::from_utf8(text).unwrap()
}

/// A writer that leaves a no out must not be the only one who has it.
#[test]
fn hole_act_that_no_writer_orders_is_in_a_file_that_can_be_handed() {
    for (verb, out) in [
        (CANCEL, false),
        (REJECT, false),
        (CANCEL, true),
        (REJECT, true),
    ] {
        let person = Person::new(TransactionState::Signing, None, "submitted");
        let named = person.dir.path().join("mine.json");
        let more = if out {
            format!(" --out {}", named.display())
        } else {
            String::new()
        };
        let error = person.ends(verb, &more).expect_err("exit code 1");
        let file = if out {
            named
        } else {
            person.kept().into_iter().next().expect("kept")
        };
        let text = printed(&error);
        let command = format!("`strongroom-signer hand {}`", file.display());
        assert!(text.contains(&command), "{text}");
        assert!(text.contains("is submitted"), "{text}");

        // As `hand` reads it.
        let signed = Signed::from_json(read_to_string(&file).unwrap().trim()).unwrap();
        let (act, digest) = signed.open::<Act>().unwrap();
        let intent = person.intent.digest();
        let wanted = match verb {
            CANCEL => Tighten::Cancel(intent),
            _ => Tighten::Reject(intent),
        };
        assert_eq!(act.body, ActBody::Tighten(wanted));
        let credential = KeyFile::open(&person.key).unwrap().credential();
        let proof = &signed.endorsements[0].proof;
        assert!(proof::verify(&credential, &digest, proof));
    }
}

/// Another file of that name may be the only copy of another act.
#[test]
fn kept_act_never_overwrites_a_file_and_is_not_sent_unkept() {
    let person = Person::new(TransactionState::Signing, None, "in_force");
    let named = person.dir.path().join("mine.json");
    write(&named, "other").unwrap();
    for verb in [CANCEL, REJECT] {
        let more = format!(" --out {}", named.display());
        let error = person.ends(verb, &more).expect_err("exit code 1");
        assert!(printed(&error).contains("nothing was sent"), "{error:#}");
    }
    assert_eq!(read_to_string(&named).unwrap(), "other");
    assert_eq!(person.server.posts.load(Ordering::Relaxed), 0);
}

/// The server's word is all that says that the act is in force, so that its file stays.
#[test]
fn act_is_kept_beside_the_profile_and_its_file_is_printed() {
    let person = Person::new(TransactionState::Cancelled, None, "in_force");
    let lines = person.ends(CANCEL, "").unwrap();
    let json = person.ends(REJECT, " --json").unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let kept = person.kept();
    assert_eq!(kept.len(), 2);
    for file in kept {
        let file = file.display().to_string();
        assert!(lines.contains(&file) || json["file"] == file.as_str());
    }
}

#[test]
fn submitted_tightening_that_no_writer_orders_can_be_handed_as_it_is() {
    let person = Person::new(TransactionState::Signing, None, "submitted");
    for (body, can_be_handed) in [
        (json!({"kind": "tighten", "what": "stop"}), true),
        (json!({"kind": "resume"}), false),
    ] {
        let file = person.dir.path().join("act.json");
        let platform = World::new(1, WorldOptions::default()).platform();
        let act = json!({
            "platform": platform.to_string(), "scope": "platform", "version": "1", "body": body,
        });
        write(&file, act.to_string()).unwrap();
        let (act, key) = (file.display(), person.key.display());
        let sign = format!("act sign --file {act} --key {key} --yes");
        run(&person.options, parse(&sign).unwrap().command).unwrap();

        let submit = format!("act submit --file {act}.signed --wait 1s");
        let error = run(&person.options, parse(&submit).unwrap().command).unwrap_err();
        let command = format!("`strongroom-signer hand {act}.signed`");
        let text = printed(&error);
        assert_eq!(text.contains(&command), can_be_handed, "{text}");
        let signed = read_to_string(format!("{act}.signed")).unwrap();
        assert!(Signed::from_json(signed.trim()).is_ok());
    }
}

/// A person who reads "cancelled" of it pays another way, and this one is paid as well.
#[test]
fn hole_payment_whose_share_may_be_out_is_not_printed_as_ended() {
    for state in [TransactionState::Signing, TransactionState::Completed] {
        let code = (state == TransactionState::Signing).then_some("too_late");
        for result in results(state, code) {
            let error = format!("{:#}", result.expect_err("exit code 1"));
            assert!(error.contains("can still be paid"), "{error}");
            assert!(error.contains(state.name()), "{error}");
        }
    }
}

#[test]
fn payment_that_ended_unsigned_is_printed_as_ended() {
    for result in results(TransactionState::Cancelled, Some("intent_cancelled")) {
        let printed = result.unwrap();
        assert!(printed.contains("cancelled"), "{printed}");
    }
}
