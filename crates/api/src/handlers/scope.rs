//! The tenant that a caller may ask about.

use crate::access::Access;
use crate::problem::Problem;
use strongroom_types::{Code, TenantId};

/// Refuses another tenant's data as not found: a refusal must not show a tenant's key that it
/// exists.
pub(crate) fn within_reach(access: Access, tenant: TenantId) -> Result<(), Problem> {
    if access.reaches(tenant) {
        Ok(())
    } else {
        Err(Code::NotFound.into())
    }
}

/// The tenant asked about: the one named, else the key's own.
pub(crate) fn of_tenant(access: Access, named: Option<&str>) -> Result<TenantId, Problem> {
    let named = named
        .map(str::parse::<TenantId>)
        .transpose()
        .map_err(|e| Problem::new(Code::Malformed, e))?;

    // An operator's key has no tenant of its own: without a name there is nothing to show.
    let tenant = named.or(access.tenant).ok_or_else(|| {
        Problem::new(
            Code::Malformed,
            "name the tenant: `?tenant=` of the request, `tenant` of a profile",
        )
    })?;

    within_reach(access, tenant)?;
    Ok(tenant)
}
