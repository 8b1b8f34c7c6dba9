//! Velocity windows: sums of authorized intents at worst-case spend, freed by age only.
//!
//! Sums are kept in buckets of a minute, an hour and a day. A window counts every bucket that
//! reaches into it, so an amount may leave up to a minute late, never early.

use super::change::Change;
use crate::keyspace as ks;
use crate::model::{Bucket, IntentRecord, NEVER};
use crate::state::{Lookup as _, View};
use std::cell::Cell;
use std::ops::BitOr;
use strongroom_policy::{Listed, PolicyView, Spent, WindowScope};
use strongroom_types::{
    AssetId, ChainId, Code, CredentialId, GroupId, MinorUnits, Refusal, TenantId, UnixMs, UserId,
    Vault, VaultId,
};

const MINUTE_MS: u64 = 60_000;

/// Kind of bucket, by its length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Level {
    /// Its byte in a bucket's key.
    tag: u8,
    /// Minutes that one bucket covers.
    minutes: u64,
}

impl Level {
    const MINUTE: Self = Self { tag: 0, minutes: 1 };
    const HOUR: Self = Self {
        tag: 1,
        minutes: 60,
    };
    const DAY: Self = Self {
        tag: 2,
        minutes: 1440,
    };
    /// All levels, shortest first.
    const ALL: [Self; 3] = [Self::MINUTE, Self::HOUR, Self::DAY];

    /// The span of this level that a time is in.
    const fn span_at(self, time: UnixMs) -> Span {
        Span {
            level: self,
            number: time.0 / (MINUTE_MS * self.minutes),
        }
    }
}

/// Time that one bucket covers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span {
    level: Level,
    /// Its begin in Unix time, counted in lengths of the level.
    number: u64,
}

impl Span {
    const fn end(self) -> UnixMs {
        UnixMs((self.number + 1).saturating_mul(MINUTE_MS * self.level.minutes))
    }
}

/// Scope of a bucket: kind ‖ id.
type Scope = [u8; 17];

fn scope_of(kind: u8, id: [u8; 16]) -> Scope {
    let mut bytes = [kind; 17];
    bytes
        .iter_mut()
        .skip(1)
        .zip(id)
        .for_each(|(to, from)| *to = from);
    bytes
}

fn scope_bytes(scope: WindowScope) -> Scope {
    match scope {
        WindowScope::Vault(id) => scope_of(0, id.0),
        WindowScope::Tenant => scope_of(1, [0; 16]),
        WindowScope::Initiator(id) => scope_of(2, id.0),
    }
}

/// Scope of what leaves a vault, counted where it can leave and not where it was asked.
fn leaving(vault: VaultId) -> Scope {
    scope_of(3, vault.0)
}

/// The windows that an intent's spend is counted in, each at its time.
fn places(record: &IntentRecord) -> impl Iterator<Item = (Scope, UnixMs)> {
    let asked = [
        WindowScope::Vault(record.vault),
        WindowScope::Tenant,
        WindowScope::Initiator(record.initiator_user),
    ];
    let at = record.spend.at;
    let asked = asked.map(|scope| (scope_bytes(scope), at));

    // Until its lock begins no one knows when it can leave.
    let leaves_at = at.max(record.locked_until);
    let leaves = (leaves_at != NEVER).then(|| (leaving(record.vault), leaves_at));
    asked.into_iter().chain(leaves)
}

/// Counts an intent's spend in every window it belongs to.
pub(super) fn add(
    change: &mut Change<'_>,
    tenant: TenantId,
    record: &IntentRecord,
) -> Result<(), Refusal> {
    edit_buckets(change, tenant, record, |bucket, amount| {
        // An overflow must refuse: a sum that wrapped would free the whole limit.
        bucket.amount = bucket
            .amount
            .checked_add(amount)
            .ok_or(Code::LimitExceeded)?;
        bucket.count += 1;
        Ok(())
    })
}

