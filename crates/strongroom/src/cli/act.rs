//! `act`: what admins, committees and clients sign to change what is in force.

use super::context::{Context, now, random};
use super::fail::{Usage, usage};
use super::keep::{NotInForce, is_tightening};
use super::{keys, show};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_client::api::{ActState, SignedText};
use strongroom_client::{Client, check};
use strongroom_types::json::Json;
use strongroom_types::{self as types, ActId, Digest, Document as _, Signed};

/// Subcommands of `strongroom act`.
#[derive(Subcommand, Debug)]
pub enum ActCommand {
    /// Sign an act, or add signatures to a signed one. The file is an act as JSON (members `id`,
    /// `platform`, `expires` may be absent: a new id, the pinned genesis', in one hour) or a signed
    /// act written before.
    Sign {
        /// The act.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Key files that sign; may be given several times.
        #[arg(long, value_name = "FILE", required = true)]
        key: Vec<PathBuf>,
        /// File for the signed act. Default: the file itself if it is a signed act, else
        /// `<file>.signed`.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Do not ask before signing.
        #[arg(long)]
        yes: bool,
    },
    /// Send a signed act to the journal.
    Submit {
        /// The signed act.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Longest wait until it is in force.
        #[arg(long, value_parser = show::duration, default_value = "20s")]
        wait: Duration,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// State of an act: submitted, proposed, released, in force, void, ended, or refused and why.
    Show {
        /// Digest of the act text, 64 hex digits.
        digest: Digest,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Signs, submits or shows an act.
pub fn run(context: &Context, command: &ActCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        ActCommand::Sign {
            file,
            key,
            out: to,
            yes,
        } => sign(context, file, key, to.as_deref(), *yes, out),
        ActCommand::Submit { file, wait, json } => submit(context, file, *wait, *json, out),
        ActCommand::Show { digest, json } => show_act(context, digest, *json, out),
    }
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let not_json = || Usage(format!("{} is not JSON", file.display()));
    serde_json::from_str(&text).with_context(not_json)
}

/// Whether a file holds a signed act.
fn is_signed(value: &Value) -> bool {
    value.get("endorsements").is_some() && value.get("text").is_some()
}

fn signed(value: &Value) -> anyhow::Result<Signed> {
    let shown: SignedText = serde_json::from_value(value.clone())?;
    let signed = check::signed(&shown)?;

    // Any signed text could stand in the file; an intent or approval must not be endorsed by
    // mistake.
    types::Act::parse(&signed.text).context("the text is not an act")?;
    Ok(signed)
}

/// An act as people write it: any JSON layout, with what can be filled in filled in.
fn draft(context: &Context, mut value: Value) -> anyhow::Result<Signed> {
    let members = value.as_object_mut().context("an act is a JSON object")?;
    let mut fill = |name: &str, text: String| {
        members.entry(name).or_insert_with(|| Value::String(text));
    };

    // Only absent members are filled in: one that a person wrote is signed as it was written.
    fill("type", types::Act::TYPE.to_owned());
    fill("id", ActId(random()).to_string());
    fill("expires", now().plus(3_600_000).to_string());

    // The platform is that of the pinned genesis and not of the server, which could else have acts
    // signed for an installation of its choice.
    if members.get("platform").is_none() {
        let platform = context
            .genesis()
            .context("member `platform` is missing")?
            .platform;
        members.insert("platform".to_owned(), Value::String(platform.to_string()));
    }

    // The text is canonical before it is shown: the digest is over these bytes, whatever layout the
    // file had.
    let text = strict(&value)?.to_text();
    let act = types::Act::parse(&text).context("not an act")?;
    Ok(Signed::draft(&act))
}

/// JSON of ours: strings, booleans, arrays, objects. Numbers are written as strings.
fn strict(value: &Value) -> anyhow::Result<Json<'_>> {
    Ok(match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::String(text) => Json::str(text),
        Value::Array(values) => Json::List(values.iter().map(strict).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| Ok((name.as_str(), strict(value)?)));
            Json::object(members.collect::<anyhow::Result<Vec<_>>>()?)
        }

        // 2^53 + 1 is rounded by most JSON readers, so a text with numbers could be shown as one
        // amount and signed as another.
        Value::Number(number) => bail!("write the number {number} as a string: \"{number}\""),
        Value::Null => bail!("leave a member out instead of writing null"),
    })
}

