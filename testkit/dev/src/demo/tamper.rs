//! Hostile variants. Each is signed with a service's own valid key; every asked signer must answer
//! with a signed refusal of the expected code, and share the honest request in the same run.

use super::hostile::{Answer, Hostile, Wanted, WritersAnswer};
use super::people::{People, intent_digest};
use super::record::{Artefacts, KeptRefusal, SignedPayment};
use super::stand::Parts;
use super::theft::{foreign_change, redirected};
use super::writer::HostileWriter;
use crate::children::wait_status;
use crate::layout::Layout;
use crate::platform::Platform;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use strongroom::roles::seats;
use strongroom_chain_bitcoin::Network;
use strongroom_chain_bitcoin::encode::Unsigned;
use strongroom_chain_bitcoin_dev::FEE_RATE;
use strongroom_host::SystemEntropy;
use strongroom_journal::apply::evaluate;
use strongroom_journal::entry::{Authorization, Body};
use strongroom_ports::chain::{
    Broadcast, Built, ChainCodec as _, ChainGateway as _, Effects, Facts, Holding, OwnCoin,
    OwnPath, Plan, VaultKey,
};
use strongroom_replica::TenantVaults;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::registry::ADDRESS_INDEX_MAX;
use strongroom_types::{
    ActBody, Attempt, AttemptKind, Code, DecisionCore, Digest, Document as _, Intent, Refusal,
    Signed, Tighten,
};
use strongroom_wire::{JournalBatch, SigningRequest};

/// Amount of a hostile run's transfers, satoshi.
const AMOUNT: u64 = 40_000;

/// The hostile runs.
pub struct Tampering<'a> {
    platform: &'a Platform,
    people: &'a People,
    hostile: Hostile<'a>,
    artefacts: &'a mut Artefacts,
    vault: VaultKey,
    coins: Vec<OwnCoin>,
    payee: String,
    signers: Vec<u16>,
    number: u32,
    /// Position of the newest entry that the journal took.
    newest: u64,
    layout: &'a Layout,
}

/// An authorized payment whose transaction is `unsigned`.
pub struct Payment {
    intent: Signed,
    digest: Digest,
    effects: Effects,
    attempt: Attempt,
    unsigned: Vec<u8>,
}

impl Payment {
    /// A payment whose attempt spends the coins of `built` and whose transaction is `unsigned`.
    fn new(intent: Signed, effects: Effects, built: &Built, unsigned: Vec<u8>) -> Self {
        let digest = intent_digest(&intent);
        let attempt = Attempt {
            intent: digest,
            number: 1,
            kind: AttemptKind::Pay,
            parent: None,
            anchor: built.anchor.clone(),
            conflict_keys: built.conflicts.clone(),
            unsigned_digest: unsigned_digest(&unsigned),
            fee_max: built.fee,
        };
        Self {
            intent,
            digest,
            effects,
            attempt,
            unsigned,
        }
    }

    /// What an honest coordinator asks for.
    fn wanted(&self) -> Wanted<'_> {
        self.wanted_as(&self.unsigned, 1)
    }

    /// Another transaction, or another attempt, in the name of this payment.
    fn wanted_as<'b>(&self, unsigned: &'b [u8], attempt: u32) -> Wanted<'b> {
        Wanted {
            intent: self.digest,
            attempt,
            unsigned,
            slots: self.attempt.conflict_keys.len(),
        }
    }
}

impl<'a> Tampering<'a> {
    /// `coins` are confirmed coins of the vault; `payee` is who honest intents pay. Takes over the
    /// keys of coordinator and transactions service, which must not run.
    pub fn new(parts: Parts<'a>, coins: Vec<OwnCoin>, payee: &str) -> anyhow::Result<Self> {
        let Parts {
            platform,
            people,
            artefacts,
            layout,
        } = parts;
        let hostile = Hostile::new(platform, people.tenant, people.key)?;
        let vault = hostile.vault_key(people.vault)?;
        let of_signers = platform.genesis.signers.iter();
        let signers = of_signers.map(|seat| seat.index).collect();
        Ok(Self {
            platform,
            people,
            hostile,
            artefacts,
            vault,
            coins,
            payee: payee.to_owned(),
            signers,
            number: 0,
            newest: 0,
            layout,
        })
    }

