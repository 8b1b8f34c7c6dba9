//! One seat of a key ceremony in the attacker's hands: it speaks the protocol with its own keys,
//! and lies in it.

use super::Refused;
use super::{Ground, now, refused};
use anyhow::Context as _;
use borsh::{BorshDeserialize, BorshSerialize};
use frost_secp256k1_tr::Identifier;
use frost_secp256k1_tr::keys::dkg::{part1, part2, round1, round2};
use std::collections::BTreeMap;
use std::time::Duration;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::dkg::DkgParameters;
use strongroom_mpc_core::seal::{Sealed, SealingSecret, open, seal};
use strongroom_types::digest;
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{CeremonyMessage, CoordinatorMessage, Role, SignerMessage};
use strongroom_world::ServiceKeys;

/// The seat that lies; the others are honest processes.
const SEAT: u16 = 3;
/// The run that it takes part in.
const RUN: u32 = 1;
/// How long one honest refusal waits for the others.
const REST: Duration = Duration::from_millis(500);

/// In which way the member lies.
#[derive(Clone, Copy, Default)]
pub struct Lies {
    /// Its first message to signer 1 is another one than that to signer 2.
    pub two_faces: bool,
    /// Its first message is a copy of signer 2's.
    pub copied: bool,
    /// Its polynomial has one coefficient more than the plan's.
    pub longer: bool,
    /// It opens another part of the chain code than it committed to, chosen after the others'.
    pub chosen: bool,
}

/// What became of a ceremony with it.
#[derive(Default)]
pub struct Ended {
    /// The honest signers' refusals.
    pub refused: Vec<Refused>,
    /// The public result that each honest signer certified.
    pub certified: BTreeMap<u16, Vec<u8>>,
}

/// The protocol's message, as it is on the wire.
#[derive(BorshSerialize, BorshDeserialize)]
struct Message {
    version: u8,
    session: [u8; 32],
    context: [u8; 32],
    body: Body,
}

#[derive(Clone, BorshSerialize, BorshDeserialize)]
enum Body {
    Round1 {
        package: Vec<u8>,
        chain_code_commitment: [u8; 32],
    },
    Echo([u8; 32]),
    Round2 {
        to: u16,
        sealed: Sealed,
    },
}

/// The lying seat.
struct Member {
    parameters: DkgParameters,
    keys: ServiceKeys,
    sealing: SealingSecret,
}

impl Member {
    fn info(&self, from: u16, to: u16) -> [u8; 32] {
        let of = &self.parameters;
        let fields: [&[u8]; 9] = [
            &of.session,
            &of.genesis,
            &of.epoch.to_be_bytes(),
            &from.to_be_bytes(),
            &to.to_be_bytes(),
            &of.roster_hash(),
            &of.min_signers.to_be_bytes(),
            &of.max_signers().to_be_bytes(),
            &of.context(),
        ];
        digest("strongroom/dkg-seal/v1", &fields).0
    }

    fn commitment(&self, part: &[u8; 32]) -> [u8; 32] {
        let context = self.parameters.context();
        let fields: [&[u8]; 3] = [&context, &SEAT.to_be_bytes(), part];
        digest("strongroom/chain-code-commitment/v1", &fields).0
    }

    /// A part with which the chain code begins with two bytes that the attacker chose.
    fn chosen_part(&self, others: &[[u8; 32]]) -> anyhow::Result<[u8; 32]> {
        let context = self.parameters.context();
        let part = |number: u64| {
            let mut part = [0; 32];
            part[..8].copy_from_slice(&number.to_be_bytes());
            part
        };
        let is_chosen = |part: &[u8; 32]| {
            let mut fields: Vec<&[u8]> = vec![&context];
            fields.extend(others.iter().map(<[u8; 32]>::as_slice));
            fields.push(part);
            let code = digest("strongroom/chain-code/v1", &fields);
            code.0.starts_with(&CHOSEN)
        };
        let found = (0..10_000_000).map(part).find(is_chosen);
        found.context("a part with which the chain code begins as wanted")
    }
}

/// What a chosen chain code begins with.
pub const CHOSEN: [u8; 2] = [0x5a, 0x5a];

impl Ground {
    /// A ceremony of the meant key, in which the third signer lies to the two others.
    pub fn ceremony_with_liar(&mut self, lies: Lies) -> anyhow::Result<Ended> {
        let honest = [1, 2];
        self.take_over(SEAT);
        let member = self.lying_member()?;
        let from = self.said.len();
        self.start_ceremony(RUN, &honest);
        let first = self.honest_bodies(from, |body| matches!(body, Body::Round1 { .. }))?;
        let first = first.context("the honest signers refuse to begin")?;

        // One polynomial for each of the two; the same one when there is one face only.
        let part = [7; 32];
        let degree = self.world.options.min_signers + u16::from(lies.longer);
        let mut secrets = BTreeMap::new();
        for seat in honest {
            let face = if lies.two_faces { seat } else { 1 };
            let rng = self.world.seed.rng("lying member", face.into());
            let (secret, package) = part1(SEAT.try_into()?, 3, degree, rng)?;
            secrets.insert(seat, secret);
            let mut body = Body::Round1 {
                package: package.serialize()?,
                chain_code_commitment: member.commitment(&part),
            };
            if lies.copied {
                body = first.get(&2).context("signer 2's message")?.clone();
            }
            self.tell(&member, seat, body);
        }

        // Each honest signer is told that its own view is the common one.
        let echoes = self.honest_bodies(from, |body| matches!(body, Body::Echo(_)))?;
        for (seat, echo) in echoes.unwrap_or_default() {
            self.tell(&member, seat, echo);
        }
        let shares = self.honest_bodies(
            from,
            |body| matches!(body, Body::Round2 { to, .. } if *to == SEAT),
        )?;
        let Some(shares) = shares else {
            return self.ceremony_ended(from);
        };

        let mut parts = Vec::new();
        for (seat, body) in &shares {
            let Body::Round2 { sealed, .. } = body else {
                continue;
            };
            let opened = open(&member.sealing, &member.info(*seat, SEAT), sealed)?;
            parts.push(opened.get(32..).context("a part")?.try_into()?);
        }
        let part = if lies.chosen {
            member.chosen_part(&parts)?
        } else {
            part
        };
        for (seat, secret) in secrets {
            let body = member.share(self, secret, &first, seat, &part)?;
            self.tell(&member, seat, body);
        }
        self.ceremony_ended(from)
    }

