//! Handed tightenings that a hostile writer outruns, displaces or uses up; 3-of-4 witnesses, f = 1.

mod duty;
mod ends;
mod signatures;

use crate::{HOUR_MS, ready_with};
use strongroom_journal::overlay::Overlay;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::witness::{EndedAct, Witness, WitnessMemory};
use strongroom_journal::{Body, Bounds};
use strongroom_types::{
    Act, ActBody, Code, Digest, Document as _, Refusal, RegistryRecord, Scope, Signed, Tighten,
    UnixMs, User, UserId, VaultId,
};
use strongroom_world::{Ledger, Log, Who};

/// Longer than an honest writer may take.
const DUTY_MS: u64 = 10_001;

fn mallory() -> UserId {
    UserId([9; 16])
}

/// A journal with its honest witnesses; the fourth seat is hostile.
struct Site {
    ledger: Ledger,
    log: Log,
    witnesses: Vec<Witness>,
    now: UnixMs,
}

impl Site {
    fn of(ledger: Ledger) -> Self {
        let log = Log::of(&ledger);
        let witness = |n: u16| {
            let seat = ledger.world.seat(n);
            let (node, seed) = (seat.node, seat.witness.to_bytes());
            Witness::new(&log.follower, node, &seed, WitnessMemory::default()).unwrap()
        };
        Self {
            witnesses: (1..=3).map(witness).collect(),
            now: ledger.now,
            log,
            ledger,
        }
    }

    /// Admins 3, quorum 2, and a committee of two that wants a user; the proposal's delay is over.
    fn proposed() -> (Self, Digest) {
        Self::proposed_with(|_| {})
    }

    fn proposed_with(tune: fn(&mut Bounds)) -> (Self, Digest) {
        let ledger = ready_with(|o| (o.admins, o.tune) = ((3, 2), tune));
        let user = User {
            id: mallory(),
            name: "Mallory".parse().unwrap(),
        };
        Self::proposing(ledger, RegistryRecord::User(user))
    }

    fn proposing(mut ledger: Ledger, record: RegistryRecord) -> (Self, Digest) {
        let put = ActBody::Put(record);
        let proposal = ledger.signed_act(put, &ledger.committee());
        ledger
            .push(Body::Act(proposal.clone()), ledger.now)
            .unwrap();
        ledger.witness();
        (Self::of(ledger), Act::digest_of(&proposal.text))
    }

    fn signed(&self, body: ActBody, who: &[Who]) -> Signed {
        let world = &self.ledger.world;
        let state = self.log.follower.state();
        let version = state.tenant(world.tenant.id).unwrap().version;
        world.sign(&world.act(self.now, world.scope(), body, version), who)
    }

    fn tightening(&self, what: Tighten, who: &[Who]) -> Signed {
        self.signed(ActBody::Tighten(what), who)
    }

    fn release(&self, proposal: Digest) -> Signed {
        self.signed(ActBody::Release(proposal), &self.ledger.committee())
    }

    /// The writer appends a body in a batch of its own; the witnesses are shown it.
    fn append(&mut self, body: Body) -> Result<u64, Refusal> {
        let ordered = self.log.order(self.now, &[body]);
        for (sealed, _) in ordered.batches.iter().flat_map(|batch| &batch.applied) {
            let entry = sealed.open().unwrap();
            for witness in &mut self.witnesses {
                witness.on_entry(self.log.follower.state(), &entry, self.now);
            }
        }
        ordered.results.into_iter().next().unwrap()
    }

    fn act(&mut self, signed: &Signed) -> u64 {
        self.append(Body::Act(signed.clone())).unwrap()
    }

    fn hand(&mut self, seat: usize, signed: &Signed) -> Result<bool, Code> {
        let handed = self.witnesses[seat - 1].hand(&self.log.follower, signed, self.now);
        handed.map(|new| new.is_some()).map_err(|why| why.code)
    }

