//! No word of a signer stops the coordinator: every message, in every state of run and ceremony,
//! from every signer, once and twice. An illegal transition would be fatal.

use crate::signers::{Conduct, refusal, refusal_of};
use crate::site::{NEW_KEY, PACE, Site, new_ceremony, sign_requests};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use strongroom_golden::life_cycle::{Edge, Taken, collect, edges, taken};
use strongroom_signing::request_digest;
use strongroom_types::{Code, Digest, SessionId, Tighten};
use strongroom_wire::{
    CeremonyMessage, CoordinatorMessage, NonceCommitment, SignerMessage, SigningRequest,
};

/// The committed tables, by life cycle.
const TABLES: [(&str, &str); 2] = [
    ("signing run", include_str!("../../src/run/life-cycle.txt")),
    (
        "ceremony",
        include_str!("../../src/ceremony/life-cycle.txt"),
    ),
];

/// Checks that what one site logged is in the tables, and that each transition starts where the one
/// before led. Nothing else can write a state: the field is private beside its `apply`.
fn check_taken() -> BTreeSet<Edge> {
    let mut states: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for Taken {
        life_cycle,
        of,
        edge,
    } in taken()
    {
        let (_, table) = TABLES.iter().find(|(name, _)| *name == life_cycle).unwrap();
        assert!(edges(table).contains(&edge), "{edge:?} is not in the table");

        // A run that is over may be requested again.
        let before = states.insert((life_cycle, of), edge.2.clone());
        let before = before.filter(|state| state != "finished");
        let first = if edge.0 == "released" {
            "released"
        } else {
            "waiting"
        };
        assert_eq!(before.as_deref().unwrap_or(first), edge.0);
        all.insert(edge);
    }
    all
}

/// Brings a site into a state; gives the last request that was sent to a quorum.
type Prepare = fn(&mut Site) -> Option<SigningRequest>;

const STATES: [(&str, Prepare); 8] = [
    ("nothing", |_| None),
    ("run waits for stock", |site| {
        let request = site.request(1);
        site.request_signing(&request);
        None
    }),
    ("run is asked", asked),
    ("run has one share", |site| {
        let request = asked(site)?;
        let first = request.commitments[0][0].0;
        let message = CoordinatorMessage::Sign(request.clone());
        let slots = site.request(1).slots;
        let shares = site.signers.answer(first, &message, &slots)?;
        site.give_said(first, &shares);
        Some(request)
    }),
    ("run waits after a refusal", |site| {
        let request = asked(site)?;
        let first = request.commitments[0][0].0;
        let no = refusal(
            Code::JournalStale,
            request.session,
            request_digest(&request),
        );
        site.give_said(first, &no);
        Some(request)
    }),
    ("run is finished", |site| {
        let request = asked(site)?;
        for index in request.commitments[0].iter().map(|(index, _)| *index) {
            let message = CoordinatorMessage::Sign(request.clone());
            let slots = site.request(1).slots;
            let shares = site.signers.answer(index, &message, &slots)?;
            site.give_said(index, &shares);
        }
        Some(request)
    }),
    ("ceremony is running", |site| {
        site.ticks();
        None
    }),
    ("ceremony is submitted", |site| {
        site.ticks();
        for index in [1, 2, 3] {
            let message = certificate(site, index);
            site.give_said(index, &message);
        }
        None
    }),
];

fn asked(site: &mut Site) -> Option<SigningRequest> {
    site.stock_up();
    let request = site.request(1);
    let records = site.request_signing(&request);
    Some(sign_requests(site.messages(&records)).remove(0).1)
}

fn certificate(site: &Site, index: u16) -> SignerMessage {
    let finished = new_ceremony().finished.clone();
    let (_, signature) = finished.certificates[usize::from(index) - 1];
    SignerMessage::Certificate {
        tenant: site.world.tenant.id,
        key: NEW_KEY,
        signature: signature.to_vec(),
        public: finished.public,
        transcript: finished.transcript,
    }
}