    fn lying_member(&self) -> anyhow::Result<Member> {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        let record = self.log.follower.state().threshold_key(tenant, key);
        let record = record.map_err(|refusal| anyhow::anyhow!("the ceremony: {refusal}"))?;
        let mut parameters = self.world.dkg_parameters(&record);
        let fields: [&[u8]; 2] = [&record.session.0, &RUN.to_be_bytes()];
        parameters.session = digest("strongroom/ceremony-run/v1", &fields).0;
        let signer = self.world.signer(SEAT);
        Ok(Member {
            parameters,
            keys: ServiceKeys {
                role: Role::Signer,
                node: signer.node,
                signing: signer.signing.clone(),
            },
            sealing: signer.sealing(),
        })
    }

    /// Says a body to one signer, under the member's own signature.
    fn tell(&mut self, member: &Member, seat: u16, body: Body) {
        let to = match &body {
            Body::Round2 { to, .. } => Some(*to),
            Body::Round1 { .. } | Body::Echo(_) => None,
        };
        let message = Message {
            version: 1,
            session: member.parameters.session,
            context: member.parameters.context(),
            body,
        };
        let message = SignerMessage::Ceremony(CeremonyMessage {
            tenant: self.world.tenant.id,
            key: self.world.tenant.key,
            run: RUN,
            to,
            body: borsh::to_vec(&message).unwrap_or_default(),
        });
        let sealed = self.seal_as(&member.keys, None, &message, now().plus(60_000));
        let record = self.seal(
            Role::Coordinator,
            Some(self.world.seat(seat).node),
            &CoordinatorMessage::Relay(sealed),
        );
        self.send(seat, &ToSigner::Inbox(record));
    }

    /// Relays what the honest signers say until each has said such a body; none when one of them
    /// refuses to go on.
    fn honest_bodies(
        &mut self,
        from: usize,
        is_wanted: impl Fn(&Body) -> bool,
    ) -> anyhow::Result<Option<BTreeMap<u16, Body>>> {
        let mut relayed = from;
        self.until("the honest signers do not go on", |ground| {
            relayed = ground.relay_from(relayed);
            let mut found = BTreeMap::new();
            for one in ground.said.iter().skip(from) {
                if refused(one).is_some() {
                    return Ok(Some(None));
                }
                let SignerMessage::Ceremony(message) = &one.message else {
                    continue;
                };
                let body = Message::try_from_slice(&message.body)?.body;
                if is_wanted(&body) {
                    found.insert(one.seat, body);
                }
            }
            Ok((found.len() == 2).then_some(Some(found)))
        })
    }

    /// Waits until each honest signer has certified or refused.
    fn ceremony_ended(&mut self, from: usize) -> anyhow::Result<Ended> {
        let mut relayed = from;
        self.until("the honest signers neither certify nor refuse", |ground| {
            relayed = ground.relay_from(relayed);
            let ended = ground.ended_so_far(from);
            let is_over = ended.certified.len() == 2 || !ended.refused.is_empty();
            Ok(is_over.then_some(()))
        })?;
        self.wait(REST)?;
        Ok(self.ended_so_far(from))
    }

    fn ended_so_far(&self, from: usize) -> Ended {
        let mut ended = Ended::default();
        for one in self.said.iter().skip(from) {
            ended.refused.extend(refused(one));
            if let SignerMessage::Certificate { public, .. } = &one.message {
                ended.certified.insert(one.seat, public.clone());
            }
        }
        ended
    }
}

impl Member {
    /// Its second message for one signer: the share of this polynomial, and its part of the chain
    /// code.
    fn share(
        &self,
        ground: &Ground,
        secret: round1::SecretPackage,
        first: &BTreeMap<u16, Body>,
        to: u16,
        part: &[u8; 32],
    ) -> anyhow::Result<Body> {
        let mut packages: BTreeMap<Identifier, round1::Package> = BTreeMap::new();
        for (seat, body) in first {
            if let Body::Round1 { package, .. } = body {
                let package = round1::Package::deserialize(package)?;
                packages.insert((*seat).try_into()?, package);
            }
        }
        let (_, shares) = part2(secret, &packages)?;
        let share: &round2::Package = shares.get(&to.try_into()?).context("the share")?;
        let mut plain = share.signing_share().serialize();
        plain.extend_from_slice(part);

        let recipient = self.parameters.member(to).context("the recipient")?;
        let mut rng = ground.world.seed.rng("lying member's seal", to.into());
        let sealed = seal(
            &recipient.sealing_key,
            &self.info(SEAT, to),
            &plain,
            &mut rng,
        )?;
        Ok(Body::Round2 { to, sealed })
    }
}