    /// What an honest seat answers when it is asked to cosign the tip, which then counts.
    fn cosign(&mut self, seat: usize) -> Result<(), Code> {
        let persist = |_: Option<&_>, _: &_| Ok::<(), Refusal>(());
        let cosigned = self.witnesses[seat - 1].cosign(&self.log.follower, self.now, persist);
        let cosigned = cosigned.map_err(|refusal| refusal.code)?;
        let node = self.witnesses[seat - 1].node();
        let counted = self.log.follower.cosignature(node, &cosigned, self.now);
        counted.map_err(|refusal| refusal.code)
    }

    /// Every honest seat that will, and the hostile one, cosign the tip; the writer makes what it
    /// can of that.
    fn round(&mut self) -> Vec<Result<(), Code>> {
        let said = (1..=3).map(|seat| self.cosign(seat)).collect();
        self.ledger
            .world
            .cosign_tip(&mut self.log.follower, &[4], self.now);
        self.now = self.now.plus(1_000);
        if let Some(due) = strongroom_journal::writer::Orderer::witnessed_due(&self.log.follower) {
            self.append(due.body).unwrap();
        }
        said
    }

    fn in_force(&self) -> bool {
        let tenant = self.ledger.world.tenant.id;
        self.log.follower.state().user(tenant, mallory()).is_ok()
    }

    fn ended(&self, seat: usize) -> Vec<EndedAct> {
        self.witnesses[seat - 1].handed_ended().cloned().collect()
    }

    fn owed(&self, seat: usize) -> usize {
        self.witnesses[seat - 1].handed().count()
    }
}

const PENDING: Result<(), Code> = Err(Code::TighteningPending);

/// The writer keeps the veto out and appends the release that it forbids, well within the ten
/// seconds in which an honest writer would include the veto.
#[test]
fn hole_handed_veto_is_not_outrun_by_the_release_it_forbids() {
    let (mut site, proposal) = Site::proposed();
    let veto = site.tightening(Tighten::Veto(proposal), &[Who::Committee(0)]);

    // w - k + 1 = 2 honest witnesses hold it before they see the release.
    for seat in [1, 2] {
        assert_eq!(site.hand(seat, &veto), Ok(true));
    }
    let release = site.release(proposal);
    site.act(&release);
    assert_eq!(site.round(), [PENDING, PENDING, Ok(())]);
    assert!(!site.in_force());

    // The tightening is owed, whatever the writer appends.
    site.append(Body::Tick).unwrap();
    assert_eq!(site.round(), [PENDING, PENDING, Ok(())]);
    assert!(!site.in_force());

    // The writer can always go on by appending the veto.
    let entry = site.act(&veto);
    assert_eq!(site.round(), [Ok(()), Ok(()), Ok(())]);
    assert!(!site.in_force());
    assert_eq!(
        site.ended(1)[0].to_string(),
        format!("in the journal, entry {entry}")
    );
    site.append(Body::Tick).unwrap();
    assert_eq!(site.round(), [Ok(()), Ok(()), Ok(())]);
    assert_eq!(
        site.log.follower.fresh(site.now).unwrap().size,
        site.log.follower.size()
    );
}

/// The platform's admins have proposals of their own, and vetoes.
#[test]
fn hole_handed_veto_of_the_platform_is_not_outrun() {
    let (ledger, proposal) = crate::platform::released();
    let mut site = Site::of(ledger);
    let veto = ActBody::Tighten(Tighten::Veto(proposal));
    let version = site.log.follower.state().platform().unwrap().version;
    let world = &site.ledger.world;
    let veto = world.act(site.now, Scope::Platform, veto, version);
    let veto = world.sign(&veto, &[Who::PlatformAdmin]);
    for seat in [1, 2] {
        assert_eq!(site.hand(seat, &veto), Ok(true));
    }
    assert_eq!(site.round(), [PENDING, PENDING, Ok(())]);
    let person = site.ledger.world.person(Who::Stranger).user.id;
    let in_force = |site: &Site| {
        site.log
            .follower
            .state()
            .user(Scope::Platform, person)
            .is_ok()
    };
    assert!(!in_force(&site));
    site.act(&veto);
    assert_eq!(site.round(), [Ok(()); 3]);
    assert!(!in_force(&site));
}