/// Counts an intent's spend where its record is now, and no longer where it was before.
pub(super) fn recount(
    change: &mut Change<'_>,
    tenant: TenantId,
    before: &IntentRecord,
    record: &IntentRecord,
) -> Result<(), Refusal> {
    edit_buckets(change, tenant, before, |bucket, amount| {
        bucket.amount = bucket.amount.checked_sub(amount).unwrap_or_default();
        bucket.count = bucket.count.saturating_sub(1);
        Ok(())
    })?;
    add(change, tenant, record)
}

fn edit_buckets(
    change: &mut Change<'_>,
    tenant: TenantId,
    record: &IntentRecord,
    edit: impl Fn(&mut Bucket, MinorUnits) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let retention_ms = change.state().genesis().bounds.retention_ms;
    for (scope, at) in places(record) {
        for (asset, amount) in &record.spend.amounts {
            for level in Level::ALL {
                let span = level.span_at(at);
                let key = ks::bucket(tenant, &scope, asset, level.tag, span.number);
                let known: Option<Bucket> = change.record(&key)?;
                let mut bucket = known.unwrap_or_default();
                edit(&mut bucket, *amount)?;

                // A bucket's marker comes and goes with it.
                if known.is_none() {
                    change.expire(tenant, span.end().plus(retention_ms), &key);
                }
                change.put(key, &bucket);
            }
        }
    }
    Ok(())
}

/// One tenant's state as the policy sees it.
pub struct TenantView<'a> {
    view: &'a dyn View,
    tenant: TenantId,
    /// An authorized intent whose own spend is left out of its windows.
    own: Option<&'a IntentRecord>,
    /// Removals that count as not made.
    undone: Removals,
    /// Removals that were asked about.
    met: Cell<Removals>,
}

/// Removals that admins made and the committee has not confirmed, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Removals {
    people: bool,
    addresses: bool,
}

impl Removals {
    /// People taken out of groups.
    pub(crate) const PEOPLE: Self = Self {
        people: true,
        addresses: false,
    };
    /// Addresses taken off the list.
    pub(crate) const ADDRESSES: Self = Self {
        people: false,
        addresses: true,
    };
    /// Both kinds of removals.
    pub(crate) const ALL: Self = Self {
        people: true,
        addresses: true,
    };

    /// Whether any kind is among them.
    pub(crate) const fn any(self) -> bool {
        self.people || self.addresses
    }
}

impl BitOr for Removals {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            people: self.people || other.people,
            addresses: self.addresses || other.addresses,
        }
    }
}

impl<'a> TenantView<'a> {
    /// A tenant's part of a view.
    #[must_use]
    pub fn new(view: &'a dyn View, tenant: TenantId) -> Self {
        Self::without(view, tenant, None)
    }

    /// As [`Self::new`], with this intent's own spend left out of every window.
    #[must_use]
    pub(crate) fn without(
        view: &'a dyn View,
        tenant: TenantId,
        own: Option<&'a IntentRecord>,
    ) -> Self {
        Self {
            view,
            tenant,
            own,
            undone: Removals::default(),
            met: Cell::default(),
        }
    }

    /// The same, as if admins had not made these removals without the committee.
    pub(crate) fn without_removals(&self, undone: Removals) -> Self {
        Self {
            undone,
            ..Self::without(self.view, self.tenant, self.own)
        }
    }

    /// Removals on which an answer of this view may rest.
    pub(crate) fn met(&self) -> Removals {
        self.met.get()
    }

    /// Notes that a removed record of this kind was asked about; says whether it counts.
    fn on_removed(&self, kind: Removals) -> bool {
        self.met.set(self.met.get() | kind);
        (self.undone | kind) == self.undone
    }

    fn bucket(&self, scope: &Scope, asset: &AssetId, span: Span) -> Option<Bucket> {
        let key = ks::bucket(self.tenant, scope, asset, span.level.tag, span.number);
        let mut bucket: Bucket = self.view.record(&key).ok()?.unwrap_or_default();

        // This intent's own spend is left out as `take` does it, without a change of what is
        // stored.
        if let Some(amount) = self.own_in(scope, asset, span) {
            bucket.amount = bucket.amount.checked_sub(amount).unwrap_or_default();
            bucket.count = bucket.count.saturating_sub(1);
        }
        Some(bucket)
    }

