//! The rows, in the order of their ids.

mod c01_nonce_twice;
mod c02_two_copies;
mod c03_late_records;
mod c04_parallel_sessions;
mod c08_two_faces;
mod c09_bad_share;
mod c10_other_run;
mod c22_wrapped_shares;
mod c23_coordinators_choice;
mod c24_encodings;
mod c24_weak_key;
mod c25_strangers;
mod c27_failed_signature;
mod c28_hidden_script;
mod held_back;
mod r01_forged_genesis;
mod r02_withheld;
mod r03_ceremony_not_approved;
mod r04_two_anchors;
mod r06_limit_multiplied;
mod r08_clock;
mod r09_looser_called_tighter;
mod r10_dropped;
mod r11_enrolled_thief;
mod r12_shown_and_signed;
mod r13_deposit_address;
mod r14_other_vault;
mod r15_fees;
mod r16_order_paid_twice;
mod r20_genesis;
mod r20_split_view;
mod r21_in_transit;
mod r22_changed_transaction;
mod r23_other_tenant;
mod r24_replays;
mod r25_approvals;
mod r26_stolen_api_key;
mod r27_edited_database;
mod r28_exhaustion;
mod r29_revoked_approver;
mod r30_again;
mod r31_restored_disk;
mod r33_forged_end;
mod r34_never_appended;
mod r35_too_early;
mod r36_stamps;
mod r37_second_attempts;
mod r38_around_a_veto;
mod r39_dead_keys;
mod r40_changed_minds;
mod r41_no;
mod r42_lost_database;
mod r43_floods;
mod r44_one_key_two_people;
mod r45_writer_put_back;
mod r46_stolen_service_key;
mod r47_restart_after_split;
mod r48_other_payments_coins;
mod r49_removal;
mod r50_lock_without_end;
mod r51_operators_rules;
mod r52_hidden_text;
mod r53_quarantined_peer;
mod r60_other_state;
mod steps;

use crate::evidence::{Refused, SignedPayment};
use crate::ground::{Answer, Forced, Ground, Payment, now};
use crate::row::{Case, Elsewhere, Outcome, Row, Standing};
use crate::unmade::NEEDS;
use std::collections::BTreeMap;
use std::time::Duration;
use strongroom_journal::Body;
use strongroom_types::Code;
use strongroom_wire::{JournalBatch, SigningRequest};
use strongroom_world::WorldOptions;

/// All rows.
pub const ALL: &[Row] = &[
    r01_forged_genesis::ROW,
    r02_withheld::ROW,
    r03_ceremony_not_approved::ROW,
    r04_two_anchors::ROW,
    r06_limit_multiplied::ROW,
    r08_clock::ROW,
    r09_looser_called_tighter::ROW,
    r10_dropped::ROW,
    r11_enrolled_thief::ROW,
    r12_shown_and_signed::ROW,
    r13_deposit_address::ROW,
    r14_other_vault::ROW,
    r15_fees::ROW,
    r16_order_paid_twice::ROW,
    r20_split_view::ROW,
    r21_in_transit::ROW,
    r22_changed_transaction::ROW,
    r23_other_tenant::ROW,
    r24_replays::ROW,
    r25_approvals::ROW,
    r26_stolen_api_key::ROW,
    r27_edited_database::ROW,
    r28_exhaustion::ROW,
    r29_revoked_approver::ROW,
    r30_again::ROW,
    r31_restored_disk::ROW,
    r33_forged_end::ROW,
    r34_never_appended::ROW,
    r35_too_early::ROW,
    r36_stamps::ROW,
    r37_second_attempts::ROW,
    r38_around_a_veto::ROW,
    r39_dead_keys::ROW,
    r40_changed_minds::ROW,
    r41_no::ROW,
    r42_lost_database::ROW,
    r43_floods::ROW,
    r44_one_key_two_people::ROW,
    r45_writer_put_back::ROW,
    r46_stolen_service_key::ROW,
    r47_restart_after_split::ROW,
    r48_other_payments_coins::ROW,
    r49_removal::ROW,
    r50_lock_without_end::ROW,
    r51_operators_rules::ROW,
    r52_hidden_text::ROW,
    r53_quarantined_peer::ROW,
    r60_other_state::ROW,
    c01_nonce_twice::ROW,
    c02_two_copies::ROW,
    c03_late_records::ROW,
    c08_two_faces::TWO_FACES,
    c09_bad_share::ROW,
    c10_other_run::REPLAYED,
    c10_other_run::NO_BLAME,
    c08_two_faces::CHOSEN_CHAIN_CODE,
    c22_wrapped_shares::ROW,
    c24_encodings::ROW,
    c25_strangers::ROW,
    c27_failed_signature::ROW,
    c28_hidden_script::ROW,
];

/// Rows whose attack no guard of ours stops.
pub const STANDING: &[Standing] = &[
    c04_parallel_sessions::ROW,
    c08_two_faces::COPIED_PROOF,
    c23_coordinators_choice::INDEX_ZERO,
    c08_two_faces::LONGER_POLYNOMIAL,
    c23_coordinators_choice::SWAPPED,
];

