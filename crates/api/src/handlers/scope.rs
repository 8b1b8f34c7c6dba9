//! Whose things a caller may see.

use crate::access::Access;
use crate::problem::Problem;
use strongroom_types::{Code, TenantId};

/// Another tenant's things do not exist for a tenant's key: a refusal must not tell that they do.
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
    let tenant = named
        .or(access.tenant)
        .ok_or_else(|| Problem::new(Code::Malformed, "?tenant= is needed"))?;
    within_reach(access, tenant)?;
    Ok(tenant)
}