    /// This intent's spend in one bucket.
    fn own_in(&self, scope: &Scope, asset: &AssetId, span: Span) -> Option<MinorUnits> {
        let own = self.own?;
        let is_counted = places(own).any(|(of, at)| of == *scope && span.level.span_at(at) == span);
        let mut amounts = own.spend.amounts.iter().filter(|_| is_counted);
        amounts
            .find(|(of, _)| of == asset)
            .map(|(_, amount)| *amount)
    }

    /// Sum of what could leave a vault in a window that ends at a time: a locked payment counts
    /// where its lock ends. `None` on overflow.
    #[must_use]
    pub fn left(
        &self,
        vault: VaultId,
        asset: &AssetId,
        window_ms: u64,
        at: UnixMs,
    ) -> Option<Spent> {
        self.sum(&leaving(vault), asset, window_ms, at)
    }

    /// Sum and count of one scope in the window of `window_ms` that ends at a time.
    fn sum(&self, scope: &Scope, asset: &AssetId, window_ms: u64, at: UnixMs) -> Option<Spent> {
        // The sum begins with the minute in which the window begins, rounded towards more: an
        // amount may leave a minute late, never early.
        let mut minute = at.0.saturating_sub(window_ms) / MINUTE_MS;
        let last = at.0 / MINUTE_MS;

        // Each step takes the largest bucket that starts here and does not reach beyond the end: a
        // month is about a hundred reads instead of 44,640.
        let mut sum = Spent::default();
        while minute <= last {
            let fits = |level: &Level| {
                minute.is_multiple_of(level.minutes) && minute + level.minutes <= last + 1
            };
            let mut longest_first = Level::ALL.into_iter().rev();
            let level = longest_first.find(fits).unwrap_or(Level::MINUTE);
            let span = Span {
                level,
                number: minute / level.minutes,
            };
            let bucket = self.bucket(scope, asset, span)?;
            sum.amount = sum.amount.checked_add(bucket.amount)?;
            sum.count = sum.count.checked_add(bucket.count)?;
            minute += level.minutes;
        }
        Some(sum)
    }
}

impl PolicyView for TenantView<'_> {
    fn vault(&self, id: VaultId) -> Option<Vault> {
        self.view
            .vault(self.tenant, id)
            .ok()
            .map(|record| record.vault)
    }

    fn can_receive(&self, id: VaultId) -> bool {
        let key = self
            .view
            .vault(self.tenant, id)
            .and_then(|record| self.view.threshold_key(self.tenant, record.vault.key));
        key.is_ok_and(|key| key.public.is_some() && !key.revoked)
    }

    fn user_of(&self, credential: CredentialId) -> Option<UserId> {
        self.view
            .credential(self.tenant, credential)
            .ok()
            .and_then(|record| record.credential.user)
    }

    fn in_group(&self, group: GroupId, user: UserId) -> bool {
        let Ok(Some(known)) = self.view.group(self.tenant, group) else {
            return false;
        };
        known.group.members.contains(&user)
            || (known.left.contains(&user) && self.on_removed(Removals::PEOPLE))
    }

    fn allow_list(&self, chain: &ChainId, address: &str) -> Option<Listed> {
        let listed = self.view.listed(self.tenant, chain, address).ok()??;
        if listed.removed && !self.on_removed(Removals::ADDRESSES) {
            return None;
        }

        // A charter's entries are as old as the tenant, and have no age before that is witnessed.
        let created = || self.view.tenant(self.tenant).ok()?.witnessed_at;
        Some(Listed {
            id: listed.entry.id,
            label: listed.entry.label,
            since: listed.since.or_else(created).unwrap_or(NEVER),
        })
    }

    fn spent(
        &self,
        scope: WindowScope,
        asset: &AssetId,
        window_ms: u64,
        at: UnixMs,
    ) -> Option<Spent> {
        self.sum(&scope_bytes(scope), asset, window_ms, at)
    }
}