    /// Before any approval, and with the initiator's own: journal and signers refuse the intent.
    pub fn unapproved(&mut self, intent: &Signed) -> anyhow::Result<()> {
        let (core, effects) = self.decide(intent)?;
        let built = self.build(&effects)?;
        let payment = Payment::new(intent.clone(), effects, &built, built.unsigned.clone());
        let wanted = payment.wanted();

        // Without a yes the journal has no attempt, and signers ask the journal only.
        let body = authorization(&payment, &core, Vec::new());
        self.refused_entry(&body, Code::ApprovalMissing)?;
        self.all_refuse("before_approval", &wanted, Code::AttemptUnknown)?;

        let own = self.people.approval(
            &self.people.initiator,
            payment.digest,
            core.digest(),
            &SystemEntropy,
        );
        let body = authorization(&payment, &core, vec![own]);
        self.refused_entry(&body, Code::ApprovalByInitiator)?;
        self.all_refuse("initiator_approves", &wanted, Code::AttemptUnknown)?;
        self.coins.push(self.coin_of(&built)?);
        Ok(())
    }

    /// The coordinator swaps the transaction after the attempt is witnessed.
    pub fn swapped(&mut self) -> anyhow::Result<()> {
        let payment = self.authorized(None, |_, built| Ok(built.unsigned.clone()))?;
        let swapped = redirected(&payment.unsigned)?;
        let wanted = payment.wanted_as(&swapped, 1);
        self.all_refuse("coordinator_swaps", &wanted, Code::AttemptDigestMismatch)?;
        self.all_share("coordinator_swaps", &payment)
    }

    /// The transactions service opens an attempt that pays another address than the intent's.
    pub fn pays_else(&mut self) -> anyhow::Result<()> {
        let payment = self.authorized(None, |_, built| redirected(&built.unsigned))?;

        // The journal takes it, since a digest shows no output: the signers inspect the
        // transaction.
        let wanted = payment.wanted();
        self.all_refuse("attempt_pays_else", &wanted, Code::EffectsMismatch)?;
        self.honest("attempt_pays_else")
    }

    /// The transactions service opens an attempt whose change goes to a foreign key.
    pub fn foreign_change(&mut self) -> anyhow::Result<()> {
        let payment = self.authorized(None, |_, built| foreign_change(&built.unsigned))?;

        // The claimed path is derived again, and the script compared with it (BIP-341 key path).
        self.all_refuse("foreign_change", &payment.wanted(), Code::PathNotOwn)?;
        self.honest("foreign_change")
    }

    /// An approver is revoked between authorization and share.
    pub fn revoked_approver(&mut self) -> anyhow::Result<()> {
        let payment = self.authorized(Some(5_000_000), |_, built| Ok(built.unsigned.clone()))?;

        // The authorization stays in the journal; whether it still holds is asked at each share.
        let bob = self.people.bob.key.id;
        let body = ActBody::Tighten(Tighten::revoke(bob));
        let act = self.people.admin_act(0, body, &SystemEntropy);
        self.accepted(&Body::Act(act))?;
        let wanted = payment.wanted();
        self.all_refuse("revoked_approver", &wanted, Code::ApprovalNoLongerInForce)?;
        self.honest("revoked_approver")
    }

    /// A second attempt on another anchor: the journal refuses it, and signers know no such
    /// attempt.
    pub fn other_anchor(&mut self) -> anyhow::Result<()> {
        let payment = self.authorized(None, |_, built| Ok(built.unsigned.clone()))?;

        // Two payments without a common coin could both confirm.
        let second = self.build(&payment.effects)?;
        let (intent, effects) = (payment.intent.clone(), payment.effects.clone());
        let mut attempt = Payment::new(intent, effects, &second, second.unsigned.clone()).attempt;
        (attempt.number, attempt.kind) = (2, AttemptKind::Bump);
        match self.hostile.submit(&Body::from(attempt))? {
            WritersAnswer::Refused(refusal) if refusal.code == Code::AnchorMissing => {}
            other => bail!("other_anchor: the journal answered {other:?}"),
        }

        let wanted = payment.wanted_as(&second.unsigned, 2);
        self.all_refuse("other_anchor", &wanted, Code::AttemptUnknown)?;
        self.coins.push(self.coin_of(&second)?);
        self.all_share("other_anchor", &payment)
    }

    /// An honest payment in the journal, to be asked for later.
    pub fn honest_payment(&mut self) -> anyhow::Result<Payment> {
        self.authorized(None, |_, built| Ok(built.unsigned.clone()))
    }

