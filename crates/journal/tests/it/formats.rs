//! Genesis and sealed entries are read strictly; map keys do not change.

use crate::cases::genesis;
use crate::code;
use strongroom_journal::entry::{ENTRY_BYTES_MAX, VERSION};
use strongroom_journal::genesis::{self, Genesis, RECOSIGN_MS};
use strongroom_journal::{Body, Bounds, Entry, Mode, SealedEntry, keyspace as ks};
use strongroom_types::credential::PublicKey;
use strongroom_types::*;
use strongroom_world::{START, World, WorldOptions};

#[test]
fn a_genesis_opens_only_under_its_pinned_hash() {
    let bytes = genesis().to_bytes();
    assert_eq!(
        Genesis::pinned(&bytes, genesis().hash()).unwrap(),
        genesis()
    );
    assert_eq!(
        code(Genesis::pinned(&bytes, Digest([1; 32]))),
        Code::GenesisMismatch
    );
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(
            Genesis::pinned(&changed, genesis().hash()).is_err(),
            "byte {at}"
        );
    }
}

fn checked(change: impl FnOnce(&mut Genesis)) -> Option<Code> {
    let mut genesis = Genesis::clone(&World::new(1, WorldOptions::default()).genesis);
    change(&mut genesis);
    genesis.check().err().map(|refusal| refusal.code)
}

#[test]
fn a_genesis_keeps_every_rule() {
    assert_eq!(checked(|_| {}), None);
    let invalid: [fn(&mut Genesis); 16] = [
        |g| g.version = genesis::VERSION + 1,
        |g| g.origin.clear(),
        |g| g.chains.clear(),
        |g| g.signers.truncate(1),
        |g| g.signers.swap(0, 1),
        |g| g.signers[0].index = 0,
        |g| g.signers[1].node = g.signers[0].node,
        |g| g.signers[1].signing_key = g.signers[0].signing_key,
        |g| g.witnesses[0].witness_key = g.signers[0].witness_key,
        |g| g.witnesses[0].witness_key = g.signers[0].signing_key,
        |g| g.log_key = g.services[0].public_key,
        |g| g.log_key = g.signers[0].witness_key,
        |g| g.log_key = g.witnesses[0].witness_key,
        |g| g.admins.quorum = 0,
        |g| g.admins.quorum = 2,
        |g| g.admin_credentials.clear(),
    ];
    for (at, change) in invalid.into_iter().enumerate() {
        assert_eq!(checked(change), Some(Code::InvalidReference), "case {at}");
    }
    let bounds: [fn(&mut Bounds); 10] = [
        |b| b.attempts_max = 0,
        |b| b.freshness_ms = b.skew_ms,
        |b| b.attempt_life_ms = 0,
        |b| b.ceremony_life_ms = 0,
        |b| b.tightenings_per_minute = 0,
        |b| b.ended_open_max = 0,
        |b| b.ended_open_max = 1,
        |b| b.entry_bytes_per_minute = ENTRY_BYTES_MAX as u64 - 1,
        |b| b.tick_max_ms = b.tick_max_least_ms() - 1,
        |b| b.skew_ms = u64::MAX / 4,
    ];
    for change in bounds {
        assert_eq!(
            checked(|g| change(&mut g.bounds)),
            Some(Code::InvalidReference)
        );
    }
}

/// Twice (60 s of freshness and twice 5 s of skew), and 10 s for one round.
#[test]
fn journal_of_an_honest_writer_is_never_stale_under_the_least_tick() {
    let least = Bounds::production().tick_max_least_ms();
    assert_eq!(least, 2 * (60_000 + 2 * 5_000) + 10_000);
    assert!(least <= Bounds::production().tick_max_ms);
    let at_the_bound = checked(|g| {
        g.bounds = Bounds::production();
        g.bounds.tick_max_ms = least;
        g.bounds.entry_bytes_per_minute = ENTRY_BYTES_MAX as u64;
    });
    assert_eq!(at_the_bound, None);
}

