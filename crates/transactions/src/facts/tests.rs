#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: every failed expectation is a failed test"
)]

use super::*;
use crate::schema::MIGRATIONS;
use strongroom_ports::db::Db as _;
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{AssetId, MinorUnits, TenantId, VaultId};

const NOW: UnixMs = UnixMs(1_000);
const VAULT: TenantVault = vault(1, 1);
/// Other vaults: of this tenant, and of another one under the same id.
const OTHERS: [TenantVault; 2] = [vault(1, 2), vault(2, 1)];

const fn vault(tenant: u8, vault: u8) -> TenantVault {
    TenantVault {
        tenant: TenantId([tenant; 16]),
        vault: VaultId([vault; 16]),
    }
}

/// The rows of a fresh database after a first look at the chain.
fn with_rows<T>(test: impl FnOnce(&mut dyn Tx) -> T) -> T {
    let db = SqliteDb::open_in_memory().unwrap();
    db.migrate(MIGRATIONS).unwrap();
    let mut tx = db.begin().unwrap();
    set_height(tx.as_mut(), 800).unwrap();
    set_fees(tx.as_mut(), &[1, 2]).unwrap();
    test(tx.as_mut())
}

fn asset() -> AssetId {
    "probe:devnet/slip44:1".parse().unwrap()
}

fn amount(text: &str) -> MinorUnits {
    text.parse().unwrap()
}

fn coin(name: &str, units: &str) -> OwnCoin {
    OwnCoin {
        key: ConflictKey::Coin(name.to_owned()),
        path: OwnPath {
            change: 0,
            index: 0,
        },
        asset: asset(),
        amount: amount(units),
    }
}

fn account(next: u64, units: &str) -> OwnAccount {
    OwnAccount {
        path: OwnPath {
            change: 0,
            index: 0,
        },
        next,
        asset: asset(),
        amount: amount(units),
    }
}

fn set_reserved(tx: &mut dyn Tx, vault: TenantVault, key: &str, number: i64) {
    let sql = "INSERT INTO reservation (tenant, vault, conflict_key, number, intent, used)
               VALUES ($1, $2, $3, $4, NULL, TRUE)";
    let args = [
        Arg::from(&vault.tenant.0),
        Arg::from(&vault.vault.0),
        Arg::from(key),
        Arg::from(number),
    ];
    tx.execute(sql, &args).unwrap();
}

#[test]
fn nothing_is_known_before_the_first_look_at_the_chain() {
    let db = SqliteDb::open_in_memory().unwrap();
    db.migrate(MIGRATIONS).unwrap();
    let mut tx = db.begin().unwrap();
    assert!(known(tx.as_mut(), VAULT, NOW).unwrap().is_none());
    set_height(tx.as_mut(), 800).unwrap();
    assert!(known(tx.as_mut(), VAULT, NOW).unwrap().is_none());
    set_fees(tx.as_mut(), &[]).unwrap();
    assert_eq!(
        known(tx.as_mut(), VAULT, NOW)
            .unwrap()
            .unwrap()
            .facts()
            .height,
        800
    );
}

#[test]
fn coins_of_any_amount_are_offered_largest_first() {
    with_rows(|tx| {
        let largest = MinorUnits::from_be_bytes([0xff; 32]).to_string();
        let above_u64 = "18446744073709551616";
        for (name, units) in [("a", "9"), ("b", above_u64), ("c", "10"), ("d", &largest)] {
            set_coin(tx, VAULT, coin(name, units)).unwrap();
        }
        for other in OTHERS {
            set_coin(tx, other, coin("e", "7")).unwrap();
        }
        let known = known(tx, VAULT, NOW).unwrap().unwrap();
        let facts = known.facts();
        let order = [("d", &*largest), ("b", above_u64), ("c", "10"), ("a", "9")];
        let wanted = order.map(|(name, units)| Holding::Coin(coin(name, units)));
        assert_eq!(facts.holdings, wanted);
        assert!(facts.taken.is_empty());
    });
}

#[test]
fn reserved_coins_are_not_offered() {
    with_rows(|tx| {
        set_coin(tx, VAULT, coin("a", "9")).unwrap();
        set_coin(tx, VAULT, coin("b", "8")).unwrap();
        set_reserved(tx, VAULT, "coin:a", 1);
        for other in OTHERS {
            set_reserved(tx, other, "coin:b", 1);
        }
        let known = known(tx, VAULT, NOW).unwrap().unwrap();
        assert_eq!(known.facts().holdings, [Holding::Coin(coin("b", "8"))]);
    });
}

/// The number of an account's next transaction is free only when no intent holds it, which the
/// chain cannot say.
#[test]
fn accounts_come_with_the_conflict_keys_that_are_taken() {
    with_rows(|tx| {
        let ether = "100000000000000000000";
        set_account(tx, VAULT, "address", account(7, ether)).unwrap();
        set_reserved(tx, VAULT, "sequence:7:address", 1);
        set_reserved(tx, VAULT, "sequence:8:address", 2);
        for other in OTHERS {
            set_reserved(tx, other, "sequence:9:address", 3);
        }
        let known = known(tx, VAULT, NOW).unwrap().unwrap();
        let facts = known.facts();
        assert_eq!(facts.holdings, [Holding::Account(account(7, ether))]);
        let taken = [8, 7].map(|number| ConflictKey::Sequence {
            account: "address".to_owned(),
            number,
        });
        assert_eq!(facts.taken, taken);
    });
}

#[test]
fn last_word_of_the_network_replaces_the_one_before() {
    with_rows(|tx| {
        set_account(tx, VAULT, "address", account(7, "5")).unwrap();
        set_account(tx, VAULT, "address", account(9, "3")).unwrap();
        set_height(tx, 801).unwrap();
        let known = known(tx, VAULT, NOW).unwrap().unwrap();
        let facts = known.facts();
        assert_eq!(facts.holdings, [Holding::Account(account(9, "3"))]);
        assert_eq!((facts.height, facts.fees), (801, &[1, 2][..]));
    });
}

#[test]
fn change_addresses_are_used_in_turn_below_the_index_bound() {
    with_rows(|tx| {
        for index in (0..ADDRESS_INDEX_MAX).chain([0, 1]) {
            let next = next_change(tx, VAULT).unwrap();
            assert_eq!(next, OwnPath { change: 1, index });
            assert!(set_change_given(tx, VAULT, next).unwrap());
            assert!(
                !set_change_given(tx, VAULT, next).unwrap(),
                "once in a turn"
            );
        }
        for other in OTHERS {
            assert_eq!(next_change(tx, other).unwrap().index, 0);
        }
    });
}
