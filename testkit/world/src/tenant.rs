//! A tenant with its people.

use crate::options::{PolicyOptions, WorldOptions};
use crate::parties::{Person, Who};
use crate::policies;
use crate::seed::Seed;
use crate::world::{FRIEND, chain};
use strongroom_policy::Policy;
use strongroom_types::charter::Board;
use strongroom_types::{
    AllowListEntry, AllowListId, Charter, Document as _, Group, GroupId, KeyId, TenantId, User,
    Vault, VaultId,
};

/// Members of the risk group.
const RISK_MEMBERS: usize = 2;

/// A tenant: ids and people; what it starts with is [`Tenant::charter`].
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its first key.
    pub key: KeyId,
    /// Its first vault, account 0 of that key.
    pub vault: VaultId,
    /// Group that approves.
    pub approvers: GroupId,
    /// Group that approves first where the policy is ordered.
    pub risk: GroupId,
    /// Id of the allow-list entry of [`FRIEND`].
    pub friend: AllowListId,
    seed: Seed,
    options: WorldOptions,
}

impl Tenant {
    pub(crate) fn new(seed: Seed, options: &WorldOptions) -> Self {
        Self {
            id: TenantId(seed.id("tenant", 0)),
            key: KeyId(seed.id("key", 0)),
            vault: VaultId(seed.id("vault", 0)),
            approvers: GroupId(seed.id("approvers", 0)),
            risk: GroupId(seed.id("risk", 0)),
            friend: AllowListId(seed.id("friend", 0)),
            seed,
            options: options.clone(),
        }
    }

    /// A person of this tenant.
    #[must_use]
    pub fn person(&self, who: Who) -> Person {
        Person::new(&self.seed, who)
    }

    /// Every person whose credential the charter registers.
    #[must_use]
    pub fn all_people(&self) -> Vec<Who> {
        let admins = (0..self.options.admins.0).map(Who::Admin);
        let committee = (0..self.options.committee.0).map(Who::Committee);
        let approvers =
            (0..self.options.approvers).flat_map(|n| [Who::Approver(n), Who::ApproverProgram(n)]);
        let risk = (0..RISK_MEMBERS).map(Who::Risk);
        let others = [Who::Initiator, Who::InitiatorKey, Who::Clerk];
        admins
            .chain(committee)
            .chain(approvers)
            .chain(risk)
            .chain(others)
            .collect()
    }

    /// All admins, the whole board.
    #[must_use]
    pub fn all_admins(&self) -> Vec<Who> {
        (0..self.options.admins.0).map(Who::Admin).collect()
    }

    /// As many admins as their quorum.
    #[must_use]
    pub fn admin_quorum(&self) -> Vec<Who> {
        (0..self.options.admins.1 as usize)
            .map(Who::Admin)
            .collect()
    }

    /// As many members of the committee as its quorum.
    #[must_use]
    pub fn committee_quorum(&self) -> Vec<Who> {
        (0..self.options.committee.1 as usize)
            .map(Who::Committee)
            .collect()
    }

    /// The policy in a variant.
    #[must_use]
    pub fn policy(&self, options: &PolicyOptions) -> Policy {
        policies::policy(options, self.approvers, self.risk)
    }

    /// Charter that the tenant starts with.
    #[must_use]
    pub fn charter(&self) -> Charter {
        let people: Vec<Person> = self
            .all_people()
            .into_iter()
            .map(|who| self.person(who))
            .collect();
        let mut users: Vec<User> = people.iter().map(|person| person.user.clone()).collect();
        users.sort_by_key(|user| user.id);
        users.dedup();
        let entry = AllowListEntry {
            id: self.friend,
            chain: chain(),
            address: FRIEND.to_owned(),
            label: "friend".parse().unwrap(),
        };
        let approvers = (0..self.options.approvers)
            .map(Who::Approver)
            .collect::<Vec<_>>();
        let risk = (0..RISK_MEMBERS).map(Who::Risk).collect::<Vec<_>>();
        let mut charter = Charter {
            name: "Example Bank".parse().unwrap(),
            admins: self.board(&self.all_admins(), self.options.admins.1),
            committee: self.board(
                &(0..self.options.committee.0)
                    .map(Who::Committee)
                    .collect::<Vec<_>>(),
                self.options.committee.1,
            ),
            users,
            credentials: people.into_iter().map(|person| person.credential).collect(),
            groups: vec![
                self.group("approvers", self.approvers, &approvers),
                self.group("risk", self.risk, &risk),
            ],
            allow_list: if self.options.allow_list {
                vec![entry]
            } else {
                vec![]
            },
            policy: self.policy(&self.options.policy).to_text(),
            loosen_delay_ms: self
                .options
                .loosen_delay_ms
                .unwrap_or(self.options.delay_ms),
            ceremony_delay_ms: self.options.delay_ms,
        };
        (self.options.charter)(&mut charter, self);
        charter
    }

    /// The first vault.
    #[must_use]
    pub fn first_vault(&self) -> Vault {
        Vault {
            id: self.vault,
            name: "main".parse().unwrap(),
            key: self.key,
            account: 0,
            tags: vec![],
        }
    }

    /// A second one, account 1 of the same key.
    #[must_use]
    pub fn second_vault(&self) -> Vault {
        Vault {
            id: VaultId(self.seed.id("vault", 1)),
            name: "second".parse().unwrap(),
            account: 1,
            ..self.first_vault()
        }
    }

    /// A board of these people.
    #[must_use]
    pub fn board(&self, members: &[Who], quorum: u32) -> Board {
        let mut members: Vec<_> = members
            .iter()
            .map(|who| self.person(*who).user.id)
            .collect();
        members.sort_unstable();
        Board { members, quorum }
    }

    /// A group of these people.
    #[must_use]
    pub fn group(&self, name: &str, id: GroupId, members: &[Who]) -> Group {
        let mut members: Vec<_> = members
            .iter()
            .map(|who| self.person(*who).user.id)
            .collect();
        members.sort_unstable();
        Group {
            id,
            name: name.parse().unwrap(),
            members,
        }
    }
}
