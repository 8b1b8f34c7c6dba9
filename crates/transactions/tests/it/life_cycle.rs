//! Whatever happens in whatever order: the service takes no way that the committed table of the
//! life cycle does not have, and no way around `apply`.

use crate::entries::{authorization_on, tighter_policy};
use crate::fixture::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_golden::life_cycle::{Edge, Taken, collect, edges, taken};
use strongroom_ports::chain::{Broadcast, Standing};
use strongroom_types::Code;
use strongroom_wire::{Decided, Outcome, SigningRequested, topics};

/// The committed table.
const TABLE: &str = include_str!("../../life-cycle.txt");

/// Something that may happen to the service.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Approve,
    ApproveAgain,
    Refuse(usize),
    Sign,
    SignFalsely,
    Fail,
    Authorize,
    Accept,
    LoseAnchor,
    ChangePolicy,
    NodeFails,
    NodeRejects,
    Confirm,
    Wait(u64),
    Expire,
    Restart,
    Down(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => Just(Happening::Approve),
        1 => Just(Happening::ApproveAgain),
        4 => (0..CODES.len()).prop_map(Happening::Refuse),
        3 => Just(Happening::Sign),
        1 => Just(Happening::SignFalsely),
        1 => Just(Happening::Fail),
        1 => Just(Happening::Authorize),
        1 => Just(Happening::Accept),
        2 => Just(Happening::LoseAnchor),
        1 => Just(Happening::ChangePolicy),
        1 => Just(Happening::NodeFails),
        1 => Just(Happening::NodeRejects),
        2 => Just(Happening::Confirm),
        4 => (1..8_000_u64).prop_map(Happening::Wait),
        1 => Just(Happening::Expire),
        1 => Just(Happening::Restart),
        1 => any::<bool>().prop_map(Happening::Down),
    ]
}

const CODES: [Code; 5] = [
    Code::AnchorTaken,
    Code::AnchorTaken,
    Code::DecisionChanged,
    Code::IntentAlreadyAuthorized,
    Code::LimitExceeded,
];

/// A service and what an outsider knows of its payments.
struct Play {
    service: Service,
    payments: Vec<Payment>,
    tag: u64,
}

impl Play {
    fn new() -> Self {
        Self {
            service: Service::funded(6),
            payments: Vec::new(),
            tag: 0,
        }
    }

    /// The payment that was offered last.
    fn last(&self) -> Option<Payment> {
        self.payments.last().cloned()
    }

    fn send(&mut self, record: strongroom_ports::bus::Record) {
        let sent = self.service.send(&[record]);
        self.learn(&sent);
    }

    fn learn(&mut self, sent: &Sent) {
        let submissions = sent.all(topics::JOURNAL_SUBMITTED);
        let requests: Vec<SigningRequested> = sent.all(topics::SIGNING_REQUESTED);
        for (submitted, request) in submissions.into_iter().zip(requests) {
            let payment = Payment {
                intent: self.intent_of(&submitted),
                submitted,
                request,
            };
            self.payments.push(payment);
        }
    }

    /// What the journal refuses (it holds the intent already) happens to no one.
    fn journal_takes(&mut self, body: strongroom_journal::Body) {
        self.service.ledger.now = self.service.now;
        if self.service.ledger.refused(body.clone()).is_none() {
            self.service.append(vec![body]);
        }
        self.service.witness();
    }

    fn intent_of(&self, submitted: &strongroom_wire::JournalSubmitted) -> strongroom_types::Intent {
        use strongroom_types::Document as _;
        match strongroom_wire::decode(&submitted.body).unwrap() {
            strongroom_journal::Body::Authorized(authorization) => {
                strongroom_types::Intent::parse(&authorization.intent.text).unwrap()
            }
            other => panic!("not an authorization: {other:?}"),
        }
    }