#[test]
fn a_genesis_has_exactly_the_quorum_its_witnesses_and_faults_need() {
    for quorum in [0, 2, 4] {
        assert_eq!(
            checked(|g| g.quorum = quorum),
            Some(Code::QuorumTooSmallForF),
            "{quorum}"
        );
    }
    assert_eq!(checked(|g| g.faults = 0), Some(Code::QuorumTooSmallForF));
    assert_eq!(
        checked(|g| (g.faults, g.quorum) = (2, 4)),
        None,
        "4 witnesses, 2 hostile: all must sign"
    );
    assert_eq!(
        checked(|g| (g.faults, g.quorum) = (4, 5)),
        Some(Code::QuorumTooSmallForF),
        "unreachable"
    );
}

#[test]
fn a_production_genesis_keeps_the_production_minima() {
    let production = |change: fn(&mut Bounds)| {
        checked(|g| {
            (g.mode, g.bounds) = (Mode::Production, Bounds::production());
            change(&mut g.bounds);
        })
    };
    assert_eq!(production(|_| {}), None);
    let looser: [fn(&mut Bounds); 8] = [
        |b| b.loosen_delay_ms -= 1,
        |b| b.ceremony_delay_ms -= 1,
        |b| b.platform_delay_ms -= 1,
        |b| b.freshness_ms += 1,
        |b| b.skew_ms += 1,
        |b| b.duty_ms += 1,
        |b| b.tick_max_ms += 1,
        |b| b.ceremony_life_ms += 1,
    ];
    for change in looser {
        assert_eq!(production(change), Some(Code::Unsupported));
    }
}

#[test]
fn hole_production_genesis_forgets_nothing_that_a_window_needs() {
    let production = |retention_ms: u64| {
        checked(|g| {
            (g.mode, g.bounds) = (Mode::Production, Bounds::production());
            g.bounds.retention_ms = retention_ms;
        })
    };
    let longest = strongroom_policy::WINDOW_SECONDS_MAX * 1_000;
    assert_eq!(production(longest), None);
    assert_eq!(production(longest - 1), Some(Code::Unsupported));
    assert_eq!(production(0), Some(Code::Unsupported));
    let in_dev = checked(|g| g.bounds.retention_ms = 0);
    assert_eq!(in_dev, None, "a development genesis may try it");
}

/// Witnesses renew the cosignatures of a quiet journal every 15 s: a shorter freshness would have
/// its head stale in between.
#[test]
fn quiet_journal_of_a_production_genesis_is_never_stale() {
    let of = |mode, freshness_ms| {
        checked(|g| {
            (g.mode, g.bounds) = (mode, Bounds::production());
            g.bounds.freshness_ms = freshness_ms;
        })
    };
    assert_eq!(of(Mode::Production, 2 * RECOSIGN_MS), None);
    let refused = of(Mode::Production, 2 * RECOSIGN_MS - 1);
    assert_eq!(refused, Some(Code::Unsupported));
    assert_eq!(of(Mode::Production, 6_000), Some(Code::Unsupported));
    assert_eq!(
        of(Mode::Dev, 6_000),
        None,
        "a development genesis may try it"
    );
}

#[test]
fn hole_production_genesis_has_no_unlimited_life_or_quota() {
    let production = |change: fn(&mut Bounds)| {
        checked(|g| {
            (g.mode, g.bounds) = (Mode::Production, Bounds::production());
            change(&mut g.bounds);
        })
    };
    let unlimited: [fn(&mut Bounds); 9] = [
        |b| b.attempt_life_ms = 3_600_001,
        |b| b.intent_life_ms = 31 * 24 * 3_600_000 + 1,
        |b| b.attempts_max = 65,
        |b| b.entries_per_minute = u32::MAX,
        |b| b.entry_bytes_per_minute = u64::MAX,
        |b| b.tightenings_per_minute = u32::MAX,
        |b| b.intents_open_max = u32::MAX,
        |b| b.ended_open_max = u32::MAX,
        |b| b.proposals_open_max = u32::MAX,
    ];
    for (at, change) in unlimited.into_iter().enumerate() {
        assert_eq!(production(change), Some(Code::Unsupported), "case {at}");
    }

    // The largest values of the table in docs/formats.md.
    let most: [fn(&mut Bounds); 9] = [
        |b| b.attempt_life_ms = 3_600_000,
        |b| b.intent_life_ms = 31 * 24 * 3_600_000,
        |b| b.attempts_max = 64,
        |b| b.entries_per_minute = 600_000,
        |b| b.entry_bytes_per_minute = 1 << 30,
        |b| b.tightenings_per_minute = 600,
        |b| b.intents_open_max = 1_000_000,
        |b| b.ended_open_max = 100_000,
        |b| b.proposals_open_max = 1_024,
    ];
    for (at, change) in most.into_iter().enumerate() {
        assert_eq!(production(change), None, "case {at}");
    }
}

