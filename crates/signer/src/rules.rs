//! The operator's own rules: they only tighten, and a refusal by them frees nothing.

use strongroom_journal::View;
use strongroom_journal::apply::TenantView;
use strongroom_types::{
    AssetId, AttemptKind, ChainId, Code, Intent, MinorUnits, Refusal, TenantId, TenantVault, UnixMs,
};

/// The window of [`LocalRules::native_per_day_max`].
const DAY_MS: u64 = 24 * 3_600_000;

/// Payments that this operator lets the signer take part in, whatever the journal allows. Absent
/// means no rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LocalRules {
    /// Most one intent may pay, in the chain's native asset (base units). An intent that moves
    /// anything else is then refused, since its worth is unknown here.
    pub native_per_intent_max: Option<MinorUnits>,
    /// Most a vault may spend in 24 hours of journal time, in the chain's native asset (base
    /// units), at worst case. Counts *all* authorized payments of the vault in the journal, not
    /// only those this signer took part in, and the fee of the cancel that is asked for. A locked
    /// payment counts where its lock ends.
    pub native_per_day_max: Option<MinorUnits>,
    /// Vaults it signs for, each with its tenant: another tenant may give its vault the same id.
    pub vaults: Option<Vec<TenantVault>>,
    /// Chains it signs on.
    pub chains: Option<Vec<ChainId>>,
}

/// A payment that is about to be signed.
pub(crate) struct Payment<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) intent: &'a Intent,
    pub(crate) kind: AttemptKind,
    /// Largest fee of the attempt, in the chain's native asset.
    pub(crate) fee_max: MinorUnits,
    pub(crate) native: &'a AssetId,
    /// Journal time, or this signer's clock where that is later.
    pub(crate) at: UnixMs,
}

impl LocalRules {
    /// Checks a payment against the rules on this signer's tip.
    pub(crate) fn check(&self, view: &dyn View, payment: &Payment<'_>) -> Result<(), Refusal> {
        let intent = payment.intent;

        // The tenant is the journal's, under which the intent was authorized.
        let vault = TenantVault {
            tenant: payment.tenant,
            vault: intent.vault,
        };
        if self
            .vaults
            .as_ref()
            .is_some_and(|allowed| !allowed.contains(&vault))
        {
            return refuse(format!("{vault} is not among the operator's vaults"));
        }

        if self
            .chains
            .as_ref()
            .is_some_and(|allowed| !allowed.contains(&intent.chain))
        {
            return refuse(format!(
                "{} is not among the operator's chains",
                intent.chain
            ));
        }

        self.check_caps(view, payment)
    }

    /// Checks what leaves the vault: at worst case, and with what others took part in.
    fn check_caps(&self, view: &dyn View, payment: &Payment<'_>) -> Result<(), Refusal> {
        let intent = payment.intent;

        // Another asset's worth is unknown here, and a cap that can be passed by paying in another
        // asset is none.
        let capped = self.native_per_intent_max.is_some() || self.native_per_day_max.is_some();
        if capped
            && intent
                .transfers()
                .iter()
                .any(|t| t.asset != *payment.native)
        {
            return refuse("the operator's caps know the native asset only".to_owned());
        }

        // A cancel moves the vault's coins to itself: what leaves is its fee, which no window has.
        let (leaves, uncounted) = if payment.kind == AttemptKind::Cancel {
            (Some(payment.fee_max), payment.fee_max)
        } else {
            (intent.total(), MinorUnits::ZERO)
        };

        if let Some(max) = self.native_per_intent_max
            && leaves.is_none_or(|leaves| leaves > max)
        {
            return refuse(format!("more than {max} in one intent"));
        }

        // All payments of the vault, not only those this signer took part in: else each quorum
        // would have a limit of its own.
        if let Some(max) = self.native_per_day_max {
            // Where payments can leave and not where they were asked: people who are coerced choose
            // locks. The intent itself is in the sum, since it may leave now; a cancel's fee is added.
            let spent = TenantView::new(view, payment.tenant).left(
                intent.vault,
                payment.native,
                DAY_MS,
                payment.at,
            );
            let sum = spent.and_then(|spent| spent.amount.checked_add(uncounted));
            if sum.is_none_or(|sum| sum > max) {
                return refuse(format!("the vault's last 24 hours exceed {max}"));
            }
        }
        Ok(())
    }
}

fn refuse(detail: String) -> Result<(), Refusal> {
    Err(Refusal::new(Code::LocalRule, detail))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use strongroom_world::{FRIEND, Ledger, NATIVE, World, WorldOptions};

    #[test]
    fn each_cap_alone_refuses_a_payment_in_another_asset() {
        let ledger = Ledger::with_tenant(World::new(1, WorldOptions::default()));
        let intent = ledger.world.intent(ledger.now, 1_000, FRIEND);
        let check = |rules: &LocalRules, native: &str| {
            let payment = Payment {
                tenant: ledger.world.tenant.id,
                intent: &intent,
                kind: AttemptKind::Pay,
                fee_max: 1_000.into(),
                native: &native.parse().unwrap(),
                at: ledger.now,
            };
            rules.check(&ledger.state, &payment).err().map(|no| no.code)
        };

        let most = Some(MinorUnits::from(u64::MAX));
        let none = LocalRules::default();
        let in_one = LocalRules {
            native_per_intent_max: most,
            ..none.clone()
        };
        let in_a_day = LocalRules {
            native_per_day_max: most,
            ..none.clone()
        };
        let other = "eip155:1/slip44:60";
        assert_eq!(check(&none, other), None);
        for rules in [in_one, in_a_day] {
            assert_eq!(check(&rules, NATIVE), None);
            assert_eq!(check(&rules, other), Some(Code::LocalRule), "{rules:?}");
        }
    }
}
