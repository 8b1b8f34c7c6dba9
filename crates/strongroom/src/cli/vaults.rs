//! `tenant`, `vault`, `address`.

use super::context::{Context, codec};
use super::fail::usage;
use super::show;
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use strongroom_client::Client;
use strongroom_client::api::{Page, VaultInfo};
use strongroom_ports::chain::OwnPath;
use strongroom_types::{TenantId, UnixMs, VaultId};

/// Subcommands of `strongroom tenant`.
#[derive(Subcommand, Debug)]
pub enum TenantCommand {
    /// Show a tenant: scope version (what its next act must name), keys, policy.
    Show {
        /// The tenant (`tnt_…`); without it the one of the API key's vaults.
        tenant: Option<TenantId>,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Subcommands of `strongroom vault`.
#[derive(Subcommand, Debug)]
pub enum VaultCommand {
    /// List the vaults of a tenant.
    List {
        /// The tenant (`tnt_…`); without it the API key's own.
        #[arg(long)]
        tenant: Option<TenantId>,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A vault's address.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Address {
    /// The vault (`vlt_…`).
    vault: VaultId,
    /// Its tenant (`tnt_…`), as you know it; without it the profile's.
    #[arg(long)]
    tenant: Option<TenantId>,
    /// 0 receive, 1 change: BIP-44 has no other, and no other is watched.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1))]
    branch: u32,
    /// Address index, 0 to 49: no other is watched.
    #[arg(long, default_value_t = 0)]
    index: u32,
    /// The network, when the installation has several.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

fn vaults(client: &Client, tenant: Option<TenantId>) -> anyhow::Result<Page<VaultInfo>> {
    Ok(tenant.map_or_else(|| client.own_vaults(), |tenant| client.vaults(tenant))?)
}

/// Shows a tenant.
pub fn tenant(
    context: &Context,
    command: &TenantCommand,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let TenantCommand::Show { tenant, json } = command;
    let client = context.client()?;
    let tenant = match tenant {
        Some(tenant) => *tenant,
        None => own_tenant(&client)?,
    };
    let shown = client.tenant(tenant)?;
    if *json {
        return show::json(out, &shown);
    }

    let stopped = if shown.stopped { " STOPPED" } else { "" };
    writeln!(out, "{tenant} {}{stopped}", shown.name)?;
    let version = shown.version;
    writeln!(out, "scope version {version} (the next act must name it)")?;
    writeln!(out, "policy {}", shown.policy.digest)?;

    for key in &shown.keys {
        let (t, n) = (key.min_signers, key.roster.len());
        let (id, suite, state) = (key.id, key.suite, key.state.as_str());
        writeln!(out, "key {id} {suite} {t}-of-{n} {state}")?;
    }
    Ok(())
}

fn own_tenant(client: &Client) -> anyhow::Result<TenantId> {
    // The API key reaches one tenant, which only its vaults name.
    let vaults = client.own_vaults()?.data;
    let first = vaults.first().ok_or_else(|| {
        usage("which tenant? name it (tnt_…): the API key's tenant has no vault yet")
    })?;
    Ok(first.tenant.0)
}

/// Lists the vaults of a tenant, or of the API key's own.
pub fn list(context: &Context, command: &VaultCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    let VaultCommand::List { tenant, json } = command;
    let shown = vaults(&context.client()?, *tenant)?;
    if *json {
        return show::json(out, &shown);
    }
    for row in &shown.data {
        let VaultInfo {
            id,
            name,
            key,
            account,
            ..
        } = row;
        writeln!(out, "{id}  {name}  account {account} of {key}")?;
    }
    Ok(())
}

/// Derives an address, proves its vault, and prints both.
pub fn address(context: &Context, command: &Address, out: &mut dyn Write) -> anyhow::Result<()> {
    let Address {
        vault,
        tenant,
        branch,
        index,
        network,
        json,
    } = command;
    let of = context.vault(*tenant, *vault)?;
    let (client, genesis) = (context.client()?, context.genesis()?);
    let codec = codec(&genesis, network.as_deref())?;

    // The address is derived here, and the vault proved by a witnessed entry: an API that gave out
    // an address of its own would receive the deposits.
    let path = OwnPath {
        change: *branch,
        index: *index,
    };
    let proved = client.proved_address(&genesis, codec.as_ref(), of, path)?;
    let registered = &proved.registered;
    if *json {
        return show::json(
            out,
            &json!({
                "address": proved.address, "vault": vault.to_string(), "branch": branch, "index": index,
                "tenant": registered.tenant.to_string(), "registered_at_ms": registered.registered_at.0,
                "entry": registered.seq, "witnessed_at_s": registered.witnessed_at_s, "proved": true,
            }),
        );
    }

    writeln!(out, "{}", proved.address)?;
    writeln!(
        out,
        "  derived here for vault \"{}\" of {}",
        registered.vault.name, registered.tenant_name
    )?;

    let (at, witnessed) = (
        show::time(registered.registered_at),
        show::time(UnixMs(registered.witnessed_at_s.saturating_mul(1000))),
    );
    writeln!(
        out,
        "  registered at {at} by entry {}, witnessed since {witnessed}",
        registered.seq
    )?;
    Ok(writeln!(
        out,
        "  proved against the pinned genesis: tenant, vault admins and all signers of the key"
    )?)
}
