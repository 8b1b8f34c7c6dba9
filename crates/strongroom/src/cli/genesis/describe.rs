//! The parts of a genesis that operators compare before they pin it.

use crate::cli::show;
use std::collections::BTreeSet;
use std::io::{self, Write};
use strongroom_journal::{Bounds, Genesis, Mode};

/// Prints a genesis.
pub fn describe(genesis: &Genesis, out: &mut dyn Write) -> anyhow::Result<()> {
    let mode = if genesis.mode == Mode::Dev {
        "development"
    } else {
        "production"
    };

    // Hash and words come first: they cover everything below, and are what operators compare by
    // another channel.
    writeln!(out, "genesis {}\n", genesis.hash())?;
    show::words(out, &genesis.hash())?;
    writeln!(
        out,
        "\nplatform {} ({mode}), made {}",
        genesis.platform,
        show::time(genesis.created)
    )?;
    writeln!(
        out,
        "log {} {}",
        genesis.origin,
        hex::encode(genesis.log_key)
    )?;

    nodes(genesis, out)?;
    admins(genesis, out)?;
    services_and_chains(genesis, out)?;
    faults(genesis, out)?;

    let weak = weaknesses(genesis);
    if weak.is_empty() {
        return Ok(writeln!(out, "nothing in this file weakens the claim")?);
    }

    writeln!(out, "\nwhat weakens the claim:")?;
    weak.iter()
        .try_for_each(|what| writeln!(out, "  - {what}"))?;
    Ok(())
}

/// Signers and independent witnesses.
fn nodes(genesis: &Genesis, out: &mut dyn Write) -> io::Result<()> {
    for seat in &genesis.signers {
        let (index, node) = (seat.index, seat.node);
        writeln!(
            out,
            "signer {index} {node}: {} at {}, keys in {}",
            seat.operator, seat.location, seat.hardware
        )?;
        writeln!(out, "  signing {}", hex::encode(seat.signing_key))?;
        writeln!(
            out,
            "  witness {}, build {}",
            hex::encode(seat.witness_key),
            seat.measurement
        )?;
    }

    for seat in &genesis.witnesses {
        writeln!(out, "independent witness {}: {}", seat.node, seat.operator)?;
        writeln!(out, "  witness {}", hex::encode(seat.witness_key))?;
    }
    Ok(())
}

/// People who decide about the platform, and their quorum.
fn admins(genesis: &Genesis, out: &mut dyn Write) -> io::Result<()> {
    for admin in &genesis.admin_credentials {
        let held = |user: &&strongroom_types::User| Some(user.id) == admin.user;
        let user = genesis.admin_users.iter().find(held);
        let name = user.map(|user| user.name.as_str()).unwrap_or_default();
        writeln!(out, "platform admin {name}: {}", admin.id)?;
        let (algorithm, key) = (admin.key.algorithm(), admin.key.to_hex());
        writeln!(out, "  {} {algorithm} {key}", admin.class)?;
    }
    writeln!(
        out,
        "platform admins' quorum: {} of {}",
        genesis.admins.quorum,
        genesis.admins.members.len()
    )
}

fn services_and_chains(genesis: &Genesis, out: &mut dyn Write) -> io::Result<()> {
    for service in &genesis.services {
        writeln!(
            out,
            "service {:?} {} {}",
            service.role,
            service.node,
            hex::encode(service.public_key)
        )?;
    }

    for chain in &genesis.chains {
        writeln!(
            out,
            "chain {} read by {}, fees in {}",
            chain.chain, chain.decoder, chain.native
        )?;
    }
    Ok(())
}

/// Number of seats that may be hostile, and of those that may be silent.
fn faults(genesis: &Genesis, out: &mut dyn Write) -> io::Result<()> {
    let (witnesses, faults) = (genesis.witness_count(), genesis.faults);
    writeln!(
        out,
        "\na head needs {} of {witnesses} witnesses; f = {faults} of them may be hostile",
        genesis.quorum
    )?;
    writeln!(
        out,
        "{} silent seats are borne; with one more nothing is signed",
        silent(genesis)
    )
}

