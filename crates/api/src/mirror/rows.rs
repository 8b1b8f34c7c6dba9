//! Rows of the mirror.

use strongroom_journal::{Body, Entry, SealedEntry};
use strongroom_ports::bus::Position;
use strongroom_ports::db::{Arg, Bulk, DbError, DbErrorKind, Row, Tx};
use strongroom_tlog::{Hash, MemoryTree};
use strongroom_types::{
    Act, ActBody, Document as _, KeyId, NodeId, RegistryRecord, Scope, TenantId, VaultId,
};
use strongroom_wire::encode;

/// Leaves read at once when the tree is rebuilt.
const LEAVES_PAGE: u32 = 10_000;

/// One entry of the journal, as a row.
pub(crate) struct MirrorEntry {
    pub(crate) seq: u64,
    /// Tenant of the entry; none: the platform's, shown to all.
    pub(crate) tenant: Option<TenantId>,
    /// Borsh of the public part.
    pub(crate) leaf: Vec<u8>,
    /// Borsh of the sealed entry.
    pub(crate) sealed: Vec<u8>,
}

fn mirror_entry(row: &Row) -> Result<MirrorEntry, DbError> {
    let tenant = row.blob_opt(1)?.map(<[u8; 16]>::try_from).transpose();
    let tenant = tenant.map_err(|_| DbError::new(DbErrorKind::Type, "mirror_entry.tenant"))?;
    Ok(MirrorEntry {
        seq: row.u64(0)?,
        tenant: tenant.map(TenantId),
        leaf: row.blob(2)?.to_vec(),
        sealed: row.blob(3)?.to_vec(),
    })
}

/// Something that an entry made: a tenant, a vault or a key, by the tables' numbers (`schema`).
pub(super) struct MirrorFact {
    kind: i64,
    id: Vec<u8>,
}

impl MirrorFact {
    pub(super) fn tenant(tenant: TenantId) -> Self {
        Self {
            kind: 1,
            id: tenant.0.to_vec(),
        }
    }

    pub(super) fn vault(tenant: TenantId, vault: VaultId) -> Self {
        // Ids of vaults and keys are chosen by the people who sign their acts, so two tenants may
        // use the same one: the tenant is part of the name.
        Self {
            kind: 2,
            id: [tenant.0, vault.0].concat(),
        }
    }

    pub(super) fn key(tenant: TenantId, key: KeyId) -> Self {
        Self {
            kind: 3,
            id: [tenant.0, key.0].concat(),
        }
    }
}

/// Tenant of an entry, and the fact that it made. A charter has the platform's scope, but lists the
/// tenant's people: only that tenant may read it.
fn tenant_and_fact(entry: &Entry) -> (Option<TenantId>, Option<MirrorFact>) {
    let scope = match entry.scope {
        Scope::Platform => None,
        Scope::Tenant(tenant) => Some(tenant),
    };
    match (&entry.body, scope) {
        (Body::Act(signed), _) => match (Act::parse(&signed.text).map(|act| act.body), scope) {
            (Ok(ActBody::CreateTenant { tenant, .. }), _) => {
                (Some(tenant), Some(MirrorFact::tenant(tenant)))
            }
            (Ok(ActBody::Put(RegistryRecord::Vault(vault))), Some(tenant)) => {
                (scope, Some(MirrorFact::vault(tenant, vault.id)))
            }
            _ => (scope, None),
        },
        (Body::Finished(finished), Some(tenant)) => {
            (scope, Some(MirrorFact::key(tenant, finished.key)))
        }
        _ => (scope, None),
    }
}

/// Adds an entry; gives its leaf hash.
pub(super) fn insert_entry(
    tx: &mut dyn Tx,
    sealed: &SealedEntry,
    entry: &Entry,
) -> Result<Hash, DbError> {
    let (tenant, fact) = tenant_and_fact(entry);
    // Leaf and hash are stored beside the entry: a tree over all entries is made at start, and must
    // not need all of them opened.
    let (leaf, hash, bytes) = (
        encode(&sealed.leaf(entry)),
        sealed.leaf_hash(entry),
        encode(sealed),
    );
    let args = [
        Arg::u64(entry.seq)?,
        Arg::Blob(tenant.as_ref().map(|tenant| tenant.0.as_slice())),
        Arg::from(&leaf),
        Arg::from(&hash.0),
        Arg::from(&bytes),
    ];
    let sql =
        "INSERT INTO mirror_entry (seq, tenant, leaf, hash, sealed) VALUES ($1, $2, $3, $4, $5)";

    tx.execute(sql, &args)?;

    if let Some(fact) = fact {
        // The last row counts: a vault whose act was void is made again under the same id.
        let sql = "INSERT INTO mirror_fact (kind, id, seq) VALUES ($1, $2, $3)
                   ON CONFLICT (kind, id) DO UPDATE SET seq = excluded.seq";
        tx.execute(
            sql,
            &[
                Arg::from(fact.kind),
                Arg::from(&fact.id),
                Arg::u64(entry.seq)?,
            ],
        )?;
    }
    Ok(hash)
}

pub(super) fn fact(tx: &mut dyn Tx, fact: &MirrorFact) -> Result<Option<u64>, DbError> {
    let sql = "SELECT seq FROM mirror_fact WHERE kind = $1 AND id = $2";
    tx.query_opt(sql, &[Arg::from(fact.kind), Arg::from(&fact.id)])?
        .map(|row| row.u64(0))
        .transpose()
}

