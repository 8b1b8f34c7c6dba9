//! The roles' names, in the order in which they start.

use std::fmt;
use std::str::FromStr;

/// A role that a process can run. Ordered as they start: without links no witness answers, without
/// the writer there is no head, and without a fresh head no other role works.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RoleName {
    /// Carries records to and from the sockets of signers and witnesses.
    Link,
    /// Orders and publishes the journal's entries.
    Writer,
    /// Evaluates policy early and collects approvals.
    Approvals,
    /// Runs signing sessions and ceremonies.
    Coordinator,
    /// Builds, submits, assembles and broadcasts.
    Transactions,
    /// Serves the REST interface.
    Api,
}

impl RoleName {
    /// All roles, in the order in which they start.
    pub const ALL: [Self; 6] = [
        Self::Link,
        Self::Writer,
        Self::Approvals,
        Self::Coordinator,
        Self::Transactions,
        Self::Api,
    ];

    /// Its name in configurations, folders and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Writer => "writer",
            Self::Approvals => "approvals",
            Self::Coordinator => "coordinator",
            Self::Transactions => "transactions",
            Self::Api => "api",
        }
    }

    /// Whether the role has keys and a database. A link has neither: it is trusted with nothing.
    #[must_use]
    pub const fn is_service(self) -> bool {
        // Each role is named, so that a new one does not start without keys by default.
        match self {
            Self::Link => false,
            Self::Writer | Self::Approvals | Self::Coordinator | Self::Transactions | Self::Api => {
                true
            }
        }
    }

    /// Whether the role reads the process's shared replica. The writer has its own, and a link
    /// needs none.
    pub(crate) const fn reads_replica(self) -> bool {
        match self {
            Self::Link | Self::Writer => false,
            Self::Approvals | Self::Coordinator | Self::Transactions | Self::Api => true,
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is not a role's.
#[derive(Debug, thiserror::Error)]
#[error("unknown role `{0}`; roles are link, writer, approvals, coordinator, transactions, api")]
pub struct UnknownRole(String);

impl FromStr for RoleName {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        // The name must be written exactly so: a folder and a secrets file carry it, too.
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_start_in_the_order_in_which_they_need_each_other() {
        let names = RoleName::ALL.map(RoleName::name);
        let order = "link writer approvals coordinator transactions api";
        assert_eq!(names.join(" "), order);

        // A configuration's roles start in this order, however they are written.
        assert!(RoleName::ALL.is_sorted());
    }
}
