//! Options of a connection, and the small pool of connections.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};
use strongroom_ports::db::{DbError, DbErrorKind};
use tokio::runtime::Runtime;

use crate::error::map;

/// Address of the database, and the service's schema in it.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user@host/database?sslmode=verify-full&sslrootcert=…` or
    /// `…?host=/socket/folder`.
    pub url: String,
    /// Schema of the service: `a-z`, digits and `_`, at most 63 characters.
    pub schema: String,
    /// Largest number of connections; each open transaction holds one.
    pub connections_max: usize,
    /// Longest wait for a connection or a lock, after which the call fails as busy.
    pub lock_timeout: Duration,
}

impl PostgresOptions {
    /// Options with 8 connections and a lock timeout of 5 s.
    #[must_use]
    pub fn new(url: &str, schema: &str) -> Self {
        Self {
            url: url.to_owned(),
            schema: schema.to_owned(),
            connections_max: 8,
            lock_timeout: Duration::from_secs(5),
        }
    }

    fn parse(&self) -> Result<PgConnectOptions, DbError> {
        // The name is restricted, because it becomes part of SQL text and of `search_path`, where
        // parameters are not possible.
        let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if self.schema.is_empty() || self.schema.len() > 63 || !self.schema.bytes().all(name) {
            return Err(DbError::new(
                DbErrorKind::Other,
                "the schema's name must be a-z, 0-9 and _",
            ));
        }

        // A remote server needs a verified certificate; otherwise an attacker on the network could
        // answer in place of the database.
        let options: PgConnectOptions = self.url.parse().map_err(map)?;
        if !is_local(&options)
            && !matches!(
                options.get_ssl_mode(),
                PgSslMode::VerifyFull | PgSslMode::VerifyCa
            )
        {
            return Err(DbError::new(
                DbErrorKind::Other,
                "a remote database needs sslmode=verify-full",
            ));
        }

        Ok(options
            .application_name("strongroom")
            .options([
                ("search_path", self.schema.as_str()),
                // The setting overrides the server's default, because a commit must be durable when
                // it returns.
                ("synchronous_commit", "on"),
                ("default_transaction_isolation", "read committed"),
                (
                    "lock_timeout",
                    &format!("{}ms", self.lock_timeout.as_millis()),
                ),
                ("client_min_messages", "warning"),
            ])
            .disable_statement_logging())
    }
}

/// Whether the server is on this machine.
fn is_local(options: &PgConnectOptions) -> bool {
    options.get_socket().is_some()
        || matches!(options.get_host(), "localhost" | "127.0.0.1" | "::1")
}

/// Pool of connections. A connection is not tested before its use; a dead one is noticed at
/// `BEGIN`.
pub(crate) struct Connections {
    pub(crate) runtime: Runtime,
    connect: PgConnectOptions,
    connections_max: usize,
    wait: Duration,
    state: Mutex<PoolState>,
    freed: Condvar,
}

/// Idle connections and the number of all, which the pool's lock protects.
#[derive(Default)]
struct PoolState {
    idle: Vec<PgConnection>,
    open: usize,
}

impl Connections {
    pub(crate) fn new(options: &PostgresOptions) -> Result<Self, DbError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Ok(Self {
            runtime: runtime.map_err(|e| DbError::new(DbErrorKind::Io, "no runtime").because(e))?,
            connect: options.parse()?,
            connections_max: options.connections_max.max(1),
            wait: options.lock_timeout,
            state: Mutex::new(PoolState::default()),
            freed: Condvar::new(),
        })
    }

    /// Takes an idle connection (`false`), or opens a new one (`true`).
    pub(crate) fn take(&self) -> Result<(PgConnection, bool), DbError> {
        let full =
            |state: &mut PoolState| state.idle.is_empty() && state.open >= self.connections_max;
        let (mut state, waited) = self
            .freed
            .wait_timeout_while(self.lock(), self.wait, full)
            .unwrap_or_else(PoisonError::into_inner);

        if waited.timed_out() {
            return Err(DbError::new(
                DbErrorKind::Busy,
                "every connection is in use",
            ));
        }

        if let Some(connection) = state.idle.pop() {
            return Ok((connection, false));
        }

        // The connection is counted before it is opened, so that the limit holds while other
        // threads connect too.
        state.open += 1;
        drop(state);

        match self.runtime.block_on(self.connect.connect()) {
            Ok(connection) => Ok((connection, true)),
            Err(error) => {
                self.lost();
                Err(map(error))
            }
        }
    }

    /// Returns a connection to the pool; it must be outside of any transaction.
    pub(crate) fn give_back(&self, connection: PgConnection) {
        self.lock().idle.push(connection);
        self.freed.notify_one();
    }

    /// Removes a dropped connection from the count.
    pub(crate) fn lost(&self) {
        self.lock().open -= 1;
        self.freed.notify_one();
    }

    /// Drops every idle connection, after the server has gone away.
    pub(crate) fn forget_idle(&self) {
        let mut state = self.lock();
        state.open -= state.idle.len();

        // A connection must be dropped within the runtime that drives it.
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        let _context = self.runtime.enter();
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.forget_idle();
    }
}
