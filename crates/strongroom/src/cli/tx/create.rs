//! `tx create`.

use super::{describe, reached, until_signed};
use crate::cli::context::{Context, codec, now};
use crate::cli::{keys, show};
use anyhow::Context as _;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use strongroom_journal::Genesis;
use strongroom_ports::chain::ChainCodec;
use strongroom_types::{
    CredentialId, Destination, Digest, Document as _, Intent, IntentKind, MinorUnits, Name, Signed,
    TenantId, TransactionId, Transfer, VaultId,
};

/// A transfer to be signed and sent.
#[derive(Args, Debug)]
pub struct Create {
    /// The vault that pays (`vlt_…`).
    #[arg(long)]
    vault: VaultId,
    /// The vault's tenant (`tnt_…`), as you know it; without it the profile's.
    #[arg(long)]
    tenant: Option<TenantId>,
    /// Destination: an address, or a vault of the same tenant (`vlt_…`).
    #[arg(long)]
    to: String,
    /// Amount in base units of the network's native asset (Bitcoin: satoshi).
    #[arg(long, value_name = "UNITS")]
    amount: MinorUnits,
    /// Most fee of the intent's whole life, in the same base units; the first attempt may use half
    /// of it.
    #[arg(long, value_name = "UNITS")]
    fee_max: MinorUnits,
    /// The network, when the installation has several.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Your own id; never used before.
    #[arg(long)]
    external_id: Name,
    /// Why, for approvers and the record.
    #[arg(long)]
    purpose: Option<Name>,
    /// Your own note on the transfer; it does not reach the chain.
    #[arg(long)]
    memo: Option<Name>,
    /// No signature is made after that.
    #[arg(long, value_parser = show::duration, default_value = "1h")]
    expires_in: Duration,
    /// Most attempts, replacements included.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    attempts_max: u64,
    /// The initiator's key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Wait until it is signed or has ended (at most until it expires); exit code 1 if it is not
    /// signed.
    #[arg(long)]
    wait: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// Signs an intent with the initiator's key and sends it.
pub fn run(context: &Context, create: &Create, out: &mut dyn Write) -> anyhow::Result<()> {
    let key = keys::open(&create.key)?;
    let (client, genesis) = (context.client()?, context.genesis()?);
    let codec = codec(&genesis, create.network.as_deref())?;

    // The vault is proved before anything is signed: an unknown one is refused here, by name.
    let of = context.vault(create.tenant, create.vault)?;
    let tenant = client.proved_vault(&genesis, of)?.tenant;
    let intent = intent(
        create,
        &genesis,
        codec.as_ref(),
        tenant,
        key.credential().id,
    )?;

    // The codec that signers use checks before the signature: a wrong network, dust or an unproved
    // vault is refused while nothing is signed yet.
    let vaults = client.proved_destinations(&genesis, &intent)?;
    let effects = codec.expected(&intent, &vaults)?;

    let signed = Signed::by(&intent, &key.signing());
    let digest: Digest = Intent::digest_of(&signed.text);
    if !create.json {
        writeln!(out, "intent {digest}")?;
        show::effects(out, &intent.chain, &effects, intent.fee_max)?;
        writeln!(out)?;
        show::words(out, &digest)?;
        writeln!(out)?;
    }

    let answer = client.create_transaction(&signed)?;
    if !create.wait {
        return describe(&answer, create.json, out);
    }
    let shown = until_signed(&client, TransactionId::from(digest), create.expires_in)?;
    describe(&shown, create.json, out)?;
    reached(&shown)
}

fn intent(
    create: &Create,
    genesis: &Genesis,
    codec: &dyn ChainCodec,
    tenant: TenantId,
    initiator: CredentialId,
) -> anyhow::Result<Intent> {
    let manifest = codec.manifest();
    let created = now();
    let life = u64::try_from(create.expires_in.as_millis()).context("--expires-in")?;
    let transfer = Transfer {
        asset: manifest.native.clone(),
        destination: destination(&create.to, codec)?,
        amount: create.amount,
        memo: create.memo.clone(),
    };
    let intent = Intent {
        platform: genesis.platform,
        tenant,
        vault: create.vault,
        initiator,
        external_id: create.external_id.clone(),
        created,
        expires: created.plus(life),
        chain: manifest.chain.clone(),
        kind: IntentKind::Transfer(vec![transfer]),
        fee_max: create.fee_max,
        attempts_max: create.attempts_max,
        purpose: create.purpose.clone(),
    };

    // The text is read back by the strict reader of every other party: what they would refuse is
    // not signed.
    Ok(Intent::parse(&intent.to_text())?)
}

fn destination(text: &str, codec: &dyn ChainCodec) -> anyhow::Result<Destination> {
    if text.starts_with(VaultId::PREFIX) {
        return Ok(Destination::Vault(text.parse()?));
    }

    // A payment to a mistyped address cannot be called back.
    codec
        .parse_address(text)
        .with_context(|| format!("destination {text}"))?;
    Ok(Destination::Address(text.to_owned()))
}
