//! The part of a node's answer that is kept.

use super::Watcher;
use crate::facts;
use std::collections::BTreeSet;
use strongroom_ports::chain::{AccountFact, CoinFact, Fact, OwnAccount, OwnCoin, OwnPath};
use strongroom_ports::db::Tx;
use strongroom_stage::StageError;
use strongroom_types::{Refusal, TenantVault};

/// Most statements of one answer that are read; the rest is dropped, so that a node cannot fill the
/// disk at once.
const FACTS_MAX: usize = 50_000;

impl Watcher {
    /// Keeps what can be true of an answer about one vault.
    pub(super) fn store_facts(
        &mut self,
        tx: &mut dyn Tx,
        id: TenantVault,
        found: Vec<Fact>,
    ) -> Result<(), StageError> {
        let (mut absurd, mut first_absurd) = (0_usize, None);
        let (mut names, is_whole) = (BTreeSet::new(), found.len() <= FACTS_MAX);
        for fact in found.into_iter().take(FACTS_MAX) {
            // Impossible statements (more money than there is, foreign assets, heights beyond any
            // block) are left out one by one, so that a lie hides no honest statement beside it.
            if let Err(why) = self.codec.check_fact(&fact) {
                absurd += 1;
                first_absurd.get_or_insert(why);
                continue;
            }

            names.extend(self.store_fact(tx, id, fact)?);
        }

        // A coin that the node reports no more is spent, was undone by a reorganisation, or never
        // was. Whatever was built on it would not confirm, and no signer can know. What an answer
        // beyond the bound leaves out is not gone.
        if is_whole {
            facts::retain(tx, id, &names)?;
        }
        self.report_absurd(id, absurd, first_absurd);
        Ok(())
    }

    /// Keeps one possible statement, if it is about an address of the vault. Gives the name of its
    /// row.
    fn store_fact(
        &self,
        tx: &mut dyn Tx,
        id: TenantVault,
        fact: Fact,
    ) -> Result<Option<String>, StageError> {
        match fact {
            Fact::Head { height } => {
                facts::set_height(tx, height)?;
                Ok(None)
            }
            Fact::Fees(fees) => {
                facts::set_fees(tx, &fees)?;
                Ok(None)
            }
            Fact::Coin(coin) => self.keep_coin(tx, id, coin),
            Fact::Account(account) => self.keep_account(tx, id, account),
        }
    }

    fn keep_coin(
        &self,
        tx: &mut dyn Tx,
        id: TenantVault,
        fact: CoinFact,
    ) -> Result<Option<String>, StageError> {
        // An unconfirmed coin is left out: its transaction may be replaced by one that pays others.
        let Some(path) = self
            .path(id, &fact.address)
            .filter(|_| fact.height.is_some())
        else {
            return Ok(None);
        };

        let coin = OwnCoin {
            key: fact.key,
            path,
            asset: fact.asset,
            amount: fact.amount,
        };
        let name = coin.key.to_string();
        facts::set_coin(tx, id, coin)?;
        Ok(Some(name))
    }

    fn keep_account(
        &self,
        tx: &mut dyn Tx,
        id: TenantVault,
        fact: AccountFact,
    ) -> Result<Option<String>, StageError> {
        let Some(path) = self.path(id, &fact.address) else {
            return Ok(None);
        };

        let account = OwnAccount {
            path,
            next: fact.next,
            asset: fact.asset,
            amount: fact.amount,
        };
        let name = fact.address;
        facts::set_account(tx, id, &name, account)?;
        Ok(Some(name))
    }

    /// The vault's path of an address; `None` for one that was not asked for. A coin of a
    /// stranger's address would be built upon, and no signer would sign.
    fn path(&self, id: TenantVault, address: &str) -> Option<OwnPath> {
        self.watched.get(&id)?.addresses.get(address).copied()
    }

    /// Logs lies about a vault: once until the node has told the truth again, for a node must not
    /// fill the log either.
    fn report_absurd(&mut self, id: TenantVault, count: usize, first: Option<Refusal>) {
        let Some(watched) = self.watched.get_mut(&id) else {
            return;
        };
        if let Some(first) = first
            && !watched.is_lied_about
        {
            tracing::warn!(
                tenant.id = %id.tenant, vault.id = %id.vault, count, %first,
                "the chain's node said what cannot be true"
            );
        }
        watched.is_lied_about = count > 0;
    }
}