#[test]
fn hole_production_genesis_bears_the_loss_of_any_one_operator() {
    let seats_of_one = |count: usize, mode| {
        checked(|g| {
            (g.mode, g.bounds) = (mode, Bounds::production());
            g.witnesses[0].operator = "Acme".parse().unwrap();
            for seat in g.signers.iter_mut().take(count - 1) {
                seat.operator = "ACME".parse().unwrap();
            }
        })
    };
    assert_eq!(seats_of_one(1, Mode::Production), None, "f = 1");
    assert_eq!(seats_of_one(2, Mode::Production), Some(Code::Unsupported));
    assert_eq!(seats_of_one(2, Mode::Dev), None);
}

fn tick() -> Entry {
    Entry {
        version: VERSION,
        seq: 1,
        at: START,
        scope: Scope::Platform,
        body: Body::Tick,
    }
}

#[test]
fn a_sealed_entry_opens_strictly() {
    let sealed = SealedEntry::new(&tick(), [1; 32]);
    assert_eq!(sealed.open().unwrap(), tick());
    let mut longer = sealed.clone();
    longer.entry.push(0);
    assert_eq!(code(longer.open()), Code::Malformed);
    let newer = Entry {
        version: VERSION + 1,
        ..tick()
    };
    let newer = SealedEntry::new(&newer, [1; 32]);
    assert_eq!(code(newer.open()), Code::UnknownEntry);
    let large = SealedEntry {
        entry: vec![0; ENTRY_BYTES_MAX + 1],
        salt: [1; 32],
    };
    assert_eq!(code(large.open()), Code::RecordTooLarge);
}

/// An entry as the first version wrote it: a tick whose fields another order may follow.
#[test]
fn entry_of_version_1_is_refused_by_name() {
    let mut sealed = SealedEntry::new(&tick(), [1; 32]);
    sealed.entry.splice(..2, [1, 0]);
    sealed.entry.push(0xff);
    let refusal = sealed.open().unwrap_err();
    assert_eq!(refusal.code, Code::UnknownEntry);
    assert!(refusal.detail.contains("entry version 1;"), "{refusal}");
}

#[test]
fn genesis_of_version_1_is_refused_by_name_even_under_its_own_hash() {
    let mut bytes = genesis().to_bytes();
    bytes[0] = 1;
    bytes.push(0xff);
    let hash = digest("strongroom/genesis/v1", &[&bytes]);
    for refused in [Genesis::from_bytes(&bytes), Genesis::pinned(&bytes, hash)] {
        let refusal = refused.unwrap_err();
        assert_eq!(refusal.code, Code::Unsupported);
        assert!(refusal.detail.contains("genesis version 1;"), "{refusal}");
    }
}

#[test]
fn an_unknown_kind_of_entry_does_not_decode() {
    let mut sealed = SealedEntry::new(&tick(), [1; 32]);
    *sealed.entry.last_mut().unwrap() = 7;
    assert_eq!(code(sealed.open()), Code::Malformed);
}

#[test]
fn the_leaf_hides_the_entry_behind_its_salt() {
    let (one, two) = (
        SealedEntry::new(&tick(), [1; 32]),
        SealedEntry::new(&tick(), [2; 32]),
    );
    assert_ne!(one.leaf(&tick()).commitment, two.leaf(&tick()).commitment);
    let expected = digest("strongroom/journal-commitment/v1", &[&[1; 32], &one.entry]);
    assert_eq!(one.leaf(&tick()).commitment, expected);
}

