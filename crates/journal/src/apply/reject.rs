//! An approver's no. It is a tightening: bound to the intent alone, so that no change of the policy
//! makes it void, and handed to witnesses like the others, so that no writer can drop it.

use super::change::{Change, Place};
use super::opened::VerifiedAct;
use super::tighten::end_unknown;
use crate::keyspace as ks;
use crate::model::IntentStanding;
use crate::state::Lookup as _;
use strongroom_types::{Code, Digest, Refusal, TenantId};

/// Ends an intent, known or not, by one no: of any member of a group that the policy in force
/// names. A share that has left stays out; everything after it is refused.
pub(super) fn apply(
    change: &mut Change<'_>,
    place: Place,
    intent: &Digest,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    let tenant = place.tenant;

    // Without this, any credential of the tenant could stop every payment.
    if !is_named_by_policy(change, tenant, opened)? {
        return Err(Refusal::new(
            Code::ApprovalNotEligible,
            "no signer is in a group that the policy names",
        ));
    }

    let Some(mut record) = change.intent(tenant, intent)? else {
        return end_unknown(change, place, intent, |ended| ended.rejected = true);
    };

    // The end of the intent is the end of the duty to include this: nothing is left to stop.
    if place.at >= record.expires {
        return Err(Code::IntentExpired.into());
    }
    if record.standing == IntentStanding::Authorized {
        record.standing = IntentStanding::Rejected;
    }
    change.put(ks::intent(tenant, intent), &record);
    Ok(())
}

/// Whether one of the humans who signed is in a group of the policy in force, as approver or
/// initiator.
fn is_named_by_policy(
    change: &Change<'_>,
    tenant: TenantId,
    opened: &VerifiedAct,
) -> Result<bool, Refusal> {
    let policy = change.policy(tenant, &change.tenant(tenant)?)?;
    for group in policy.groups() {
        for user in &opened.users {
            if change.in_group(tenant, group, *user)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
