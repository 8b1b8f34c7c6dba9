use crate::world::*;
use strongroom_policy::*;
use strongroom_types::intent::TRANSFERS_MAX;
use strongroom_types::*;

fn open() -> Policy {
    policy(vec![], vec![every("r", auto())])
}

#[test]
fn an_unknown_vault_or_initiator_blocks() {
    let from_unknown_vault = Intent {
        vault: vault(7),
        ..plain()
    };
    assert_eq!(
        blocked(&open(), &world(), &from_unknown_vault),
        (UNKNOWN_VAULT.into(), Code::UnknownVault)
    );
    let by_unknown_credential = Intent {
        initiator: credential(7),
        ..plain()
    };
    assert_eq!(
        blocked(&open(), &world(), &by_unknown_credential),
        (UNKNOWN_INITIATOR.into(), Code::UnknownCredential)
    );
    let to_unknown_vault = intent(1, &[Destination::Vault(vault(7))]);
    assert_eq!(
        blocked(&open(), &world(), &to_unknown_vault),
        (UNKNOWN_VAULT.into(), Code::UnknownVault)
    );
}

#[test]
fn a_vault_whose_key_is_revoked_or_not_generated_is_not_a_destination() {
    let mut world = world();
    let to_second = intent(1, &[Destination::Vault(vault(2))]);
    assert!(matches(&Match::default(), &world, &to_second));

    world.keyless.insert(vault(2));
    let refused = (UNKNOWN_VAULT.into(), Code::KeyRevoked);
    assert_eq!(blocked(&open(), &world, &to_second), refused);
}

fn with_assets(assets: &[&str]) -> Intent {
    let mut intent = plain();
    let transfer = intent.transfers()[0].clone();
    let transfers = assets.iter().map(|asset| Transfer {
        asset: asset.parse().unwrap(),
        ..transfer.clone()
    });
    intent.kind = IntentKind::Transfer(transfers.collect());
    intent
}

#[test]
fn anything_but_one_native_asset_of_the_chain_blocks() {
    let other = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0";
    let token = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/erc20:0x00";
    let elsewhere = "bip122:0f9188f13cb7b2c71f2a335e3a4fc3/slip44:1";
    for assets in [vec![ASSET, other], vec![token], vec![elsewhere]] {
        let expected = (UNSUPPORTED_ASSET.to_owned(), Code::Unsupported);
        assert_eq!(
            blocked(&open(), &world(), &with_assets(&assets)),
            expected,
            "{assets:?}"
        );
    }
    assert!(
        ask(&open(), &world(), &with_assets(&[ASSET, ASSET]))
            .block
            .is_none()
    );
}

/// Its amounts would be counted in windows of their own, beside every limit of the true asset.
#[test]
fn the_native_asset_of_a_chain_whose_id_only_begins_alike_blocks() {
    let on_one = |asset: &str| Intent {
        chain: "eip155:1".parse().unwrap(),
        ..with_assets(&[asset])
    };
    let expected = (UNSUPPORTED_ASSET.to_owned(), Code::Unsupported);
    let other = on_one("eip155:10/slip44:60");
    assert_eq!(blocked(&open(), &world(), &other), expected);
    let own = on_one("eip155:1/slip44:60");
    assert!(ask(&open(), &world(), &own).block.is_none());
}

#[test]
fn an_intent_without_transfers_or_with_too_many_or_beyond_256_bits_blocks() {
    let expected = (INVALID_INTENT.to_owned(), Code::Malformed);
    assert_eq!(blocked(&open(), &world(), &intent(1, &[])), expected);
    assert_eq!(
        blocked(
            &open(),
            &world(),
            &intent(1, &vec![to(FRIEND); TRANSFERS_MAX + 1])
        ),
        expected
    );
    assert!(
        ask(
            &open(),
            &world(),
            &intent(1, &vec![to(FRIEND); TRANSFERS_MAX])
        )
        .block
        .is_none()
    );
    let mut huge = plain();
    huge.fee_max = most();
    assert_eq!(blocked(&open(), &world(), &huge), expected);
    let mut transfer = plain().transfers()[0].clone();
    transfer.amount = most();
    huge.fee_max = units(0);
    huge.kind = IntentKind::Transfer(vec![transfer.clone(), transfer]);
    assert_eq!(blocked(&open(), &world(), &huge), expected);
}

fn endless(scope: VelocityScope) -> Window {
    Window {
        scope,
        window_seconds: 60,
        amount_lte: Some(most()),
        count_lte: Some(u64::MAX),
    }
}

#[test]
fn an_unknown_window_blocks_even_where_a_later_rule_would_match() {
    let mut world = world();
    world.windows_unknown = true;
    let by_rule = Match {
        velocity: vec![endless(VelocityScope::Vault)],
        ..Match::default()
    };
    let table = policy(
        vec![],
        vec![rule("quick", by_rule, auto()), every("rest", auto())],
    );
    assert_eq!(
        blocked(&table, &world, &plain()),
        ("quick".into(), Code::PolicyBlocked)
    );
    let ceiling = GuardKind::Ceiling {
        asset: asset(),
        window: endless(VelocityScope::Tenant),
    };
    let table = policy(vec![guard("g", ceiling)], vec![every("rest", auto())]);
    assert_eq!(
        blocked(&table, &world, &plain()),
        ("g".into(), Code::PolicyBlocked)
    );
}

#[test]
fn a_window_that_overflows_blocks_whatever_its_limit() {
    let mut world = world();
    let amount = most().checked_sub(units(109)).unwrap();
    world.ledger.push(Spend {
        at: NOW,
        vault: vault(1),
        user: user(1),
        amount,
    });
    let by_count = Window {
        amount_lte: None,
        ..endless(VelocityScope::Vault)
    };
    for window in [endless(VelocityScope::Vault), by_count] {
        let full = Match {
            velocity: vec![window],
            ..Match::default()
        };
        let table = policy(
            vec![],
            vec![rule("quick", full, auto()), every("rest", auto())],
        );
        assert_eq!(blocked(&table, &world, &plain()).0, "quick");
    }
}

#[test]
fn a_count_that_overflows_blocks() {
    struct Full(World);
    impl PolicyView for Full {
        fn vault(&self, id: VaultId) -> Option<Vault> {
            self.0.vault(id)
        }
        fn can_receive(&self, id: VaultId) -> bool {
            self.0.can_receive(id)
        }
        fn user_of(&self, credential: CredentialId) -> Option<UserId> {
            self.0.user_of(credential)
        }
        fn in_group(&self, group: GroupId, user: UserId) -> bool {
            self.0.in_group(group, user)
        }
        fn allow_list(&self, chain: &ChainId, address: &str) -> Option<Listed> {
            self.0.allow_list(chain, address)
        }
        fn spent(&self, _: WindowScope, _: &AssetId, _: u64, _: UnixMs) -> Option<Spent> {
            Some(Spent {
                amount: MinorUnits::ZERO,
                count: u64::MAX,
            })
        }
    }
    let full = Match {
        velocity: vec![endless(VelocityScope::Vault)],
        ..Match::default()
    };
    let table = policy(vec![], vec![rule("quick", full, auto())]);
    let intent = plain();
    let payment = Payment::from(&intent);
    let question = Question {
        payment: &payment,
        intent_digest: intent.digest(),
        moment: Moment::Entry(NOW),
        decoder: "d",
    };
    let decision = evaluate(&table, table.digest(), &Full(world()), &question);
    assert_eq!(decision.core.tier, Tier::Block);
}