    /// The writer appends a release whose delay is over by its own stamps alone. Every signer stops
    /// there, cosigns nothing of it, and refuses even the honest payment, by the reason.
    pub fn back_dated(
        &mut self,
        writer: &mut HostileWriter<'_>,
        payment: &Payment,
    ) -> anyhow::Result<()> {
        // Before the signers stop, which then give no commitment either.
        let request = self.request(&payment.wanted())?;

        // All must have the proposal: one that lacks it would refuse the release for a gap.
        let proposal = writer.back_date_proposal(self.people)?;
        let size = writer.size().to_string();
        self.wait_for_nodes(|status| status.get("cosigned") == Some(&size))?;

        let batch = writer.force_release(self.people, proposal)?;
        let code = Code::NotWitnessed.as_str();
        self.wait_for_nodes(|status| {
            status
                .get("halted")
                .is_some_and(|why| why.starts_with(code))
        })?;
        let reason = (Code::NotWitnessed, Some(&batch));
        self.request_is_refused("back_dated_release", &request, reason)
    }

    /// An honest payment by the same keys: all signers share, the signature verifies, the network
    /// takes it.
    fn honest(&mut self, variant: &str) -> anyhow::Result<()> {
        let payment = self.honest_payment()?;
        self.all_share(variant, &payment)
    }

    fn decide(&self, intent: &Signed) -> anyhow::Result<(DecisionCore, Effects)> {
        let parsed = Intent::parse(&intent.text)?;
        let now = super::people::now();
        let decided = self.platform.journal.read(|f| {
            let core = evaluate(f.state(), f.state(), intent, now)?.decision.core;
            let vaults = TenantVaults::new(f.state(), parsed.tenant);
            Ok((core, self.platform.codec.expected(&parsed, &vaults)?))
        });
        decided.map_err(|refusal: Refusal| anyhow::anyhow!("{refusal}"))
    }

    fn build(&mut self, effects: &Effects) -> anyhow::Result<Built> {
        let coin = self.coins.pop().context("no coin left for a hostile run")?;
        let facts = Facts {
            height: self.platform.chain.height()?.into(),
            fees: &FEE_RATE.to_bytes(),
            holdings: &[Holding::Coin(coin)],
            taken: &[],
        };
        let plan = Plan {
            kind: AttemptKind::Pay,
            effects,
            vault: &self.vault,
            anchor: None,
            previous: None,
            fee_max: 25_000.into(),
            slots_max: 256,
            return_to: OwnPath {
                change: 1,
                index: ADDRESS_INDEX_MAX - 1,
            },
        };
        self.number += 1;
        let codec = &self.platform.codec;
        let view = codec.view(&facts);
        view.and_then(|view| codec.build(&plan, &view))
            .map_err(|refusal| anyhow::anyhow!("{refusal}"))
    }

    /// The coin that a build which was never authorized would have spent.
    fn coin_of(&self, built: &Built) -> anyhow::Result<OwnCoin> {
        let unsigned = Unsigned::decode(&built.unsigned, Network::Regtest)
            .map_err(|r| anyhow::anyhow!("{r}"))?;
        let claim = unsigned.inputs.first().context("an input")?;
        Ok(OwnCoin {
            key: built.anchor.clone(),
            path: claim.path,
            asset: self.platform.codec.manifest().native.clone(),
            amount: claim.amount.into(),
        })
    }

