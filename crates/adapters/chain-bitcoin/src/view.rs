//! The input of a build: height, fee rate and candidate coins, in an encoding of this codec.
//!
//! `version u8 ‖ magic [4] ‖ height u32 ‖ rate u64 ‖ coins [{txid [32], vout u32, amount u64,
//! path}]`, borsh, coins distinct and in the order of preference. A view is made from the facts
//! table and read by [`crate::BitcoinCodec`] alone; it is neither stored nor signed.

use crate::expected::{satoshi, total};
use crate::select::Coin;
use crate::{BitcoinCodec, Network, address};
use bitcoin::absolute::LOCK_TIME_THRESHOLD;
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Txid};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;
use strongroom_ports::chain::{CoinFact, Fact, Facts, Holding, OwnCoin, OwnPath};
use strongroom_types::{AssetId, Code, ConflictKey, MinorUnits, Refusal};

/// Version of the view's encoding.
const VERSION: u8 = 1;
/// Largest number of coins in a view.
const COINS_MAX: usize = 100_000;
/// Largest view in bytes: 52 for each coin, and 21 before them.
const VIEW_BYTES_MAX: usize = 21 + 52 * COINS_MAX;
/// Largest fee rate that is believed, satoshi per 1 000 virtual bytes. The most expensive blocks so
/// far needed a fifth of it.
pub const FEE_RATE_MAX: u64 = 10_000_000;

/// A fee rate in satoshi per 1 000 virtual bytes. [`Fact::Fees`] carries it on Bitcoin, as 8 bytes,
/// little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct FeeRate(pub u64);

impl FeeRate {
    /// The rate as the fact's bytes, 8 bytes, little-endian.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }

    /// Reads a rate from the fact's bytes.
    ///
    /// # Errors
    /// `malformed` for another length, or a rate above [`FEE_RATE_MAX`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let rate = bytes.try_into().map(u64::from_le_bytes);
        match rate {
            Ok(rate) if rate <= FEE_RATE_MAX => Ok(Self(rate)),
            Ok(rate) => Err(malformed(format!("a fee rate of {rate} sat/kvB"))),
            Err(_) => Err(malformed("a fee rate has 8 bytes")),
        }
    }
}

