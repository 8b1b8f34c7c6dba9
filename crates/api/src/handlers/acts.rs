//! Acts: what admins, committees and clients sign for the journal.

use super::scope::within_reach;
use super::wait::{Wait, until};
use super::{Accepted, Answer, Caller};
use crate::access::Access;
use crate::api::Api;
use crate::extract::{Path, Query, UnreadBody};
use crate::problem::Problem;
use crate::{show, store, submit};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use std::sync::Arc;
use strongroom_api_types::{ActInfo, ActState, Receipt, ReceiptState, SignedRequest, WaitQuery};
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::ActStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Act, Code, Digest, Document as _, Refusal, Scope, Signed};

/// Offers an act to the journal. 202: ask for its state under the digest.
#[utoipa::path(
    post,
    operation_id = "submit_act",
    path = "/v1/acts",
    tag = "acts",
    request_body = SignedRequest,
    responses((status = 202, description = "Taken", body = Receipt)),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: UnreadBody,
) -> Accepted<Receipt> {
    let work = move |api: &Api, access: Access| {
        let signed = body.signed()?;
        let (act, _) = signed.open::<Act>().map_err(Refusal::from)?;

        match act.scope {
            Scope::Tenant(tenant) => within_reach(access, tenant)?,
            Scope::Platform if access.tenant.is_none() => {}
            Scope::Platform => return Err(Code::NotFound.into()),
        }

        offer(api, &signed)
    };
    Caller::new(api, headers).run(work).await
}

/// Takes a signed act and sends it on its way to the journal.
pub(super) fn offer(api: &Api, signed: &Signed) -> Accepted<Receipt> {
    // The act is stored first: what is published must be what a committed row would publish again.
    let taken = submit::act(&api.intake, signed)?;
    api.publish(taken.record)?;

    let receipt = Receipt {
        digest: taken.digest.into(),
        state: ReceiptState::Submitted,
    };
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}

/// By this API's replica: `proposed`, `released`, `in_force`, `void` or `ended`; `refused` with the
/// journal's reason, else `submitted`. `?wait_ms=` waits until it is
/// neither `submitted` nor `released`.
#[utoipa::path(
    get,
    operation_id = "get_act",
    path = "/v1/acts/{digest}",
    tag = "acts",
    params(("digest" = String, Path, description = "Digest of the act"), WaitQuery),
    responses((status = 200, description = "The act", body = ActInfo)),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(wait): Query<WaitQuery>,
) -> Answer<ActInfo> {
    let name: Digest = id.parse().map_err(|e| Problem::new(Code::Malformed, e))?;
    let caller = Caller::new(Arc::clone(&api), headers);

    let ended = until(&api.changes, Wait::for_journal(wait.wait_ms), || {
        let look = caller.run(move |api, access| load(api, access, name));
        async { Ok(Some(look.await?).filter(is_settled)) }
    });
    match ended.await? {
        Some(act) => Ok(Json(act)),
        None => caller
            .run(move |api, access| load(api, access, name))
            .await
            .map(Json),
    }
}

/// Whether nothing more happens by itself: a proposal waits for people, and that may take days.
fn is_settled(act: &ActInfo) -> bool {
    match act.state {
        ActState::Submitted | ActState::Released => false,
        ActState::Proposed
        | ActState::InForce
        | ActState::Void
        | ActState::Ended
        | ActState::Refused => true,
    }
}

const fn act_state(standing: ActStanding) -> ActState {
    match standing {
        ActStanding::InForce => ActState::InForce,
        ActStanding::Proposed => ActState::Proposed,
        ActStanding::Released => ActState::Released,
        ActStanding::Void => ActState::Void,
        ActStanding::Ended => ActState::Ended,
    }
}

fn load(api: &Api, access: Access, name: Digest) -> Result<ActInfo, Problem> {
    let mut tx = api.db().begin()?;
    let row = store::act(tx.as_mut(), &name)?.ok_or(Code::NotFound)?;
    // The transaction ends here. Every transaction is a write transaction: one that is open while
    // the replica is read would hold up the stage.
    drop(tx);

    let act = Act::parse(&row.signed.text).map_err(|e| Problem::new(Code::Internal, e))?;
    let tenant = match act.scope {
        Scope::Tenant(tenant) => Some(tenant),
        Scope::Platform => None,
    };

    // Another tenant's act is answered as if there were none: a refusal would show which acts
    // others have offered.
    if access.tenant.is_some() && access.tenant != tenant {
        return Err(Code::NotFound.into());
    }

    // The journal is the truth; the writer's answer is a hint, and the only word on a refusal.
    let used = ks::used_act(act.scope, &name);
    let standing = api
        .journal()
        .read(|f| f.state().record::<ActStanding>(&used));
    let state = match (standing?, row.done && !row.code.is_empty()) {
        (Some(standing), _) => act_state(standing),
        (None, true) => ActState::Refused,
        (None, false) => ActState::Submitted,
    };

    let reason = (state == ActState::Refused).then(|| show::reason(&row.code, &row.detail));
    Ok(ActInfo {
        digest: name.into(),
        reason: reason.flatten(),
        state,
    })
}