    /// A payment in the journal. `amount` above the automatic tier is approved by Bob.
    fn authorized(
        &mut self,
        amount: Option<u64>,
        unsigned: impl Fn(&Self, &Built) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Payment> {
        let name = format!("hostile-{}", self.number);
        let intent = self.people.intent(
            &name,
            &self.payee,
            amount.unwrap_or(AMOUNT),
            "a hostile run's payment",
        )?;

        // As the honest service does it, but for the transaction, which the caller may change.
        let (core, effects) = self.decide(&intent)?;
        let built = self.build(&effects)?;
        let bytes = unsigned(self, &built)?;
        let payment = Payment::new(intent, effects, &built, bytes);

        let bob = &self.people.bob;
        let approvals = if core.groups.is_empty() {
            Vec::new()
        } else {
            vec![
                self.people
                    .approval(bob, payment.digest, core.digest(), &SystemEntropy),
            ]
        };

        let body = authorization(&payment, &core, approvals);
        self.accepted(&body)?;
        Ok(payment)
    }

    fn accepted(&mut self, body: &Body) -> anyhow::Result<()> {
        match self.hostile.submit(body)? {
            WritersAnswer::Ordered(seq) => {
                self.newest = seq;
                Ok(())
            }
            WritersAnswer::Refused(refusal) => bail!("the journal refused: {refusal}"),
        }
    }

    fn refused_entry(&mut self, body: &Body, wanted: Code) -> anyhow::Result<()> {
        match self.hostile.submit(body)? {
            WritersAnswer::Refused(refusal) if refusal.code == wanted => Ok(()),
            other => bail!("expected the journal to refuse with {wanted}, it answered {other:?}"),
        }
    }

    /// Waits until each signer itself says that the newest entry is below its fresh head. The
    /// writer's word is not enough: a request may overtake the entries on their way to a signer.
    fn wait_for_signers(&self) -> anyhow::Result<()> {
        self.wait_for_nodes(|status| {
            let fresh = status
                .get("fresh")
                .and_then(|f| f.strip_prefix("yes, up to "));
            let head: Option<u64> = fresh.and_then(|size| size.parse().ok());
            head.is_some_and(|size| size > self.newest)
        })
    }

    /// Waits until each signer and witness says so of itself.
    fn wait_for_nodes(
        &self,
        wanted: impl Fn(&BTreeMap<String, String>) -> bool,
    ) -> anyhow::Result<()> {
        let mut nodes = seats(&self.platform.genesis).into_iter();
        nodes.try_for_each(|(name, _)| wait_status(self.layout, &name, &wanted))
    }

    /// Every signer refuses this transaction for this attempt with this code; the refusals are
    /// kept.
    fn all_refuse(&mut self, variant: &str, wanted: &Wanted<'_>, code: Code) -> anyhow::Result<()> {
        let request = self.request(wanted)?;

        // Else a refusal could be one of a signer that has not read the entry yet.
        self.wait_for_signers()?;
        self.request_is_refused(variant, &request, (code, None))
    }

    fn request(&mut self, wanted: &Wanted<'_>) -> anyhow::Result<SigningRequest> {
        let signers = self.signers.clone();
        self.hostile.request(wanted, &signers)
    }

    fn request_is_refused(
        &mut self,
        variant: &str,
        request: &SigningRequest,
        (wanted, stopped_by): (Code, Option<&JournalBatch>),
    ) -> anyhow::Result<()> {
        let signers = self.signers.clone();
        for (index, answer) in self.hostile.ask(request, &signers)? {
            match answer {
                Answer::Refused(refusal, sealed) if refusal.code == wanted => {
                    self.artefacts.refusal(&KeptRefusal {
                        variant,
                        signer: index,
                        refusal: &refusal,
                        envelope: &sealed,
                        stopped_by,
                    })?;
                }
                Answer::Refused(refusal, _) => {
                    bail!(
                        "{variant}: signer {index} refused with {} ({}), not {wanted}",
                        refusal.code,
                        refusal.detail
                    )
                }
                Answer::Shares(_) => bail!("{variant}: SIGNER {index} SHARED A TAMPERED REQUEST"),
            }
        }
        println!(
            "    ✓ {variant:<20} refused by all {} signers: {wanted}",
            signers.len()
        );
        Ok(())
    }

    /// Every signer shares the honest request; the signature verifies and the dev chain takes the
    /// transaction.
    pub fn all_share(&mut self, variant: &str, payment: &Payment) -> anyhow::Result<()> {
        let signers = self.signers.clone();
        let request = self.request(&payment.wanted())?;
        self.wait_for_signers()?;
        let answers: BTreeMap<u16, Answer> = self.hostile.ask(&request, &signers)?;
        for (index, answer) in &answers {
            if let Answer::Refused(refusal, _) = answer {
                bail!(
                    "{variant}: signer {index} refused the honest request: {} {}",
                    refusal.code,
                    refusal.detail
                );
            }
        }

        // Shares alone prove little: the signature must verify and the network must take it.
        let signatures = self.hostile.aggregate(&request, &self.vault, &answers)?;
        let raw = self
            .platform
            .codec
            .assemble(&payment.unsigned, &signatures, &self.vault);
        let raw = raw.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        match self.platform.chain.broadcast(&raw)? {
            Broadcast::Accepted | Broadcast::AlreadyKnown => {}
            Broadcast::Rejected(why) => {
                bail!("{variant}: the chain rejected the honest transaction: {why}")
            }
        }

        let signed = SignedPayment {
            intent: &payment.intent,
            attempt: 1,
            unsigned: &payment.unsigned,
            signed: &raw,
        };
        self.artefacts.transaction(&signed, None)?;
        println!(
            "      {variant:<20} honest request in the same run: signed by all, accepted by the interpreter"
        );
        Ok(())
    }
}

fn authorization(payment: &Payment, core: &DecisionCore, approvals: Vec<Signed>) -> Body {
    Body::Authorized(Box::new(Authorization {
        intent: payment.intent.clone(),
        core: core.to_text(),
        approvals,
        attempt: payment.attempt.clone(),
        facts: Vec::new(),
    }))
}