    fn happen(&mut self, happening: Happening) {
        self.tag += 1;
        let tag = self.tag;
        let last = self.last();
        match (happening, last) {
            (Happening::Approve, _) => {
                let intent = self.service.intent();
                let sent = self.service.approve(&intent);
                self.learn(&sent);
            }
            (Happening::ApproveAgain, Some(last)) => {
                let mail = self.service.mail().again(tag);
                let record = mail.decided(&last.intent, Decided::Approved);
                self.send(record);
            }
            (Happening::Refuse(at), Some(last)) => {
                let mail = self.service.mail().again(tag);
                let record = mail.answer(&last, Err(CODES[at]));
                self.send(record);
            }
            (Happening::Sign, Some(last)) => {
                let record = self.service.mail().again(tag).signed(&last.request);
                self.send(record);
            }
            (Happening::SignFalsely, Some(last)) => {
                let outcome = Outcome::Signed(vec![vec![0; 64]]);
                let mail = self.service.mail().again(tag);
                let record = mail.finished(&last.request, outcome);
                self.send(record);
            }
            (Happening::Fail, Some(last)) => {
                let outcome = Outcome::Failed(vec![]);
                let mail = self.service.mail().again(tag);
                let record = mail.finished(&last.request, outcome);
                self.send(record);
            }
            (Happening::Authorize, Some(last)) => {
                let body = authorization_on(&self.service.ledger, &last.intent, &last);
                self.journal_takes(body);
            }
            (Happening::Accept, Some(last)) => {
                let record = self.service.mail().again(tag).answer(&last, Ok(tag));
                self.send(record);
            }
            (Happening::LoseAnchor, Some(last)) => {
                let other = self.service.intent();
                let body = authorization_on(&self.service.ledger, &other, &last);
                self.journal_takes(body);
                let mail = self.service.mail().again(tag);
                let record = mail.answer(&last, Err(Code::AnchorTaken));
                self.send(record);
            }
            (Happening::ChangePolicy, Some(last)) => {
                let body = tighter_policy(&self.service.ledger);
                self.journal_takes(body);
                let mail = self.service.mail().again(tag);
                let record = mail.answer(&last, Err(Code::DecisionChanged));
                self.send(record);
            }
            (Happening::NodeFails, _) => self.service.gateway.push_broadcast_failure("silence"),
            (Happening::NodeRejects, _) => {
                let rejected = Broadcast::Rejected("no".to_owned());
                self.service.gateway.push_broadcast(rejected);
            }
            (Happening::Confirm, _) => {
                for raw in self.service.gateway.broadcasts() {
                    let id = codec().transaction_id(&raw).unwrap();
                    let standing = Standing::Confirmed(1);
                    self.service.gateway.set_standing(&id, standing);
                }
            }
            (Happening::Wait(ms), _) => {
                let sent = self.service.wait(ms);
                self.learn(&sent);
            }
            (Happening::Expire, _) => {
                let sent = self.service.live(OVER_MS);
                self.learn(&sent);
            }
            (Happening::Restart, _) => self.service.restart(),
            (Happening::Down(down), _) => self.service.gateway.set_down(down),
            (
                Happening::ApproveAgain
                | Happening::Refuse(_)
                | Happening::Sign
                | Happening::SignFalsely
                | Happening::Fail
                | Happening::Authorize
                | Happening::Accept
                | Happening::LoseAnchor
                | Happening::ChangePolicy,
                None,
            ) => {}
        }
    }

    /// State names of all rows, by intent as the log names it.
    fn rows(&self) -> BTreeMap<String, &'static str> {
        let names = [
            "signing",
            "signed",
            "broadcast",
            "ended",
            "building",
            "returned",
            "too_late",
        ];
        let mut tx = strongroom_ports::db::Db::begin(self.service.db.as_ref()).unwrap();
        let rows = tx.query("SELECT intent, state FROM payment", &[]).unwrap();
        rows.iter()
            .map(|row| {
                let intent = strongroom_types::Digest(row.array(0).unwrap());
                let state = usize::try_from(row.i64(1).unwrap()).unwrap();
                (intent.to_string(), names[state])
            })
            .collect()
    }
}

/// Plays it all; gives the edges that were taken.
fn play(happenings: &[Happening]) -> BTreeSet<Edge> {
    collect();
    let edges = edges(TABLE);
    let mut all = BTreeSet::new();
    let mut states: BTreeMap<String, String> = BTreeMap::new();
    let mut play = Play::new();
    for happening in happenings {
        play.happen(*happening);

        // What was logged is in the table, and starts where the payment was.
        for Taken { of, edge, .. } in taken() {
            let before = states.insert(of, edge.2.clone());
            assert_eq!(before.as_deref().unwrap_or("building"), edge.0);
            assert!(edges.contains(&edge), "{edge:?} is not in the table");
            all.insert(edge);
        }

        // Nothing else was written: each row is where its last transition led.
        for (intent, state) in play.rows() {
            let logged = states.get(&intent).map_or("building", String::as_str);
            assert_eq!(state, logged, "{intent} was written past the life cycle");
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_transition_of_the_service_is_in_the_table(
        happenings in prop::collection::vec(happening(), 1..30),
    ) {
        play(&happenings);
    }
}

/// A table with edges that nothing takes would be a wish, not a description.
#[test]
fn every_edge_of_the_table_is_taken_by_the_service() {
    use Happening::*;
    let plays: [&[Happening]; 15] = [
        &[Approve, LoseAnchor, Sign, Wait(25), Confirm, Wait(1_000)],
        &[Approve, Wait(RESEND_MS), Fail],
        &[Approve, ChangePolicy, Wait(RESEND_MS + 1_000), ApproveAgain],
        &[Approve, ChangePolicy, Expire],
        &[Approve, ChangePolicy, Sign],
        &[Approve, ChangePolicy, Authorize, Expire],
        &[Approve, ChangePolicy, Authorize, Wait(RESEND_MS + 1_000)],
        &[Approve, Refuse(4), Accept],
        &[Down(true), Approve, Expire],
        &[Approve, NodeFails, Sign, Wait(25), Wait(300)],
        &[Approve, NodeRejects, Sign, Wait(25)],
        &[Approve, Expire],
        &[Approve, Authorize, Expire, Sign],
        &[
            Approve,
            Approve,
            Approve,
            Approve,
            Approve,
            Approve,
            Approve,
            Down(true),
            Expire,
        ],
        &[
            Approve,
            Approve,
            Approve,
            Approve,
            Approve,
            Approve,
            Approve,
            Wait(1_000),
        ],
    ];
    let taken: BTreeSet<Edge> = plays.into_iter().flat_map(play).collect();
    let never: Vec<_> = edges(TABLE)
        .into_iter()
        .filter(|edge| !taken.contains(edge))
        .collect();
    assert_eq!(never, []);
}