/// A key of every kind, in the order of their numbers.
fn keys() -> [ks::Key; 32] {
    let (t, d) = (TenantId([2; 16]), Digest([1; 32]));
    let chain: ChainId = "eip155:1".parse().unwrap();
    let asset: AssetId = "eip155:1/slip44:60".parse().unwrap();
    let coin = ConflictKey::Coin("a:0".to_owned());
    let coin = ks::conflict(VaultId([3; 16]), &chain, &coin);
    [
        ks::position(),
        ks::platform(),
        ks::used_act(Scope::Platform, &d),
        ks::used_act(t, &d),
        ks::tenant(t),
        ks::user(t, UserId([3; 16])),
        ks::credential(t, CredentialId([3; 16])),
        ks::group(t, GroupId([3; 16])),
        ks::listed(t, &chain, "addr"),
        ks::allow_list(t, AllowListId([3; 16])),
        ks::policy(t, &d),
        ks::proposal(t, &d),
        ks::vault(t, VaultId([3; 16])),
        ks::threshold_key(t, KeyId([3; 16])),
        ks::account(t, KeyId([3; 16]), 258),
        ks::intent(t, &d),
        ks::external_id(t, &"order".parse().unwrap()),
        ks::anchor(t, &coin),
        ks::approval(t, CredentialId([3; 16]), ApprovalNonce([3; 16])),
        ks::bucket(t, &[0; 17], &asset, 1, 258),
        ks::expiry(t, UnixMs(258), &[9, 9]),
        ks::credential(Scope::Platform, CredentialId([3; 16])),
        ks::ended(t, &d),
        ks::open_intent(t, &d),
        ks::public_key(t, &PublicKey::P256([3; 33])),
        ks::waiting(),
        ks::user(Scope::Platform, UserId([3; 16])),
        ks::public_key(Scope::Platform, &PublicKey::P256([3; 33])),
        ks::platform_proposals(),
        ks::expiry(Scope::Platform, UnixMs(258), &[9, 9]),
        ks::held(t, &coin),
        ks::holder(t, &d),
    ]
}

/// Number of a key: its mark where several records have one id, else its tag.
fn number(key: &ks::Key) -> u8 {
    match key[0] {
        15 if key.len() > 49 => key[49],
        17 => key[key.len() - 1],
        tag => tag,
    }
}

#[test]
fn map_key_bytes_do_not_change() {
    let keys = keys();
    // Tags and marks are numbered together: an intent has three records, a conflict key two.
    let numbers: Vec<u8> = keys.iter().map(number).collect();
    assert_eq!(numbers, (0..=31).collect::<Vec<u8>>());
    let all: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    assert_eq!(digest("test", &all).to_string(), KEYS);
    for scope in [Scope::Tenant(TenantId([2; 16])), Scope::Platform] {
        assert_eq!(
            ks::read_expiry(&ks::expiry(scope, UnixMs(258), &[9, 9])),
            Some((UnixMs(258), vec![9, 9]))
        );
    }
}
const KEYS: &str = "fb14e7e833388e7865e66169e1b87f2b1f6b669f2f14e44760f5aa1c09d728fd";

#[test]
fn the_key_alone_says_what_else_goes_with_its_record() {
    for key in keys() {
        let expected = match number(&key) {
            11 => ks::Kind::Proposal,
            15 => ks::Kind::Intent,
            22 => ks::Kind::Ended,
            23 => ks::Kind::OpenIntent,
            31 => ks::Kind::Holder,
            _ => ks::Kind::Other,
        };
        assert_eq!(ks::kind(&key), expected, "{}", number(&key));
        assert_eq!(ks::is_held(&key), number(&key) == 30, "{}", number(&key));
    }
    assert_eq!(ks::kind(&[]), ks::Kind::Other);
    assert!(!ks::is_held(&[]));
}

/// Were it an intent, it would be decoded as one when it is forgotten, and refuse each entry.
#[test]
fn a_record_under_a_mark_of_a_later_version_is_not_an_intent() {
    let intent = ks::intent(TenantId([2; 16]), &Digest([1; 32]));
    for mark in (0..=u8::MAX).filter(|mark| ![23, 31].contains(mark)) {
        let key = [intent.as_slice(), &[mark]].concat();
        assert_eq!(ks::kind(&key), ks::Kind::Other, "{mark}");
    }
}