pub(super) fn entries(tx: &mut dyn Tx, from: u64, limit: u32) -> Result<Vec<MirrorEntry>, DbError> {
    let sql =
        "SELECT seq, tenant, leaf, sealed FROM mirror_entry WHERE seq >= $1 ORDER BY seq LIMIT $2";
    tx.query(sql, &[Arg::u64(from)?, Arg::from(limit)])?
        .iter()
        .map(mirror_entry)
        .collect()
}

/// The whole tree, from the stored leaf hashes.
pub(super) fn tree(tx: &mut dyn Tx) -> Result<MemoryTree, DbError> {
    let mut tree = MemoryTree::new();
    loop {
        let sql = "SELECT seq, hash FROM mirror_entry WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let rows = tx.query(sql, &[Arg::u64(tree.size())?, Arg::from(LEAVES_PAGE)])?;

        if rows.is_empty() {
            return Ok(tree);
        }
        for row in rows {
            if row.u64(0)? != tree.size() {
                return Err(DbError::new(DbErrorKind::Corrupt, "mirror_entry has a gap"));
            }
            tree.append(Hash(row.array(1)?));
        }
    }
}

/// Keeps a checkpoint of the log. One that is known already stays: after a new start of the topic
/// the same notes come again.
pub(super) fn put_note(tx: &mut dyn Tx, size: u64, body: &str, note: &str) -> Result<(), DbError> {
    let sql =
        "INSERT INTO mirror_note (size, body, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[Arg::u64(size)?, Arg::from(body), Arg::from(note)])
        .map(drop)
}

/// Keeps a verified cosignature; a later one of the same witness over the same size takes its
/// place.
pub(super) fn put_cosignature(
    tx: &mut dyn Tx,
    size: u64,
    node: NodeId,
    body: &str,
    line: &str,
) -> Result<(), DbError> {
    let sql = "INSERT INTO mirror_cosignature (size, node, body, line) VALUES ($1, $2, $3, $4)
               ON CONFLICT (size, node) DO UPDATE SET body = excluded.body, line = excluded.line";
    tx.execute(
        sql,
        &[
            Arg::u64(size)?,
            Arg::from(&node.0),
            Arg::from(body),
            Arg::from(line),
        ],
    )
    .map(drop)
}

/// A checkpoint that a quorum cosigned, with its size in entries and its cosignature lines.
pub(super) struct Best {
    pub(super) size: u64,
    pub(super) note: String,
    pub(super) lines: Vec<String>,
}

/// The largest checkpoint that a quorum of witnesses cosigned.
pub(super) fn best(tx: &mut dyn Tx, quorum: u32) -> Result<Option<Best>, DbError> {
    let sql =
        "SELECT n.size FROM mirror_note n JOIN mirror_cosignature c ON c.size = n.size AND c.body = n.body
               GROUP BY n.size HAVING COUNT(*) >= $1 ORDER BY n.size DESC LIMIT 1";

    let Some(row) = tx.query_opt(sql, &[Arg::from(quorum)])? else {
        return Ok(None);
    };

    let size = row.u64(0)?;

    // Cosignatures are taken by body, not by size alone: those over another tree of this size must
    // not be shown as witnesses of this one.
    let sql = "SELECT n.note, c.line FROM mirror_note n JOIN mirror_cosignature c
               ON c.size = n.size AND c.body = n.body WHERE n.size = $1 ORDER BY c.node";
    let rows = tx.query(sql, &[Arg::u64(size)?])?;

    let note = rows
        .first()
        .map(|row| row.text(0).map(ToOwned::to_owned))
        .transpose()?
        .unwrap_or_default();
    let lines = rows
        .iter()
        .map(|row| row.text(1).map(ToOwned::to_owned))
        .collect::<Result<_, _>>()?;

    Ok(Some(Best { size, note, lines }))
}

/// Forgets checkpoints and cosignatures below a size.
pub(super) fn prune(tx: &mut dyn Tx, below: u64) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM mirror_note WHERE size < $1",
        &[Arg::u64(below)?],
    )?;
    tx.execute(
        "DELETE FROM mirror_cosignature WHERE size < $1",
        &[Arg::u64(below)?],
    )
    .map(drop)
}

pub(super) fn position(tx: &mut dyn Tx, topic: &str) -> Result<Option<Position>, DbError> {
    let sql = "SELECT incarnation, next FROM mirror_position WHERE topic = $1";
    let row = tx.query_opt(sql, &[Arg::from(topic)])?;
    row.map(|row| {
        Ok(Position {
            incarnation: row.array(0)?,
            next: row.u64(1)?,
        })
    })
    .transpose()
}

pub(super) fn put_positions<'a>(
    tx: &mut dyn Tx,
    positions: impl Iterator<Item = (&'a str, Position)>,
) -> Result<(), DbError> {
    let all: Vec<(&str, Position)> = positions.collect();
    let mut args = Vec::with_capacity(all.len() * 3);
    for (topic, position) in &all {
        args.extend([
            Arg::from(*topic),
            Arg::from(&position.incarnation),
            Arg::u64(position.next)?,
        ]);
    }
    tx.bulk(&PUT_POSITIONS, &args).map(drop)
}

const PUT_POSITIONS: Bulk = Bulk {
    prefix: "INSERT INTO mirror_position (topic, incarnation, next) VALUES",
    columns: 3,
    suffix: "ON CONFLICT (topic) DO UPDATE SET incarnation = excluded.incarnation, next = excluded.next",
};