/// One of each kind, true or invented.
fn messages(site: &Site, request: Option<&SigningRequest>, signer: u16) -> Vec<SignerMessage> {
    let tenant = site.world.tenant.id;
    let named = request.map_or(Digest([1; 32]), request_digest);
    let session = request.map_or(SessionId([0; 16]), |request| request.session);
    let commitments = |key| SignerMessage::Commitments {
        tenant,
        key,
        commitments: (0..3)
            .map(|number| NonceCommitment {
                boot: [77; 16],
                number,
                commitment: vec![2; 66],
            })
            .collect(),
    };
    let shares = |shares| SignerMessage::Shares {
        session,
        request: named,
        shares,
        head: 1,
        covered_us: u64::MAX,
    };
    let start = |run| CoordinatorMessage::Ceremony {
        tenant,
        key: NEW_KEY,
        run,
    };
    let relay = |to| {
        SignerMessage::Ceremony(CeremonyMessage {
            tenant,
            key: NEW_KEY,
            run: 1,
            to,
            body: vec![1],
        })
    };
    vec![
        commitments(site.world.tenant.key),
        commitments(NEW_KEY),
        shares(vec![]),
        shares(vec![vec![1; 32]; 2]),
        shares(vec![vec![1; 31]; 9]),
        refusal(Code::JournalStale, session, named),
        refusal(Code::LocalRule, session, named),
        refusal(Code::NonceUsed, session, named),
        refusal_of(Code::CeremonyFault, &start(1)),
        refusal_of(Code::CeremonyFault, &start(2)),
        relay(None),
        relay(Some(9)),
        certificate(site, signer),
    ]
}

/// Edges that no test can take, and why the tables have them all the same.
const NOT_TAKEN: [(&str, &str); 2] = [
    (
        "released key_appeared",
        "the tick that first sees a ceremony starts its first run or gives it up; another order of \
         these steps must not stop the coordinator",
    ),
    (
        "given_up key_appeared",
        "what ends a ceremony in the journal ends it for good, so a true journal takes no result \
         afterwards; a coordinator that was wrong about the end must go by the journal",
    ),
];

/// Something that happens to a site.
type Happen = fn(&mut Site);

/// What moves a run or a ceremony beside one message of a signer: a second signer, time, and the
/// journal.
const BESIDE_MESSAGES: [(&str, Happen); 5] = [
    ("two of three signers refuse", |site| {
        site.stock_up();
        for index in [1, 2] {
            let conduct = Conduct::Refuses(Code::LocalRule);
            site.signers.conduct.insert(index, conduct);
        }
        let request = site.request(1);
        site.sign(&request);
    }),
    ("the time of the run is over", |site| {
        site.wait(PACE.run_ms);
        site.tick();
    }),
    ("the journal has the key", |site| {
        let body = new_ceremony().body();
        site.ledger.push(body, site.now).unwrap();
        site.catch_up();
        site.ticks();
    }),
    ("a signer of the roster is put in quarantine", |site| {
        site.quarantine(2);
        site.ticks();
    }),
    ("the ceremony's key is revoked", |site| {
        let (revoke, who) = (Tighten::revoke(NEW_KEY), site.ledger.committee());
        site.ledger.tighten(revoke, &who).unwrap();
        site.catch_up();
        site.ticks();
    }),
];

/// The edges taken when each of these happens in each state.
fn edges_beside_messages() -> BTreeSet<Edge> {
    let mut all = BTreeSet::new();
    for (_, prepare) in STATES {
        for (_, happen) in BESIDE_MESSAGES {
            let mut site = Site::with_ceremony();
            prepare(&mut site);
            happen(&mut site);
            all.extend(check_taken());
        }
    }
    all
}

#[test]
fn no_message_of_a_signer_stops_the_coordinator_or_ends_a_run_twice() {
    collect();
    let mut cells = 0;
    let mut edges_taken = BTreeSet::new();
    for (state, prepare) in STATES {
        for signer in 1..=3 {
            let kinds = messages(&Site::with_ceremony(), None, signer).len();
            for kind in 0..kinds {
                let mut site = Site::with_ceremony();
                let request = prepare(&mut site);
                let message = messages(&site, request.as_ref(), signer).remove(kind);
                let mut made = Vec::new();
                for time in ["once", "twice"] {
                    let record = site.said(signer, &message);
                    let handled = site.deliver(vec![record]);
                    let what = format!("{state}, kind {kind} of signer {signer}, {time}");
                    made.extend(handled.unwrap_or_else(|error| panic!("{what}: {error}")));
                    cells += 1;
                }
                // Time goes on over whatever was left behind.
                for _ in 0..3 {
                    site.wait(PACE.try_ms);
                    made.extend(site.ticks());
                }
                assert!(site.finished(&made).len() <= 1, "{state}, kind {kind}");
                edges_taken.extend(check_taken());
            }
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "coordinator: {cells} cells of state × message"
    );

    edges_taken.extend(edges_beside_messages());
    let edges = TABLES.iter().flat_map(|(_, table)| edges(table));
    let never: BTreeSet<_> = edges
        .filter(|edge| !edges_taken.contains(edge))
        .map(|(state, event, _)| format!("{state} {event}"))
        .collect();
    let excused = NOT_TAKEN.map(|(edge, _)| edge.to_owned());
    assert_eq!(never, BTreeSet::from(excused));
}
