//! 12, without the dashboard: an API shows one thing, and has another signed. The client is the
//! shipped library in this process, which the command line uses for `strongroom approvals`.

use super::r13_deposit_address::{second_vault, thiefs_key};
use super::steps::{approved, named};
use super::{force_and_sign, usual};
use crate::ground::{Answers, Ground, now};
use crate::row::{Attack, Elsewhere, Outcome, Row};
use anyhow::Context as _;
use strongroom_client::api::{DecisionInfo, SignedText, StateName, TransactionInfo};
use strongroom_client::check::PendingApproval;
use strongroom_client::{Client, ClientError};
use strongroom_guard::G;
use strongroom_ports::chain::{ChainCodec, OwnPath};
use strongroom_replica::TenantVaults;
use strongroom_types::words::words;
use strongroom_types::{
    ApprovalNonce, Code, DecisionCore, Destination, Digest, Document as _, Intent, IntentKind,
    TransactionId,
};
use strongroom_wire::TransactionState;
use strongroom_world::{FRIEND, ONE_OF_N_MAX, Who};

pub const ROW: Row = Row {
    id: "12",
    story: "An approver asks the server what waits for them. The server is a thief's. It shows a \
            small payment, and wants the approver's signature to count for a large one; or it \
            shows a payment to the firm's own vault, and an address of the thief's as that \
            vault's.",
    attacks: &[
        Attack {
            guard: G::ClientRecomputes,
            code: Code::Conflict,
            red_when: "a payment is signed on an approval of the small one that was shown",
            world: usual,
            run: another_one_is_signed,
        },
        Attack {
            guard: G::DestinationProved,
            code: Code::NotWitnessed,
            red_when: "an address is shown as a vault's that no vault derives",
            world: usual,
            run: the_thiefs_own_address,
        },
    ],
};

/// What the approver is shown, satoshi.
const SMALL: u64 = 10_000;

fn another_one_is_signed(ground: &mut Ground) -> anyhow::Result<Outcome> {
    let large = ground.payment(ONE_OF_N_MAX)?;
    let small = ground.world.intent(now(), SMALL, FRIEND);
    let digest = large.intent.digest();
    let told = told(ground, &small, digest, &ground.ledger().core(&large.intent));
    let pending = match pending(ground, Answers::default(), &told)? {
        Asked::Refused(ClientError::Untrue(_)) => {
            return Ok(Outcome {
                codes: vec![Code::Conflict],
                by: Some(Elsewhere::Client),
                ..Outcome::default()
            });
        }
        Asked::Refused(error) => return Err(error).context("the client"),
        Asked::Shown(pending) => pending,
    };

    let IntentKind::Transfer(shown) = &pending.shown.intent.kind;
    let shown = shown.first().context("a transfer")?.amount;
    let approver = ground.world.person(Who::Approver(0)).signing();
    let approval = pending.approval("checked", ApprovalNonce([0x12; 16]), &approver);
    let body = approved(ground, &large, vec![approval]);
    let outcome = force_and_sign(ground, &large, &body)?;
    Ok(named(outcome, || {
        format!("the approver was shown {shown} satoshi, and {ONE_OF_N_MAX} are signed")
    }))
}

/// The server proves nothing of the vault, and names the thief's key.
fn the_thiefs_own_address(ground: &mut Ground) -> anyhow::Result<Outcome> {
    const FIRST: OwnPath = OwnPath {
        change: 0,
        index: 0,
    };
    let second = second_vault(ground)?;
    let intent = ground.world.intent_with(now(), SMALL, FRIEND, |intent| {
        let IntentKind::Transfer(transfers) = &mut intent.kind;
        for transfer in transfers {
            transfer.destination = Destination::Vault(second.id);
        }
    });
    let thiefs = thiefs_key(ground, second.account)?;
    let address = ground.address_info(&second, &thiefs, FIRST, None)?;
    let path = format!("/v1/vaults/{}/addresses/0-0", second.id);
    let answers = Answers::default().with(path, &address)?;
    let told = told(
        ground,
        &intent,
        intent.digest(),
        &ground.ledger().core(&intent),
    );

    match pending(ground, answers, &told)? {
        Asked::Refused(ClientError::NotProved(_)) => Ok(Outcome {
            codes: vec![Code::NotWitnessed],
            by: Some(Elsewhere::Client),
            ..Outcome::default()
        }),
        Asked::Refused(error) => Err(error).context("the client"),
        Asked::Shown(pending) => {
            let state = ground.log.follower.state();
            let vaults = TenantVaults::new(state, ground.world.tenant.id);
            let own = codec(ground)?.expected(&intent, &vaults);
            let own = own.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
            let to = |effects: &strongroom_ports::chain::Effects| {
                let addresses = effects.moves.iter().map(|part| part.to.clone());
                addresses.collect::<Vec<_>>().join(" ")
            };
            let (shown, own) = (to(&pending.effects), to(&own));
            Ok(Outcome {
                harm: (shown != own)
                    .then(|| format!("shown as the vault's is {shown}; its own is {own}")),
                ..Outcome::default()
            })
        }
    }
}

/// What the approver's client made of the server's answers.
enum Asked {
    Shown(Box<PendingApproval>),
    Refused(ClientError),
}

/// The approver's client asks for what waits.
fn pending(ground: &Ground, answers: Answers, told: &TransactionInfo) -> anyhow::Result<Asked> {
    let id = told.id.0;
    let api = ground.api(answers.with(format!("/v1/transactions/{id}"), told)?)?;
    let client = Client::new(api.url(), "key");
    let codecs = strongroom_chains::codecs(&ground.world.genesis)?;
    let asked = client.pending(&ground.world.genesis, codecs.known(), id);
    Ok(match asked {
        Ok(pending) => Asked::Shown(Box::new(pending)),
        Err(error) => Asked::Refused(error),
    })
}

/// An answer with the text of one intent and the digest of any.
fn told(ground: &Ground, shown: &Intent, digest: Digest, core: &DecisionCore) -> TransactionInfo {
    TransactionInfo {
        approvals: Vec::new(),
        changed_ms: shown.created.0,
        created_ms: shown.created.0,
        decision: Some(DecisionInfo {
            digest: core.digest().into(),
            rule: core.rule.clone(),
            text: core.to_text(),
            tier: core.tier.into(),
        }),
        digest: digest.into(),
        expires_ms: shown.expires.0,
        external_id: shown.external_id.to_string(),
        id: TransactionId::from(digest).into(),
        intent: SignedText::from(&ground.world.signed_intent(shown)),
        network_id: None,
        reason: None,
        refusals: Vec::new(),
        signed_transaction: None,
        state: StateName(TransactionState::PendingApproval),
        tenant: shown.tenant.into(),
        vault: shown.vault.into(),
        version: 1,
        words: words(&digest).map(str::to_owned).to_vec(),
    }
}

fn codec(ground: &Ground) -> anyhow::Result<std::sync::Arc<dyn ChainCodec>> {
    let codecs = strongroom_chains::codecs(&ground.world.genesis)?;
    codecs.known().first().cloned().context("a chain")
}
