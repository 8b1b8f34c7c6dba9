//! A signer's answer counts for the coordinator that asked, until its deadline.

use crate::site::{ANSWER_LIFE_MS, Site, sign_requests};
use strongroom_ports::bus::Record;
use strongroom_types::{NodeId, UnixMs};
use strongroom_wire::{CoordinatorMessage, Outcome, SignerMessage};

const SKEW_MS: u64 = 5_000;
const SIGNER: u16 = 1;
const OLD_BOOT: [u8; 16] = [0xaa; 16];

/// Commitments of an earlier boot of the signer, as it sealed them for a node until a time.
fn old_commitments(site: &mut Site, to: NodeId, deadline: UnixMs) -> Record {
    let mut commitments = site.commitments(SIGNER, 16);
    for commitment in &mut commitments {
        commitment.boot = OLD_BOOT;
    }
    let message = SignerMessage::Commitments {
        tenant: site.world.tenant.id,
        key: site.world.tenant.key,
        commitments,
    };
    site.said_to(to, SIGNER, &message, deadline)
}

/// Whether the signer's stock, as the next payments use it, is of its earlier boot.
fn has_old_stock(site: &mut Site) -> bool {
    let boots = (1..=3).flat_map(|n| {
        let asked = site.request_signing(&site.request(n));
        let requests = sign_requests(site.messages(&asked)).into_iter();
        let commitments = requests.flat_map(|(_, request)| request.commitments.concat());
        let of_signer = commitments.filter(|(index, _)| *index == SIGNER);
        of_signer
            .map(|(_, commitment)| commitment.boot)
            .collect::<Vec<_>>()
    });
    let boots: Vec<[u8; 16]> = boots.collect();
    assert!(!boots.is_empty(), "the signer is asked");
    boots.contains(&OLD_BOOT)
}

/// The deadline is by the signer's clock, which may be behind the coordinator's by the skew.
#[test]
fn hole_old_commitments_that_the_bus_repeats_do_not_empty_the_shelf() {
    for (late_ms, is_taken) in [(SKEW_MS - 1, true), (SKEW_MS, false), (3_600_000, false)] {
        let mut site = Site::stocked();
        let (us, deadline) = (site.coordinator(), site.now);
        let record = old_commitments(&mut site, us, deadline);
        site.wait(late_ms);
        site.give(record);
        assert_eq!(has_old_stock(&mut site), is_taken, "{late_ms} ms late");
    }
}

#[test]
fn commitments_for_another_coordinator_are_not_taken() {
    let mut site = Site::stocked();
    let deadline = site.now.plus(ANSWER_LIFE_MS);
    let record = old_commitments(&mut site, NodeId([9; 16]), deadline);
    site.give(record);
    assert!(!has_old_stock(&mut site));
}

#[test]
fn shares_for_another_coordinator_do_not_end_a_run() {
    let mut site = Site::stocked();
    let request = site.request(1);
    let asked = site.request_signing(&request);
    let mut answers = Vec::new();
    for (index, message) in site.messages(&asked) {
        assert!(matches!(message, CoordinatorMessage::Sign(_)));
        let answer = site.signers.answer(index, &message, &request.slots);
        answers.push((index, answer.unwrap()));
    }

    let deadline = site.now.plus(ANSWER_LIFE_MS);
    for (index, answer) in &answers {
        let record = site.said_to(NodeId([9; 16]), *index, answer, deadline);
        assert!(site.give(record).is_empty());
    }

    let mut made = Vec::new();
    for (index, answer) in &answers {
        made.extend(site.give_said(*index, answer));
    }
    let outcomes = site.finished(&made).into_iter().map(|f| f.outcome);
    let outcomes: Vec<Outcome> = outcomes.collect();
    assert!(matches!(outcomes.as_slice(), [Outcome::Signed(_)]));
}
