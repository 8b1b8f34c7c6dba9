//! Values that travel as one text: ids, amounts, chains, words of a fixed list. One target for all;
//! the first byte of its input chooses the form.

use super::{Target, chosen, same, with_choice};
use std::fmt::Display;
use std::str::FromStr;
use strongroom_policy::TimeOfDay;
use strongroom_ports::bus::Topic;
use strongroom_types::board::BoardName;
use strongroom_types::credential::{BackupPolicy, PublicKey};
use strongroom_types::{
    ActId, AllowListId, ApprovalNonce, AssetId, ChainId, Code, ConflictKey, CredentialClass,
    CredentialId, Digest, GroupId, KeyId, MinorUnits, Name, NodeId, Obligation, PlatformId, Scope,
    SessionId, Suite, TenantId, TenantVault, Tier, TransactionId, UnixMs, UserId, VaultId,
};
use strongroom_wire::TransactionState;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "text_forms",
        run: forms,
        seeds: |_| seeds(),
    }]
}

/// Reads a text of one form and writes the value again; `None` when it is not of the form.
type Form = fn(&str) -> Option<String>;

fn parsed<T: FromStr + Display>(text: &str) -> Option<String> {
    text.parse().ok().map(|value: T| value.to_string())
}

/// Every form, with a text of it where one can be written down.
const FORMS: &[(Form, &str)] = &[
    (parsed::<PlatformId>, "plt_00000000000000000000000000000001"),
    (parsed::<TenantId>, "tnt_00000000000000000000000000000001"),
    (parsed::<VaultId>, "vlt_00000000000000000000000000000001"),
    (parsed::<KeyId>, "key_00000000000000000000000000000001"),
    (parsed::<UserId>, "usr_00000000000000000000000000000001"),
    (parsed::<GroupId>, "grp_00000000000000000000000000000001"),
    (
        parsed::<CredentialId>,
        "crd_00000000000000000000000000000001",
    ),
    (parsed::<TransactionId>, ""),
    (parsed::<ActId>, ""),
    (parsed::<AllowListId>, ""),
    (parsed::<ApprovalNonce>, ""),
    (parsed::<NodeId>, ""),
    (parsed::<SessionId>, ""),
    (parsed::<TenantVault>, ""),
    (
        parsed::<Digest>,
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ),
    (parsed::<MinorUnits>, "21000000"),
    (parsed::<UnixMs>, "1700000000000"),
    (parsed::<Scope>, "platform"),
    (parsed::<ChainId>, "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"),
    (
        parsed::<AssetId>,
        "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1",
    ),
    (parsed::<ConflictKey>, "coin:00:0"),
    (parsed::<Name>, "Treasury é"),
    (parsed::<Suite>, "frost-secp256k1-tr"),
    (parsed::<Tier>, ""),
    (parsed::<Obligation>, ""),
    (parsed::<BoardName>, ""),
    (parsed::<CredentialClass>, "passkey"),
    (parsed::<BackupPolicy>, ""),
    (parsed::<TimeOfDay>, "22:00"),
    (
        |text| Code::from_text(text).map(|code| code.to_string()),
        "malformed",
    ),
    (
        |text| TransactionState::from_name(text).map(|state| state.name().to_owned()),
        "signed",
    ),
    (
        |text| Topic::new(text).ok().map(|topic| topic.to_string()),
        "journal.entries",
    ),
    (
        |text| key("ed25519", text),
        "5866666666666666666666666666666666666666666666666666666666666666",
    ),
    (
        |text| key("p256", text),
        "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    ),
];

fn key(algorithm: &str, hex: &str) -> Option<String> {
    let key = PublicKey::from_text(algorithm, hex).ok();
    key.map(|key| key.to_hex())
}

/// Equal values have one text: ids, amounts and names are compared as texts, and signed as texts.
fn forms(data: &[u8]) -> bool {
    let Some(((form, _), rest)) = chosen(FORMS, data) else {
        return false;
    };
    let text = std::str::from_utf8(rest).ok();
    let again = text.and_then(form);
    again.is_some_and(|again| same(again.as_bytes(), rest))
}

fn seeds() -> Vec<Vec<u8>> {
    let numbered = FORMS.iter().enumerate();
    numbered
        .filter(|(_, (_, text))| !text.is_empty())
        .map(|(number, (_, text))| with_choice(number, text.as_bytes()))
        .collect()
}
