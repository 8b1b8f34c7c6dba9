//! A cancel and a no against a server that answers what the test says.

use super::files::{key, run};
use super::parse::parse;
use crate::cli::ServerOptions;
use serde_json::{Value, json};
use std::fs::{Permissions, set_permissions, write};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use strongroom_types::words::words;
use strongroom_types::{Act, Digest, Document as _, Intent, TransactionId};
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

/// A server on loopback that has every act in force.
fn serve(transaction: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut act = Digest::default();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (first, body) = request(&stream);
            if first.starts_with("POST ") {
                let body: Value = serde_json::from_str(&body).unwrap();
                act = Act::digest_of(body["text"].as_str().unwrap());
            }
            let answer = if first.starts_with("POST ") {
                json!({"digest": act.to_string(), "state": "submitted"})
            } else if first.contains("/v1/acts/") {
                json!({"digest": act.to_string(), "state": "in_force", "reason": null})
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
    url
}

/// Both commands' results, in lines and in JSON.
fn results(state: TransactionState, code: Option<&str>) -> Vec<anyhow::Result<String>> {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(1, WorldOptions::default());
    let intent = world.intent(START, 1_000, FRIEND);
    let tx = TransactionId::from(intent.digest());
    let file = dir.path().join("api.key");
    write(&file, "secret\n").unwrap();
    set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let options = ServerOptions {
        url: Some(serve(shown(&world, &intent, state, code))),
        api_key_file: Some(file),
        ..ServerOptions::default()
    };
    let key = key(dir.path(), "k.json");
    ["", " --json"]
        .into_iter()
        .flat_map(|json| ["tx cancel", "approvals reject --yes"].map(|verb| (verb, json)))
        .map(|(verb, json)| {
            let line = format!("{verb} {tx} --key {}{json}", key.display());
            run(&options, parse(&line).unwrap().command)
        })
        .collect()
}

/// A person who reads "cancelled" of it pays another way, and this one is paid as well.
#[test]
fn hole_payment_whose_share_may_be_out_is_not_printed_as_ended() {
    for state in [TransactionState::Signing, TransactionState::Completed] {
        let code = (state == TransactionState::Signing).then_some("too_late");
        for result in results(state, code) {
            let error = result.expect_err("exit code 1").to_string();
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