/// Everything that is run of these rows, in their order; of all rows when none is named.
///
/// # Errors
/// In words, an id that no row has.
pub fn cases(ids: &[String]) -> Result<Vec<Case>, String> {
    let guarded = ALL
        .iter()
        .flat_map(|row| row.attacks.iter().map(|attack| Case::of(row, attack)));
    let cases: Vec<Case> = guarded.chain(STANDING.iter().map(Case::standing)).collect();
    if ids.is_empty() {
        return Ok(cases);
    }

    let mut found = Vec::new();
    for id in ids {
        let before = found.len();
        found.extend(cases.iter().filter(|case| case.id == id));
        if found.len() == before {
            let waits = NEEDS.iter().find(|(waiting, _, _)| waiting == id);
            let why = waits.map_or_else(
                || format!("no row {id}"),
                |(_, _, part)| format!("row {id} waits for a part ({part})"),
            );
            return Err(format!("{why}: --list shows the rows"));
        }
    }
    Ok(found)
}

/// The quorum that signs.
const QUORUM: [u16; 2] = [1, 3];

/// The usual world: 2-of-3 and an independent witness, everything without delay.
fn usual() -> WorldOptions {
    WorldOptions::default()
}

/// An honest payment, signed by the quorum.
pub fn honest(ground: &mut Ground) -> anyhow::Result<SignedPayment> {
    let payment = ground.authorized(400_000, &[])?;
    let signed = sign(ground, &payment)?;
    Ok(SignedPayment { payment, signed })
}

/// Has the quorum sign a payment that the journal has; its network bytes.
fn sign(ground: &mut Ground, payment: &Payment) -> anyhow::Result<Vec<u8>> {
    ground.wait_nodes()?;
    let request = ground.request(payment, &QUORUM)?;
    let answers = ground.answers(&QUORUM, &request)?;
    ground.add_up(&request, &answers)
}

/// Asks the quorum to sign a payment that it must not: stolen when both give their shares.
fn try_to_sign(ground: &mut Ground, payment: &Payment) -> anyhow::Result<Outcome> {
    let request = ground.request(payment, &QUORUM)?;
    ask_for(ground, payment, &request, None)
}

/// The writer appends a body whatever the rules say; then the quorum is asked for a payment.
fn force_and_sign(ground: &mut Ground, payment: &Payment, body: &Body) -> anyhow::Result<Outcome> {
    // Commitments are taken first: a node that stopped gives none.
    let request = ground.request(payment, &QUORUM)?;
    match ground.force(body, now())? {
        Forced::Stopped(_, batch) => ask_for(ground, payment, &request, Some(batch)),
        Forced::Taken(_) => {
            ground.wait_witnessed()?;
            ground.settle()?;
            ground.wait_nodes()?;
            ask_for(ground, payment, &request, None)
        }
    }
}

fn ask_for(
    ground: &mut Ground,
    payment: &Payment,
    request: &SigningRequest,
    stopped_by: Option<JournalBatch>,
) -> anyhow::Result<Outcome> {
    let answers = ground.answers(&QUORUM, request)?;
    judged(ground, payment, request, &answers, stopped_by)
}

/// As [`ask_for`], but what a signer waits for must come within this time.
fn ask_for_within(
    ground: &mut Ground,
    payment: &Payment,
    request: &SigningRequest,
    time: Duration,
) -> anyhow::Result<Outcome> {
    let answers = ground.answers_within(time, &QUORUM, request)?;
    judged(ground, payment, request, &answers, None)
}

/// What the quorum's answers amount to.
fn judged(
    ground: &Ground,
    payment: &Payment,
    request: &SigningRequest,
    answers: &BTreeMap<u16, Answer>,
    stopped_by: Option<JournalBatch>,
) -> anyhow::Result<Outcome> {
    let mut refused = Refused::among(answers);
    for one in &mut refused {
        one.stopped_by.clone_from(&stopped_by);
    }
    if !refused.is_empty() {
        return Ok(Outcome {
            refused,
            ..Outcome::default()
        });
    }
    let signed = ground.add_up(request, answers)?;
    Ok(Outcome::stolen(payment, signed))
}

/// Brings a signer a record that it must ignore: any answer is the harm. Nothing is signed for such
/// a record, so the code is that of the rule which all receivers share.
fn brought(ground: &mut Ground, seat: u16, record: Vec<u8>) -> anyhow::Result<Outcome> {
    let codes = ground.verdict(seat, &record).into_iter().collect();
    let said = ground.bring(seat, record)?;
    let harm = (!said.is_empty()).then(|| format!("signer {seat} answered: {} times", said.len()));
    Ok(Outcome {
        harm,
        codes,
        by: Some(Elsewhere::Ignored),
        ..Outcome::default()
    })
}

impl Outcome {
    /// A transaction was signed that must not be.
    fn stolen(payment: &Payment, signed: Vec<u8>) -> Self {
        Self {
            harm: Some(format!(
                "signed, and libsecp256k1 accepts it: {} bytes",
                signed.len()
            )),
            stolen: Some(SignedPayment {
                payment: payment.clone(),
                signed,
            }),
            ..Self::default()
        }
    }

    /// Whether every refusal is of this code, and there is one.
    pub fn is_refused_by(&self, code: Code) -> bool {
        let signers = self.refused.iter().map(|refused| refused.refusal.code);
        let mut codes = signers.chain(self.codes.iter().copied()).peekable();
        codes.peek().is_some() && codes.all(|found| found == code)
    }
}
