//! Values that travel as text.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::{self, Display};
use std::str::FromStr;
use strongroom_types::{
    ChainId, CredentialId, Digest, KeyId, PlatformId, Suite, TenantId, Tier, TransactionId, VaultId,
};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// A value with one text form, by which it travels.
pub trait Textual: Display + FromStr<Err: Display> {
    /// Name of the form among the schemas.
    const NAME: &'static str;
    /// Name of the form in the schema's `format`.
    const FORMAT: &'static str;
    /// Regular expression (ECMA-262) that every text of the form matches; empty when the form is
    /// not a regular language or has a fixed list of words.
    const PATTERN: &'static str;
}

macro_rules! textual {
    ($($alias:ident $type:ident $format:literal $pattern:literal;)*) => {$(
        #[doc = concat!("A `", $format, "` as text.")]
        pub type $alias = Text<$type>;

        impl Textual for $type {
            const NAME: &'static str = stringify!($type);
            const FORMAT: &'static str = $format;
            const PATTERN: &'static str = $pattern;
        }
    )*};
}

textual! {
    ChainIdText ChainId "caip-2" "^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$";
    CredentialIdText CredentialId "credential-id" "^crd_[0-9a-f]{32}$";
    DigestText Digest "digest" "^[0-9a-f]{64}$";
    KeyIdText KeyId "key-id" "^key_[0-9a-f]{32}$";
    PlatformIdText PlatformId "platform-id" "^plt_[0-9a-f]{32}$";
    SuiteText Suite "suite" "";
    TenantIdText TenantId "tenant-id" "^tnt_[0-9a-f]{32}$";
    TierText Tier "tier" "";
    TransactionIdText TransactionId "transaction-id" "^tx_[0-9a-f]{32}$";
    VaultIdText VaultId "vault-id" "^vlt_[0-9a-f]{32}$";
}

/// A value of a [`Textual`] type, in its text form on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Text<T>(pub T);

impl<T> From<T> for Text<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Display> Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        // Only the one text form is taken, so that a client that compares ids as texts compares
        // ids.
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl<T: Textual> PartialSchema for Text<T> {
    fn schema() -> RefOr<Schema> {
        form(T::FORMAT, T::PATTERN)
    }
}

impl<T: Textual> ToSchema for Text<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(T::NAME)
    }
}

/// Bytes of any number, as lower-case hex digits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hex(pub Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        // Equal bytes have one text, as in everything that people sign.
        if text.bytes().any(|c| c.is_ascii_uppercase()) {
            return Err(D::Error::custom("expected lower-case hex digits"));
        }
        hex::decode(text.as_bytes())
            .map(Self)
            .map_err(D::Error::custom)
    }
}

impl PartialSchema for Hex {
    fn schema() -> RefOr<Schema> {
        form("hex", "^([0-9a-f]{2})*$")
    }
}

impl ToSchema for Hex {}

fn form(format: &str, pattern: &str) -> RefOr<Schema> {
    let pattern = (!pattern.is_empty()).then(|| pattern.to_owned());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom(format.to_owned())))
        .pattern(pattern)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_travels_as_its_text_and_nothing_else_is_one() {
        let id = Text(TenantId([0xab; 16]));
        let json = serde_json::to_string(&id).expect("text");
        assert_eq!(json, format!("\"tnt_{}\"", "ab".repeat(16)));
        let read: Text<TenantId> = serde_json::from_str(&json).expect("the same");
        assert_eq!(read, id);
        for wrong in [
            "\"tnt_AB\"",
            "\"vlt_abababababababababababababababab\"",
            "7",
            "null",
        ] {
            assert!(
                serde_json::from_str::<Text<TenantId>>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn bytes_travel_as_hex() {
        let bytes = Hex(vec![0, 0xff]);
        assert_eq!(serde_json::to_string(&bytes).expect("text"), "\"00ff\"");
        let read: Hex = serde_json::from_str("\"00ff\"").expect("hex");
        assert_eq!(read, bytes);
        for wrong in ["\"0\"", "\"0x00\"", "\"00FF\"", "[0]"] {
            assert!(serde_json::from_str::<Hex>(wrong).is_err(), "{wrong}");
        }
    }
}