/// Seats that may be silent: ⌈(w − f) / 2⌉ − 1.
fn silent(genesis: &Genesis) -> usize {
    let faults = usize::try_from(genesis.faults).unwrap_or(usize::MAX);
    genesis
        .witness_count()
        .saturating_sub(faults)
        .div_ceil(2)
        .saturating_sub(1)
}

/// Everything in a genesis that makes the claim weaker than it could be.
pub fn weaknesses(genesis: &Genesis) -> Vec<String> {
    let mut weak = Vec::new();
    if genesis.mode == Mode::Dev {
        weak.push(
            "development mode: short delays, software keys and embedded parts are allowed"
                .to_owned(),
        );
    }

    weak.extend(bounds(&genesis.bounds));

    // Threshold and quorum count seats, but an attack succeeds against operators and places.
    let operators: BTreeSet<&str> = genesis
        .signers
        .iter()
        .map(|seat| seat.operator.as_str())
        .collect();
    if operators.len() < genesis.signers.len() {
        weak.push("signers of one operator are one fault, not several".to_owned());
    }

    if genesis
        .witnesses
        .iter()
        .any(|seat| operators.contains(seat.operator.as_str()))
    {
        weak.push(
            "an independent witness is run by a signer's operator: it is not independent"
                .to_owned(),
        );
    }

    let locations: BTreeSet<&str> = genesis
        .signers
        .iter()
        .map(|seat| seat.location.as_str())
        .collect();
    if locations.len() < genesis.signers.len() {
        weak.push("signers share a location: one event takes several".to_owned());
    }

    if genesis
        .signers
        .iter()
        .any(|seat| seat.hardware.as_str() == "software")
    {
        weak.push("a signer's keys are protected by software only".to_owned());
    }

    // t is chosen with each key; it is more than half of the roster. n − t signers may be lost, so
    // the witnesses' quorum should bear as many silent seats.
    let n = genesis.signers.len();
    let lost = n - (n / 2 + 1);
    if genesis.witnesses.len() < lost {
        weak.push(format!(
            "{} independent witnesses for {n} signers: with {lost} signers silent the witness quorum, not the \
             threshold, decides whether anything is signed",
            genesis.witnesses.len()
        ));
    }

    if genesis.admins.quorum < 2 {
        weak.push("one platform admin alone can stop the platform and create tenants".to_owned());
    }
    weak
}

fn bounds(bounds: &Bounds) -> Vec<String> {
    // In production mode `Genesis::check` has refused all of these; a development genesis may have
    // them.
    let least = Bounds::production();
    let short = [
        (
            "delay of loosenings",
            bounds.loosen_delay_ms,
            least.loosen_delay_ms,
        ),
        (
            "delay of ceremonies",
            bounds.ceremony_delay_ms,
            least.ceremony_delay_ms,
        ),
        (
            "delay of platform changes",
            bounds.platform_delay_ms,
            least.platform_delay_ms,
        ),
    ];

    let long = [
        (
            "freshness of heads",
            bounds.freshness_ms,
            least.freshness_ms,
        ),
        ("clock skew", bounds.skew_ms, least.skew_ms),
        (
            "time to include a handed tightening",
            bounds.duty_ms,
            least.duty_ms,
        ),
        (
            "age of the newest entry",
            bounds.tick_max_ms,
            least.tick_max_ms,
        ),
        (
            "life of a ceremony",
            bounds.ceremony_life_ms,
            least.ceremony_life_ms,
        ),
    ];

    // A delay protects while it is long, a tolerance while it is short.
    let short = short.into_iter().filter(|(_, found, least)| found < least);
    let long = long.into_iter().filter(|(_, found, most)| found > most);
    short
        .map(|(what, found, least)| format!("{what}: {found} ms, production needs {least} ms"))
        .chain(
            long.map(|(what, found, most)| {
                format!("{what}: {found} ms, production allows {most} ms")
            }),
        )
        .collect()
}