/// Anyone may have handed another act before it.
#[test]
fn hole_handed_veto_behind_another_handed_act_is_not_outrun() {
    let (mut site, proposal) = Site::proposed();
    let other = site.tightening(Tighten::Cancel(Digest([7; 32])), &[Who::Clerk]);
    let veto = site.tightening(Tighten::Veto(proposal), &[Who::Committee(0)]);
    for seat in [1, 2] {
        assert_eq!(site.hand(seat, &other), Ok(true));
        assert_eq!(site.hand(seat, &veto), Ok(true));
    }
    let release = site.release(proposal);
    site.act(&release);
    assert_eq!(site.round(), [PENDING, PENDING, Ok(())]);
    assert!(!site.in_force());
}

/// A veto has the usual time when it is about another proposal than the one whose release waits.
#[test]
fn handed_veto_of_another_proposal_is_not_owed_at_once() {
    let (mut site, proposal) = Site::proposed();
    let put = ActBody::Put(RegistryRecord::User(User {
        id: UserId([8; 16]),
        name: "Eve".parse().unwrap(),
    }));
    let other = site.signed(put, &site.ledger.committee());
    site.act(&other);
    assert_eq!(site.round(), [Ok(()); 3]);
    let other = Act::digest_of(&other.text);
    let veto = site.tightening(Tighten::Veto(other), &[Who::Committee(0)]);
    for seat in 1..=3 {
        site.hand(seat, &veto).unwrap();
    }
    let release = site.release(proposal);
    site.act(&release);
    assert_eq!(site.round(), [Ok(()); 3]);
    assert!(site.in_force());
    site.now = site.now.plus(DUTY_MS);
    assert_eq!(site.round(), [PENDING; 3]);
}

/// The same, when they hold it for longer than the ten seconds: also what they cosigned before
/// grows old.
#[test]
fn hole_handed_veto_that_is_overdue_is_not_outrun() {
    let (mut site, proposal) = Site::proposed();
    site.append(Body::Tick).unwrap();
    assert_eq!(site.round(), [Ok(()); 3]);
    let veto = site.tightening(Tighten::Veto(proposal), &[Who::Committee(0)]);
    for seat in [1, 2] {
        site.hand(seat, &veto).unwrap();
    }
    site.now = site.now.plus(DUTY_MS);
    assert_eq!(
        site.round(),
        [PENDING, PENDING, Ok(())],
        "the same head again"
    );
    let release = site.release(proposal);
    site.act(&release);
    assert_eq!(site.round(), [PENDING, PENDING, Ok(())]);
    assert!(!site.in_force());

    // No one can be shown a head as fresh that two of three honest witnesses do not cosign.
    site.now = site.now.plus(60_000);
    site.append(Body::Tick).unwrap();
    site.round();
    let stale = site.log.follower.fresh(site.now).unwrap_err();
    assert_eq!(stale.code, Code::JournalStale);
}

/// Held by fewer, it may lose; it must then not stop the journal. A writer that is cut off appends
/// the last step of a release that a quorum cosigned before it knew of the veto.
#[test]
fn a_writer_that_was_cut_off_goes_on_after_the_last_step_of_a_release() {
    let (mut site, proposal) = Site::proposed();
    let release = site.release(proposal);
    site.act(&release);
    for seat in 1..=3 {
        site.cosign(seat).unwrap();
    }
    let veto = site.tightening(Tighten::Veto(proposal), &[Who::Committee(0)]);
    for seat in 1..=3 {
        assert_eq!(site.hand(seat, &veto), Ok(true));
        assert_eq!(site.cosign(seat), PENDING, "a release waits that it vetoes");
    }

    site.now = site.now.plus(60_000);
    let due = strongroom_journal::writer::Orderer::witnessed_due(&site.log.follower).unwrap();
    let entry = site.append(due.body).unwrap();
    assert!(site.in_force());
    assert_eq!(
        site.append(Body::Act(veto.clone())).unwrap_err().code,
        Code::UnknownProposal
    );
    assert_eq!(site.round(), [Ok(()); 3]);
    site.append(Body::Tick).unwrap();
    assert_eq!(site.round(), [Ok(()); 3]);

    // The people of the act are told which entry ended it.
    let ended = format!("ended by entry {entry}: unknown_proposal");
    for seat in 1..=3 {
        assert_eq!(site.ended(seat)[0].to_string(), ended);
        assert_eq!(site.hand(seat, &veto), Err(Code::UnknownProposal));
    }
    let refused = site.witnesses[0].hand(&site.log.follower, &veto, site.now);
    let detail = refused.unwrap_err().detail;
    assert!(
        detail.ends_with(&format!("; handed before, {ended}")),
        "{detail}"
    );
}