/// A decoded view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuildView {
    /// Height of the newest known block. No part of the transaction depends on it.
    pub height: u32,
    /// Rate that the fee should have.
    pub rate: FeeRate,
    /// Coins that may be spent, distinct.
    pub coins: Vec<Coin>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Form {
    version: u8,
    magic: [u8; 4],
    height: u32,
    rate: u64,
    coins: Vec<CoinForm>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct CoinForm {
    txid: [u8; 32],
    vout: u32,
    amount: u64,
    path: OwnPath,
}

fn malformed(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

/// Checks that a fact is possible on this network.
pub fn check_fact(codec: &BitcoinCodec, fact: &Fact) -> Result<(), Refusal> {
    match fact {
        Fact::Head { height } => block_height(*height).map(drop),
        Fact::Fees(bytes) => FeeRate::read(bytes).map(drop),
        Fact::Coin(CoinFact {
            key,
            address,
            asset,
            amount,
            height,
        }) => {
            // The network does not give the path (the watcher adds it), so the check uses any path.
            coin(
                codec,
                key,
                OwnPath {
                    change: 0,
                    index: 0,
                },
                asset,
                *amount,
            )?;

            // The address must be of this network: another one would be shown to people as an
            // address of the vault.
            address::parse(address, codec.network)?;
            height.map_or(Ok(()), |height| block_height(height).map(drop))
        }
        Fact::Account(_) => Err(malformed("Bitcoin has no accounts")),
    }
}

/// Makes a view from the facts table's rows.
pub fn make(codec: &BitcoinCodec, facts: &Facts<'_>) -> Result<Vec<u8>, Refusal> {
    let mut coins = Vec::with_capacity(facts.holdings.len().min(COINS_MAX));

    // Holdings come largest first, so the coins beyond the limit are those of least use.
    for holding in facts.holdings.iter().take(COINS_MAX) {
        let Holding::Coin(OwnCoin {
            key,
            path,
            asset,
            amount,
        }) = holding
        else {
            return Err(malformed("Bitcoin has no accounts"));
        };
        coins.push(coin(codec, key, *path, asset, *amount)?);
    }

    // Each coin alone is possible, but a lying node can invent many. Coins by which the sum would
    // exceed the supply of bitcoin are left out, so that the vault's other coins stay spendable.
    let mut sum = 0u64;
    coins.retain(|coin| match total([sum, coin.amount].into_iter()) {
        Some(more) => {
            sum = more;
            true
        }
        None => false,
    });

    let view = BuildView {
        height: block_height(facts.height)?,
        rate: FeeRate::read(facts.fees)?,
        coins,
    };
    view.check()?;
    view.encode(codec.network)
}

/// Checks that a block height fits a lock time (BIP-65: larger numbers are times).
fn block_height(height: u64) -> Result<u32, Refusal> {
    u32::try_from(height)
        .ok()
        .filter(|height| *height < LOCK_TIME_THRESHOLD)
        .ok_or_else(|| malformed(format!("no block has height {height}")))
}

fn coin(
    codec: &BitcoinCodec,
    key: &ConflictKey,
    path: OwnPath,
    asset: &AssetId,
    amount: MinorUnits,
) -> Result<Coin, Refusal> {
    if *asset != codec.manifest.native {
        return Err(Refusal::new(Code::UnknownAsset, asset));
    }

    let outpoint = outpoint(key)?;
    let amount = satoshi(amount).map_err(|refusal| malformed(refusal.detail))?;
    total(std::iter::once(amount)).ok_or_else(|| malformed("more than 21 million bitcoin"))?;
    Ok(Coin {
        outpoint,
        amount,
        path,
    })
}

/// Reads a conflict key of a coin, `txid:vout` in its canonical text.
pub fn outpoint(key: &ConflictKey) -> Result<OutPoint, Refusal> {
    let text = match key {
        ConflictKey::Coin(text) => text,
        ConflictKey::Sequence { .. } | ConflictKey::Once(_) => {
            return Err(malformed(format!("`{key}` is not a coin")));
        }
    };
    let read: Option<OutPoint> = text.parse().ok();

    // Conflict keys are compared as texts, so only one spelling is accepted: with two, one coin
    // could be the anchor of two intents.
    read.filter(|outpoint| outpoint.to_string() == *text)
        .ok_or_else(|| malformed(format!("`{text}` is not txid:vout")))
}

impl BuildView {
    fn check(&self) -> Result<(), Refusal> {
        // A coin that is listed twice would be spent as if there were twice the money.
        let distinct: BTreeSet<_> = self.coins.iter().map(|coin| coin.outpoint).collect();
        if distinct.len() != self.coins.len() {
            return Err(malformed("a coin is offered twice"));
        }
        total(self.coins.iter().map(|coin| coin.amount))
            .ok_or_else(|| malformed("the coins exceed 21 million bitcoin"))?;
        Ok(())
    }

    fn encode(&self, network: Network) -> Result<Vec<u8>, Refusal> {
        let coin = |coin: &Coin| CoinForm {
            txid: coin.outpoint.txid.to_byte_array(),
            vout: coin.outpoint.vout,
            amount: coin.amount,
            path: coin.path,
        };

        let form = Form {
            version: VERSION,
            magic: network.magic(),
            height: self.height,
            rate: self.rate.0,
            coins: self.coins.iter().map(coin).collect(),
        };
        borsh::to_vec(&form).map_err(|e| Refusal::new(Code::Internal, e))
    }

    /// Reads a view of this network strictly.
    pub fn decode(bytes: &[u8], network: Network) -> Result<Self, Refusal> {
        // The length is checked before decoding: the count of coins must not decide how much memory
        // is taken.
        if bytes.len() > VIEW_BYTES_MAX {
            return Err(Code::RecordTooLarge.into());
        }
        let form = Form::try_from_slice(bytes).map_err(|_| malformed("not a Bitcoin view"))?;

        if form.version != VERSION || form.magic != network.magic() {
            return Err(malformed("a view of another version or network"));
        }

        let coin = |coin: &CoinForm| Coin {
            outpoint: OutPoint {
                txid: Txid::from_byte_array(coin.txid),
                vout: coin.vout,
            },
            amount: coin.amount,
            path: coin.path,
        };

        let view = Self {
            height: block_height(form.height.into())?,
            rate: FeeRate::read(&form.rate.to_le_bytes())?,
            coins: form.coins.iter().map(coin).collect(),
        };
        view.check()?;
        Ok(view)
    }
}