fn sign(
    context: &Context,
    file: &Path,
    keys: &[PathBuf],
    to: Option<&Path>,
    yes: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let value = read(file)?;
    let before = is_signed(&value);
    let mut act = if before {
        signed(&value)?
    } else {
        draft(context, value)?
    };

    // Keys are opened before the question: a key that cannot be opened must not be found out after
    // a part of the signatures was made.
    let keys = keys
        .iter()
        .map(|file| keys::open(file))
        .collect::<Result<Vec<_>, _>>()?;

    // The text is shown from the bytes that are signed, and the words let co-signers compare them
    // by telephone.
    let digest = types::Act::digest_of(&act.text);
    writeln!(out, "{}\n\nact {digest}\n", pretty(&act.text)?)?;
    show::words(out, &digest)?;
    writeln!(out)?;
    show::confirm(out, "Sign exactly this?", yes)?;

    // Endorsing keeps earlier signatures: people of one board sign one after the other, often on
    // different machines.
    for key in &keys {
        act.endorse::<types::Act>(&key.signing());
    }

    let to = match to {
        Some(path) => path.to_owned(),
        None if before => file.to_owned(),
        None => PathBuf::from(format!("{}.signed", file.display())),
    };
    write(&to, &act)?;

    let who: Vec<String> = act
        .endorsements
        .iter()
        .map(|e| e.credential.to_string())
        .collect();
    Ok(writeln!(
        out,
        "{}: signed by {}",
        to.display(),
        who.join(", ")
    )?)
}

fn pretty(text: &str) -> anyhow::Result<String> {
    let value: Value = serde_json::from_str(text)?;
    Ok(serde_json::to_string_pretty(&value)?)
}

/// Replaces a file as a whole: a half-written act would lose the signatures of others.
fn write(path: &Path, act: &Signed) -> anyhow::Result<()> {
    let next = PathBuf::from(format!("{}.new", path.display()));
    std::fs::write(&next, format!("{}\n", act.to_json().to_text()))
        .and_then(|()| std::fs::rename(&next, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn submit(
    context: &Context,
    file: &Path,
    wait: Duration,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let value = read(file)?;
    if !is_signed(&value) {
        return Err(usage(format!(
            "{} is not signed yet: strongroom act sign",
            file.display()
        )));
    }

    // A tightening that is held up on its way can be handed to signers and witnesses as it is.
    let (client, act) = (context.client()?, signed(&value)?);
    let (digest, state) = send(&client, &act, wait).map_err(|why| {
        if is_tightening(&act) {
            NotInForce::of(file)(why)
        } else {
            why
        }
    })?;
    if json {
        return show::json(out, &json!({"digest": digest.to_string(), "state": state}));
    }
    if state == ActState::Proposed {
        return Ok(writeln!(out, "act {digest} is proposed")?);
    }
    Ok(writeln!(out, "act {digest} is in force")?)
}

/// Sends an act and waits for it: one that the API has taken is not in force yet. The journal may
/// still refuse it, and the witnesses vouch for it last.
fn send(client: &Client, act: &Signed, wait: Duration) -> anyhow::Result<(Digest, ActState)> {
    let digest = client.submit_act(act)?;
    Ok((digest, client.wait_act(&digest, wait)?))
}

fn show_act(
    context: &Context,
    digest: &Digest,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let shown = context.client()?.act(digest, 0)?;
    if json {
        return show::json(out, &shown);
    }
    match shown.state {
        ActState::Submitted => writeln!(out, "act {digest}: submitted")?,
        ActState::Proposed => writeln!(out, "act {digest}: proposed")?,
        ActState::Released => writeln!(out, "act {digest}: released, not yet in force")?,
        ActState::InForce => writeln!(out, "act {digest}: in_force")?,
        ActState::Void => writeln!(out, "act {digest}: void")?,
        ActState::Ended => writeln!(out, "act {digest}: ended")?,
        ActState::Refused => {
            let reason = shown.reason.as_ref();
            let code = show::or_dash(reason.map(|reason| &reason.code));
            let detail = show::or_dash(reason.map(|reason| &reason.detail));
            writeln!(out, "act {digest} was refused: {code}: {detail}")?;
        }
    }
    Ok(())
}