/// A member of the committee uses the handed veto up, by another act under its id.
#[test]
fn hole_handed_act_is_not_used_up_by_another_one_under_its_id() {
    let (mut site, proposal) = Site::proposed();
    let veto = site.tightening(Tighten::Veto(proposal), &[Who::Committee(0)]);
    site.hand(1, &veto).unwrap();
    let mut other = Act::parse(&veto.text).unwrap();
    other.body = ActBody::Tighten(Tighten::Cancel(Digest([9; 32])));
    let other = site.ledger.world.sign(&other, &[Who::Committee(1)]);
    site.act(&other);
    assert_eq!(site.cosign(1), Ok(()));
    assert_eq!(site.owed(1), 1);
}

/// An admin's pause of the whole tenant is handed; the writer then brings an older pause of another
/// vault by the same admin, whose four hours began before.
#[test]
fn hole_handed_pause_is_not_displaced_by_an_older_one_of_another_vault() {
    let (mut site, _) = Site::proposed();
    let pause = |site: &Site, vault: Option<VaultId>| {
        let until = site.now.plus(4 * HOUR_MS);
        site.tightening(Tighten::Pause { vault, until }, &[Who::Admin(0)])
    };
    let narrow = pause(&site, Some(site.ledger.world.tenant.vault));
    let begun = site.now;

    // Two hours pass between the older one's entry with its cosignatures and the entry that dates
    // it.
    site.act(&narrow);
    for seat in 1..=3 {
        site.cosign(seat).unwrap();
    }
    site.now = site.now.plus(2 * HOUR_MS);
    let wide = pause(&site, None);
    for seat in 1..=3 {
        assert_eq!(site.hand(seat, &wide), Ok(true));
    }
    let due = strongroom_journal::writer::Orderer::witnessed_due(&site.log.follower).unwrap();
    site.append(due.body).unwrap();
    assert_eq!(site.round(), [Ok(()); 3]);

    // The pause is still owed and still forbids, for as long as one admin alone may pause.
    site.now = site.now.plus(DUTY_MS);
    assert_eq!(site.round(), [PENDING; 3]);
    let end = begun.plus(4 * HOUR_MS + 1_000);
    let tenant = site.ledger.world.tenant.id;
    for witness in &mut site.witnesses {
        let deltas: Vec<_> = witness
            .handed_overlay(&site.log.follower, site.now)
            .collect();
        let view = Overlay::new(site.log.follower.state()).with(deltas[0]);
        assert_eq!(view.tenant(tenant).unwrap().paused_until, end);

        // The question what the pause forbids is asked at the tip's own time.
        let tip = site.log.follower.state().position().unwrap();
        assert_eq!(view.position().unwrap(), tip);
    }
    site.act(&wide);
    assert_eq!(site.round(), [Ok(()); 3]);
    let paused = site
        .log
        .follower
        .state()
        .tenant(tenant)
        .unwrap()
        .paused_until;
    assert_eq!(paused, end);
}

/// With the clock of now it would reach beyond the four hours; it was taken by the clock of then.
#[test]
fn handed_pause_stays_owed_when_the_witness_clock_is_put_back() {
    let (mut site, _) = Site::proposed();
    site.now = site.now.plus(2_000);
    let until = site.now.plus(4 * HOUR_MS);
    let pause = Tighten::Pause { vault: None, until };
    let pause = site.tightening(pause, &[Who::Admin(0)]);
    assert_eq!(site.hand(1, &pause), Ok(true));
    site.now = UnixMs(site.now.0 - 2_000);
    assert_eq!((site.cosign(1), site.owed(1)), (Ok(()), 1));
}
