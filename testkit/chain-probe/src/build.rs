//! Building: a payment on the lowest free number, or a replacement on the same number.

use crate::address;
use crate::form::{Form, PAYS_MAX, Pay};
use crate::probe::ProbeCodec;
use crate::view::View;
use strongroom_ports::chain::{Built, Effects, Move, NoRegistry, Plan};
use strongroom_types::{AttemptKind, Code, MinorUnits, Refusal};

/// Blocks that a transaction stays valid.
const VALID_FOR: u64 = 100;

pub fn build(codec: &ProbeCodec, plan: &Plan<'_>, view: &[u8]) -> Result<Built, Refusal> {
    let view = View::decode(view)?;
    let mut form = match (plan.kind, plan.previous) {
        (AttemptKind::Pay, None) => payment(codec, plan, &view)?,
        (AttemptKind::Bump | AttemptKind::Cancel, Some(previous)) => {
            replacement(codec, plan, previous)?
        }
        (AttemptKind::Pay, Some(_)) => {
            let detail = "a replacement is a bump or a cancel";
            return Err(Refusal::new(Code::Unsupported, detail));
        }
        (AttemptKind::Bump | AttemptKind::Cancel, None) => {
            return Err(Refusal::new(Code::Malformed, "nothing to replace"));
        }
        (AttemptKind::Child, _) => {
            return Err(Refusal::new(Code::Unsupported, "child transactions"));
        }
    };
    form.valid_until = view.height.saturating_add(VALID_FOR);
    form.fee = form.fee.max(price(&view, &form));
    if form.fee > plan.fee_max {
        let detail = format!("the fee would be {}, at most {}", form.fee, plan.fee_max);
        return Err(Refusal::new(Code::FeeCapTooLow, detail));
    }

    // The balance must cover everything at once: a transaction that fails half-way still uses up
    // its number and pays its fee.
    let balance = view
        .account
        .map_or(MinorUnits::ZERO, |account| account.amount);
    let needed = form
        .pays
        .iter()
        .try_fold(form.fee, |sum, pay| sum.checked_add(pay.amount));
    if needed.is_none_or(|needed| needed > balance) {
        let detail = format!("{balance} does not cover payments and fee");
        return Err(Refusal::new(Code::InsufficientBalance, detail));
    }
    read_back(codec, plan, &form)
}

fn payment(codec: &ProbeCodec, plan: &Plan<'_>, view: &View) -> Result<Form, Refusal> {
    if plan.effects.moves.is_empty() {
        return Err(Refusal::new(Code::Malformed, "nothing to pay"));
    }
    let pays = pays(codec, plan.effects)?;
    let account = view.account.as_ref().ok_or(Code::InsufficientBalance)?;
    let (sender, number) = account.next_free(plan.vault)?;
    let form = Form::payment(account.path, sender, number, pays);

    // An intent's later payment must use up its anchor, or both could confirm.
    match plan.anchor {
        Some(anchor) if *anchor != form.conflict_key() => {
            Err(Refusal::new(Code::AnchorMissing, anchor))
        }
        Some(_) | None => Ok(form),
    }
}

fn replacement(codec: &ProbeCodec, plan: &Plan<'_>, previous: &[u8]) -> Result<Form, Refusal> {
    let old = codec.read(previous, plan.vault)?;
    let anchor = plan.anchor.ok_or(Code::AnchorMissing)?;
    if *anchor != old.conflict_key() {
        return Err(Refusal::new(Code::AnchorMissing, anchor));
    }
    let pays = match plan.kind {
        AttemptKind::Cancel | AttemptKind::Child => Vec::new(),
        AttemptKind::Pay | AttemptKind::Bump => pays(codec, plan.effects)?,
    };
    if plan.kind == AttemptKind::Bump && (pays.is_empty() || pays != old.pays) {
        let detail = "the replaced transaction pays something else";
        return Err(Refusal::new(Code::EffectsMismatch, detail));
    }

    // Nodes take a replacement for one eighth more.
    let step = old.fee.half().half().half();
    let fee = old
        .fee
        .checked_add(step)
        .and_then(|fee| fee.checked_add(1.into()));
    let mut form = Form::payment(old.path, old.sender, old.number, pays);
    form.fee = fee.ok_or(Code::FeeCapTooLow)?;
    Ok(form)
}

fn price(view: &View, form: &Form) -> MinorUnits {
    let units = u64::try_from(form.pays.len().max(1)).unwrap_or(u64::MAX);
    view.price.saturating_mul(units).into()
}

/// The effects as payments, ascending.
pub fn pays(codec: &ProbeCodec, effects: &Effects) -> Result<Vec<Pay>, Refusal> {
    if !effects.authorities.is_empty() || effects.moves.len() > PAYS_MAX {
        let detail = "only payments, at most 32";
        return Err(Refusal::new(Code::Unsupported, detail));
    }
    let pay = |step: &Move| {
        if step.asset != codec.manifest.native {
            return Err(Refusal::new(Code::UnknownAsset, &step.asset));
        }
        if step.at_least != step.at_most {
            return Err(Refusal::new(Code::Unsupported, "a payment of a range"));
        }
        let to = address::parse(&step.to)?;
        Ok(Pay {
            to,
            amount: step.at_most,
        })
    };
    let mut pays = effects
        .moves
        .iter()
        .map(pay)
        .collect::<Result<Vec<_>, _>>()?;
    pays.sort();
    Ok(pays)
}

fn read_back(codec: &ProbeCodec, plan: &Plan<'_>, form: &Form) -> Result<Built, Refusal> {
    use strongroom_ports::chain::ChainCodec as _;
    let unsigned = form.encode()?;
    let inspection = codec.inspect(&unsigned, plan.vault, &NoRegistry)?;
    Ok(Built {
        unsigned,
        anchor: form.conflict_key(),
        conflicts: inspection.conflicts,
        returned: inspection.returned,
        fee: inspection.fee,
        slots: inspection.slots,
    })
}
