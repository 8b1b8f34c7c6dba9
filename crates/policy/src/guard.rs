//! Guards: they deny payments, whatever the rules allow.

use crate::form::{LIST_MAX, Members, ascending, set, texts};
use crate::hours::Hours;
use crate::window::Window;
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;
use strongroom_types::text::address;
use strongroom_types::{AssetId, ChainId, MinorUnits, Name};

/// A named denial.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard {
    /// Id, unique among guards and rules. The decision names it when the guard blocks.
    pub id: Name,
    /// Payments that it denies.
    pub kind: GuardKind,
}

/// Payments that a guard denies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GuardKind {
    /// `blocked_destinations`: payments with a transfer to one of these address literals,
    /// ascending, on any chain and whatever the case of the letters.
    BlockedDestinations(Vec<String>),
    /// `ceiling`: payments by which the window's sum of this asset, this intent's worst case
    /// included, would exceed a limit.
    Ceiling {
        /// Asset in CAIP-19 form.
        asset: AssetId,
        /// The window; its amount is in base units of `asset`.
        window: Window,
    },
    /// `amount_max`: payments whose transfers of this asset sum to more than `lte`, without the
    /// fee.
    AmountMax {
        /// Asset in CAIP-19 form.
        asset: AssetId,
        /// Largest amount, in base units.
        lte: MinorUnits,
    },
    /// `chains`: payments on any chain except these, ascending.
    Chains(Vec<ChainId>),
    /// `assets`: payments of any asset except these, ascending.
    Assets(Vec<AssetId>),
    /// `fee_max`: payments on this chain with a fee cap above `lte`.
    FeeMax {
        /// Chain in CAIP-2 form.
        chain: ChainId,
        /// Largest fee cap, in base units of its native asset.
        lte: MinorUnits,
    },
    /// `closed_hours`: every payment that is judged within these hours.
    ClosedHours(Hours),
}

impl Guard {
    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            id: f.parse("id")?,
            kind: GuardKind::read(f)?,
        })
    }

    pub(crate) fn write(&self) -> Json<'_> {
        let (kind, mut members) = self.kind.members();
        members.push(("id", Json::text(&self.id)));
        members.push(("kind", Json::text(kind)));
        Json::object(members)
    }
}

impl GuardKind {
    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        match f.text("kind")?.as_str() {
            "blocked_destinations" => addresses(f).map(Self::BlockedDestinations),
            "ceiling" => Ok(Self::Ceiling {
                asset: f.parse("asset")?,
                window: Window::read(f)?,
            }),
            "amount_max" => Ok(Self::AmountMax {
                asset: f.parse("asset")?,
                lte: f.parse("lte")?,
            }),
            "chains" => set(f, "chains").map(Self::Chains),
            "assets" => set(f, "assets").map(Self::Assets),
            "fee_max" => Ok(Self::FeeMax {
                chain: f.parse("chain")?,
                lte: f.parse("lte")?,
            }),
            "closed_hours" => f.object("hours", Hours::read).map(Self::ClosedHours),
            // An unknown kind is refused and never skipped: a guard of a later version may be the
            // one that protects this tenant.
            other => Err(FormError::invalid(
                "kind",
                format!("unknown guard kind `{other}`"),
            )),
        }
    }

    fn members(&self) -> (&'static str, Members<'_>) {
        match self {
            Self::BlockedDestinations(addresses) => (
                "blocked_destinations",
                vec![("addresses", texts(addresses))],
            ),
            Self::Ceiling { asset, window } => {
                let mut members = window.members();
                members.push(("asset", Json::text(asset)));
                ("ceiling", members)
            }
            Self::AmountMax { asset, lte } => (
                "amount_max",
                vec![("asset", Json::text(asset)), ("lte", Json::text(lte))],
            ),
            Self::Chains(chains) => ("chains", vec![("chains", texts(chains))]),
            Self::Assets(assets) => ("assets", vec![("assets", texts(assets))]),
            Self::FeeMax { chain, lte } => (
                "fee_max",
                vec![("chain", Json::text(chain)), ("lte", Json::text(lte))],
            ),
            Self::ClosedHours(hours) => ("closed_hours", vec![("hours", hours.write())]),
        }
    }
}

fn addresses(f: &mut Fields<'_>) -> Result<Vec<String>, FormError> {
    let addresses: Vec<String> = f.parse_list("addresses", LIST_MAX)?;

    // Compared with what an intent names: another spelling of a blocked address would pass.
    let plain: Result<Vec<String>, _> = addresses.into_iter().map(address).collect();
    let plain = plain.map_err(|e| FormError::invalid("addresses", format!("{e} each")))?;

    // One form for one set, so that one policy has one digest.
    ascending("addresses", plain)
}
